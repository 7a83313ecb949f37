# SPDX-License-Identifier: GPL-2.0
import os
import pathlib

from support import CacheTest

import coverage
import coverage_report as report
import failures

SOURCE = """\
// SPDX-License-Identifier: GPL-2.0
static int first(int x);

static int first(int x)
{
	return x;
}

int second(void)
{
	/* if (a) */
	if (first(1) ||
	    first(2))
		return 1;
	if (vcpu->arch.guest_state_protected)
		return -EINVAL;
	if (!vcpu->arch.guest_tsc_protected)
		return 1;
	return x ? 1 :
	       0;
}
"""
GCNO = b"oncgB22*STMPrest"


class ReportTest(CacheTest):
    def test_ranges(self):
        self.assertEqual(report.ranges([1, 2, 3, 7, 9, 10]), "1-3, 7, 9-10")

    def test_functions(self):
        names = report.functions_of_lines(SOURCE)
        self.assertEqual([names[line] for line in (1, 2, 6, 11)], ["?", "?", "first", "second"])

    def test_statements(self):
        found = report.statements_of_lines(SOURCE)
        self.assertEqual(found[12], (12, 13, "if (first(1) || first(2))"))
        self.assertEqual(found[13], found[12])
        self.assertEqual(found[19], (19, 20, "return x ? 1 : 0;"))

    def test_reasons(self):
        self.assertEqual(report.read_reasons("# x: y\n\nf: a: b\n[branches of x]\ng: `a ? b : c`: d\n"),
                         {"": {"f": "a: b"}, "branches of x": {("g", "a ? b : c"): "d"}})

    def report(self, counts, reasons="", branches=None, path=report.TDX_C):
        """Returns what is reported of tdx.c, or of a file in its stead."""
        files = [{"file": f"/l/{name}", "lines": [
            {"line_number": line, "count": count,
             "branches": [{"count": n} for n in (branches or {}).get(line, [])]}
            for line, count in counts.items()]} for name in {report.TDX_C, path}]
        for name in {report.TDX_C, path}:
            (self.dir / name).parent.mkdir(parents=True, exist_ok=True)
            (self.dir / name).write_text(SOURCE)
        return report.Report(self.dir, {"files": files}, reasons)

    def test_lines(self):
        lines = self.report({6: 3, 12: 1, 14: 0, 16: 0}, f"[{report.TDX_C}]\nsecond: why\n")
        self.assertIn("second() 14, 16: why", lines.missed())
        self.assertEqual(lines.sums()[-1], "arch/x86/kvm/vmx/tdx.c: 2 of 4 lines (50.0%)")
        self.assertIn("first() 6: NO REASON GIVEN", self.report({6: 0}).missed())
        self.assertIn("first() 6", self.report({6: 0}).missed(with_reasons=False))

    def test_sum_of_the_suite_alone(self):
        alone = self.report({6: 1, 12: 0})
        self.assertTrue(self.report({6: 1, 12: 1}).sums(alone)[-1].endswith(
            "2 of 2 lines (100.0%), by the suite alone 1"))

    def test_vmx_is_not_about_tdx(self):
        about = report.NOT_TDX["arch/x86/kvm/vmx/main.c"].match
        self.assertTrue(about("\treturn vmx_vm_init(kvm);"))
        self.assertTrue(about("static int vt_vm_init(struct kvm *kvm)"))
        self.assertFalse(about("\t\treturn tdx_vm_init(kvm);"))
        self.assertFalse(about("\tif (is_td(kvm))"))

    def test_branches(self):
        found = self.report({6: 1, 12: 5, 13: 0, 15: 7}, f"""[branches of {report.TDX_C}]
second: `first(1)`: why
""", {6: [1, 0], 12: [5, 0], 13: [0, 0], 15: [7, 1]})
        lines = [line for line in found.missed() if "`" in line]
        # 6 is no decision, 13 was not reached, 15 has both outcomes.
        self.assertEqual(lines, ["second() 12 `if (first(1) ||`: why"])
        self.assertIn("branches of arch/x86/kvm/vmx/tdx.c: 3 of 6 (50.0%)", found.sums())

    def test_assertions_are_no_branches(self):
        self.assertTrue(report.ASSERTION.search("if (TDX_BUG_ON_2(err, TDH_X, a, b, kvm))"))
        self.assertTrue(report.ASSERTION.search("if (a && WARN_ON_ONCE(b))"))
        self.assertFalse(report.ASSERTION.search("if (is_warn_on(b))"))

    def test_checks(self):
        path = "arch/x86/kvm/x86.c"
        for counts, reached in (({15: 3, 16: 1, 17: 3, 18: 3}, {15: True, 17: False}),
                                ({15: 3, 16: 0, 17: 3, 18: 2}, {15: False, 17: True})):
            found = self.report(counts, f"[{path}]\nsecond: why\n", path=path)
            self.assertEqual(dict(found.files[path].checks()), reached)
            missed = next(line for line, was in reached.items() if not was)
            self.assertIn(f"{path}:{missed} second(): why", found.missed())

    def test_nothing_counted(self):
        with self.dies("nothing was counted"):
            report.Report(self.dir, {"files": []}, "")

    def test_rows_have_a_section_and_a_function(self):
        known = [*report.files(), f"branches of {report.TDX_C}"]
        text = (coverage.TDX / "unreached").read_text()
        for section, rows in report.read_reasons(text).items():
            self.assertTrue(section in known or not rows, section)


