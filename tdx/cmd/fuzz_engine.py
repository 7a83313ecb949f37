# SPDX-License-Identifier: GPL-2.0
"""The part that is libFuzzer with what connects it to the box, see tdx/fuzz/engine.c."""

import cache
import debian
from graph import TDX, Part, compiler
from process import Step

SOURCE = TDX / "fuzz/engine.c"


class Engine(Part):
    """libFuzzer with what connects it to the box."""

    name = "fuzz-engine"

    def inputs(self, needs):
        return [compiler("clang"), cache.hash_file(SOURCE)]

    def make(self, new, work, parts):
        debian.install(debian.CHECKERS)
        with Step("building the fuzzing engine", cache.log(self.name)) as step:
            step.run("clang", "-O1", "-g", "-Wall", "-Wextra", "-fsanitize=fuzzer", SOURCE,
                     "-o", new / "engine")
