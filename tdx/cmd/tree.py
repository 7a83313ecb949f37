#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The suite in a kernel tree.

    tree.py install TREE        puts the suite into TREE, where the kernel's own
                                commands build it
    tree.py uninstall TREE      takes it out again
    tree.py link KSRC KHDR OUT [EXTRA.c ...]
                                makes OUT a tree of symbolic links to KSRC with
                                the suite in it, to build outside of KSRC

The suite is new files, lines in KVM's selftests makefile, and short branches in
the common lib.  A manifest in TREE lists what was installed, with hashes.  Files
that are not in it, or that have changed since, are not ours: they end the
program with their name before anything is touched.
"""
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import anchors
from anchors import Anchor

SUITE = Path(__file__).resolve().parents[2]
KVM = 'tools/testing/selftests/kvm'
MANIFEST = '.tdx-selftests.manifest'

# Directories of a tree that are ours alone, and what counts as source there.
OUR_DIRS = ('include/x86/tdx', 'lib/x86/tdx')
SOURCES = ('.c', '.h', '.S', '.mk', '.sh')

# Names by which a TDX library of somebody else's gives itself away.
LIBRARY_NAMES = re.compile(r'\b(is_tdx_vm|VM_SHAPE_TDX|tdx_vm_finalize)\b')

# The lib's random numbers before Linux 7.3, by their names since.
OLD_NAMES = {
    'kvm_random_state': 'guest_random_state',
    'new_kvm_random_state': 'new_guest_random_state',
    'kvm_random_seed': 'guest_random_seed',
    'kvm_rng': 'guest_rng',
    'kvm_random_u32': 'guest_random_u32',
    'kvm_random_u64': 'guest_random_u64',
    'kvm_random_bool': 'guest_random_bool',
}

PROCESSOR = 'lib/x86/processor.c'
UCALL = 'lib/x86/ucall.c'
KVM_UTIL = 'lib/kvm_util.c'
MAKEFILE = 'Makefile.kvm'


def in_function(name, regex):
    """An anchor in the body of a function that is defined once."""
    return r'^[^\n;=(]*\b%s\((?:[^;{}]*)\)\n\{\n(?:(?!^\}).*\n)*?%s' % (name, regex)


LIB_ANCHORS = (
    Anchor('processor.c: include', PROCESSOR, r'^#include "sev\.h"\n',
           '#include "tdx/tdx_util.h"\n'),
    Anchor('width of GPAs', PROCESSOR,
           in_function('kvm_init_vm_address_properties',
                       r'.*sev_fd = -1;\n\t\}\n'),
           '\n\tif (is_tdx_vm(vm))\n\t\ttdx_vm_init_address_properties(vm);\n'),
    Anchor('highest GFN', PROCESSOR,
           in_function('vm_compute_max_gfn', r'\tu8 maxphyaddr[^\n]*\n'),
           '\n\tif (is_tdx_vm(vm))\n\t\treturn tdx_vm_compute_max_gfn(vm);\n'),
    Anchor('creation of a VM', PROCESSOR,
           in_function('kvm_arch_vm_post_create', r'.*KVM_SEV_INIT2.*\n\t\}\n'),
           '\n\tif (is_tdx_vm(vm))\n\t\ttdx_vm_post_create(vm);\n'),
    Anchor('launch', PROCESSOR, r'^void vcpu_arch_set_entry_point\(',
           'void kvm_arch_vm_finalize_vcpus(struct kvm_vm *vm)\n{\n'
           '\tif (is_tdx_vm(vm))\n\t\ttdx_vm_finalize(vm);\n}\n\n', 'before'),
    Anchor('entry point', PROCESSOR,
           in_function('vcpu_arch_set_entry_point', r'\tstruct kvm_regs regs;\n'),
           '\n\tif (is_tdx_vm(vcpu->vm)) {\n'
           '\t\ttdx_vcpu_set_entry_point(vcpu, guest_code);\n'
           '\t\treturn;\n\t}\n'),
    Anchor('creation of a vCPU', PROCESSOR,
           in_function('vm_arch_vcpu_add', r'\tstruct kvm_vcpu \*vcpu;\n'),
           '\n\tif (is_tdx_vm(vm))\n\t\treturn tdx_vm_vcpu_add(vm, vcpu_id);\n'),
    Anchor('arguments of guest code', PROCESSOR,
           in_function('vcpu_args_set', r'\tva_start\(ap, num\);\n'),
           '\tif (is_tdx_vm(vcpu->vm)) {\n'
           '\t\ttdx_vcpu_args_set(vcpu, num, ap);\n'
           '\t\tva_end(ap);\n\t\treturn;\n\t}\n\n'),
    Anchor('GVA to GPA', PROCESSOR,
           in_function('addr_arch_gva2gpa', r'.*Leaf PTE not PRESENT.*\n'),
           '\n\tif (is_tdx_vm(vm))\n'
           '\t\ttdx_vm_assert_gpa_accessible(vm, vm_untag_gpa(vm, PTE_GET_PA(*pte)));\n'),
    Anchor('page tables', PROCESSOR,
           in_function('virt_arch_pg_map', r'(?=\t__virt_pg_map)'),
           '\tif (is_tdx_vm(vm))\n\t\ttdx_vm_assert_mappable(vm);\n\n'),
    Anchor('dump of a vCPU', PROCESSOR,
           in_function('vcpu_arch_dump', r'\tstruct kvm_sregs sregs;\n'),
           '\n\tif (is_tdx_vm(vcpu->vm)) {\n'
           '\t\ttdx_vcpu_dump(stream, vcpu, indent);\n\t\treturn;\n\t}\n'),

    Anchor('ucall.c: include', UCALL, r'^#include "kvm_util\.h"\n',
           '#include "tdx/tdx_util.h"\n'),
    Anchor('ucall, guest', UCALL,
           in_function('ucall_arch_do_ucall', r'(?=\tasm volatile)'),
           '\tif (tdx_s_bit) {\n\t\ttdx_do_ucall(uc);\n\t\treturn;\n\t}\n\n'),
    Anchor('ucall, host', UCALL,
           in_function('ucall_arch_get_ucall', r'\tstruct kvm_run \*run[^\n]*\n'),
           '\n\tif (is_tdx_vm(vcpu->vm))\n\t\treturn tdx_get_ucall(vcpu);\n'),

    Anchor('private memory', KVM_UTIL,
           in_function('is_guest_memfd_required',
                       r'\treturn shape\.type == KVM_X86_SNP_VM(?=;\n)'),
           ' ||\n\t       shape.type == KVM_X86_TDX_VM'),
)

OFFSETS_RULE = '''
# td_boot.S gets its constants from C.
TD_BOOT_OFFSETS := $(OUTPUT)/lib/x86/tdx/td_boot_offsets
$(TD_BOOT_OFFSETS).inc: lib/x86/tdx/td_boot_offsets.c include/x86/tdx/td_boot.h
	$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -S $< -o $(TD_BOOT_OFFSETS).s
	sed -n 's/.*"->\\([A-Z0-9_]*\\) [$$]*\\(.*\\)".*/#define \\1 \\2/p' $(TD_BOOT_OFFSETS).s > $@
$(OUTPUT)/lib/x86/tdx/td_boot.o: $(TD_BOOT_OFFSETS).inc
$(OUTPUT)/lib/x86/tdx/td_boot.o: CFLAGS += -I$(OUTPUT)/lib/x86/tdx
EXTRA_CLEAN += $(TD_BOOT_OFFSETS).inc $(TD_BOOT_OFFSETS).s $(TD_BOOT_OFFSETS).d

# A line for each ioctl of <linux/kvm.h>.  Those of other architectures have arguments of
# types that this one does not know.
KVM_IOCTLS := $(OUTPUT)/lib/x86/tdx/kvm_ioctls
OTHER_ARCHS := ARM_|PPC_|S390_|ALLOCATE_RMA|CREATE_SPAPR_TCE|DIRTY_TLB
$(KVM_IOCTLS).inc: lib/x86/tdx/ioctl_sweep_rows.c
	echo '#include <linux/kvm.h>' | $(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -dM -E - \\
		-MD -MT $@ -MF $(KVM_IOCTLS).d | sed -n -E \\
	-e 's/^#define (KVM_($(OTHER_ARCHS))\\w*) _IO[WR]*\\(KVMIO, *(\\w+).*/OTHER_IOCTL(\\1, \\3)/p; t' \\
	-e 's/^#define (KVM_\\w+) _IO[WR]*\\(KVMIO,.*/KVM_IOCTL(\\1)/p' | sort > $@
$(OUTPUT)/lib/x86/tdx/ioctl_sweep_rows.o: $(KVM_IOCTLS).inc
$(OUTPUT)/lib/x86/tdx/ioctl_sweep_rows.o: CFLAGS += -I$(OUTPUT)/lib/x86/tdx
EXTRA_CLEAN += $(KVM_IOCTLS).inc $(KVM_IOCTLS).d
'''


class TreeError(Exception):
    """What is wrong, in one line for the user."""


def suite_files():
    """The suite's files, as paths relative to the selftests' directory."""
    paths = []
    for folder in OUR_DIRS:
        paths += [path for path in (SUITE / folder).rglob('*')
                  if path.suffix in SOURCES]
    paths += (SUITE / 'x86').glob('tdx_*.c')
    return sorted(str(path.relative_to(SUITE)) for path in paths)


def makefile_anchors(files, extra=()):
    """The insertions into the makefile: files of the suite, and paths of other
    programs to build as if they were tests."""
    lib = [path for path in files if path.startswith('lib/') and
           path.endswith(('.c', '.S')) and not path.endswith('_offsets.c')]
    programs = [path[:-2] for path in files if path.startswith('x86/')]
    tests = [path for path in programs if path.endswith('_test')]
    tests += [f'x86/{Path(path).stem}' for path in extra]
    others = [path for path in programs if not path.endswith('_test')]
    return (
        Anchor('library', MAKEFILE, r'^LIBKVM_x86 \+= lib/x86/svm\.c\n',
               ''.join(f'LIBKVM_x86 += {path}\n' for path in lib)),
        Anchor('tests', MAKEFILE,
               r'^TEST_GEN_PROGS_x86 \+= [^\n]*\n(?![\s\S]*^TEST_GEN_PROGS_x86 \+=)',
               ''.join(f'TEST_GEN_PROGS_x86 += {path}\n' for path in tests) +
               ''.join(f'TEST_GEN_PROGS_EXTENDED_x86 += {path}\n' for path in others)),
        Anchor('offsets for td_boot.S', MAKEFILE,
               r'^\$\(LIBKVM_S_OBJ\): [^\n]*\n\t[^\n]*\n', OFFSETS_RULE),
    )


def sha(data):
    return hashlib.sha256(data).hexdigest()


def kvm_dir(tree):
    """The selftests' directory of a kernel tree."""
    kvm = Path(tree).resolve() / KVM
    if not (kvm / MAKEFILE).is_file():
        raise TreeError(f'{tree}: not a kernel tree with {KVM}/{MAKEFILE}')
    return kvm


