# SPDX-License-Identifier: GPL-2.0
"""One run of the emulated machine: QEMU's command line, its life, its streams.

Nothing of a run is in a file, so that nothing stays behind however it ends: what
init needs to know is in the initramfs, which QEMU maps from memory; all that comes
out goes through pipes, and is bounded where it is kept."""

import errno
import fcntl
import os
import select
import signal
import stat
import termios
import threading
import time
import tty

import cpio
import kernel_image
import schedule
import status
from kernel_log import KernelLog, printable
from outcome import STATUS_BOX, STATUS_KERNEL, STATUS_TIMEOUT, Failure, complain, say, write_all

# What the kernel finds.  The CPU is a Granite Rapids without SVM, because QEMU's own
# nested virtualisation would come into KVM's way, without MPX, which Intel's CPUs have
# no more, and without the features for which the kernel fills and copies memory byte by
# byte.
CPU_MODEL = ("max,vendor=GenuineIntel,family=6,model=173,stepping=1,phys-bits=52,-svm,-mpx,"
             "-erms,-fsrm,-fsrs,-fsrc,-fzrm")
KERNEL_OPTIONS = ("console=ttyS0 earlyprintk=ttyS0 ignore_loglevel printk.devkmsg=on "
                  "panic=-1 reboot=t tsc=reliable rcupdate.rcu_expedited=1 "
                  "rcutree.jiffies_till_first_fqs=0 kvm_intel.tdx=1")

# One thread and a count of instructions instead of the time, the same random numbers and
# the same date each time, and devices that answer at once.
SEEDED = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-seed", "1",
          "-rtc", "base=2026-01-01,clock=vm", "-global", "virtio-mmio.ioeventfd=off"]

# The kernel's limit, and what QEMU adds for each of its few virtio devices.
MAX_KERNEL_OPTIONS = 2047
QEMU_OPTIONS = 3 * 45

# The serial port writes a character at a time.  So its pipe is not waited for but
# emptied now and then, and takes what comes meanwhile; if it is full, the port waits.
LOG_PIPE_SIZE = 1 << 20
LOG_INTERVAL = 0.2
CHUNK = 1 << 16
MAX_ERRORS = 1 << 16        # bytes of QEMU's own messages
FROM_GLUE = b": warning: tdx: "
MAX_LOG_COPY = 256 << 20    # bytes of --log's file


def quote(text):
    """A comma in a value of QEMU's is written twice."""
    return os.fspath(text).replace(",", ",,")


def processors(options):
    """Returns QEMU's description of the CPUs.  A machine of one has room for another."""
    return f"{options.cpus},threads={options.threads},maxcpus={max(2, options.cpus)}"


def check_kernel_options(append):
    room = MAX_KERNEL_OPTIONS - QEMU_OPTIONS - len(KERNEL_OPTIONS) - 1
    if len(os.fsencode(append)) > room:
        raise Failure(f"--append: {len(os.fsencode(append))} bytes, but the kernel takes "
                      f"{room}")


def environment():
    """The environment as this process was given it, byte for byte; Python's idea of
    it may have a locale of its own."""
    with open("/proc/self/environ", "rb") as file:
        return file.read()


def seeded_environment():
    """A seed means the same whoever runs it, and where."""
    env = b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\0HOME=/root\0"
    return env + b"".join(entry + b"\0" for entry in sorted(environment().split(b"\0"))
                          if entry.startswith(b"TDX_"))


def seeded_input():
    """What comes from a file is there from the start; what comes when it likes to, never."""
    if not stat.S_ISREG(os.fstat(0).st_mode):
        return b""
    with open(0, "rb", closefd=False) as file:
        return file.read()


def replace_variable(env, name, value):
    """Returns an environment in which a variable has this value."""
    others = b"".join(entry + b"\0" for entry in env.split(b"\0")
                      if entry and not entry.startswith(name + b"="))
    return others + name + b"=" + value + b"\0"


def read_available(fd, limit=None):
    """Reads what a pipe has.  Returns the bytes up to a limit; the others are read and
    dropped."""
    kept = b""
    while True:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return kept
        if not data:
            return kept
        kept += data if limit is None else data[:max(0, limit - len(kept))]


