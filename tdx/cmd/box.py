# SPDX-License-Identifier: GPL-2.0
"""The launcher of the box, behind tdx/box."""

import os
import signal
import sys

from outcome import STATUS_BOX, STATUS_KERNEL, STATUS_TIMEOUT, Failure, complain, say, write_all

USAGE = f"""\
usage: tdx/box run [OPTION]... [--] COMMAND [ARGUMENT]...
       tdx/box shell [OPTION]...
       tdx/box boot [OPTION]... [-- OPTION_OF_QEMU...]
       tdx/box profiles
       tdx/box plans
       tdx/box diff A [B]
       tdx/box mrtd FIRMWARE
       tdx/box rtmrs EVENT_LOG

run runs one command inside and gives back its exit status.  It sees the
host's files, the current directory and the environment; what it writes
is gone afterwards, except in the directory of --out.  The suite's tests
are x86/tdx_..._test inside.

  --cpus N          CPUs inside (4)
  --threads N       of them in each core, 1 or 2 (1)
  --memory M        memory inside, in MB or with a suffix M or G (2G)
  --timeout S       end it after S seconds
  --out DIR         a directory that the command may write to, at the same path
  --kernel IMAGE    a kernel of your own, vmlinux or bzImage
  --config CONFIG   a kernel built with another configuration: debug looks for
                    its own bugs, kcsan for data races, kmemleak for lost
                    memory, vmm has what VMMs look for in a host; or a file
                    of yours, to which the box adds what it needs
  --append OPTIONS  more for the kernel's command line
  --profile NAME    which TDX module, and modifiers of it, as in
                    2.0.08,gpaw=52 (tdx/box profiles lists them); or a file
                    that x86/tdx_profile has recorded on a TDX host: the
                    module is made like that host's
  --inject PLAN     make chosen calls fail (tdx/box plans tells how)
  --trace           every SEAMCALL and TDCALL to stderr, as strace does
  --plain           without TDX, by a QEMU that does not know it
  --gdb             wait for gdb on the kernel
  --log FILE        keep the kernel's log
  --seed SEED       all CPUs on one thread, which runs them in an order that this
                    number draws: the same seed, kernel and command give the same
                    log, trace and output, byte for byte.  Or a schedule for a
                    race, see docs/races.md.  The command's environment is
                    PATH, HOME and TDX_..., and its input is empty unless that
                    comes from a file

Exit status: the command's own (128 + N if signal N ended it), or
  {STATUS_KERNEL}  the command succeeded, but the kernel warned, oopsed or panicked
  {STATUS_TIMEOUT}  timeout
  {STATUS_BOX}  the box could not run it

A program that makes the kernel complain on purpose says so beforehand with
a line "kselftest: expects: TEXT" to /dev/kmsg, once for each line to come.
In TEXT a * stands for anything, and | separates alternatives.

boot boots Linux as a TD in the box, with the QEMU, firmware and kernel of
Debian, to a shell.  Each can be one of yours:

  --vmm PROGRAM     a QEMU
  --firmware FILE   or the name of a package of Debian's: {{firmware}}
  --kernel IMAGE    or a suite of Debian's: {{kernels}}
  --initrd FILE     for that kernel; without one, a busybox
  --disk DISK       an image, whose own loader is booted if there is no --kernel;
                    or a directory, whose files are on the disk.  What is written
                    to it is gone afterwards, except in the directory of --out
  --append OPTIONS  more for the kernel's command line
  --script FILE     a script or program that the TD runs instead of a shell
  --quotes          GetQuote works: it gives the TD's report, which nobody has signed
  --beside COMMAND  a shell command that runs in the box beside QEMU
  --cpus N          CPUs of the TD (1)
  --memory M        the TD's memory, in MB or with a suffix M or G (512M)

and --config, --inject, --log, --out, --profile, --timeout and --trace as above.  The
exit status is the shell's or the script's; else QEMU's, which is 0 if the
TD powers off or resets.

diff compares two TDX modules, a line for each difference: files that
x86/tdx_profile has recorded on a TDX host or in the box, or profiles.  With
one file, it lists what --profile could not make like it.  The exit status is
1 if there are differences.

mrtd prints what MRTD is in a TD with that firmware, as for boot, and rtmrs what
the four RTMRs are after a log of events, a file like a TD's
/sys/firmware/acpi/tables/data/CCEL.

Root inside can do what you can to the directory of --out, but no file there
becomes a device or runs as another user.  It may make symbolic links.
"""


def end_by_signal(number, _frame):
    raise Failure(status=130 if number == signal.SIGINT else 143)


def catch_signals():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        # What nohup or a shell chose holds.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end_by_signal)


def ignore_signals():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_IGN)


def open_standard_streams():
    """Without these the next file that is opened would be one of them."""
    while (fd := os.open("/dev/null", os.O_RDWR)) < 3:
        os.set_inheritable(fd, True)
    os.close(fd)


def needed(options):
    names = ["plain" if options.plain else "qemu", "init"]
    return names if options.kernel else [*names, options.kernel_part]


