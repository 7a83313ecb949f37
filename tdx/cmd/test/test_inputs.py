# SPDX-License-Identifier: GPL-2.0
"""What a user gives: trees, versions, names of tests and of mutants."""

import os
import pathlib

from support import CacheTest

import build
import debian
import kernel
import qemu
import selftests


def kernel_tree(top):
    (top / "arch/x86").mkdir(parents=True)
    (top / "Kbuild").write_text("")
    (top / "arch/x86/Kconfig").write_text("config X86\n\nconfig INTEL_TDX_HOST\n\tbool\n")
    (top / "Makefile").write_text(
        "# SPDX\nVERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION = -rc2\nNAME = x\n")
    return top


class KsrcTest(CacheTest):
    def find(self, tree):
        os.environ["KSRC"] = str(tree)
        return build.make_graph().find("linux")

    def test_good(self):
        tree = kernel_tree(self.dir / "linux")
        self.assertEqual(self.find(tree), tree)
        self.assertEqual(debian.linux_version(tree), "7.4.0-rc2")

    def test_no_source(self):
        with self.dies("no kernel source"):
            self.find(self.dir)
        with self.dies("no kernel source"):
            self.find(self.dir / "none")

    def test_no_tdx(self):
        tree = kernel_tree(self.dir / "linux")
        (tree / "arch/x86/Kconfig").write_text("config X86\n")
        with self.dies("no TDX host support"):
            self.find(tree)

    def test_blanks_and_colons(self):
        for name in "my linux", "linux:7":
            with self.dies("blanks or colons"):
                self.find(kernel_tree(self.dir / name))

    def test_not_clean(self):
        for number, trace in enumerate((".config", "include/config",
                                        "arch/x86/include/generated")):
            tree = kernel_tree(self.dir / f"linux{number}")
            (tree / trace).mkdir(parents=True)
            with self.dies(f"is not clean, there is {trace}; 'make -C {tree} mrproper'"):
                self.find(tree)

    def test_is_looked_at_first(self):
        os.environ["KSRC"] = str(self.dir)
        with self.dies("no kernel source"):
            build.build(["qemu", "kernel", "init"])
        self.assertFalse(self.cache.exists())


class VersionTest(CacheTest):
    def test_kernel(self):
        os.environ["KERNEL"] = "../../etc"
        with self.dies("KERNEL=../../etc: not a version"):
            debian.linux_source(os.environ["KERNEL"])

    def test_newest(self):
        self.assertEqual(debian.newest(["7.2", "7.10", "6.19", "7.9.1"]), "7.10")
        self.assertIsNone(debian.newest([]))

    def test_linux_here(self):
        self.assertIsNone(debian.linux_here())
        for version in "7.2", "7.10":
            (self.cache / f"src/linux-{version}").mkdir(parents=True)
            (self.cache / f"src/linux-{version}/version").write_text("")
        (self.cache / "src/linux-8.0").mkdir()
        self.assertEqual(debian.linux_here(), "7.10")

    def test_qemu_suite(self):
        self.assertEqual(qemu.suite(), "trixie")
        os.environ["QEMU"] = "bookworm-backports"
        self.assertEqual(qemu.suite(), "bookworm-backports")
        os.environ["QEMU"] = "buster"
        with self.dies("QEMU=buster: trixie, bookworm-backports"):
            qemu.suite()

    def test_qemu_source(self):
        os.environ["QEMU_SRC"] = str(self.dir)
        with self.dies("no QEMU source"):
            build.make_graph().find("qemu-source")


class AptTest(CacheTest):
    def test_sources(self):
        self.assertFalse(any(" sid " in line for line in debian.sources("http://mirror/debian", ())))
        os.environ["QEMU"] = "sid"
        lines = debian.sources("http://mirror/debian", ())
        self.assertEqual(len(lines), len(set(lines)))
        for suite in debian.QEMU_SUITES:
            self.assertEqual(sum(line.startswith("deb-src") and f" {suite} main" in line
                                 for line in lines), 1)
        self.assertTrue(any(line.startswith("deb ") and " trixie-backports main" in line
                            for line in lines))

    def test_root(self):
        root = self.dir / "apt"
        debian.write_apt_root(root, "http://mirror/debian", ("forky",))
        self.assertIn(f'Dir::State "{root}";', (root / "apt.conf").read_text())
        self.assertIn(" forky main\n", (root / "sources.list").read_text())
        self.assertIn("Pin: release n=forky\nPin-Priority: 1\n",
                      (root / "preferences").read_text())
        self.assertTrue((root / "lists/partial").is_dir())