def read(path):
    try:
        return path.read_text()
    except OSError as error:
        raise TreeError(f'{path}: {error.strerror}') from None


class Manifest:
    """What was installed in a tree: "files" is path -> hash of new files,
    "edits" is path -> texts that were inserted into a file of the kernel's."""

    def __init__(self, kvm):
        self.path = kvm / MANIFEST
        self.files, self.edits = {}, {}
        if self.path.exists():
            try:
                data = json.loads(self.path.read_text())
                self.files, self.edits = dict(data['files']), dict(data['edits'])
            except (ValueError, KeyError, TypeError, OSError):
                raise TreeError(f'{self.path}: not a manifest of ours') from None
        for path in [*self.files, *self.edits]:
            if path.startswith('/') or '..' in path.split('/'):
                raise TreeError(f'{self.path}: not a manifest of ours')

    def pristine(self, kvm, path):
        """A file of the kernel's without what was inserted."""
        content = anchors.remove(read(kvm / path), self.edits.get(path, ()))
        if content is None:
            raise TreeError(
                f'{kvm / path}: it has changed where the suite was installed; '
                'take the lines about TDX out by hand')
        return content


def contents(kvm, files):
    """What files of the suite look like in that tree: path -> bytes."""
    result = {path: (SUITE / path).read_bytes() for path in files}
    if re.search(r'\bkvm_rng\b', read(kvm / 'include/test_util.h')):
        return result
    names = re.compile(r'\b(%s)\b' % '|'.join(OLD_NAMES))
    return {path: names.sub(lambda found: OLD_NAMES[found[0]],
                            data.decode()).encode()
            for path, data in result.items()}


