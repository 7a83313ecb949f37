# SPDX-License-Identifier: GPL-2.0
"""The launcher's options."""

import os
import struct
import tempfile
import unittest
import unittest.mock

from support import Refusals

import kernel_image
import machine
import options
import programs
from outcome import Failure
from parts import TOP


class Options(Refusals, unittest.TestCase):
    parse = staticmethod(options.parse)

    def test_defaults(self):
        given, command = options.parse(["echo", "--cpus", "1"])
        self.assertEqual(command, ["echo", "--cpus", "1"])
        self.assertEqual((given.cpus, given.memory, given.timeout), (4, 2048, None))

    def test_all(self):
        given, command = options.parse(
            ["--cpus", "8", "--memory", "1G", "--timeout", "9", "--append", "a b", "--trace",
             "--profile", "p", "--inject", "i", "--gdb", "--", "--x"])
        self.assertEqual(command, ["--x"])
        self.assertEqual((given.cpus, given.memory, given.timeout, given.append, given.trace,
                          given.profile, given.inject, given.gdb, given.plain),
                         (8, 1024, 9, "a b", True, "p", "i", True, False))

    def drawn(self, *arguments, cpus=4, threads=2, kernel_options=""):
        """Returns the options where a random profile draws this machine."""
        with unittest.mock.patch("options.drawn_machine") as draw:
            draw.return_value = options.Machine(cpus, threads, kernel_options)
            return options.parse([*arguments, "x"])[0]

    def test_threads_of_a_drawn_machine(self):
        self.assertEqual(machine.processors(self.drawn()), "4,threads=2,maxcpus=4")
        self.assertEqual(machine.processors(self.drawn(cpus=2)), "2,threads=2,maxcpus=2")
        self.assertEqual(machine.processors(self.drawn(threads=1)), "4,threads=1,maxcpus=4")
        self.assertEqual(machine.processors(options.parse(["x"])[0]), "4,threads=1,maxcpus=4")

    def test_an_odd_number_of_cpus_has_one_thread_per_core(self):
        self.assertEqual(machine.processors(self.drawn(cpus=5)), "5,threads=1,maxcpus=5")
        self.assertEqual(machine.processors(self.drawn(cpus=1)), "1,threads=1,maxcpus=2")
        self.assertEqual(self.drawn("--cpus", "3").threads, 1)
        self.assertEqual(self.drawn("--cpus", "6", cpus=3).threads, 2)

    def test_threads_of_the_users_choice(self):
        self.assertEqual(options.parse(["--threads", "2", "x"])[0].threads, 2)
        self.assertEqual(self.drawn("--threads", "1").threads, 1)
        self.refused("5 CPUs can't be cores of 2", "--cpus", "5", "--threads", "2", "x")
        self.refused("3 is not between 1 and 2", "--threads", "3", "x")

    def test_kernel_options_of_a_drawn_machine_come_first(self):
        self.assertEqual(self.drawn("--append", "b", kernel_options="a ").append, "a b")
        self.assertEqual(self.drawn(kernel_options="a ").append, "a ")

    def test_kernels_by_their_configuration(self):
        for config in "debug", "kcsan", "kmemleak":
            given = options.parse(["--config", config, "x"])[0]
            self.assertEqual((given.kernel_part, given.memory), (config, options.DEBUG_MEMORY))
        given = options.parse(["--memory", "1G", "--config", "debug", "x"])[0]
        self.assertEqual(given.memory, 1024)
        with unittest.mock.patch.dict(os.environ):
            given = options.parse(["--config", __file__, "x"])[0]
            self.assertEqual((given.kernel_part, given.memory),
                             ("configured", options.CONFIGURED_MEMORY))
            self.assertEqual(os.environ["KERNEL_CONFIG"], os.path.abspath(__file__))
        self.refused("no such file: nothing (debug, kcsan, kmemleak", "--config", "nothing", "x")
        self.refused("no such file", "--config", "/", "x")
        self.refused("a kernel that is there", "--config", "debug", "--kernel", __file__, "x")

    def test_sizes(self):
        for text, size in ("512", 512), ("512M", 512), ("3G", 3072):
            self.assertEqual(options.megabytes(text), size)
        for text in "big", "1g", "-1", "1.5G", "0x10", "1T", "", "\u0661":
            self.refused("not a size", "--memory", text)

    def test_numbers(self):
        for text in "many", "", "-1", "1 ", "0x1", "1e1", "\u0661":
            self.refused("not a number", "--cpus", text)
        self.refused("0 is not between 1 and 64", "--cpus", "0")
        self.refused("65 is not between 1 and 64", "--cpus", "65")
        self.refused("0 is not between", "--timeout", "0")
        self.refused("is not between", "--timeout", "9" * 50)

    def test_what_makes_no_sense(self):
        self.refused("unknown option: --fast", "--fast", "true")
        self.refused("--cpus wants a value", "--cpus")
        self.refused("no such file", "--kernel", "/nonexistent")
        self.refused("no such file", "--kernel", "/")
        self.refused("no directory", "--out", "/nonexistent")
        self.refused("cannot write", "--log", "/nonexistent/log")
        self.refused("cannot write", "--log", "/")

    def test_directories_that_cannot_be_shared(self):
        self.refused("/ as a whole", "--out", "/")
        self.refused("/ as a whole", "--out", "/usr/..")
        self.refused("the machine's own", "--out", "/proc")
        self.refused("the machine's own", "--out", "/dev/shm")

    def test_nothing_of_the_module_with_plain(self):
        self.refused("--trace: with --plain", "--plain", "--trace", "true")
        self.refused("--profile: with --plain", "--profile", "x", "--plain", "true")
        self.refused("--inject: with --plain", "--plain", "--inject", "x", "true")

    def test_kernel_options_that_are_too_long(self):
        machine.check_kernel_options("x" * 1000)
        with self.assertRaises(Failure):
            machine.check_kernel_options("x" * 5000)

    def test_commas(self):
        self.assertEqual(machine.quote("a,b"), "a,,b")