class TestsTest(CacheTest):
    def test_choice(self):
        every = selftests.all_tests()
        self.assertEqual(selftests.choose_tests([]), every)
        self.assertEqual(selftests.choose_tests([every[3].removeprefix("x86/"), every[1]]),
                         [every[3], every[1]])
        with self.assertRaisesRegex(LookupError, "no such test: tdx_typo_test .there are: tdx_"):
            selftests.choose_tests(["tdx_typo_test"])

    def test_copy(self):
        suite = self.dir / "suite"
        selftests.copy_suite(suite, selftests.SOURCES)
        names = {str(path.relative_to(suite)) for path in suite.rglob("*") if path.is_file()}
        self.assertIn("selftests.mk", names)
        self.assertIn(selftests.all_tests()[0] + ".c", names)
        (suite / "x86/tdx_gone_test.c").write_text("")
        changed = suite / "selftests.mk"
        changed.write_text("")
        same = suite / (selftests.all_tests()[0] + ".c")
        os.utime(same, (1, 1))
        selftests.copy_suite(suite, selftests.SOURCES)
        self.assertFalse((suite / "x86/tdx_gone_test.c").exists())
        self.assertNotEqual(changed.read_text(), "")
        self.assertEqual(same.stat().st_mtime, 1)


class ConfigurationTest(CacheTest):
    class Step:
        """Stands for kbuild: takes all lines, but for those that it does not know."""

        def __init__(self, unknown=""):
            self.unknown = unknown
            self.runs = 0

        def run(self, *argv):
            self.runs += 1
            build_dir = pathlib.Path(argv[3].removeprefix("O="))
            text = (build_dir / "allconfig").read_text()
            (build_dir / ".config").write_text(text.replace(self.unknown or "\0", ""))

    def setUp(self):
        super().setUp()
        self.config = self.dir / "config"
        self.config.write_text("# a comment\nCONFIG_A=y\n# CONFIG_B is not set\n")

    def test_once(self):
        step = self.Step()
        for _ in range(2):
            kernel.configure(step, self.dir, self.dir / "build", [self.config])
        self.assertEqual(step.runs, 1)
        self.config.write_text("CONFIG_C=y\n")
        kernel.configure(step, self.dir, self.dir / "build", [self.config])
        self.assertEqual(step.runs, 2)

    def test_not_taken(self):
        step = self.Step("# CONFIG_B is not set\n")
        for _ in range(2):
            with self.assertRaisesRegex(Exception, "did not take: # CONFIG_B is not set"):
                kernel.configure(step, self.dir, self.dir / "build", [self.config])

    def test_the_later_configuration_holds(self):
        later = self.dir / "later"
        later.write_text("CONFIG_B=y\n# CONFIG_A is not set\n")
        kernel.configure(self.Step(), self.dir, self.dir / "build", [self.config, later])
        self.assertEqual((self.dir / "build/allconfig").read_text(),
                         "# a comment\n# CONFIG_A is not set\nCONFIG_B=y\n")

    def test_sysctl_by_its_older_name(self):
        self.config.write_text("CONFIG_A=y\nCONFIG_SYSCTL=y\nCONFIG_B=y\n")
        kernel.configure(self.Step(), self.dir, self.dir / "build", [self.config])
        self.assertIn("CONFIG_PROC_SYSCTL=y\n", (self.dir / "build/allconfig").read_text())

    def test_no_kexec_where_tdx_excludes_it(self):
        self.config.write_text("CONFIG_A=y\nCONFIG_KEXEC=y\nCONFIG_B=y\n")
        kconfig = self.dir / "arch/x86/Kconfig"
        kconfig.parent.mkdir(parents=True)
        for text, has in ("config INTEL_TDX_HOST\n", True), ("\tdepends on !KEXEC_CORE\n", False):
            kconfig.write_text(text)
            kernel.configure(self.Step(), self.dir, self.dir / "build", [self.config])
            lines = (self.dir / "build/allconfig").read_text().splitlines()
            self.assertEqual("CONFIG_KEXEC=y" in lines, has)
            self.assertIn("CONFIG_B=y", lines)

    def test_line_that_not_every_kernel_knows(self):
        self.config.write_text("CONFIG_A=y\nCONFIG_KVM_VM_MEMORY_ATTRIBUTES=y\nCONFIG_B=y\n")
        kconfig = self.dir / "arch/x86/kvm/Kconfig"
        kconfig.parent.mkdir(parents=True)
        for text, has in ("config KVM\n", False), ("config KVM_VM_MEMORY_ATTRIBUTES\n", True):
            kconfig.write_text(text)
            kernel.configure(self.Step(), self.dir, self.dir / "build", [self.config])
            lines = (self.dir / "build/allconfig").read_text().splitlines()
            self.assertEqual("CONFIG_KVM_VM_MEMORY_ATTRIBUTES=y" in lines, has)
            self.assertIn("CONFIG_B=y", lines)
