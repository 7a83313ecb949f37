# SPDX-License-Identifier: GPL-2.0
import os
import threading
import time

from support import CacheTest

import build
import cache
import selftests
from graph import Graph, Part, compiler


class Made(Part):
    """A part that counts how often it was made."""

    def __init__(self, name, needs=(), uses=(), inputs=1):
        self.name, self.needs, self.uses, self.value = name, needs, uses, inputs
        self.made = 0

    def inputs(self, needs):
        return [self.value, {name: str(path) for name, path in needs.items()}]

    def make(self, new, work, parts):
        self.made += 1
        self.parts = parts
        (new / "file").write_text(self.name)


class GraphTest(CacheTest):
    def graph(self):
        self.parts = {part.name: part for part in (
            Made("headers"), Made("tests", ["headers"]), Made("init"),
            Made("qemu", ["headers"], ["init"]))}
        return Graph(self.parts.values())

    def made(self):
        return {name: part.made for name, part in self.parts.items() if part.made}

    def test_needs_come_first(self):
        graph = self.graph()
        path = graph.get("tests")
        self.assertEqual((path / "file").read_text(), "tests")
        self.assertEqual(self.made(), {"headers": 1, "tests": 1})
        self.assertEqual(graph.get("tests"), path)
        self.assertEqual(self.made(), {"headers": 1, "tests": 1})

    def test_found_by_another_graph(self):
        self.assertIsNone(self.graph().find("tests"))
        path = self.graph().get("tests")
        self.assertEqual(self.graph().find("tests"), path)
        self.assertEqual(self.made(), {})

    def test_uses_are_for_making_only(self):
        graph = self.graph()
        graph.get("qemu")
        self.assertEqual(set(self.parts["qemu"].parts), {"headers", "init"})
        cache.evict_all()
        os.rename(self.cache / "init", self.cache / "log/init")
        self.assertIsNotNone(self.graph().find("qemu"))

    def test_another_need_another_entry(self):
        path = self.graph().get("tests")
        graph = self.graph()
        self.parts["headers"].value = 2
        self.assertIsNone(graph.find("tests"))
        self.assertNotEqual(graph.get("tests"), path)

    def test_sources_that_change_meanwhile(self):
        graph = self.graph()
        init = self.parts["init"]

        def make(new, work, parts):
            init.made += 1
            (new / "file").write_text(str(init.value))
            init.value = 2

        init.make = make
        with self.quiet():
            path = graph.get("init")
        self.assertEqual((init.made, (path / "file").read_text()), (2, "2"))
        self.assertEqual(path, self.cache / init.entry({}))
        self.assertEqual(len(list((self.cache / "init").iterdir())), 1)

    def test_threads(self):
        graph = self.graph()
        self.parts["headers"].make = lambda new, work, parts: time.sleep(0.05) or made.append(1)
        made = []
        threads = [threading.Thread(target=graph.get, args=(name,))
                   for name in ("tests", "qemu", "headers")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(made, [1])


class PartsTest(CacheTest):
    """The box's own graph."""

    def test_every_need_is_a_part_and_there_is_no_circle(self):
        parts = build.make_graph().parts

        def walk(name, above):
            self.assertNotIn(name, above)
            for need in [*parts[name].needs, *parts[name].uses]:
                walk(need, [*above, name])

        for name, part in parts.items():
            self.assertEqual(part.name, name)
            self.assertTrue(part.__doc__, name)
            walk(name, [])

    def test_every_kind_has_its_limits(self):
        for name, part in build.make_graph().parts.items():
            if name not in ("linux", "qemu-source", "qemu-tools"):
                self.assertIn(getattr(part, "kind", name), cache.LIMITS)

    def test_bad_names(self):
        with self.dies("which part?"):
            build.main([])
        with self.dies("unknown part: walk"):
            build.main(["kernel", "walk"])

    def test_what_is_no_part_stands_alone(self):
        for names in (["checkers", "linux"], ["linux", "clean"], ["clean", "checkers"]):
            with self.dies("stands alone"):
                build.main(names)

    def test_static_programs_are_all_programs(self):
        static = build.make_graph().parts["static-tests"]
        self.assertEqual(static.programs(), selftests.all_programs())
        self.assertLess({*selftests.all_tests(), "x86/tdx_profile"}, {*static.programs(), ""})
        self.assertNotIn("TESTS=", static.make_options("suite"))
        self.assertIn("-static", static.linker_flags)

    def test_nothing_is_there(self):
        graph = build.make_graph()
        for name in graph.parts:
            self.assertIsNone(graph.find(name), name)
        self.assertFalse(self.cache.exists())

    def test_an_editors_files_are_no_inputs(self):
        tree = self.dir / "linux"
        tree.mkdir()
        (tree / "Makefile").write_text("VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\n")
        source = self.dir / "qemu"
        source.mkdir()
        (source / "VERSION").write_text("10.0.13\n")
        needs = {"linux": tree, "headers": tree, "qemu-source": source}
        names = [name for name, part in build.make_graph().parts.items()
                 if name not in ("linux", "qemu-source", "qemu-tools")]
        before = {name: build.make_graph().parts[name].entry(needs) for name in names}
        top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
            os.path.abspath(__file__)))))
        junk = [os.path.join(top, name) for name in (
            "x86/.tdx_io_test.c.swp", "lib/x86/tdx/x.c~", "tdx/qemu/.insert.swp",
            "tdx/module/abi.h.orig", "x86/tdx_io_test.o")]
        try:
            for path in junk:
                open(path, "w").close()
            after = {name: build.make_graph().parts[name].entry(needs) for name in names}
        finally:
            for path in junk:
                os.remove(path)
        self.assertEqual(after, before)

    def test_chosen_tests_have_an_entry_of_their_own(self):
        tree = self.dir / "linux"
        tree.mkdir()
        (tree / "Makefile").write_text("VERSION = 7\nPATCHLEVEL = 3\n")
        needs = {"linux": tree, "headers": tree}
        every, one = (build.make_graph(tests).parts["tests"]
                      for tests in (None, ["x86/tdx_io_test"]))
        self.assertNotEqual(every.entry(needs), one.entry(needs))
        path = cache.entry(every.entry(needs), 1, lambda new, work: None)
        self.assertEqual(one.find(needs), path)

    def test_compiler(self):
        self.assertEqual(compiler(), compiler())
