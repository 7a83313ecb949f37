# SPDX-License-Identifier: GPL-2.0
"""The cache: what was fetched and built, shared by all checkouts.

An entry is a directory KIND/NAME, where the name is usually the hash of all that
went into it.  It is made beside its place and renamed at the end, so it is either
whole or not there.  A work directory is what a compiler works in from one time to
the next; it has a name of the same form and may be in any state.

Whoever uses an entry holds a shared lock on its directory until the process
ends, so that it is not evicted meanwhile."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import threading
import time

from process import children, die, say

# The standard's mark of a cache, for programs that make backups.
TAG = "CACHEDIR.TAG"
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n"

DAY = 24 * 3600

# Kinds of entries: how many of the newest are always kept, after how many days
# without use the others go, and how many there are at most.  What the network
# gave stays until "make clean-cache".
LIMITS = {
    "configured": (2, 14, 6),
    "coverage": (1, 14, 3),
    "debian": None,
    "debug": (1, 14, 3),
    "fuzz": (1, 14, 3),
    "fuzz-engine": (1, 14, 3),
    "guest": (1, 14, 3),
    "headers": (2, 60, 5),
    "init": (2, 14, 20),
    "kcsan": (1, 14, 3),
    "kernel": (2, 14, 8),
    "kmemleak": (1, 14, 3),
    "ksrc": (2, 30, 6),
    "likeness": (2, 14, 20),
    "mutants": (1, 14, 3),
    "plain": (1, 14, 3),
    "programs": (2, 2, 10),
    "programs-work": (1, 7, 6),
    "qemu": (3, 14, 20),
    "qemu-work": (1, 14, 4),
    "runner": (2, 14, 20),
    "static-tests": (1, 7, 3),
    "static-tests-work": (1, 7, 2),
    "tests": (3, 2, 30),
    "tests-work": (1, 7, 6),
    "src": None,
    "tools": None,
    "vmm": (1, 14, 3),
}
# Entries that have other names than a hash, and something that each of them has.
NAMES = {
    "debian": ("[a-z0-9-]+", "usr"),
    "headers": ("[0-9.]+[-.0-9a-z]*", "include"),
    "src": ("linux-[0-9.]+|qemu-[a-z-]+", "version"),
    "tools": ("[a-z-]+", "usr"),
}
OTHERS = ["apt", "corpus", "locks", "log", "tmp"]

held = []   # locks that stay until the process ends
making_temporary = threading.Lock()


def directory():
    """Returns where the cache is, whether or not it is there yet."""
    for variable, below in ("TDX_CACHE", ""), ("XDG_CACHE_HOME", "tdx-selftests"), \
            ("HOME", ".cache/tdx-selftests"):
        if os.environ.get(variable):
            path = pathlib.Path(os.environ[variable]).absolute() / below
            break
    else:
        die("HOME is not set: TDX_CACHE= says where the cache is to be")
    if re.search(r"[\s:$#]", str(path)):
        die(f"make can't work in the cache {str(path)!r}; TDX_CACHE= names another, "
            "without blanks and colons")
    return path


def is_ours(cache):
    """Whether a directory is a cache, or may become one."""
    tag = cache / TAG
    return tag.is_file() or set(os.listdir(cache)) <= {*LIMITS, *OTHERS}


def need():
    """Makes the cache's own directory, or ends with a line that says why not."""
    cache = directory()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if not is_ours(cache):
            die(f"{cache} is not a cache but has other things in it; TDX_CACHE= names another")
        if not (cache / TAG).exists():
            (cache / TAG).write_text(f"{SIGNATURE}# The TDX selftests' cache.\n")
        for name in "locks", "log":
            (cache / name).mkdir(exist_ok=True)
        if os.access(cache / "locks", os.W_OK):
            return cache
    except OSError:
        pass
    die(f"cannot write to the cache {cache}; TDX_CACHE= names another")


def need_space(megabytes):
    free = shutil.disk_usage(need()).free >> 20
    if free < megabytes:
        die(f"no space: {directory()} has {free} MB free, {megabytes} are needed; "
            "TDX_CACHE= names another")


def log(name):
    """Returns the path of a step's log."""
    return need() / "log" / f"{name}.log"


def hash_of(*inputs):
    """Returns the name of what is made from these: text, bytes, numbers, and lists
    of them."""
    return hashlib.sha256(repr(inputs).encode()).hexdigest()[:20]


def hash_files(top, paths, pattern):
    """Returns name and hash of each file below paths whose own name matches the
    regular expression.  A path may be missing, and may be a file, which counts
    whatever its name.  Of a directory, the files in its subdirectories count."""
    files = []
    for path in paths:
        if os.path.isfile(os.path.join(top, path)):
            files.append(path)
        for where, directories, names in os.walk(os.path.join(top, path)):
            directories.sort()
            files += [os.path.relpath(os.path.join(where, name), top)
                      for name in sorted(names) if re.fullmatch(pattern, name)]
    return [(name, hash_file(os.path.join(top, name))) for name in files]


def hash_file(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def same_file(fd, path):
    """Whether an open file is still the one of that name."""
    try:
        a, b = os.fstat(fd), os.stat(path)
    except FileNotFoundError:
        return False
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)