class SuiteTest(CacheTest):
    def test_programs(self):
        (self.dir / "sub").mkdir()
        for name, mode in ("a", 0o755), ("sub/b", 0o755), ("c.txt", 0o644):
            (self.dir / name).write_text("#!/bin/sh\n")
            (self.dir / name).chmod(mode)
        self.assertEqual(coverage.programs_of(self.dir), (self.dir, ["a", "sub/b"]))

    def test_no_directory(self):
        with self.dies("no such directory"):
            coverage.programs_of(self.dir / "none")

    def test_no_programs(self):
        with self.dies("no programs there"):
            coverage.programs_of(self.dir)


class FailuresTest(CacheTest):
    def test_cases(self):
        for case, plan in failures.cases():
            self.assertRegex(case, r"^(fails|early)\.\w+$")
            self.assertIn(":", plan)

    def test_refusals(self):
        rule = next(refusal for refusal in failures.REFUSALS if refusal.rules)
        options, command = failures.refusal_run(rule, self.dir)
        file = pathlib.Path(options[-1].split("rules=")[1])
        self.assertEqual(file.read_text(), rule.rules)
        self.assertEqual(command[-1], rule.message)
        self.assertTrue(failures.refused(rule, 0))
        self.assertFalse(failures.refused(rule, 1))
        self.assertTrue(failures.refused(failures.broken("TDH.X"), failures.STATUS_KERNEL))


class CountersTest(CacheTest):
    """Files that come from inside."""

    def setUp(self):
        super().setUp()
        self.path = self.dir / "tdx.gcda"

    def test_good(self):
        self.path.write_bytes(b"adcg" + GCNO[4:12] + b"counts")
        self.assertEqual(coverage.read_counters(self.path, GCNO), self.path.read_bytes())

    def refused(self, text):
        with self.dies(text):
            coverage.read_counters(self.path, GCNO)

    def test_missing(self):
        self.refused("no counters tdx.gcda")

    def test_link(self):
        (self.dir / "secret").write_bytes(b"adcg" + GCNO[4:12])
        self.path.symlink_to(self.dir / "secret")
        self.refused("no counters tdx.gcda")

    def test_pipe(self):
        os.mkfifo(self.path)
        self.refused("no file of counters")

    def test_directory(self):
        self.path.mkdir()
        self.refused("tdx.gcda")

    def test_too_large(self):
        with open(self.path, "wb") as file:
            file.truncate(1 << 40)
        self.refused("no file of counters")

    def test_of_another_kernel(self):
        for data in b"", GCNO, b"adcg" + b"x" * 8:
            self.path.write_bytes(data)
            self.refused("no file of this kernel's counters")
