# SPDX-License-Identifier: GPL-2.0
"""The launcher of the box: each of these boots it."""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
import unittest.mock

from parts import TDX, TOP, parts
from program import ProgramTest

BOX = TDX / "box"

# Says each word in the kernel's log, and as its serial port would.
KERNEL_SAYS = 'for word; do echo "$word" >/dev/kmsg; done'
SERIAL_SAYS = 'printf "%s\\n" "$@" >/dev/ttyS0'

# Run by root inside: says TEXT where init says the status, and ends the machine
# without init's doing.  A port can be opened once, so init's descriptor is taken.
HOSTILE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
init = os.pidfd_open(1)
for entry in os.listdir("/proc/1/fd"):
    path = os.readlink("/proc/1/fd/" + entry)
    name = "/sys/class/virtio-ports/" + os.path.basename(path) + "/name"
    if os.path.exists(name) and open(name).read().strip() == "tdx.status":
        port = libc.syscall(438, init, int(entry), 0)
text = sys.argv[1].encode().decode("unicode_escape").encode("latin-1")
while text:
    text = text[os.write(port, text):]
libc.reboot(0x1234567)
"""

# Runs a VM twice, by KVM_CREATE_VM, KVM_CREATE_VCPU and KVM_RUN.
ORDINARY_VM = """
import fcntl
vm = fcntl.ioctl(open("/dev/kvm", "rb+", 0), 0xae01, 0)
vcpu = fcntl.ioctl(vm, 0xae41, 0)
for _ in range(2):
    fcntl.ioctl(vcpu, 0xae80, 0)
"""


class Launcher(ProgramTest):
    program = [BOX]

    def inside(self, status, script, *words, options=(), **more):
        """A shell's script in the box has to give this status."""
        return self.gives(status, "run", *options, "--", "sh", "-c", script, "-", *words, **more)


