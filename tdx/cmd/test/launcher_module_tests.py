# SPDX-License-Identifier: GPL-2.0
"""The module's life while the box runs: a kexec to the next kernel, and updates."""

import module_image
from launcher_tests import Launcher
from parts import parts


class ModuleTest(Launcher):
    @classmethod
    def setUpClass(cls):
        found = parts(["programs", "tests", "kernel"])
        cls.programs = found["programs"] / "x86"
        cls.lifecycle = found["tests"] / "x86/tdx_lifecycle_test"
        cls.vmlinux = found["kernel"] / "vmlinux"


class Kexec(ModuleTest):
    def kexec(self, status, profile, *command):
        """Runs the command, and after a kexec again.  Returns its output."""
        return self.gives(status, "run", "--timeout", "300", "--profile", profile,
                          "--append", "retain_initrd", "--",
                          self.programs / "tdx_kexec", self.vmlinux, *command)

    def test_the_next_kernel_initialises_tdx_again(self):
        output, _ = self.kexec(0, "1.5.06,sys-disable", "sh", "-c", 'dmesg | grep "virt/tdx"; "$1"',
                               "-", self.lifecycle)
        self.assertEqual(output.count("virt/tdx: TDX-Module initialized"), 2)
        self.assertEqual(output.count("ok 1 lifecycle.one_td\n"), 2)

    def test_a_td_that_runs_does_not_keep_the_next_kernel_from_tdx(self):
        # If KVM tries to enter the TD once more it fails, tries to print the TD's RIP
        # and warns that it can't.
        output, _ = self.kexec(0, "1.5.06,sys-disable", "sh", "-c", """
            echo "kselftest: expects: WARNING: *vt_cache_reg" >/dev/kmsg
            cat /sys/module/kvm_intel/parameters/tdx
            export TDX_RUNNING=/tmp/td-is-running
            "$1" -r update.never_ends &
            until [ -e $TDX_RUNNING ]; do sleep 0.1; done""", "-", self.programs / "tdx_update")
        self.assertEqual([line for line in output.splitlines() if line in "YN"], ["Y", "Y"])

    def test_without_sys_disable_the_next_kernel_has_no_tdx(self):
        output, _ = self.kexec(0, "1.5.06", "sh", "-c", """
            cat /sys/module/kvm_intel/parameters/tdx
            echo "kselftest: expects: SEAMCALL (0x0000000000000021) failed" >/dev/kmsg""")
        self.assertEqual([line for line in output.splitlines() if line in "YN"], ["Y", "N"])


class Update(ModuleTest):
    def setUp(self):
        super().setUp()
        output, _ = self.gives(0, "run", "--", "cat", "/sys/devices/faux/tdx_host/version")
        module_image.write_images(self.directory,
                                  [int(number) for number in output.split(".")])

    def update(self, *cases):
        choice = [word for case in cases for word in ("-r", case)]
        output, _ = self.gives(0, "run", "--timeout", "120", "--",
                               self.programs / "tdx_update", *choice,
                               environment={"TDX_IMAGES": self.directory})
        return output

    def test_versions_are_in_sysfs(self):
        self.update("global.versions")

    def test_a_td_lives_through_an_update(self):
        self.update("update.td_lives_on")

    def test_an_update_while_a_td_runs(self):
        self.update("update.of_a_running_td")

    def test_linux_refuses_an_image_with_a_damaged_header(self):
        self.update("update.damaged_header_is_refused")

    def test_the_p_seamldr_refuses_a_damaged_module(self):
        self.update("global.lost_damaged_module")

    def test_the_p_seamldr_refuses_a_damaged_signature(self):
        self.update("global.lost_damaged_signature")
