# SPDX-License-Identifier: GPL-2.0
"""What the launcher makes of what comes from inside, where root is not to be
trusted."""

import unittest

import kernel_log
import status
from kernel_log import KernelLog, matches, printable


def complaint(*lines):
    log = KernelLog()
    log.feed(b"".join(line.encode() + b"\n" for line in lines))
    log.finish()
    return log.complaint()


class Status(unittest.TestCase):
    def test_what_init_writes(self):
        self.assertEqual(status.parse(b"exit 0\n"), ("exit", 0))
        self.assertEqual(status.parse(b"exit 255\n"), ("exit", 255))
        self.assertEqual(status.parse(b"signal 11\n"), ("signal", 11))
        self.assertEqual(status.parse(b"error /lower: No such device\n"),
                         ("error", "/lower: No such device"))
        self.assertEqual(status.parse(b""), ("none", ""))

    def test_digits_are_decimal(self):
        self.assertEqual(status.parse(b"exit 08\n"), ("exit", 8))

    def test_nonsense(self):
        for text in (b"\n", b"exit", b"exit 256\n", b"exit 0x10", b"exit 1+1", b"exit -1",
                     b"exit  1", b" exit 1", b"signal cpus[0$(touch x)]", b"\xff" * 5000,
                     b"exit 1\0", "exit \u0661".encode(), b"exit 1" + b"0" * 3000):
            with self.subTest(text[:20]):
                self.assertIn(status.parse(text), [("nonsense", ""), ("exit", 1)])
        self.assertEqual(status.parse("exit \u0661".encode())[0], "nonsense")

    def test_error_text_has_no_escape_sequences(self):
        self.assertEqual(status.parse(b"error \x1b]0;title\x07x\n"), ("error", "]0;titlex"))


class Log(unittest.TestCase):
    def test_control_characters(self):
        self.assertEqual(printable(b"a\tb\x1b[31m\x07\r\x00\x7f"), "a\tb[31m")
        self.assertEqual(printable(b"\x9b31m \xc2\x9b"), r"\x9b31m \xc2\x9b")

    def test_patterns_are_text(self):
        self.assertTrue(matches("WARNING: a at b", "WARN*at"))
        self.assertTrue(matches("WARNING: a", "x|WARN"))
        self.assertFalse(matches("WARNING: a", "WARN.*"))
        self.assertFalse(matches("WARNING: a", "(WARNING"))
        self.assertFalse(matches("WARNING: a", ""))
        self.assertFalse(matches("WARNING: a", "|"))
        self.assertFalse(matches("b a", "a*b"))

    def test_complaint_and_what_ran(self):
        text = complaint("[1] tdx-box: run /x/tdx_a_test", "[2] WARNING: odd", "[2] more",
                         "[2] ---[ end trace 0 ]---", "[3] unrelated")
        self.assertEqual(text.splitlines(), [
            "tdx/box: the kernel complained while running /x/tdx_a_test:",
            "    [2] WARNING: odd", "    [2] more", "    [2] ---[ end trace 0 ]---"])

    def test_complaint_at_boot(self):
        self.assertIn("while booting:", complaint("BUG: early"))

    def test_announced_once(self):
        announce = "kselftest: expects: made * up"
        self.assertEqual(complaint(announce, "WARNING: made it up"), "")
        self.assertIn("WARNING", complaint(announce, "WARNING: made it up",
                                           "WARNING: made it up"))

    def test_own_lines_are_no_complaints(self):
        self.assertEqual(complaint("tdx-box: WARNING: x", "kselftest: expects: WARNING: "), "")

    def test_interrupted_line(self):
        self.assertEqual(complaint(
            "kselftest: expects: made", "** replaying previous printk message **",
            "kselftest: expects: made down|WARN*made up*expected", "WARNING: made up, as expe",
            "** replaying previous printk message **", "WARNING: made up, as expected"), "")

    def test_known_data_race(self):
        report = "[  14.7] BUG: KCSAN: data-race in "
        for race in kernel_log.KNOWN_RACES:
            self.assertEqual(complaint(report + race.replace("*", "odd"), "write to 0x1"), "")
        for race in "tdx_vcpu_load / odd", "kvm_arch_vcpu_ioctl_run / tdx_vcpu_load":
            self.assertIn("data-race", complaint(report + race))

    def test_pieces_of_lines(self):
        log = KernelLog()
        for byte in b"WARN" b"ING: odd\n" b"next\n":
            log.feed(bytes([byte]))
        log.finish()
        self.assertIn("    WARNING: odd", log.complaint())

    def test_endless_line(self):
        log = KernelLog()
        for _ in range(100):
            log.feed(b"x" * 100000)
        self.assertLessEqual(len(log.rest), kernel_log.MAX_LINE)
        log.finish()
        self.assertLessEqual(len(log.last_lines()), 11 * kernel_log.MAX_LINE)

    def test_endless_complaints_and_announcements(self):
        log = KernelLog()
        for number in range(3000):
            log.feed(b"kselftest: expects: no such text %d\n" % number)
        for number in range(3000):
            log.feed(b"WARNING: %d\n" % number)
        log.finish()
        self.assertEqual(len(log.expected), kernel_log.MAX_EXPECTED)
        lines = log.complaint().splitlines()
        self.assertEqual(len(lines), kernel_log.MAX_REPORT + 2)
        self.assertEqual(lines[-1], f"    and {3000 - kernel_log.MAX_REPORT} more lines")

    def test_case_that_may_harm_the_machine(self):
        log = KernelLog()
        log.feed(b"kselftest: may harm the host: x a.b\n[ 1.2] kselftest: may harm the host: x c.d\n"
                 b"kselftest: expects: may harm the host: x e.f\n")
        log.finish()
        self.assertEqual(log.may_harm, "x c.d")

    def test_last_lines(self):
        log = KernelLog()
        log.feed(b"".join(b"line %d\n" % n for n in range(100)))
        log.finish()
        self.assertEqual(log.last_lines().splitlines(), [f"    line {n}" for n in range(90, 100)])


if __name__ == "__main__":
    unittest.main()
