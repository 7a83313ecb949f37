# SPDX-License-Identifier: GPL-2.0
"""Debian's packages: what must be installed, and what is only unpacked into the
cache.  The latter comes through an apt root of our own, because it is in suites
that the machine's apt does not know and should not."""

import contextlib
import functools
import os
import pathlib
import re
import subprocess
import time

import cache
from process import Step, StepFailed, die

# What a build calls.  All of it is in Debian 12 itself.
PACKAGES = """bc binutils bison flex gcc libattr1-dev libc6-dev libelf-dev libfdt-dev
	libglib2.0-dev make ninja-build pkg-config python3 python3-distlib
	xz-utils zlib1g-dev""".split()
CLANG = "clang lld llvm".split()
CHECKERS = "clang gcovr git lld llvm perl shellcheck uuid-dev".split()

# The suites that QEMU may come from, and where each one's meson and firmware do.
QEMU_SUITES = {
    "trixie": "trixie",
    "bookworm-backports": "bookworm-backports",
    "sid": "trixie",
}
DEFAULT_QEMU_SUITE = "trixie"
LINUX_SUITE = "trixie-backports"

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


@functools.cache
def codename():
    """Returns the name of this machine's Debian, or None on another system."""
    try:
        text = pathlib.Path("/etc/os-release").read_text()
    except OSError:
        return None
    values = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.M))
    return values.get("VERSION_CODENAME") if values.get("ID") == "debian" else None


def need_debian():
    if not codename():
        die("not a Debian system: give KSRC=<kernel source> and QEMU_SRC=<QEMU source>")


def installed():
    """Returns the names of the packages that are installed."""
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return set(re.findall(r"^installed (.*)$", listed, re.M))


def install(packages=()):
    """Installs what a build calls, and these packages."""
    # Elsewhere the compilers' own messages have to do.
    if not codename():
        return
    wanted = {*PACKAGES, *packages}
    if os.environ.get("LLVM"):
        wanted.update(CLANG)
    if wanted <= installed():
        return
    with cache.lock("packages"):
        missing = sorted(wanted - installed())
        if not missing:
            return
        names = " ".join(missing)
        if os.geteuid():
            die("packages are missing; as root: "
                f"apt-get install -y --no-install-recommends {names}")
        with Step(f"installing {names}", cache.log("packages")) as step:
            step.run("sh", "-c", """
                export DEBIAN_FRONTEND=noninteractive
                apt-get install -y --no-install-recommends "$@" || {
                        apt-get update &&
                        apt-get install -y --no-install-recommends "$@"
                }""", "-", *missing)


def mirror(step):
    """Returns the mirror that the machine's apt uses for its own release."""
    targets = step.output("apt-get", "indextargets", "--format",
                          "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    for line in targets.splitlines():
        words = line.split()
        if words[1:] == [codename(), "main"]:
            return words[0]
    raise OSError("apt knows no Debian mirror")


def suites_read():
    """Returns the suites of QEMU whose lists are read.  Those of sid are long, so
    they are read for those only who ask for it."""
    return [suite for suite in QEMU_SUITES if suite != "sid" or os.environ.get("QEMU") == suite]


def sources(uri, others):
    """Returns the lines of the apt root's sources.list."""
    suites = [("deb", suite) for suite in {**dict.fromkeys(QEMU_SUITES.values()),
                                           LINUX_SUITE: None, **dict.fromkeys(others)}]
    suites += [("deb-src", suite) for suite in suites_read()]
    return [f"{kind} [signed-by={KEYS}] {uri} {suite} main" for kind, suite in suites]


def write_apt_root(root, uri, others):
    for name in "lists/partial", "archives/partial":
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "sources.list").write_text("\n".join(sources(uri, others)) + "\n")
    # What is taken from another suite is named, and takes nothing else along.
    (root / "preferences").write_text("".join(
        f"Package: *\nPin: release n={suite}\nPin-Priority: 1\n\n" for suite in others))
    # The machine's settings (a proxy, say) hold; its hooks are not for us.
    (root / "apt.conf").write_text(f"""\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::Etc::SourceList "{root}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "{root}/preferences";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{root}";
Dir::State::Status "/var/lib/dpkg/status";
Dir::Cache "{root}";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
""")