class Pipe:
    """A pipe whose far end QEMU has, as a file named /dev/fd/N."""

    def __init__(self, qemu_writes, blocking=True):
        reader, writer = os.pipe()
        self.ours, self.theirs = (reader, writer) if qemu_writes else (writer, reader)
        os.set_blocking(self.ours, blocking)
        os.set_inheritable(self.theirs, True)
        self.path = f"/dev/fd/{self.theirs}"


class Tail:
    """What QEMU writes to a file in memory, which never makes it wait, so that nothing in
    the machine depends on who reads it.  Named and read as a Pipe is."""

    def __init__(self):
        self.theirs = os.memfd_create("tail", 0)
        os.set_inheritable(self.theirs, True)
        self.path = f"/dev/fd/{self.theirs}"
        self.ours = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)


class TailRelay:
    """Moves what a Tail has, when asked to."""

    def __init__(self, source, sink, on_error):
        self.source, self.sink, self.on_error = source, sink, on_error

    def move(self):
        try:
            write_all(self.sink, read_available(self.source))
        except OSError as error:
            self.on_error(error)

    join = move     # at the end


class Relay(threading.Thread):
    """Moves bytes from one descriptor to another until there are no more."""

    def __init__(self, source, sink, on_error=None, clean=False):
        super().__init__(daemon=True)
        self.source, self.sink, self.on_error, self.clean = source, sink, on_error, clean
        self.start()

    def run(self):
        try:
            while data := os.read(self.source, CHUNK):
                if self.clean:
                    data = clean_lines(data)
                write_all(self.sink, data)
        except OSError as error:
            if self.on_error:
                self.on_error(error)


class Feeder(Relay):
    """Gives the command its input, which ends when this does."""

    def run(self):
        super().run()
        os.close(self.sink)


def clean_lines(data):
    return "\n".join(printable(line) for line in data.split(b"\n")).encode()


class Terminal:
    """The user's terminal, which passes each key on while this is in use."""

    def __init__(self):
        self.settings = None

    def size(self):
        columns, rows = os.get_terminal_size(0)
        return f"{rows} {columns}\n".encode()

    def set_raw(self):
        self.settings = termios.tcgetattr(0)
        tty.setraw(0, termios.TCSADRAIN)

    def restore(self):
        if self.settings:
            termios.tcsetattr(0, termios.TCSADRAIN, self.settings)
            self.settings = None


