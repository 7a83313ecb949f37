# SPDX-License-Identifier: GPL-2.0
import os
import subprocess
import sys
import threading
import time

from support import CMD, CacheTest

import cache


def fill(new, _work):
    (new / "file").write_text("made")


NAME = "tests/" + "0" * 20


def name_of(number, kind="tests"):
    return f"{kind}/{number:020x}"


class DirectoryTest(CacheTest):
    def test_home_not_set(self):
        del os.environ["TDX_CACHE"]
        with self.dies("HOME is not set"):
            cache.directory()

    def test_home(self):
        del os.environ["TDX_CACHE"]
        os.environ["HOME"] = "/home/x"
        self.assertEqual(str(cache.directory()), "/home/x/.cache/tdx-selftests")
        os.environ["XDG_CACHE_HOME"] = "/x"
        self.assertEqual(str(cache.directory()), "/x/tdx-selftests")

    def test_blanks_and_colons(self):
        for path in "/a b", "/a\tb", "/a:b", "/a$b", "/a#b":
            os.environ["TDX_CACHE"] = path
            with self.dies("make can't work in the cache"):
                cache.directory()

    def test_cannot_be_written(self):
        os.environ["TDX_CACHE"] = "/proc/none"
        with self.dies("cannot write to the cache /proc/none"):
            cache.need()

    def test_somebody_elses_directory(self):
        self.cache.mkdir()
        (self.cache / "src").mkdir()
        (self.cache / "letters").mkdir()
        with self.dies("has other things in it"):
            cache.need()
        with self.dies("has other things in it"):
            cache.clean()
        self.assertTrue((self.cache / "letters").is_dir())

    def test_no_space(self):
        with self.dies("no space"):
            cache.need_space(1 << 40)


