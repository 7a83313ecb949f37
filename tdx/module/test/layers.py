#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks the module's layers: layers.py SOURCE_DIR OBJECT_DIR

A file uses its own layer and those below, and no two .c files use each other,
directly or by way of others.  What a file uses is read from its #include lines
and from the symbols that its object refers to.  Prints TAP.
"""
import os
import re
import subprocess
import sys

# From the top.  Every .c and .h file of the module is in one of them.
LAYERS = [
    ('dispatch', 'call.c module.c'),
    ('leaves', 'tdh.h seamldr.c tdh_sys.c tdh_mng.c tdh_vp.c tdh_vp_enter.c tdh_mem.c '
               'tdh_mr.c tdh_phymem.c tdh_pamt.c tdg.h tdg_sys.c tdg_vp.c tdg_vm.c '
               'tdg_mem.c tdg_mr.c tdg_servtd.c'),
    ('what a call needs', 'leaf.h locks.c locks.h operands.c operands.h '
                          'guest_memory.c guest_memory.h inject.c inject.h '
                          'trace.c trace.h zero_step.c zero_step.h '
                          'host_priority.c host_priority.h'),
    ('what a TD is', 'td.c td.h vcpu.c cpuid.c cpuid_values.c '
                     'cpuid_topology.c td_cpuid.h msr.c '
                     'instruction.c ve.c ve.h sept.c sept.h translate.c '
                     'translate.h pamt.c pamt.h sys_fields.c td_fields.c '
                     'vp_fields.c fields.h events.c events.h system.c system.h '
                     'tdmr.c tdmr.h platform.c platform.h'),
    ('tables', 'cpuid_table.c cpuid_table.h cpuid_adapt.c cpuid_adapt.h '
               'msr_table.c msr_table.h td_features.h profiles.c profiles.h '
               'random_profile.c rules.c rules.h'),
    ('the model', 'model.h names.c names.h sha384.c sha384.h'),
    ('the ABI', 'abi.h seamldr.h td_params.h tdx_module.h'),
]


def sources(folder):
    return sorted(name for name in os.listdir(folder)
                  if name.endswith(('.c', '.h')))


def place():
    """The number of each file's layer, 0 is the top."""
    return {name: number for number, (_, names) in enumerate(LAYERS)
            for name in names.split()}


def includes(folder):
    for name in sources(folder):
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            for used in re.findall(r'^#include "(.*)"', f.read(), re.M):
                yield name, used, '#include'


def symbols(objects, name):
    """What an object defines, and what it refers to."""
    path = os.path.join(objects, name[:-2] + '.o')
    out = subprocess.run(['nm', path], check=True, text=True,
                         capture_output=True).stdout
    rows = [line.split()[-2:] for line in out.splitlines()]
    return ({s for kind, s in rows if kind in 'TDRBCV'},
            {s for kind, s in rows if kind == 'U'})


def references(folder, objects):
    files = [name for name in sources(folder) if name.endswith('.c')]
    table = {name: symbols(objects, name) for name in files}
    home = {s: name for name in files for s in table[name][0]}
    for name in files:
        for symbol in sorted(table[name][1]):
            if home.get(symbol, name) != name:
                yield name, home[symbol], symbol


def upwards(arrows):
    where = place()
    return ['%s (%s) uses %s of %s (%s)' %
            (user, LAYERS[where[user]][0], why, used, LAYERS[where[used]][0])
            for user, used, why in arrows
            if user in where and used in where and where[used] < where[user]]


def circle(arrows):
    """The files of a circle, in order, or nothing."""
    uses, done, path = {}, set(), []
    for user, used, _ in arrows:
        uses.setdefault(user, set()).add(used)

    def walk(name):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return []
        path.append(name)
        for used in sorted(uses.get(name, ())):
            found = walk(used)
            if found:
                return found
        path.pop()
        done.add(name)
        return []

    for name in sorted(uses):
        found = walk(name)
        if found:
            return [' -> '.join(found)]
    return []


def misplaced(folder):
    listed = [name for _, names in LAYERS for name in names.split()]
    have = sources(folder)
    return (['%s is in no layer' % n for n in have if n not in listed] +
            ['%s is in a layer, but not there' % n for n in listed
             if n not in have] +
            ['%s is in two layers' % n for n in set(listed)
             if listed.count(n) > 1])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, objects = sys.argv[1:]
    by_include = list(includes(folder))
    by_symbol = list(references(folder, objects))
    tests = [
        ('each file is in one layer', misplaced(folder)),
        ('no #include goes up', upwards(by_include)),
        ('no symbol is used from above', upwards(by_symbol)),
        ('no files include each other', circle(by_include)),
        ('no files use each other\'s symbols', circle(by_symbol)),
        ('there are symbols to look at', [] if by_symbol else ['none']),
    ]
    for number, (name, wrong) in enumerate(tests, 1):
        print('%sok %d layers: %s' % ('not ' if wrong else '', number, name))
        for line in wrong:
            print('# ' + line)
    print('1..%d' % len(tests))
    return any(wrong for _, wrong in tests)


if __name__ == '__main__':
    sys.exit(main())
