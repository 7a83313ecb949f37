# SPDX-License-Identifier: GPL-2.0
"""What the tests of the commands share: the modules' place, and a cache of one's
own.  Run them by: python3 -m unittest discover -s tdx/cmd/test"""

import contextlib
import io
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
import unittest.mock

CMD = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CMD))
sys.dont_write_bytecode = True

from outcome import Failure

VARIABLES = """TDX_CACHE XDG_CACHE_HOME HOME QEMU QEMU_SRC KERNEL KSRC LLVM MUTANTS MUTANT
	RESUME TESTS TDX_PLAIN_CC""".split()


class Refusals:
    """For tests of options; parse() takes the arguments as a list."""

    parse = None

    def refused(self, text, *arguments):
        """These end the run with one line that has the text in it."""
        with self.assertRaises(Failure) as caught:
            self.parse(list(arguments))
        self.assertIn(text, str(caught.exception))
        self.assertEqual(caught.exception.status, 125)
        self.assertNotIn("\n", str(caught.exception))


class CacheTest(unittest.TestCase):
    """Has an empty cache, and no variable that a user may have set."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        saved = {name: os.environ.pop(name, None) for name in VARIABLES}
        self.addCleanup(self.restore, saved)
        installing = unittest.mock.patch("debian.install")
        installing.start()
        self.addCleanup(installing.stop)
        self.cache = self.dir / "cache"
        os.environ["TDX_CACHE"] = str(self.cache)

    def restore(self, saved):
        for name, value in saved.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    @contextlib.contextmanager
    def dies(self, text):
        """What runs in here ends the program with one line that has the text in it."""
        with self.assertRaises(SystemExit) as caught:
            yield
        self.assertIn(text, str(caught.exception.code))
        self.assertNotIn("\n", str(caught.exception.code))

    @contextlib.contextmanager
    def quiet(self):
        """Returns what is written to stderr in here."""
        text = io.StringIO()
        with contextlib.redirect_stderr(text):
            yield text