def need_apt_root(others=()):
    """Reads the package lists, for an hour: the suites move on, and what their
    lists named disappears.  others are suites to read beside the usual ones."""
    need_debian()
    root = cache.need() / "apt"
    with cache.lock("apt"):
        updated = root / "updated"
        listed = root / "sources.list"
        if (updated.exists() and time.time() - updated.stat().st_mtime < 3600 and
                all(f" {suite} main" in listed.read_text()
                    for suite in [*suites_read(), *others])):
            return
        with Step("reading Debian's package lists", cache.log("apt")) as step:
            write_apt_root(root, mirror(step), others)
            step.run("apt-get", "-c", root / "apt.conf", "update")
            updated.touch()


def apt(program, *arguments):
    """Returns a command that uses the apt root."""
    return [program, "-c", cache.directory() / "apt" / "apt.conf", *arguments]


def unpack_debs(step, to, work, packages):
    """Unpacks packages (NAME or NAME/SUITE) into a directory, installing nothing."""
    debs = work / "debs"
    debs.mkdir()
    step.run(*apt("apt-get", "download", *packages), cwd=debs)
    for deb in debs.glob("*.deb"):
        step.run("dpkg-deb", "-x", deb, to)
        deb.unlink()


def closure(step, work, suite, packages, pattern):
    """Returns packages and all that they depend on, as NAME=VERSION, as far as their names
    match a regular expression."""
    nothing = work / "status"
    nothing.touch()
    planned = step.output(*apt(
        "apt-get", "-o", f"Dir::State::Status={nothing}", "-o", f"APT::Default-Release={suite}",
        "-o", "APT::Install-Recommends=false", "-s", "install", *packages))
    return [f"{name}={version}" for name, version
            in re.findall(r"^Inst (\S+) \((\S+)", planned, re.M) if re.fullmatch(pattern, name)]


def tools(suite):
    """Returns the directory with meson and the firmware that go with a suite's
    QEMU."""
    suite = QEMU_SUITES[suite]

    def make(new, work):
        need_apt_root()
        with Step(f"fetching meson and firmware of {suite}", cache.log(f"tools-{suite}")) as step:
            unpack_debs(step, new, work, [f"{name}/{suite}" for name in (
                "meson", "python3-pycotap", "seabios", "qemu-system-data")])

    return cache.entry(f"tools/{suite}", 200, make)


def qemu_versions(step, suite):
    """Returns the versions of QEMU's source in a suite, newest first."""
    lists = step.output(*apt("apt-get", "indextargets", "--format", "$(FILENAME)",
                             "Created-By: Sources", f"Codename: {suite}")).split()
    if not lists:
        return []
    text = step.output("/usr/lib/apt/apt-helper", "cat-file", *lists)
    versions = set()
    for stanza in re.findall(r"^Package: qemu\n(?:.+\n)*", text, re.M):
        versions |= set(re.findall(r"^Version: (.*)$", stanza, re.M))
    return sorted(versions, reverse=True, key=lambda version: [
        int(word) if word.isdigit() else -1 for word in re.split(r"[^0-9]+", version)])


def qemu_source(suite):
    """Returns the directory with tree/, QEMU's pristine source, and version."""
    def make(new, work):
        need_apt_root()
        with Step(f"fetching QEMU's source of {suite}", cache.log(f"qemu-source-{suite}")) as step:
            # Debian's own changes are for its packages.  A mirror may not have the
            # newest that it lists.
            for version in qemu_versions(step, suite):
                with contextlib.suppress(StepFailed):
                    step.run(*apt("apt-get", "source", "--tar-only", "--download-only",
                                  f"qemu={version}"), cwd=work)
                    break
            else:
                raise StepFailed(f"no version of QEMU's source in {suite} can be had")
            archive, = work.glob("qemu_*.orig.tar.xz")
            # Of firmware we take what is built; its sources are two thirds of all files.
            (new / "tree").mkdir()
            step.run("tar", "-C", new / "tree", "--strip-components=1",
                     "--exclude", "*/roms/*", "-xJf", archive)
            (new / "version").write_text((new / "tree" / "VERSION").read_text())

    return cache.entry(f"src/qemu-{suite}", 1000, make)