class EntryTest(CacheTest):
    def test_made_once(self):
        self.assertIsNone(cache.find(NAME))
        path = cache.entry(NAME, 1, fill)
        self.assertEqual((path / "file").read_text(), "made")
        self.assertEqual(cache.entry(NAME, 1, None), path)
        self.assertEqual(list((self.cache / "tmp").iterdir()), [])

    def test_failure_leaves_nothing(self):
        def fail(new, work):
            fill(new, work)
            raise OSError

        with self.assertRaises(OSError):
            cache.entry(NAME, 1, fail)
        self.assertIsNone(cache.find(NAME))
        self.assertEqual(list((self.cache / "tmp").iterdir()), [])
        cache.entry(NAME, 1, fill)

    def test_two_at_a_time(self):
        made = []

        def make(new, work):
            made.append(1)
            time.sleep(0.1)
            fill(new, work)

        threads = [threading.Thread(target=cache.entry, args=(NAME, 1, make)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(made, [1])

    def test_killed_build(self):
        """Its lock goes with it, and what it left is cleared away."""
        child = subprocess.Popen([sys.executable, "-c", f"""
import sys, os, signal
sys.path.insert(0, {str(CMD)!r})
import cache
def make(new, work):
    (new / "half").write_text("")
    os.kill(os.getpid(), signal.SIGKILL)
cache.entry({NAME!r}, 1, make)
"""])
        child.wait()
        self.assertTrue((self.cache / "tmp" / str(child.pid)).exists())
        path = cache.entry(NAME, 1, fill)
        self.assertEqual([file.name for file in path.iterdir()], ["file"])
        self.assertEqual(list((self.cache / "tmp").iterdir()), [])

    def test_read_only_cache(self):
        path = cache.entry(NAME, 1, fill)
        os.chmod(self.cache, 0o500)
        os.chmod(path, 0o500)
        self.addCleanup(os.chmod, self.cache, 0o700)
        self.assertEqual(cache.find(NAME), path)


class LockTest(CacheTest):
    def test_excludes_threads(self):
        order = []

        def second():
            with cache.lock("x"):
                order.append(2)

        with cache.lock("x"):
            thread = threading.Thread(target=second)
            thread.start()
            time.sleep(0.1)
            order.append(1)
        thread.join()
        self.assertEqual(order, [1, 2])

    def test_a_lock_that_was_removed_is_none(self):
        entered = threading.Event()

        def second():
            with cache.lock("x"):
                entered.set()

        with cache.lock("x"):
            thread = threading.Thread(target=second)
            thread.start()
            time.sleep(0.1)
            (self.cache / "locks/x").unlink()
            with cache.lock("x"):
                self.assertFalse(entered.is_set())
        thread.join()
        self.assertTrue(entered.is_set())


class HashTest(CacheTest):
    def test_values(self):
        self.assertNotEqual(cache.hash_of("a", "b"), cache.hash_of("ab"))
        self.assertRegex(cache.hash_of(1, [2, "x"]), "^[0-9a-f]{20}$")

    def test_files(self):
        top = self.dir / "top"
        (top / "x86").mkdir(parents=True)
        (top / "x86/a.c").write_text("a")
        (top / "Makefile").write_text("m")
        paths = ["x86", "Makefile", "missing"]
        pattern = r"[^.#].*\.[ch]"
        before = cache.hash_files(top, paths, pattern)
        self.assertEqual([name for name, _ in before], ["x86/a.c", "Makefile"])
        for junk in ".a.c.swp", "a.c~", "a.o", ".b.c", "#a.c#":
            (top / "x86" / junk).write_text("junk")
        self.assertEqual(cache.hash_files(top, paths, pattern), before)
        (top / "x86/a.c").write_text("b")
        self.assertNotEqual(cache.hash_files(top, paths, pattern), before)


class EvictionTest(CacheTest):
    def make(self, number, days, kind="tests"):
        path = cache.need() / name_of(number, kind)
        path.mkdir(parents=True)
        then = time.time() - days * cache.DAY
        os.utime(path, (then, then))
        return path

    def test_choice(self):
        keep, days, most = cache.LIMITS["tests"]
        now = 1000 * cache.DAY
        names = list(range(most + 5))
        fresh = cache.too_many("tests", names, now, lambda name: now)
        self.assertEqual(fresh, names[most:])
        stale = cache.too_many("tests", names, now, lambda name: now - (days + 1) * cache.DAY)
        self.assertEqual(stale, names[keep:])
        self.assertEqual(cache.too_many("src", names, now, lambda name: 0), [])

    def test_old_ones_go(self):
        paths = [self.make(number, 10 + number) for number in range(10)]
        cache.evict_all()
        self.assertEqual([path.exists() for path in paths],
                         [number < cache.LIMITS["tests"][0] for number in range(10)])
        self.assertEqual(list((self.cache / "tmp").iterdir()), [])

    def test_use_counts(self):
        paths = [self.make(number, 10 + number) for number in range(10)]
        cache.find(name_of(9))
        cache.evict_all()
        self.assertTrue(paths[9].exists())
        self.assertFalse(paths[8].exists())

    def test_not_one_in_use(self):
        path = self.make(9, 100)
        for number in range(8):
            self.make(number, 10)
        user = subprocess.Popen([sys.executable, "-c", f"""
import sys, os
sys.path.insert(0, {str(CMD)!r})
import cache
found = cache.find({name_of(9)!r})
os.utime(found, (1, 1))
print("found", flush=True)
sys.stdin.read()
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(user.stdout.readline(), "found\n")
        cache.evict_all()
        self.assertTrue(path.exists())
        user.communicate("")
        cache.evict_all()
        self.assertFalse(path.exists())

    def test_not_one_that_is_locked(self):
        for number in range(4):
            self.make(number, 10, "qemu-work")
        old = self.make(9, 100, "qemu-work")
        with cache.lock(name_of(9, "qemu-work")):
            cache.evict_all()
            self.assertTrue(old.exists())
        cache.evict_all()
        self.assertFalse(old.exists())

    def test_nothing_else(self):
        strange = [cache.need() / "tests/mine", self.cache / "tests/tree",
                   self.cache / "src/linux-7.3"]
        for path in strange:
            path.mkdir(parents=True)
            os.utime(path, (1, 1))
        (self.cache / "tests" / ("f" * 20)).symlink_to(strange[0])
        for number in range(50):
            self.make(number, 100)
        cache.evict_all()
        for path in strange:
            self.assertTrue(path.exists())


class CleanTest(CacheTest):
    def test_all_that_was_made(self):
        cache.entry(NAME, 1, fill)
        for kind, name, has in ("src", "linux-7.3", "version"), ("headers", "7.3.4", "include"):
            (self.cache / kind / name / has).mkdir(parents=True)
        (self.cache / "log/kernel.log").write_text("")
        held, cache.held[:] = list(cache.held), []
        for fd in held:
            os.close(fd)
        with self.quiet():
            cache.clean()
        self.assertEqual(os.listdir(self.cache), [cache.TAG])

    def test_nothing_else(self):
        mine = [cache.need() / "src/project", self.cache / "src/linux-7.3",
                self.cache / "tests/x", self.cache / "log/notes"]
        for path in mine:
            path.mkdir(parents=True)
        cache.clean()
        for path in mine:
            self.assertTrue(path.exists())

    def test_not_one_in_use(self):
        path = cache.entry(NAME, 1, fill)
        with self.quiet() as text:
            cache.clean()
        self.assertIn(f"{NAME} is in use", text.getvalue())
        self.assertTrue(path.exists())

    def test_no_cache(self):
        cache.clean()
        self.assertFalse(self.cache.exists())
