# SPDX-License-Identifier: GPL-2.0
import os
import pathlib
import signal
import subprocess
import sys
import time

from support import CMD, CacheTest

import files
import initramfs
import process


def script(text):
    return [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(CMD)!r})\n{text}"]


class StepTest(CacheTest):
    def setUp(self):
        super().setUp()
        self.log = self.dir / "log"

    def test_output_is_in_the_log(self):
        with self.quiet() as text:
            process.run_step("doing it", self.log, ["sh", "-c", "echo out; echo err >&2"])
        self.assertEqual(text.getvalue(), "tdx: doing it ...\n")
        self.assertEqual(self.log.read_text(), "out\nerr\n")

    def test_failure(self):
        with self.quiet() as text, self.dies(f"failed: doing it; the whole log: {self.log}"):
            process.run_step("doing it", self.log, ["sh", "-c", "seq 100; exit 3"])
        self.assertEqual(text.getvalue().splitlines()[-2:], ["    100", "    sh: status 3"])
        self.assertLess(text.getvalue().count("\n"), 20)

    def test_no_such_program(self):
        with self.quiet(), self.dies("failed: doing it"):
            process.run_step("doing it", self.log, ["no-such-program"])
        self.assertIn("no-such-program", self.log.read_text())

    def test_environment(self):
        os.environ["MAKEFLAGS"] = "-n"
        self.addCleanup(os.environ.pop, "MAKEFLAGS")
        with self.quiet(), process.Step("x", self.log) as step:
            self.assertEqual(step.output("sh", "-c", "echo $LC_ALL $MAKEFLAGS"), "C\n")


class ChildrenTest(CacheTest):
    def run_and_signal(self, text, number):
        child = subprocess.Popen(script(text), stdout=subprocess.PIPE, text=True)
        grandchild = int(child.stdout.readline())
        child.send_signal(number)
        child.stdout.close()
        status = child.wait(20)
        deadline = time.monotonic() + 20
        while alive(grandchild) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertFalse(alive(grandchild))
        return status

    MAIN = """
import process
def main(arguments):
    process.wait(process.start(process.tied_to_us(["sh", "-c", "%s"])))
sys.exit(process.run_main(main, []))
"""

    def test_end_with_us(self):
        main = self.MAIN % "sleep 1000 & echo $!; wait"
        self.assertEqual(self.run_and_signal(main, signal.SIGTERM), 143)
        self.assertEqual(self.run_and_signal(main, signal.SIGINT), 130)

    def test_end_when_we_are_killed(self):
        main = self.MAIN % "echo $$; exec sleep 1000"
        self.assertEqual(self.run_and_signal(main, signal.SIGKILL), -9)

    def test_one_that_ignores_it(self):
        child = process.start(["sh", "-c", "trap '' TERM; echo; sleep 1000 & wait"],
                              stdout=subprocess.PIPE)
        child.stdout.readline()
        child.stdout.close()
        process.children.end(child, patience=0.1)
        self.assertEqual(child.returncode, -signal.SIGKILL)

    def test_streams_that_are_closed(self):
        text = """
import process
def main(arguments):
    file = open("/dev/null")
    return 7 if file.fileno() > 2 else 1
sys.exit(process.run_main(main, []))
"""
        shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "-", *script(text)]
        self.assertEqual(subprocess.run(shell).returncode, 7)

    def test_together(self):
        self.assertEqual(process.together(lambda: 1, lambda: 2), [1, 2])
        text = """
import process
def fail():
    process.die("no")
def run():
    process.wait(process.start(["sleep", "1000"]))
process.run_main(lambda arguments: process.together(run, fail), [])
"""
        done = subprocess.run(script(text), stderr=subprocess.PIPE, text=True, timeout=20)
        self.assertEqual((done.returncode, done.stderr), (1, "tdx: no\n"))


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class MirrorTest(CacheTest):
    def test_touches_what_differs(self):
        here, there = self.dir / "here", self.dir / "there"
        for top in here, there:
            (top / "sub").mkdir(parents=True)
            (top / "sub/same").write_text("same")
            os.utime(top / "sub/same", (1, 1))
            (top / "differs").write_text(top.name)
        (here / "new").write_text("new")
        (here / "link").symlink_to("new")
        (there / "old").mkdir()
        (there / "old/file").write_text("")
        files.mirror(here, there)
        self.assertEqual(sorted(os.listdir(there)), ["differs", "link", "new", "sub"])
        self.assertEqual((there / "differs").read_text(), "here")
        self.assertEqual(os.readlink(there / "link"), "new")
        self.assertEqual((there / "sub/same").stat().st_mtime, 1)

    def test_relevant(self):
        for name in "tdx.c", "insert", "meson.build":
            self.assertTrue(files.relevant(name))
        for name in ".tdx.c.swp", "tdx.c~", "#tdx.c#", "tdx.c.orig", "__pycache__", "x.rej":
            self.assertFalse(files.relevant(name))


class InitramfsTest(CacheTest):
    def test_archive(self):
        """Read as the kernel does."""
        data = initramfs.archive(b"program")
        found = {}
        while data:
            self.assertEqual(data[:6], b"070701")
            fields = [int(data[at:at + 8], 16) for at in range(6, 110, 8)]
            size, name_size = fields[6], fields[11]
            name = data[110:110 + name_size - 1].decode()
            start = (110 + name_size + 3) & ~3
            found[name] = (fields[1], fields[9:11], data[start:start + size])
            data = data[(start + size + 3) & ~3:].lstrip(b"\0")
        self.assertEqual(found["init"], (0o100755, [0, 0], b"program"))
        self.assertEqual(found["dev/console"], (0o020600, [5, 1], b""))
        self.assertEqual(list(found)[-1], "TRAILER!!!")
