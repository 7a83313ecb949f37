# SPDX-License-Identifier: GPL-2.0
"""What a confined process can do to the files of --out."""

import os
import stat
import tempfile
import unittest

import confine


class Confine(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def allowed(self, function):
        """Does a function work in a confined process?"""
        prepared = confine.prepare(self.directory)
        child = os.fork()
        if not child:
            try:
                prepared()
                os.chdir(self.directory)
                os.umask(0)
                function()
                os._exit(0)
            except OSError:
                os._exit(1)
            finally:
                os._exit(2)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.assertIn(status, (0, 1))
        return status == 0

    def test_what_files_are_for(self):
        self.assertTrue(self.allowed(lambda: os.close(os.open("a", os.O_CREAT | os.O_RDWR, 0o777))))
        self.assertTrue(self.allowed(lambda: os.chmod("a", 0o1755)))
        self.assertTrue(self.allowed(lambda: os.mkdir("d", 0o1777)))
        self.assertTrue(self.allowed(lambda: os.mkfifo("f")))
        self.assertTrue(self.allowed(lambda: os.symlink("a", "l")))
        self.assertTrue(self.allowed(lambda: os.rename("a", "b")))

    def test_other_users_rights(self):
        with open(f"{self.directory}/a", "w"):
            pass
        for mode in 0o4755, 0o2755, 0o6000:
            with self.subTest(oct(mode)):
                self.assertFalse(self.allowed(lambda: os.chmod("a", mode)))
                self.assertFalse(self.allowed(
                    lambda: os.open("b", os.O_CREAT | os.O_WRONLY, mode)))
                self.assertFalse(self.allowed(lambda: os.mkdir("d", mode)))
                self.assertFalse(self.allowed(lambda: os.mknod("n", stat.S_IFREG | mode)))
        self.assertFalse(self.allowed(lambda: os.setxattr("a", "security.capability", b"x")))

    def test_devices(self):
        for kind in stat.S_IFCHR, stat.S_IFBLK:
            self.assertFalse(self.allowed(lambda: os.mknod("n", kind | 0o666, os.makedev(1, 3))))
        self.assertFalse(os.path.lexists(f"{self.directory}/n"))

    def test_a_group_that_its_owner_shares_with(self):
        os.chmod(self.directory, 0o2755)
        self.assertTrue(self.allowed(lambda: os.mkdir("d", 0o2755)))
        self.assertFalse(self.allowed(lambda: os.mkdir("e", 0o4755)))


if __name__ == "__main__":
    unittest.main()