def edit(kvm, manifest, extra=(), files=None):
    """Returns the kernel's files as they have to be, path -> content, and the
    insertions, path -> texts."""
    files = files or suite_files()
    all_anchors = makefile_anchors(files, extra) + LIB_ANCHORS
    edited, inserted = {}, {}
    for anchor in all_anchors:
        path = anchor.path
        if path not in edited:
            edited[path] = manifest.pristine(kvm, path)
        try:
            edited[path] = anchors.insert(edited[path], anchor)
        except anchors.AnchorError as error:
            raise TreeError(f'{kvm}: {error}; see tdx/cmd/tree.py') from None
        inserted.setdefault(path, []).append(anchor.text)
    return edited, inserted


def check_for_library(kvm, manifest, wanted):
    """Ends the program if the tree has a TDX library that is not ours."""
    for folder in OUR_DIRS:
        for path in sorted((kvm / folder).rglob('*')):
            name = str(path.relative_to(kvm))
            if path.suffix in SOURCES and name not in wanted and \
               name not in manifest.files:
                raise TreeError(
                    f'{path} is not ours: the tree has a TDX library of its own. '
                    'Move it away, or take a tree without')
    for folder in ('include', 'lib'):
        for path in sorted((kvm / folder).rglob('*.[chS]')):
            name = str(path.relative_to(kvm))
            if name in wanted or name in manifest.files or name in manifest.edits or \
               path.is_symlink() and not path.exists():
                continue
            content = read(path)
            for anchor in LIB_ANCHORS:
                if anchor.path == name:
                    content = content.replace(anchor.text, '')
            found = LIBRARY_NAMES.search(content)
            if found:
                raise TreeError(
                    f'{path}: the tree has a TDX library of its own '
                    f'({found[0]}); take a tree without')