class Machine:
    """options are those of the command line (see options.py); links are pairs of
    symbolic links' targets and places; given are files for the command, as bytes by name,
    which it finds in /dev/tdx-box."""

    def __init__(self, options, command, parts, links=(), given=None):
        self.options = options
        self.command = command
        self.parts = parts
        self.links = links
        self.given = given or {}
        self.terminal = Terminal() if options.terminal else None
        self.log = KernelLog(self.copy_log if options.log_file else None)
        self.log_size = 0
        self.errors = b""
        self.pid = 0
        self.gdb_directory = None
        self.output = []        # relays of what comes out
        self.wake, self.waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.output_error = None

    # Ways in and out.

    def make_pipes(self):
        if self.options.seed:
            return self.make_tails()
        self.log_pipe = Pipe(True, blocking=False)
        try:
            fcntl.fcntl(self.log_pipe.ours, fcntl.F_SETPIPE_SZ, LOG_PIPE_SIZE)
        except OSError:
            pass    # the user has many pipes, and this one is as others
        self.errors_pipe = Pipe(True, blocking=False)
        self.status_pipe = Pipe(True, blocking=False)
        self.stdin = Pipe(False)
        self.stdout = Pipe(True)
        self.stderr = self.trace = self.winsize = None
        if self.terminal:
            self.winsize = Pipe(False, blocking=False)
        else:
            self.stderr = Pipe(True)
        if self.options.trace:
            self.trace = Pipe(True)

    def make_tails(self):
        self.log_pipe, self.status_pipe, self.stdout, self.stderr = (Tail() for _ in range(4))
        self.errors_pipe = Pipe(True, blocking=False)
        self.stdin = self.winsize = None
        # In the order in which they are written.
        self.trace = self.stderr if self.options.trace else None

    def pipes(self):
        pipes = (self.log_pipe, self.errors_pipe, self.status_pipe, self.stdin, self.stdout,
                 self.stderr, self.trace, self.winsize)
        return list(dict.fromkeys(pipe for pipe in pipes if pipe))

    def make_initramfs(self):
        """Returns a path for QEMU, in memory: init and the files that it reads."""
        strings = lambda words: b"".join(os.fsencode(word) + b"\0" for word in words)
        mask = os.umask(0)
        os.umask(mask)
        env = seeded_environment() if self.options.seed else environment()
        # A schedule is for one time.
        if schedule.is_for_race(self.options.seed):
            env = replace_variable(env, b"TDX_RACES", b"1")
        files = {
            "argv": strings(self.command),
            "cwd": os.fsencode(self.options.directory),
            "umask": b"%o" % mask,
            "links": strings(path for link in self.links for path in link),
        }
        if self.options.out:
            files["out"] = os.fsencode(self.options.out)
            env = replace_variable(env, b"BOX_OUT", files["out"])
        # This machine is nobody's, so the suite's cases may harm it.
        if not os.environ.get("TDX_MAY_HARM_HOST"):
            env = replace_variable(env, b"TDX_MAY_HARM_HOST", b"1")
        files["env"] = env
        if self.terminal:
            files["winsize"] = self.terminal.size()
        if self.options.seed:
            files["stdin"] = seeded_input()
        fd = os.memfd_create("initramfs", 0)
        with open(self.parts["init"] / "initramfs", "rb") as init:
            base = init.read()
        members = [cpio.directory("box", 0o700),
                   *(cpio.file(f"box/{name}", data, 0o600) for name, data in files.items())]
        if self.given:
            members += [cpio.directory("box/given"),
                        *(cpio.file(f"box/given/{name}", data)
                          for name, data in self.given.items())]
        write_all(fd, base + cpio.archive(members))
        return f"/dev/fd/{fd}"

    # QEMU.

    def share(self, tag, path, options=""):
        return ["-fsdev", f"local,id={tag},path={quote(path)},security_model=none,"
                          f"multidevs=remap{options}",
                "-device", f"virtio-9p-device,fsdev={tag},mount_tag={tag}"]

    def port(self, name, backend):
        return ["-chardev", f"file,id={name},{backend}",
                "-device", f"virtserialport,chardev={name},name=tdx.{name}"]

    def streams(self):
        if self.terminal:
            arguments = ["-chardev", f"file,id=tty,path={self.stdout.path},"
                                     f"input-path={self.stdin.path}",
                         "-device", "virtconsole,chardev=tty",
                         *self.port("winsize",
                                    f"path=/dev/null,input-path={self.winsize.path}")]
        else:
            arguments = [*self.port("stdout", f"append=on,path={self.stdout.path}"),
                         *self.port("stderr", f"append=on,path={self.stderr.path}")]
            if self.stdin:
                into = f"path=/dev/null,input-path={self.stdin.path}"
                arguments = [*self.port("stdin", into), *arguments]
        return ["-device", "virtio-serial-device,max_ports=5", *arguments,
                *self.port("status", f"append=on,path={self.status_pipe.path}")]

    def module(self):
        options = self.options
        device = "tdx-module"
        if options.module:
            device += f",profile={quote(options.module)}"
        if options.inject:
            device += f",inject={quote(options.inject)}"
        if options.gdb:
            device += ",gdb=on"
        if self.trace:
            device += f",trace={self.trace.path}"
        if options.seed:
            device += f",seed={quote(options.seed)}"
        if options.schedules:
            device += f",schedules={options.schedules.fileno()}"
        # As if the kernel had found out.
        device += f",complaints={self.log_pipe.path}"
        return [] if options.plain else ["-device", device]

    def gdb(self):
        if not self.options.gdb:
            return []
        import shlex
        import tempfile

        try:
            self.gdb_directory = tempfile.mkdtemp(prefix="tdx-box.")
        except OSError as error:
            raise Failure(f"--gdb: no directory for a socket: {error.strerror}: "
                          f"{tempfile.gettempdir()}")
        socket = f"{self.gdb_directory}/gdb"
        if len(os.fsencode(socket)) > 107:
            raise Failure(f"--gdb: a socket's path must be shorter than {socket}")
        say(f"gdb {shlex.quote(str(self.kernel()))} -ex "
            f"{shlex.quote(f'target remote {socket}')}")
        return ["-gdb", f"unix:{quote(socket)},server=on,wait=off", "-S"]

    def kernel(self):
        return self.options.kernel or self.parts[self.options.kernel_part] / "vmlinux"

    def arguments(self, initramfs):
        options = self.options
        qemu = self.parts["plain" if options.plain else "qemu"]
        arguments = [
            qemu / "qemu-system-x86_64", "-L", qemu,
            "-M", "microvm,acpi=off,rtc=on",
            *(SEEDED if options.seed else ["-accel", "tcg,thread=multi"]), "-cpu", CPU_MODEL,
            "-smp", processors(options), "-m", f"{options.memory}M",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", self.kernel(), "-initrd", initramfs,
            "-append", f"{KERNEL_OPTIONS} {options.append}",
            "-chardev", f"file,id=log,append=on,path={self.log_pipe.path}",
            "-serial", "chardev:log",
            *self.share("root", "/", ",readonly=on")]
        if options.out:
            arguments += self.share("out", options.out)
        return arguments + self.streams() + self.module() + self.gdb()

    def check_memory(self):
        need = kernel_image.memory_needed(self.kernel(), self.options.cpus)
        if self.options.memory < need:
            raise Failure(f"--memory: {self.options.memory}M is too little, the kernel and "
                          f"{self.options.cpus} CPUs need {need}M")

    def start(self):
        self.check_memory()
        self.make_pipes()
        # QEMU ends when this process does, even by SIGKILL.
        command = ["setpriv", "--pdeathsig", "KILL", "--",
                   *map(os.fspath, self.arguments(self.make_initramfs()))]
        confine = None
        if self.options.out:
            import confine as confinement
            try:
                confine = confinement.prepare(self.options.out)
            except OSError as error:
                raise Failure(f"--out: {error.strerror}")
        self.pid = os.fork()
        if not self.pid:
            self.become(command, confine)
        self.process = os.pidfd_open(self.pid)
        for pipe in self.pipes():
            os.close(pipe.theirs)

    def become(self, command, confine):
        """QEMU's side of the fork."""
        try:
            null = os.open("/dev/null", os.O_RDWR)
            for fd, file in (0, null), (1, null), (2, self.errors_pipe.theirs):
                os.dup2(file, fd)
            if confine:
                confine()
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    def start_relays(self):
        if self.options.seed:
            self.output = [TailRelay(self.stdout.ours, 1, self.end_of_reader),
                           TailRelay(self.stderr.ours, 2, self.end_of_reader)]
            return
        if self.terminal:
            self.terminal.set_raw()
            signal.signal(signal.SIGWINCH, self.tell_size)
        if os.isatty(0) and not self.terminal:
            os.close(self.stdin.ours)
        else:
            Feeder(0, self.stdin.ours)
        self.output = [Relay(self.stdout.ours, 1, self.end_of_reader)]
        if self.stderr:
            self.output.append(Relay(self.stderr.ours, 2, self.end_of_reader))
        if self.trace:
            self.output.append(Relay(self.trace.ours, 2, self.end_of_reader, clean=True))

    def tell_size(self, *_):
        try:
            os.write(self.winsize.ours, self.terminal.size())
        except OSError:
            pass    # it has not read the last ones

    def end_of_reader(self, error):
        self.output_error = error
        os.write(self.waker, b"x")

    def check_output(self):
        """Ends the run when the reader of its output is gone, as SIGPIPE would."""
        if not self.output_error:
            return
        if self.output_error.errno == errno.EPIPE:
            raise Failure(status=128 + signal.SIGPIPE)
        raise Failure(f"cannot write the output: {self.output_error.strerror}")

    def wait(self):
        """Waits for QEMU's end.  Returns False if the time was up before."""
        deadline = self.options.timeout and time.monotonic() + self.options.timeout
        poll = select.poll()
        for fd in self.process, self.wake, self.errors_pipe.ours:
            poll.register(fd, select.POLLIN)
        while True:
            left = deadline and deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            seconds = LOG_INTERVAL if left is None else min(LOG_INTERVAL, left)
            ready = [fd for fd, _ in poll.poll(seconds * 1000)]
            self.log.feed(read_available(self.log_pipe.ours))
            self.read_errors()
            if self.options.seed:
                for relay in self.output:
                    relay.move()
            if self.process in ready:
                return True
            self.check_output()

    def read_errors(self):
        self.errors += read_available(self.errors_pipe.ours, MAX_ERRORS - len(self.errors))

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.reap()

    def reap(self):
        _, result = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(result)

    def drain(self):
        """What was written has to come out before the run counts as over."""
        for relay in self.output:
            relay.join()
        self.log.feed(read_available(self.log_pipe.ours))
        self.log.finish()
        self.read_errors()

    def copy_log(self, line):
        """For --log."""
        data = line.encode() + b"\n"
        self.log_size += len(data)
        if self.log_size > MAX_LOG_COPY:
            return
        try:
            write_all(self.options.log_file, data)
        except OSError as error:
            self.log.copy = None
            say(f"--log: {error.strerror}")

    # The run.

    def run(self):
        """Returns the exit status."""
        self.start()
        self.start_relays()
        if not self.wait():
            self.stop()
            self.drain()
            self.leave_terminal()
            self.pass_on()
            return self.timed_out()
        result = self.reap()
        self.drain()
        self.leave_terminal()
        self.check_output()
        self.pass_on()
        if result:
            self.say_why()
            return STATUS_BOX
        return self.result()

    def say_why(self):
        """QEMU ended with an error.  If the module did not take one of its options, the
        user need not know how it got there."""
        refused = os.fsencode(f": {' '.join(self.module())}: ")
        for line in self.errors.splitlines():
            if self.module() and refused in line:
                say(printable(line.partition(refused)[2]))
                return
        complain("tdx/box: QEMU failed\n" + "\n".join(
            f"    {printable(line)}" for line in self.errors.splitlines()))

    def pass_on(self):
        """What the glue has to tell the user of a run that went well."""
        for line in self.errors.splitlines():
            if FROM_GLUE in line:
                say(printable(line.partition(FROM_GLUE)[2]))

    def timed_out(self):
        doing = f"running {self.log.running}" if self.log.running else "booting"
        say(f"timeout after {self.options.timeout} s while {doing}; the kernel's last "
            f"lines:\n{self.log.last_lines()}")
        self.name_suspect()
        return STATUS_TIMEOUT

    def name_suspect(self):
        """Says which case the machine may not have survived."""
        if self.log.may_harm:
            say(f"a case that may harm the machine had begun: {self.log.may_harm} "
                "(TDX_MAY_HARM_HOST=0 leaves such cases out)")

    def result(self):
        """The exit status, from what came out."""
        complaint = self.log.complaint()
        if complaint:
            complain(complaint)
        how, value = status.parse(read_available(self.status_pipe.ours, status.MAX_SIZE))
        if how == "error":
            raise Failure(value)
        if how == "exit":
            result = value
        elif how == "signal":
            result = (128 + value) & 255
        else:
            if how == "nonsense":
                say("the machine's exit status makes no sense")
            say(f"the machine ended before {self.command[0]} did")
            if not complaint:
                complain(self.log.last_lines())
            self.name_suspect()
            result = STATUS_BOX
        if complaint and (how in ("none", "nonsense") or not result):
            return STATUS_KERNEL
        return result

    def leave_terminal(self):
        if self.terminal:
            self.terminal.restore()

    def clean_up(self):
        self.stop()
        self.leave_terminal()
        if self.gdb_directory:
            import shutil
            shutil.rmtree(self.gdb_directory, ignore_errors=True)