def greet(options, found):
    """A shell on a terminal says where one is."""
    if options.kernel:
        kernel = f"the kernel {options.kernel}"
    else:
        kernel = "Linux " + (found[options.kernel_part] / "release").read_text().strip()
    module = "no TDX"
    if not options.plain:
        profiles = (found["qemu"] / "profile.help").read_text()
        module = f"module profile {options.profile or profiles.split()[0]}"
    kept = f"below {options.out}" if options.out else "nowhere"
    complain(f"A TDX host in a box: {kernel}, {module}.\n"
             f"This machine's files, to read; what you write is kept {kept}.  "
             "\"exit\" leaves.")


def find_parts(options, command, shell):
    """Returns the parts that the run needs, and links to the tests in the cache."""
    import programs
    from parts import parts

    names = needed(options)
    tests = [] if shell else programs.named_tests(command)
    if tests:
        names.append("tests")
    found = parts(names, tests or None)
    if shell:
        try:
            found |= parts(["tests"])
        except (Failure, SystemExit) as failure:
            if getattr(failure, "code", None) in (130, 143):
                raise
            say("the tests are not there, as they do not build")
    return found, programs.links(found["tests"]) if "tests" in found else []


def run(arguments, shell=False):
    import machine
    import options as box_options

    if not shell and arguments[:1] in (["--help"], ["-h"]):
        return usage()
    options, command = box_options.parse(arguments)
    machine.check_kernel_options(options.append)
    if shell:
        command = command or [os.environ.get("SHELL") or "/bin/bash", "-i"]
        options.terminal = os.isatty(0) and os.isatty(1)
    if not command:
        raise Failure("run: which command? (see tdx/box help)")
    found, links = find_parts(options, command, shell)
    if options.terminal:
        greet(options, found)
    return run_machine(options, command, found, links)


def run_machine(options, command, found, links=(), given=None):
    """Returns the exit status of a command in the box."""
    import machine

    if options.recording:
        import likeness
        options.module = likeness.profile(options.profile, options.recording, found["qemu"])
    the_machine = machine.Machine(options, command, found, links, given)
    try:
        return the_machine.run()
    finally:
        ignore_signals()
        the_machine.clean_up()


def run_td(arguments):
    """boot: a TD in the box."""
    import boot
    from parts import parts

    if arguments[:1] in (["--help"], ["-h"]):
        return usage()
    td_options, options = boot.parse(arguments)
    options.terminal = not td_options.script and os.isatty(0) and os.isatty(1)
    found = parts([*needed(options), *boot.needed(td_options)])
    td = boot.Td(td_options, found, options.terminal)
    size = b"%d %d\n" % tuple(reversed(os.get_terminal_size(0))) if options.terminal else b""
    return run_machine(options, td.command(options.out), found, given=td.files(size))


def ask_module(about):
    """Prints the profiles or the plans that the module knows."""
    from parts import parts

    write_all(1, (parts(["qemu"])["qemu"] / f"{about}.help").read_bytes())
    return 0


def measure(command, arguments):
    """Prints MRTD or RTMRs."""
    import boot
    import measurements
    from parts import parts

    if len(arguments) != 1:
        raise Failure(f"{command}: which file?")
    path = arguments[0]
    if command == "mrtd" and path in boot.FIRMWARE:
        path = boot.firmware(parts([path]), path)
    with open(path, "rb") as file:
        data = file.read()
    try:
        values = [measurements.mrtd(data)] if command == "mrtd" else measurements.rtmrs(data)
    except measurements.Malformed as error:
        raise Failure(f"{path}: {error}")
    write_all(1, "".join(f"{value.hex()}\n" for value in values).encode())
    return 0


def usage():
    from boot import FIRMWARE, KERNELS

    write_all(1, USAGE.format(firmware=", ".join(FIRMWARE),
                              kernels=", ".join(KERNELS)).encode())
    return 0


def dispatch(arguments):
    command = arguments[0] if arguments else "help"
    if command == "run":
        return run(arguments[1:])
    if command == "shell":
        return run(arguments[1:], shell=True)
    if command == "boot":
        return run_td(arguments[1:])
    if command == "profiles":
        return ask_module("profile")
    if command == "plans":
        return ask_module("inject")
    if command == "diff":
        import recording
        return recording.diff(arguments[1:])
    if command in ("mrtd", "rtmrs"):
        return measure(command, arguments[1:])
    if command in ("help", "--help", "-h"):
        return usage()
    raise Failure(f"unknown command: {command} (see tdx/box help)")


def main(arguments):
    """Does not return: a thread may still wait for input."""
    open_standard_streams()
    catch_signals()
    try:
        result = dispatch(arguments)
    except Failure as failure:
        if str(failure):
            say(failure)
        result = failure.status
    except SystemExit as error:
        # A build's: a signal, or it failed.
        if isinstance(error.code, str):
            complain(error.code)
        result = error.code if isinstance(error.code, int) and error.code > 128 else STATUS_BOX
    except OSError as error:
        if error.errno == 32:
            result = 128 + signal.SIGPIPE
        else:
            say(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
            result = STATUS_BOX
    os._exit(result)