def check_file(kvm, manifest, path, data):
    """Ends the program unless path may be written with data, or removed (None)."""
    file = kvm / path
    if not file.is_symlink() and not file.exists():
        return
    if not file.is_symlink() and file.is_file():
        present = file.read_bytes()
        if present == data or sha(present) == manifest.files.get(path):
            return
    if path in manifest.files:
        raise TreeError(f'{file} has changed since it was installed: '
                        'move it away, or keep it and do without')
    raise TreeError(f'{file} is not ours: move it away, or take a tree that has '
                    'no TDX library of its own')


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
        return
    new = path.with_name(path.name + '.new')
    new.write_bytes(data)
    if path.exists():
        new.chmod(path.stat().st_mode)
    new.replace(path)


def remove_files(kvm, paths):
    """Removes files, and directories of ours that are empty then."""
    for path in paths:
        (kvm / path).unlink(missing_ok=True)
    for folder in ('lib/x86/tdx/generic', 'include/x86/tdx/generic', *OUR_DIRS):
        try:
            (kvm / folder).rmdir()
        except OSError:
            pass


def install(tree):
    kvm = kvm_dir(tree)
    manifest = Manifest(kvm)
    new = contents(kvm, suite_files())
    gone = [path for path in manifest.files if path not in new]

    check_for_library(kvm, manifest, new)
    for path in gone:
        check_file(kvm, manifest, path, None)
    for path, data in new.items():
        check_file(kvm, manifest, path, data)
    edited, inserted = edit(kvm, manifest)

    # From here on nothing is in the way.  The manifest comes first: whatever
    # else is written, an interrupted installation can be taken out again.
    files = {path: sha(data) for path, data in new.items()}
    write(manifest.path, (json.dumps({'files': files, 'edits': inserted},
                                     indent=1) + '\n').encode())
    remove_files(kvm, gone)
    for path, data in new.items():
        write(kvm / path, data)
    for path, content in edited.items():
        write(kvm / path, content.encode())