class KernelImage(unittest.TestCase):
    def image(self, data):
        file = tempfile.NamedTemporaryFile()
        self.addCleanup(file.close)
        file.write(data)
        file.flush()
        return file.name

    def test_elf(self):
        header = b"\x7fELF\x02".ljust(32, b"\0") + struct.pack("<Q", 64)
        header = header.ljust(54, b"\0") + struct.pack("<HH", 56, 2)
        segments = [struct.pack("<IIQQQQQQ", kind, 0, 0, 0, address, 0, size, 0)
                    for kind, address, size in ((1, 16 << 20, 5 << 20), (4, 1 << 30, 1))]
        path = self.image(header.ljust(64, b"\0") + b"".join(segments) + bytes(1000))
        self.assertEqual(kernel_image.end_of_image(path), 21 << 20)
        self.assertEqual(kernel_image.memory_needed(path, 4), 21 + 32 + 4)

    def test_bzimage(self):
        header = bytearray(0x1000)
        header[0x202:0x206] = b"HdrS"
        struct.pack_into("<QI", header, 0x258, 16 << 20, 8 << 20)
        self.assertEqual(kernel_image.end_of_image(self.image(header)), 24 << 20)

    def test_other_files(self):
        for data in b"", b"\x7fELF\x02", os.urandom(5000), b"#!/bin/sh\n":
            self.assertEqual(kernel_image.memory_needed(self.image(data), 1), 0)


class Programs(unittest.TestCase):
    def test_commands_that_name_a_test(self):
        name = sorted((TOP / "x86").glob("tdx_*_test.c"))[0].stem
        for command in ([f"x86/{name}"], [f"./{name}"], ["sh", "-c", f"cd x86; ./{name} -l"],
                        ["strace", f"{TOP}/x86/{name}"], ["sh", "-c", "x86/tdx_*_test"],
                        ["sh", "-c", "for t in x86/*; do $t; done"]):
            with self.subTest(command):
                self.assertTrue(programs.named_tests(command))

    def test_commands_that_name_none(self):
        for command in (["true"], ["./my_test"], ["x86/tdx_no_such_test"], ["dmesg"],
                        ["ls", "tdx_memory_test.c.orig"], ["make", "-C", "x86"], ["ls", "/*"], ["ls", "*"],
                        ["x" * 1000000 + "tdx_"]):
            with self.subTest(command):
                self.assertEqual(programs.named_tests(command), [])

    def test_a_program_that_is_there(self):
        name = sorted((TOP / "x86").glob("tdx_*_test.c"))[0].stem
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/{name}"
            open(path, "w").close()
            self.assertEqual(programs.named_tests([path]), [])

    def test_a_script_that_names_a_test(self):
        name = sorted((TOP / "x86").glob("tdx_*_test.c"))[0].stem
        with tempfile.NamedTemporaryFile("w") as script:
            script.write(f"#!/bin/sh\nx86/{name}\n")
            script.flush()
            self.assertTrue(programs.named_tests(["sh", script.name]))

    def test_no_other_test_is_built(self):
        self.assertEqual(programs.named_tests(["runner", "dir", "x86/tdx_mmio_test",
                                               "x86/tdx_io_test"]),
                         ["x86/tdx_io_test", "x86/tdx_mmio_test"])


if __name__ == "__main__":
    unittest.main()
