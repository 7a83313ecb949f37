# SPDX-License-Identifier: GPL-2.0
import os

from support import CacheTest

import coverage

SOURCE = """\
// SPDX-License-Identifier: GPL-2.0
static int first(int x);

static int first(int x)
{
	return x;
}

int second(void)
{
	if (first(1))
		return 1;
	return 0;
}
"""
GCNO = b"oncgB22*STMPrest"


class ReportTest(CacheTest):
    def test_ranges(self):
        self.assertEqual(coverage.ranges([1, 2, 3, 7, 9, 10]), "1-3, 7, 9-10")

    def test_functions(self):
        names = coverage.functions_of_lines(SOURCE)
        self.assertEqual([names[line] for line in (1, 2, 6, 11)], ["?", "?", "first", "second"])

    def test_reasons(self):
        self.assertEqual(coverage.read_reasons("# x: y\n\nf: a: b\ng:c\n"), {"f": "a: b", "g": "c"})

    def data(self, counts):
        return {"files": [{"file": "/l/" + coverage.TDX_C, "lines": [
            {"line_number": line, "count": count} for line, count in counts.items()]}]}

    def test_report(self):
        lines = coverage.report(self.data({6: 3, 11: 1, 12: 0, 13: 0}), SOURCE, {"second": "why"})
        self.assertEqual(lines, ["second() 12-13: why",
                                 "arch/x86/kvm/vmx/tdx.c: 2 of 4 lines (50.0%)"])
        lines = coverage.report(self.data({6: 0}), SOURCE, {})
        self.assertEqual(lines[0], "first() 6: NO REASON GIVEN")

    def test_nothing_counted(self):
        with self.dies("nothing was counted"):
            coverage.report({"files": []}, SOURCE, {})


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