# More than half of the kernel's files, which no configuration of ours needs: it
# takes longer to write them than to build some subsystems.  Kconfig files stay, as
# each configuration reads those of all drivers, and network drivers' headers, which
# selftests borrow.
ARCHITECTURES = """alpha arc arm arm64 csky hexagon loongarch m68k microblaze mips nios2
	openrisc parisc powerpc riscv s390 sh sparc xtensa""".split()
DRIVERS = """drivers/gpu drivers/iio drivers/infiniband drivers/media drivers/scsi
	drivers/staging drivers/usb sound""".split()
NOT_OURS = [
    *(f"arch/{name}/{files}" for name in ARCHITECTURES for files in ("*.[chS]", "*.dts*")),
    *(f"{name}/*.[chS]" for name in DRIVERS),
    "drivers/net/ethernet/*.c",
    "drivers/net/wireless/*.c",
    "Documentation/*/*",
]


def version_key(version):
    return [int(number) for number in version.split(".")]


def newest(versions):
    return max(versions, key=version_key, default=None)


def newest_linux(step):
    listed = step.output(*apt("apt-cache", "search", "--names-only",
                              "^linux-source-[0-9.]+$"))
    return newest(re.findall(r"^linux-source-([0-9.]*[0-9]) ", listed, re.M))


def linux_here():
    """Returns the newest version of Linux whose source is in the cache, or None."""
    names = cache.entries("src")
    return newest(match[1] for match in (re.fullmatch(r"src/linux-([0-9.]*[0-9])", name)
                                         for name in names) if match)


def linux_source(version):
    """Returns the directory with tree/, the source of Debian's Linux of that version
    or of its newest, and version."""
    version = version or linux_here()
    if version and not re.fullmatch(r"[0-9]+(\.[0-9]+)*", version):
        die(f"KERNEL={version}: not a version, such as 7.2")
    if version and (found := cache.find(f"src/linux-{version}")):
        return found
    need_apt_root()
    with Step("looking for Linux's source", cache.log("linux-version")) as step:
        wanted = version or newest_linux(step)
        there = wanted and step.output(
            *apt("apt-cache", "search", "--names-only", f"^linux-source-{re.escape(wanted)}$"))
    if not there and version:
        die(f"KERNEL={version}: Debian has no package linux-source-{version}")
    if not there:
        die(f"no linux-source package in {LINUX_SUITE}: give KSRC=<kernel source>")

    def make(new, work):
        with Step(f"fetching Linux {wanted}'s source", cache.log("linux-source")) as step:
            unpack_debs(step, work / "deb", work, [f"linux-source-{wanted}"])
            archive, = (work / "deb" / "usr" / "src").glob("linux-source-*.tar.xz")
            top = archive.name.removesuffix(".tar.xz")
            (new / "tree").mkdir()
            step.run("tar", "-C", new / "tree", "--strip-components=1", "-I", "xz -T0",
                     *(f"--exclude={top}/{files}" for files in NOT_OURS), "-xf", archive)
            (new / "version").write_text(linux_version(new / "tree") + "\n")

    return cache.entry(f"src/linux-{wanted}", 3000, make)


def linux_version(tree):
    """Returns a kernel tree's version by its makefile, without what
    CONFIG_LOCALVERSION and git add, as "make kernelversion" does."""
    text = (tree / "Makefile").read_text()
    values = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *=[ \t]*(\S*)$", text, re.M))
    numbers = [values.get(name) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    return ".".join(filter(None, numbers)) + values.get("EXTRAVERSION", "")
