# SPDX-License-Identifier: GPL-2.0
"""For tests of a program: runs it, and asserts what comes of it."""

import os
import subprocess
import tempfile
import unittest


class ProgramTest(unittest.TestCase):
    program = []        # how it is called
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def run_program(self, *arguments, environment=None, **options):
        """Returns the ended process, with bytes in stdout and stderr."""
        options.setdefault("stdin", subprocess.DEVNULL)
        if "input" in options:
            del options["stdin"]
        return subprocess.run(
            [os.fspath(word) for word in (*self.program, *arguments)],
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            env={**os.environ, **(environment or {})}, check=False, **options)

    def gives(self, status, *arguments, **options):
        """The program's status has to be this.  Returns its output as text."""
        done = self.run_program(*arguments, **options)
        output = (done.stdout or b"").decode(errors="replace")
        errors = (done.stderr or b"").decode(errors="replace")
        self.assertEqual(done.returncode, status,
                         f"{arguments}\nstdout: {output}\nstderr: {errors}")
        return output, errors

    def complains(self, status, text, *arguments, **options):
        """The program has to end with this status and one line that has the text."""
        output, errors = self.gives(status, *arguments, **options)
        self.assertIn(text, errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertEqual(output, "")