def uninstall(tree):
    kvm = kvm_dir(tree)
    manifest = Manifest(kvm)
    if not manifest.path.exists():
        raise TreeError(f'{tree}: the suite is not installed there')
    for path in manifest.files:
        check_file(kvm, manifest, path, None)
    edited = {path: manifest.pristine(kvm, path) for path in manifest.edits}

    for path, content in edited.items():
        write(kvm / path, content.encode())
    remove_files(kvm, manifest.files)
    manifest.path.unlink()


def link_to(path, target):
    if path.is_symlink() and os.readlink(path) == str(target):
        return
    if path.is_symlink() or path.exists():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def mirror_links(source, copy, skip):
    """Makes copy a tree of links to the files of source, but for those in skip."""
    wanted = set()
    for folder, _, names in os.walk(source):
        relative = os.path.relpath(folder, source)
        for name in names:
            path = os.path.normpath(os.path.join(relative, name))
            wanted.add(path)
            if path not in skip:
                link_to(copy / path, os.path.join(folder, name))
    for folder, _, names in os.walk(copy):
        relative = os.path.relpath(folder, copy)
        for name in names:
            path = os.path.normpath(os.path.join(relative, name))
            if path not in wanted and path not in skip:
                (copy / path).unlink()


def link(ksrc, khdr, out, extra):
    kvm = kvm_dir(ksrc)
    ksrc, khdr, out = Path(ksrc).resolve(), Path(khdr).resolve(), Path(out)
    manifest = Manifest(kvm)
    files = suite_files()
    new = contents(kvm, files)
    check_for_library(kvm, manifest, new)
    edited, _ = edit(kvm, manifest, extra)

    for name in ('arch', 'include', 'scripts'):
        link_to(out / name, ksrc / name)
    link_to(out / 'usr', khdr)
    for folder in ('tools', 'tools/testing/selftests'):
        for path in (ksrc / folder).iterdir():
            if path.name not in ('testing', 'selftests', 'kvm', 'vfio'):
                link_to(out / folder / path.name, path)
    for path in (ksrc / 'tools/testing').iterdir():
        if path.name != 'selftests':
            link_to(out / 'tools/testing' / path.name, path)
    # The lib's makefile takes in the VFIO library, which only others' tests need.
    write(out / 'tools/testing/selftests/vfio/lib/libvfio.mk', b'')

    copy = out / KVM
    programs = {f'x86/{Path(path).name}': Path(path).resolve() for path in extra}
    mirror_links(kvm, copy, {*new, *edited, *programs, *manifest.files})
    for path in manifest.files:
        if path not in new:
            (copy / path).unlink(missing_ok=True)
    for path, data in new.items():
        if data == (SUITE / path).read_bytes():
            link_to(copy / path, SUITE / path)
        else:
            write(copy / path, data)
    for path, target in programs.items():
        link_to(copy / path, target)
    for path, content in edited.items():
        if (copy / path).is_symlink():
            (copy / path).unlink()
        write(copy / path, content.encode())


def main(argv):
    try:
        match argv:
            case ['install', tree]:
                install(tree)
            case ['uninstall', tree]:
                uninstall(tree)
            case ['link', ksrc, khdr, out, *extra]:
                link(ksrc, khdr, out, extra)
            case _:
                raise TreeError('usage: tree.py install|uninstall TREE')
    except (TreeError, OSError) as error:
        print(f'tree: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