@contextlib.contextmanager
def lock(name):
    """A lock of a part of the cache.  Children inherit it, so what a killed build
    has left running keeps it, too."""
    path = need() / "locks" / name.replace("/", "-")
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting = threading.Timer(10, say, [f"tdx: waiting for another build of {name}"])
            waiting.daemon = True
            waiting.start()
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
            finally:
                waiting.cancel()
        if same_file(fd, path):
            break
        os.close(fd)
    children.inherited.add(fd)
    try:
        os.utime(fd)
        yield fd
    finally:
        children.inherited.discard(fd)
        # Closing it is not enough while children of another thread have it.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def find(name):
    """Returns an entry's directory, which stays until this process ends, or None."""
    path = directory() / name
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:     # is being evicted
        os.close(fd)
        return None
    if not same_file(fd, path):
        os.close(fd)
        return None
    held.append(fd)
    mark_used(path)
    return path


def mark_used(path):
    """An entry's time is that of its last use, by the hour."""
    if time.time() - os.stat(path).st_mtime > 3600:
        with contextlib.suppress(OSError):
            os.utime(path)


def entry(name, megabytes, make):
    """Returns an entry's directory.  If it isn't there, make(new, work) fills the
    directory new and may do what it likes in work; it takes as much space as
    that."""
    path = find(name)
    if path:
        return path
    with lock(name):
        path = find(name)
        if path:
            return path
        need_space(megabytes)
        with temporary(name) as work:
            new = work / "new"
            new.mkdir()
            make(new, work)
            (directory() / name).parent.mkdir(exist_ok=True)
            os.utime(new)
            os.rename(new, directory() / name)
        path = find(name)
    evict_all()
    return path


@contextlib.contextmanager
def work(name):
    """A work directory, locked."""
    path = need() / name
    with lock(name):
        path.mkdir(parents=True, exist_ok=True)
        os.utime(path)
        yield path


@contextlib.contextmanager
def temporary(name):
    """A directory that is gone afterwards.  What killed builds left behind goes
    now."""
    top = need() / "tmp"
    mine = top / str(os.getpid())
    top.mkdir(exist_ok=True)
    for other in os.listdir(top):
        if other.isdigit() and not os.path.exists(f"/proc/{other}"):
            shutil.rmtree(top / other, ignore_errors=True)
    path = mine / name.replace("/", "-")
    with making_temporary:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        with making_temporary, contextlib.suppress(OSError):
            mine.rmdir()


def remove(name):
    """Removes an entry or a work directory, unless somebody uses it.  Returns
    whether it is gone."""
    path = directory() / name
    with contextlib.ExitStack() as stack:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, fd)
        guard = directory() / "locks" / name.replace("/", "-")
        guard_fd = None
        try:
            if guard.exists():
                guard_fd = os.open(guard, os.O_RDWR)
                stack.callback(os.close, guard_fd)
                fcntl.flock(guard_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # Out of sight first: a part of it is no entry.
        with temporary(f"evict-{name}") as away:
            os.rename(path, away / "entry")
            if guard_fd is not None:
                guard.unlink(missing_ok=True)
    return True


def entries(kind):
    """Returns the names of one kind's entries, the last used first."""
    pattern, has = NAMES.get(kind, ("[0-9a-f]{20}", ""))
    try:
        with os.scandir(directory() / kind) as found:
            times = {f"{kind}/{one.name}": one.stat().st_mtime for one in found
                     if re.fullmatch(pattern, one.name)
                     and one.is_dir(follow_symlinks=False)
                     and os.path.exists(os.path.join(one.path, has))}
    except OSError:
        return []
    return sorted(times, key=times.get, reverse=True)


def too_many(kind, names, now, used):
    """Returns those of a kind's entries, the last used first, that are to go;
    used(name) is when one was used last."""
    if not LIMITS[kind]:
        return []
    keep, days, most = LIMITS[kind]
    return [name for number, name in enumerate(names)
            if number >= most or (number >= keep and now - used(name) > days * DAY)]


def evict_all():
    """Keeps the cache in bounds."""
    for kind in LIMITS:
        for name in too_many(kind, entries(kind), time.time(),
                             lambda name: os.stat(directory() / name).st_mtime):
            with contextlib.suppress(OSError):
                remove(name)


def clean():
    """Removes all that is in the cache, and nothing else."""
    cache = directory()
    if not cache.is_dir():
        return
    if not is_ours(cache):
        die(f"{cache} is not a cache but has other things in it")
    for kind in LIMITS:
        for name in entries(kind):
            if not remove(name):
                say(f"tdx: {name} is in use and stays")
    for name in "apt", "corpus":
        if not (cache / name).is_symlink():
            shutil.rmtree(cache / name, ignore_errors=True)
    for path in *cache.glob("log/*.log"), *cache.glob("locks/*"), *cache.glob("mutants/passed-*"):
        if path.is_file():
            path.unlink()
    for name in *LIMITS, "log", "locks", "tmp":
        with contextlib.suppress(OSError):
            (cache / name).rmdir()