class Commands(Launcher):
    def test_exit_status_0(self):
        self.gives(0, "run", "--", "true")

    def test_exit_status_1(self):
        self.gives(1, "run", "--", "false")

    def test_exit_status_of_a_signal(self):
        self.inside(139, "kill -SEGV $$")

    def test_no_such_program(self):
        self.complains(127, "no-such-program: No such file", "run", "--", "no-such-program")

    def test_not_a_program(self):
        self.complains(126, "passwd: Permission denied", "run", "--", "/etc/passwd")

    def test_streams_are_binary_clean_and_apart(self):
        data = os.urandom(1000000)
        done = self.run_program("run", "--", "sh", "-c", "cat; echo apart >&2", input=data)
        self.assertEqual((done.returncode, done.stderr), (0, b"apart\n"))
        self.assertTrue(done.stdout == data)

    def test_arguments_arrive_as_they_are(self):
        output, _ = self.inside(0, 'printf "%s|" "$@"', "", "a b", "*", "\n", "é", "-x")
        self.assertEqual(output, "|a b|*|\n|é|-x|")

    def test_current_directory_and_environment(self):
        output, _ = self.inside(0, "pwd; env -0 | tr '\\0\\n' '\\n@'", cwd=self.directory,
                                environment={"FOO": "a\nb", "dir": "1", "log": "2",
                                             "timeout": "3", "kernel": "4", "status": "5",
                                             "here": "6", "command": "7", "LC_ALL": "C"})
        lines = output.splitlines()
        self.assertEqual(lines[0], self.directory)
        for line in ("FOO=a@b", "dir=1", "log=2", "timeout=3", "kernel=4", "status=5",
                     "here=6", "command=7", "LC_ALL=C"):
            self.assertIn(line, lines)
        self.assertFalse([line for line in lines if line.startswith("BOX_OUT=")])

    def test_without_home_and_path(self):
        environment = {"PATH": os.environ["PATH"]}
        environment["TDX_CACHE"] = str(parts(["init"])["init"].parent.parent)
        done = subprocess.run([BOX, "run", "--", "/usr/bin/env"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, env=environment)
        self.assertEqual(done.returncode, 0)
        environment["TDX_MAY_HARM_HOST"] = "1"
        self.assertEqual(dict(line.split("=", 1) for line in done.stdout.decode().splitlines()),
                         environment)

    def test_case_that_ended_the_machine(self):
        end = "import ctypes; ctypes.CDLL(None).reboot(0x1234567)"
        _, errors = self.inside(125, KERNEL_SAYS + f"; python3 -c '{end}'",
                                "kselftest: may harm the host: tdx_x_test a.b")
        self.assertIn("a case that may harm the machine had begun: tdx_x_test a.b (", errors)

    def test_whether_cases_may_harm_the_machine(self):
        for value, inside in (None, "1"), ("", "1"), ("0", "0"), ("1", "1"):
            with unittest.mock.patch.dict(os.environ):
                os.environ.pop("TDX_MAY_HARM_HOST", None)
                if value is not None:
                    os.environ["TDX_MAY_HARM_HOST"] = value
                output, _ = self.inside(0, 'echo "$TDX_MAY_HARM_HOST"')
            self.assertEqual(output, f"{inside}\n")

    def test_several_cpus_and_a_size_of_memory(self):
        output, _ = self.gives(0, "run", "--cpus", "8", "--memory", "1G", "--", "nproc")
        self.assertEqual(output, "8\n")

    def test_the_least_memory(self):
        _, errors = self.gives(125, "run", "--memory", "1", "--", "true")
        self.assertEqual(errors.count("\n"), 1)
        need = re.search(r"too little, the kernel and 4 CPUs need ([0-9]+)M", errors)[1]
        output, _ = self.gives(0, "run", "--memory", need, "--",
                               "cat", "/sys/module/kvm_intel/parameters/tdx")
        self.assertEqual(output, "Y\n")

    def test_the_kernel_initialises_tdx(self):
        output, _ = self.gives(0, "run", "--", "dmesg")
        self.assertIn("virt/tdx: TDX-Module initialized", output)

    def test_kvm_offers_tdx(self):
        parameter = "/sys/module/kvm_intel/parameters/tdx"
        self.assertEqual(self.gives(0, "run", "--", "cat", parameter)[0], "Y\n")
        self.assertEqual(
            self.gives(0, "run", "--profile", "none", "--", "cat", parameter)[0], "N\n")

    def test_trace_names_what_kvm_calls(self):
        _, errors = self.gives(0, "run", "--trace", "--", "true")
        self.assertRegex(errors, r"TDH\.SYS\.INIT\(.*SUCCESS")

    def test_a_link_to_the_launcher(self):
        os.symlink(BOX, f"{self.directory}/tdx-box")
        self.program = [f"{self.directory}/tdx-box"]
        self.gives(3, "run", "--", "sh", "-c", "exit 3")

    def test_kernels_log_is_kept(self):
        log = f"{self.directory}/log"
        self.gives(0, "run", "--log", log, "--", "true")
        text = pathlib.Path(log).read_text()
        self.assertIn("Linux version", text)
        self.assertIn("tdx-box: run true", text)


class Programs(Launcher):
    """The suite's tests are x86/NAME below the checkout."""

    test = "tdx_vmcall_info_test"

    def runs(self, *command, **options):
        output, _ = self.gives(0, "run", "--", *command, **options)
        self.assertIn("tests passed.", output)

    def test_by_itself(self):
        self.runs(f"x86/{self.test}", cwd=TOP)
        self.runs(f"./{self.test}", cwd=TOP / "x86")
        self.runs(TOP / "x86" / self.test)

    def test_by_a_shell(self):
        self.runs("sh", "-c", f"x86/{self.test}", cwd=TOP)

    def test_by_another_program(self):
        self.runs("env", f"x86/{self.test}", cwd=TOP)

    def test_in_a_shell(self):
        output, _ = self.gives(0, "shell", input=f"exec x86/{self.test}\n".encode(), cwd=TOP)
        self.assertIn("tests passed.", output)

    def test_a_case_that_is_not_there(self):
        output, _ = self.gives(1, "run", "--", f"x86/{self.test}", "-r", "typo", cwd=TOP)
        self.assertIn("No case of that name", output)

    def test_one_that_is_not_there(self):
        self.complains(127, "No such file", "run", "--", "x86/tdx_no_such_test", cwd=TOP)


class Out(Launcher):
    def setUp(self):
        super().setUp()
        self.out = f"{self.directory}/a,b c"
        os.mkdir(self.out)

    def mode(self, name):
        return stat.S_IMODE(os.lstat(f"{self.out}/{name}").st_mode)

    def test_files_come_back_from_there_and_from_nowhere_else(self):
        lost = f"{self.directory}/lost"
        output, _ = self.inside(0, 'echo kept >"$BOX_OUT/file" && echo lost >"$1" && cat "$1"',
                                lost, options=["--out", self.out])
        self.assertEqual(output, "lost\n")
        self.assertEqual(pathlib.Path(self.out, "file").read_text(), "kept\n")
        self.assertFalse(os.path.exists(lost))

    def test_umask_holds(self):
        script = 'umask; cd "$BOX_OUT"; touch file; mkdir directory; install -m 755 /bin/true program'
        output, _ = self.inside(0, script, options=["--out", self.out], umask=0o027)
        self.assertEqual(output, "0027\n")
        self.assertEqual([self.mode(name) for name in ("file", "directory", "program")],
                         [0o640, 0o750, 0o755])

    def test_no_devices_and_no_other_users_rights(self):
        self.inside(0, 'cd "$BOX_OUT"; touch file; ! chmod 4755 file && ! chmod 2755 file && '
                       '! mknod node c 1 3 && ! install -m 4755 /bin/true program',
                    options=["--out", self.out])
        for path in pathlib.Path(self.out).iterdir():
            self.assertFalse(path.stat().st_mode & 0o6000, path)
            self.assertTrue(path.is_file(), path)


class Endings(Launcher):
    def test_timeout(self):
        start = time.monotonic()
        _, errors = self.gives(124, "run", "--timeout", "3", "--", "sleep", "1000")
        self.assertRegex(errors, "timeout after 3 s while (booting|running sleep)")
        self.assertLess(time.monotonic() - start, 60)

    def start(self, script, **options):
        """Returns the launcher once the script has said something."""
        process = subprocess.Popen([BOX, "run", "--", "sh", "-c", script],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"started\n")
        return process

    def test_ordinary_vm(self):
        """KVM can't run one here, and a user should not have to find out why."""
        _, errors = self.gives(0, "run", "--", "python3", "-c", ORDINARY_VM)
        self.assertEqual(errors.count("only TDs run in the box"), 1)

    def test_interruption(self):
        for number, status in (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143):
            process = self.start("echo started; sleep 1000")
            process.send_signal(number)
            self.assertEqual(process.wait(), status)

    def test_killed_it_leaves_nothing(self):
        temporary = f"{self.directory}/tmp"
        os.mkdir(temporary)
        secret = f"secret-{os.getpid()}"
        process = self.start("echo started; sleep 1000",
                             env={**os.environ, "TMPDIR": temporary, "SECRET": secret})
        qemu = self.children(process.pid)
        self.assertTrue(qemu)
        self.assertEqual(os.listdir(temporary), [])
        process.kill()
        process.wait()
        for pid in qemu:
            while os.path.exists(f"/proc/{pid}"):
                time.sleep(0.05)
        self.assertEqual(os.listdir(temporary), [])

    def children(self, pid):
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return text.split()

    def test_reader_of_the_output_ends_it(self):
        process = subprocess.Popen([BOX, "run", "--", "yes"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"y\n")
        process.stdout.close()
        self.assertEqual(process.wait(), 141)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            _, errors = self.gives(125, "run", "--", "echo", "hi", stdout=full)
        self.assertIn("No space left on device", errors)

    def test_streams_that_are_closed(self):
        for closed, status in ("<&-", 0), (">&-", 0), ("<&- >&- 2>&-", 0):
            done = subprocess.run(["bash", "-c", f'"$1" run -- cat {closed}', "-", BOX])
            self.assertEqual(done.returncode, status, closed)

    def test_full_or_missing_temporary_directory(self):
        for directory in "/dev/full", "/nonexistent", f"{self.directory}/a,b":
            output, _ = self.gives(0, "run", "--", "echo", "hi",
                                   environment={"TMPDIR": directory})
            self.assertEqual(output, "hi\n")

    def test_file_that_is_no_kernel(self):
        with open(f"{self.directory}/kernel", "wb") as file:
            file.write(os.urandom(100000))
        self.gives(125, "run", "--kernel", f"{self.directory}/kernel", "--timeout", "20", "--",
                   "true")


class Kernel(Launcher):
    def test_a_warning_fails_the_run(self):
        _, errors = self.inside(123, KERNEL_SAYS, "WARNING: made up")
        self.assertIn("complained while running sh", errors)
        self.assertIn("WARNING: made up", errors)

    def test_a_failing_seamcall_fails_the_run(self):
        self.inside(123, KERNEL_SAYS, "SEAMCALL (0x9) failed: 0x1")

    def test_an_announced_warning_does_not(self):
        self.inside(0, KERNEL_SAYS, "kselftest: expects: made up", "WARNING: made up")

    def test_a_warning_beyond_the_announced_one_does(self):
        self.inside(123, KERNEL_SAYS, "kselftest: expects: made up", "WARNING: made up",
                    "WARNING: made up")

    def test_an_announced_warning_that_the_kernel_writes_again_does_not(self):
        self.inside(0, SERIAL_SAYS, "kselftest: expects: made",
                    "** replaying previous printk message **",
                    "kselftest: expects: made down|WARN*made up*expected",
                    "WARNING: made up, as expe", "** replaying previous printk message **",
                    "WARNING: made up, as expected")

    def test_a_programs_own_failure_comes_before_a_warning(self):
        self.inside(9, f"{KERNEL_SAYS}; exit 9", "WARNING: made up")


class Vmms(Launcher):
    """What VMMs look for, which is in a kernel of their own."""

    SCRIPT = """
        set -e
        test -c /dev/net/tun -a -c /dev/vhost-net -a -c /dev/vhost-vsock
        echo 4 >/proc/sys/vm/nr_hugepages
        grep 'HugePages_Total: *4$' /proc/meminfo
        unshare --user --map-root-user --net --pid --fork true
        grep 'Seccomp:.*0' /proc/self/status
        python3 -c '
import ctypes, errno, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
libc = ctypes.CDLL(None, use_errno=True)
# io_setup() and io_uring_setup() are there if they do not like NULL.
for number in 206, 425:
    assert libc.syscall(number, 8, None) == -1 and ctypes.get_errno() == errno.EFAULT
assert libc.inotify_init() >= 0
'
    """

    def test_kernel(self):
        self.inside(0, self.SCRIPT, options=["--config", "vmm"])


class HostileRoot(Launcher):
    """Root inside gets nothing evaluated, printed raw or kept without a bound."""

    def says(self, status, text):
        """Returns what the launcher says about that status."""
        return self.gives(status, "run", "--timeout", "60", "--", "python3", "-c", HOSTILE, text)[1]

    def test_status(self):
        mark = f"{self.directory}/evaluated"
        for text in (f"signal cpus[0$(touch {mark})]\\n", f"exit $(touch {mark})\\n",
                     f"`touch {mark}`\\n", "signal -9\\n", "exit 999\\n", "\\xff\\x00\\n"):
            self.assertIn("makes no sense", self.says(125, text))
        self.assertFalse(os.path.exists(mark))

    def test_status_that_is_a_number(self):
        self.says(8, "exit 08\\n")

    def test_status_text(self):
        self.assertNotIn("\x1b", self.says(125, "error \\x1b]0;title\\x07\\n"))

    def test_status_without_an_end(self):
        # What is beyond a pipe's room is dropped.
        self.assertIn("makes no sense", self.says(125, "x" * 100000))

    def test_log(self):
        mark = f"{self.directory}/evaluated"
        self.inside(123, KERNEL_SAYS, "kselftest: expects: WARN.*",
                    "kselftest: expects: (WARNING", f"WARNING: $(touch {mark})")
        done = self.run_program("run", "--", "sh", "-c",
                                r'printf "WARNING: \033]0;title\007\2333m\n" >/dev/ttyS0')
        self.assertEqual(done.returncode, 123)
        self.assertFalse([byte for byte in done.stderr if byte < 32 and byte != 10 or byte > 126])
        self.assertFalse(os.path.exists(mark))

    def test_log_without_an_end(self):
        done = self.run_program("run", "--timeout", "200", "--", "sh", "-c",
                                "yes 'WARNING: again' | head -n 3000 >/dev/ttyS0; exit 3")
        self.assertEqual(done.returncode, 3)
        self.assertLess(len(done.stderr), 100000)
        self.assertRegex(done.stderr.decode(), "and [0-9]+ more lines\n$")


class OnTerminal(Launcher):
    def on_terminal(self, *command):
        """Starts a command on a terminal.  Returns it, and the terminal's other end."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.unread = b""
        self.resize(master, 24, 80)
        process = subprocess.Popen(
            [BOX, *command], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.settings = termios.tcgetattr(slave)
        self.slave = slave
        self.addCleanup(os.close, slave)
        return process, master

    def resize(self, terminal, rows, columns):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def expect(self, master, text, seconds=60):
        """Reads until that was printed.  Returns all up to there.  Fails if there is nothing
        for so long."""
        seen, self.unread = self.unread, b""
        while text not in seen:
            self.assertTrue(select.select([master], [], [], seconds)[0], seen)
            seen += os.read(master, 4096)
        before, _, self.unread = seen.partition(text)
        return before + text


class Shell(OnTerminal):
    def test_takes_commands_from_a_pipe(self):
        output, _ = self.gives(7, "shell", input=b"echo $((6 * 7)); exit 7\n")
        self.assertIn("42", output)

    def test_on_a_terminal(self):
        process, master = self.on_terminal("shell", "--", "bash", "--norc", "-i")
        self.assertIn(b"A TDX host in a box: Linux", self.expect(master, b"bash-"))
        os.write(master, b"stty size\n")
        self.expect(master, b"24 80")
        # It follows the window.  Bash runs no trap while it waits for a key, so a loop
        # waits for the signal.
        os.write(master, b"sh -c 'trap \"stty size; exit\" WINCH; echo ready $((1 + 1)); "
                         b"while :; do :; done'\n")
        self.expect(master, b"ready 2")
        self.resize(master, 50, 132)
        self.expect(master, b"50 132")
        # Keys that are signals arrive inside.
        for key, name in (b"\x1c", b"131"), (b"\x03", b"130"):
            os.write(master, b"sh -c 'echo up $((2 + 1)); exec sleep 1000'\n")
            self.expect(master, b"up 3")
            os.write(master, key)
            self.expect(master, b"bash-")
            os.write(master, b"echo status $?\n")
            self.expect(master, b"status " + name)
        os.write(master, b"exit 5\n")
        self.expect(master, b"exit")
        self.assertEqual(process.wait(), 5)
        self.assertEqual(termios.tcgetattr(self.slave), self.settings)


class Boot(OnTerminal):
    """What a TD is told and measures is for check_strangers.py."""

    def test_on_a_terminal(self):
        self.gives(0, "run", "--config", "vmm", "--", "true")     # builds it
        process, master = self.on_terminal("boot")
        # What it fetches first, and the firmware, say little.
        self.expect(master, b'"exit" ends it.', 600)
        self.expect(master, b"# ")
        os.write(master, b"stty size; cat /proc/cmdline\n")
        self.expect(master, b"24 80")
        self.expect(master, b"console=ttyS0 panic=-1")
        os.write(master, b"exit 5\n")
        self.expect(master, b"Power down")
        self.assertEqual(process.wait(), 5)
        self.assertEqual(termios.tcgetattr(self.slave), self.settings)

    def test_a_td_that_does_not_report(self):
        script = f"{self.directory}/script"
        with open(script, "w") as file:
            file.write("#!/bin/sh\npoweroff -f\nsleep 1000\n")
        _, errors = self.gives(125, "boot", "--script", script)
        self.assertIn("the TD ended before its script did", errors)

    def test_qemu_fails(self):
        _, errors = self.gives(1, "boot", "--", "-device", "no-such-device")
        self.assertIn("'no-such-device' is not a valid device model name", errors)


class Seeds(Launcher):
    # Two threads that print, and what could differ from one run to the next.
    SCRIPT = """for i in 1 2 3; do (echo $i; cat /proc/sys/kernel/random/uuid) & done; wait
                date; date +%N; cat; env; echo $$ >&2"""

    def seeded(self, seed, *command, **more):
        """Returns output, errors and trace, and the kernel's log."""
        log = pathlib.Path(self.directory, "log")
        done = self.gives(0, "run", "--seed", seed, "--trace", "--log", log, "--", *command,
                          **more)
        return *done, log.read_text()

    def test_the_same_each_time(self):
        first = self.seeded("17", "sh", "-c", self.SCRIPT)
        self.assertIn("TDH.SYS.INIT", first[1])
        for n in range(3):
            again = self.seeded("17", "sh", "-c", self.SCRIPT,
                                environment={"ANOTHER": "x" * n * 1000})
            self.assertEqual(again, first)
        self.assertNotEqual(self.seeded("18", "sh", "-c", self.SCRIPT), first)

    def test_input_comes_from_a_file(self):
        with open(os.path.join(self.directory, "input"), "w+") as file:
            file.write("hello\n")
            file.seek(0)
            self.assertEqual(self.seeded("1", "cat", stdin=file)[0], "hello\n")
        self.assertEqual(self.seeded("1", "cat", input=b"from a pipe")[0], "")

    def test_a_race_is_found_and_shown_again(self):
        found = subprocess.run(
            [sys.executable, "-IS", TDX / "cmd", "races"], check=False, text=True, cwd=TOP,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "RACES": "finalize_and_punch_hole", "SECONDS": "120"}).stdout
        self.assertIn("known bug", found)
        words = re.search("--seed (.*)", found)[1].split()
        words.remove("--")
        first = self.seeded(*words, cwd=TOP)
        self.assertIn("XFAIL", first[0])
        for _ in range(2):
            self.assertEqual(self.seeded(*words, cwd=TOP), first)

    def test_schedules_of_the_readme(self):
        readme = (TOP / "README.md").read_text()
        version = re.search(r"bugs of Linux (\S+), each in", readme)[1]
        if self.gives(0, "run", "--", "uname", "-r")[0].strip() != version:
            self.skipTest(f"they are for Linux {version}")
        for schedule in re.findall(r"^    tdx/box run --seed (\S+ -- x86/.*)$", readme, re.M):
            with self.subTest(schedule):
                output, _ = self.gives(0, "run", "--seed", *schedule.split(), cwd=TOP)
                self.assertIn("XFAIL", output)


class BadInput(Launcher):
    def test_one_line_each(self):
        for text, *arguments in (
                ("unknown command: walk", "walk"),
                ("unknown option: --fast", "run", "--fast", "--", "true"),
                ("wants a value", "run", "--cpus"),
                ("which command", "run"),
                ("not a number", "run", "--cpus", "many", "--", "true"),
                ("0 is not between 1 and 64", "run", "--cpus", "0", "--", "true"),
                ("not a size", "run", "--memory", "big", "--", "true"),
                ("too little", "run", "--memory", "1M", "--", "true"),
                ("no such file", "run", "--kernel", f"{self.directory}/none", "--", "true"),
                ("no directory", "run", "--out", f"{self.directory}/none", "--", "true"),
                ("/ as a whole", "run", "--out", "/", "--", "true"),
                ("with --plain", "run", "--plain", "--trace", "--", "true"),
                ("the kernel takes", "run", "--append", "x" * 5000, "--", "true"),
                ("neither a number", "run", "--seed", "x", "--", "true"),
                ("not each of the CPUs", "run", "--seed", "1,0", "--", "true"),
                ("with --plain", "run", "--plain", "--seed", "1", "--", "true"),
                ("such as gdb", "run", "--gdb", "--seed", "1", "--", "true"),
                ("cannot write", "run", "--log", "/nonexistent/x", "--", "true")):
            with self.subTest(arguments[:3]):
                self.complains(125, text, *arguments)

    def test_unknown_profile_and_plan(self):
        for text, profile in (
                ("no such profile: 'no-such'", "no-such"),
                ("no such modifier of a profile: 'fast'", "1.5.06,fast"),
                ("'gpaw' wants 48 or 52", "2.0.08,erratum,gpaw=49"),
                ("a profile has 'erratum' once", "2.0.08,erratum,erratum")):
            with self.subTest(profile):
                self.complains(125, text, "run", "--profile", profile, "--", "true")
        self.complains(125, "a rule is LEAF:RESULT", "run", "--inject", "no-such", "--", "true")

    def test_cache_that_cannot_be_written(self):
        self.complains(125, "cannot write to the cache", "run", "--", "true",
                       environment={"TDX_CACHE": "/proc/none"})

    def test_help(self):
        for arguments in ["help"], ["--help"], ["run", "--help"], []:
            output, errors = self.gives(0, *arguments)
            self.assertTrue(output.startswith("usage: tdx/box run"))
            self.assertEqual(errors, "")

    def test_lists(self):
        self.assertTrue(self.gives(0, "profiles")[0].startswith("1.5.06 "))
        self.assertIn("OPERAND_BUSY", self.gives(0, "plans")[0])


class Debugger(Launcher):
    def test_socket_in_a_directory_with_a_comma(self):
        if not shutil.which("gdb"):
            self.skipTest("no gdb")
        temporary = f"{self.directory}/a,b"
        os.mkdir(temporary)
        process = subprocess.Popen([BOX, "run", "--gdb", "--", "echo", "hi"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE,
                                   env={**os.environ, "TMPDIR": temporary})
        line = process.stderr.readline().decode()
        socket = re.search(r"'target remote (.*)'", line)[1]
        while not os.path.exists(socket):
            time.sleep(0.05)
        subprocess.run(["gdb", "-batch", "-ex", f"target remote {socket}", "-ex", "detach"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        output, _ = process.communicate()
        self.assertEqual((process.returncode, output), (0, b"hi\n"))
        self.assertEqual(os.listdir(temporary), [])
