# SPDX-License-Identifier: GPL-2.0
"""make run_tests and make check, as far as they run nothing."""

import io
import os
import tempfile
import unittest
from unittest import mock

import check
import house_rules
import suite
from parts import TOP


class Choice(unittest.TestCase):
    def chosen(self, function, **environment):
        with mock.patch.dict(os.environ, environment):
            return function()

    def refused(self, text, function, **environment):
        with self.assertRaises(SystemExit) as caught:
            self.chosen(function, **environment)
        self.assertIn(text, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_tests(self):
        name = suite.all_tests()[0].removeprefix("x86/")
        self.assertEqual(self.chosen(suite.choose_tests, TESTS=""), suite.all_tests())
        for text in name, f"x86/{name}", f"  {name}  ":
            self.assertEqual(self.chosen(suite.choose_tests, TESTS=text), [f"x86/{name}"])
        for text in "no_such_test", "../" + name, "*", f"{name}.c":
            self.refused(f"no such test: {text}", suite.choose_tests, TESTS=text)

    def test_host(self):
        self.assertEqual(self.chosen(suite.choose_host, HOST="box"), "box")
        self.assertEqual(self.chosen(suite.choose_host, HOST="native"), "native")
        self.refused("auto, native or box", suite.choose_host, HOST="moon")
        with mock.patch("suite.has_tdx", return_value=True):
            self.assertEqual(self.chosen(suite.choose_host, HOST=""), "native")
        with mock.patch("suite.has_tdx", return_value=False):
            self.assertEqual(self.chosen(suite.choose_host, HOST="auto"), "box")


    def test_kernels(self):
        def chosen(**environment):
            return self.chosen(suite.kernel_options, **{"DEBUG": "", "KERNEL_CONFIG": "",
                                                       **environment})

        self.assertEqual(chosen(), ("kernel", []))
        self.assertEqual(chosen(DEBUG="0"), ("kernel", []))
        self.assertEqual(chosen(DEBUG="1"), ("debug", ["--config", "debug"]))
        self.assertEqual(chosen(DEBUG="kcsan"), ("kcsan", ["--config", "kcsan"]))
        self.assertEqual(chosen(KERNEL_CONFIG=__file__), ("configured", ["--config", __file__]))
        self.assertEqual(chosen(DEBUG="0", KERNEL_CONFIG=__file__)[0], "configured")
        self.refused("DEBUG=2: 1, kcsan or kmemleak", suite.kernel_options, DEBUG="2")
        self.refused("two kernels", suite.kernel_options, DEBUG="1", KERNEL_CONFIG=__file__)


class Report(unittest.TestCase):
    FOUND = {"runner": TOP / "r", "tests": TOP / "t", "kernel": TOP / "k"}

    def test_without_one_the_runner_runs(self):
        self.assertEqual(suite.runner(self.FOUND, ["x86/a"], None),
                         [TOP / "r/runner", TOP / "t", "x86/a"])

    def test_with_one_a_script_runs_the_runner(self):
        command = suite.runner(self.FOUND, ["x86/a"], "/d")
        self.assertEqual(command[2:4], ["--report", "/d"])
        self.assertEqual(command[-3:], ["--config", TOP / "k/.config", "x86/a"])
        self.assertTrue(command[1].is_file())

    def test_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            with mock.patch.dict(os.environ, REPORT=f"{directory}/a/b"):
                self.assertEqual(suite.report_directory(), f"{directory}/a/b")
            self.assertTrue(os.path.isdir(f"{directory}/a/b"))
            with open(f"{directory}/file", "w"), \
                    mock.patch.dict(os.environ, REPORT=f"{directory}/file/a"), \
                    self.assertRaises(SystemExit) as caught:
                suite.report_directory()
            self.assertIn("Not a directory", str(caught.exception))
        with mock.patch.dict(os.environ, REPORT=""):
            self.assertIsNone(suite.report_directory())


class Status(unittest.TestCase):
    def test_which_tests_run(self):
        line = suite.StatusLine(io.StringIO())
        self.assertTrue(line.take("# running 1 of 31: tdx_a_test"))
        self.assertTrue(line.take("# running 2 of 31: tdx_b_test"))
        self.assertEqual(line.text(), "[2/31] tdx_a_test 0 s, tdx_b_test 0 s")
        self.assertFalse(line.take("ok 1 selftests: kvm: tdx_a_test"))
        self.assertEqual(line.text(), "[2/31] tdx_b_test 0 s")

    def test_other_lines(self):
        line = suite.StatusLine(io.StringIO())
        for text in "# running late", "  # running 1 of 2: x", "ok 1 x":
            self.assertFalse(line.take(text))

    def test_lines_of_a_pipe(self):
        reader, writer = os.pipe()
        os.write(writer, b"one\ntw\x1bo\nthree")
        os.close(writer)
        with open(reader) as stream:
            self.assertEqual(list(suite.lines_of(stream, lambda: None)), ["one", "two", "three"])


class HouseRules(unittest.TestCase):
    def test_long_files(self):
        found = house_rules.no_long_file({"x86/a.c": "\n" * 701, "x86/b.c": "\n" * 700,
                                          "README.md": "\n" * 2000})
        self.assertEqual(len(found), 1)

    def test_bodies_in_headers(self):
        short = "int f(void)\n{\n" + "\tx;\n" * 10 + "}\n"
        long = "/* why */\nstatic inline int g(int a,\n\t\t\tint b)\n{\n" + "\tx;\n" * 11 + "}\n"
        self.assertEqual(house_rules.no_body_in_a_header({"a.h": short, "a.c": long}), [])
        self.assertEqual(house_rules.no_body_in_a_header({"a.h": short + "\n" + long}),
                         ["a.h:18: g() has 11 lines, 10 at most"])

    def test_licences(self):
        files = {"a": "# SPDX-License-Identifier: GPL-2.0\n", "b": "text\n", "empty": ""}
        self.assertEqual(house_rules.licence_in_every_file(files), ["b"])

    def test_link_time_tricks(self):
        files = {"mk": "LDFLAGS += -Wl," + house_rules.LINK_TIME + "=x\n", "other": "wrap"}
        self.assertEqual(len(house_rules.no_function_replaced_by_the_linker(files)), 1)


class Check(unittest.TestCase):
    def test_releases_in_the_list_of_profiles(self):
        self.assertEqual(check.with_module(
            "1.2   a release\n      more of it\n3.4   another\nnone  no module\n\n"
            "Modifiers:\n\n  gpaw=52\n"), ["1.2", "3.4"])

    def test_unknown_part(self):
        with self.assertRaises(SystemExit) as caught:
            check.main(["no-such-part"])
        self.assertIn("no part 'no-such-part'", str(caught.exception))

    def test_a_part_that_fails_without_a_word(self):
        with mock.patch.object(check, "check_lint", lambda part: 3), \
                mock.patch("builtins.print"):
            self.assertEqual(check.run_part("lint", "/")["fail"], 1)


if __name__ == "__main__":
    unittest.main()
