# SPDX-License-Identifier: GPL-2.0
"""Schedules of the box: who runs when, as tdx/qemu/schedule.c reads it.

A seed alone draws each turn of the CPUs.  A schedule is for races: the CPUs by their
priority, and the points at which the one that runs becomes the lowest, "1,0,2,3/17/c40+9=":
at the 17th of all points, and 9 instructions after the 40th at a call of the module.  After
a change with "=" it doesn't run either while the others sleep, for a while.  A schedule can
be drawn, too: "SEED:POINTS:CALLS" says from how many points."""

import collections
import random
import re

from outcome import Failure

MAX_CHANGES = 8

# How many instructions after its point a change comes, as a power of two.
MAX_AFTER_BITS = 13

# kind is "c" for a point at a call, else ""; away is "=" or "".
Change = collections.namedtuple("Change", "kind point after away")


class Schedule(collections.namedtuple("Schedule", "order changes")):
    """order are CPUs, the highest first; changes are of the type Change."""

    def __str__(self):
        return "/".join([",".join(map(str, self.order)),
                         *(f"{change.kind}{change.point}" +
                           (f"+{change.after}" if change.after else "") + change.away
                           for change in self.changes)])


def draw_point(source, number, before):
    """Returns a point of so many, perhaps soon after another, which may be None."""
    if before is not None and source.choice([False, True]):
        return min(number - 1, before + 1 + source.randrange(1 << source.randint(0, 4)))
    # Who has little to do passes few points, and those come early if it goes first.
    if source.choice([False, True]):
        number = min(number, 1 << source.randint(1, number.bit_length()))
    return source.randrange(number)


def draw(seed, points, calls, cpus):
    """Returns the schedule of a seed, for a race with so many points, and so many of them at
    calls of the module."""
    source = random.Random(seed)
    order = list(range(cpus))
    source.shuffle(order)
    changes = set()
    last = {}       # the point of each kind
    for _ in range(source.choice([1, 1, 2, 2, 3])):
        # What the module's locks are for happens at calls, which are few.
        kind = source.choice(["", "c"]) if calls else ""
        last[kind] = draw_point(source, calls if kind else points, last.get(kind))
        # Half of the changes come at a point, the others somewhere in the code after it.
        after = source.choice([0, 1]) and source.randrange(
            1 << source.randint(1, MAX_AFTER_BITS))
        changes.add(Change(kind, last[kind], after, source.choice(["", "="])))
    return Schedule(tuple(order), tuple(sorted(changes)))


def is_for_race(seed):
    """Is what QEMU gets a schedule, not a seed?"""
    return seed and not seed.isdigit()


def parse(text, cpus):
    """Checks what --seed says.  Returns it as QEMU takes it."""
    number = "[0-9]{1,9}"
    if re.fullmatch(number, text):
        return text
    if match := re.fullmatch(f"({number}):({number}):({number})", text):
        return str(draw(int(match[1]), max(1, int(match[2])), int(match[3]), cpus))
    change = rf"/c?{number}(\+{number})?=?"
    if not re.fullmatch(rf"{number}(,{number})*({change}){{0,{MAX_CHANGES}}}", text):
        raise Failure("--seed: neither a number, nor SEED:POINTS:CALLS, nor a schedule: "
                      f"'{text}'")
    order = text.partition("/")[0]
    if sorted(order.split(","), key=int) != [str(cpu) for cpu in range(cpus)]:
        raise Failure(f"--seed: '{order}' is not each of the CPUs 0 to {cpus - 1} once")
    return text
