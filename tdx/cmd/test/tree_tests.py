# SPDX-License-Identifier: GPL-2.0
"""Tests of tree.py on a copy of a kernel's KVM selftests.

TDX_TEST_LINUX names the kernel's source.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CMD = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CMD))

import anchors  # noqa: E402
import tree  # noqa: E402

LINUX = os.environ.get('TDX_TEST_LINUX')


class Anchors(unittest.TestCase):
    anchor = anchors.Anchor('name', 'file.c', r'^two\n', 'new\n')

    def test_inserts_after_and_before(self):
        self.assertEqual(anchors.insert('one\ntwo\n', self.anchor), 'one\ntwo\nnew\n')
        before = self.anchor._replace(where='before')
        self.assertEqual(anchors.insert('one\ntwo\n', before), 'one\nnew\ntwo\n')

    def test_once_is_enough(self):
        done = anchors.insert('one\ntwo\n', self.anchor)
        self.assertEqual(anchors.insert(done, self.anchor), done)

    def test_not_found_or_found_twice(self):
        for content in 'one\n', 'two\ntwo\n':
            with self.assertRaisesRegex(anchors.AnchorError, 'file.c.*"name".*not once'):
                anchors.insert(content, self.anchor)

    def test_remove(self):
        self.assertEqual(anchors.remove('a\nb\nc\n', ['b\n']), 'a\nc\n')
        self.assertEqual(anchors.remove('a\nc\n', ['b\n']), 'a\nc\n')
        self.assertIsNone(anchors.remove('a\nb\nb\n', ['b\n']))
        self.assertIsNone(anchors.remove('a\nb\n', ['a\n', 'x\n']))


class OldNames(unittest.TestCase):
    """An older lib has other names, which nobody misses who builds with a newer one."""

    def test_all_are_known(self):
        text = ''.join((tree.SUITE / path).read_text() for path in tree.suite_files())
        used = set(re.findall(r'\b\w*kvm_(?:random|rng)\w*\b', text))
        self.assertTrue(used)
        self.assertEqual(used - set(tree.OLD_NAMES), set())


@unittest.skipUnless(LINUX, 'TDX_TEST_LINUX names no kernel tree')
class Tree(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        self.tree = self.dir / 'linux'
        self.kvm = self.tree / tree.KVM
        shutil.copytree(Path(LINUX) / tree.KVM, self.kvm)
        self.before = self.contents()

    def contents(self):
        return {str(path.relative_to(self.kvm)): path.read_bytes()
                for path in self.kvm.rglob('*') if path.is_file()}

    def run_tree(self, *args):
        return subprocess.run([sys.executable, CMD / 'tree.py', *args],
                              capture_output=True, text=True, check=False)

    def install(self):
        result = self.run_tree('install', self.tree)
        self.assertEqual((result.returncode, result.stderr), (0, ''))

    def refuses(self, command, *words):
        """The command fails with one line that has words, and changes nothing."""
        before = self.contents()
        result = self.run_tree(command, self.tree)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(self.contents(), before)

    def write(self, path, text):
        path = self.kvm / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_install_again_and_uninstall(self):
        self.install()
        installed = self.contents()
        self.assertIn('lib/x86/tdx/tdx_util.c', installed)
        self.assertIn(b'tdx_vm_vcpu_add', installed['lib/x86/processor.c'])
        self.assertIn(b'+= x86/tdx_lifecycle_test\n', installed['Makefile.kvm'])
        self.install()
        self.assertEqual(self.contents(), installed)
        result = self.run_tree('uninstall', self.tree)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertEqual(self.contents(), self.before)
        self.assertFalse((self.kvm / 'lib/x86/tdx').exists())

    def test_nothing_but_insertions(self):
        self.install()
        after = self.contents()
        for path, data in self.before.items():
            if after[path] != data:
                rest = iter(after[path].decode().splitlines())
                for line in data.decode().splitlines():
                    end = line.rstrip(';')
                    self.assertTrue(any(new in (line, end) or
                                        new.startswith(end) for new in rest), line)

    def test_foreign_library_file(self):
        for path in 'lib/x86/tdx/x.c', 'include/x86/tdx/x.h', 'lib/x86/tdx/sub/x.S':
            with self.subTest(path):
                self.write(path, 'int mine;\n')
                self.refuses('install', path, 'not ours')
                (self.kvm / path).unlink()

    def test_foreign_test_of_our_name(self):
        self.write('x86/tdx_lifecycle_test.c', 'int mine;\n')
        self.refuses('install', 'x86/tdx_lifecycle_test.c', 'not ours')

    def test_foreign_test_of_another_name_stays(self):
        self.write('x86/tdx_foo_test.c', 'int mine;\n')
        makefile = self.kvm / 'Makefile.kvm'
        makefile.write_text(makefile.read_text().replace(
            'LIBKVM += lib/assert.c\n',
            'TEST_GEN_PROGS_x86 += x86/tdx_foo_test\nLIBKVM += lib/assert.c\n'))
        before = self.contents()
        self.install()
        after = self.contents()
        self.assertEqual(after['x86/tdx_foo_test.c'], b'int mine;\n')
        self.assertIn(b'TEST_GEN_PROGS_x86 += x86/tdx_foo_test\n', after['Makefile.kvm'])
        self.run_tree('uninstall', self.tree)
        self.assertEqual(self.contents(), before)

    def test_changed_since(self):
        self.install()
        for command in 'install', 'uninstall':
            for path in 'lib/x86/tdx/tdx_util.c', 'x86/tdx_io_test.c':
                with self.subTest(f'{command} {path}'):
                    old = (self.kvm / path).read_text()
                    self.write(path, old + '/* mine */\n')
                    self.refuses(command, path, 'has changed since')
                    self.write(path, old)

    def test_edited_file_changed_elsewhere(self):
        self.install()
        path = self.kvm / 'lib/x86/processor.c'
        path.write_text(path.read_text() + '/* mine */\n')
        self.install()
        self.run_tree('uninstall', self.tree)
        self.assertEqual(path.read_bytes(),
                         self.before['lib/x86/processor.c'] + b'/* mine */\n')

    def test_insertion_changed_since(self):
        self.install()
        path = self.kvm / 'lib/x86/processor.c'
        path.write_text(path.read_text().replace('return tdx_vm_vcpu_add', 'return my_vcpu_add'))
        self.refuses('install', 'lib/x86/processor.c', 'has changed')
        self.refuses('uninstall', 'lib/x86/processor.c', 'has changed')

    def test_edited_file_reset(self):
        self.install()
        installed = self.contents()
        self.write('lib/x86/ucall.c', self.before['lib/x86/ucall.c'].decode())
        self.install()
        self.assertEqual(self.contents(), installed)

    def test_test_that_is_gone(self):
        self.install()
        manifest = self.kvm / tree.MANIFEST
        gone = self.kvm / 'x86/tdx_gone_test.c'
        gone.write_text('int gone;\n')
        text = hashlib.sha256(gone.read_bytes()).hexdigest()
        manifest.write_text(manifest.read_text().replace(
            '"files": {', f'"files": {{"x86/tdx_gone_test.c": "{text}",'))
        self.install()
        self.assertFalse(gone.exists())

    def test_anchor_not_found(self):
        path = 'lib/x86/ucall.c'
        self.write(path, self.before[path].decode().replace('ucall_arch_get_ucall', 'other'))
        self.refuses('install', path, '"ucall, host"', 'found 0 times')

    def test_tree_with_a_library_of_its_own(self):
        """By the names of the files and functions of the series posted as v13."""
        for path, text in (
                ('include/x86/tdx/tdx_util.h', 'bool is_tdx_vm(struct kvm_vm *vm);\n'),
                ('lib/x86/tdx/td_boot.S', '/* code */\n'),
                ('x86/tdx_vm_test.c', 'int main(void);\n')):
            self.write(path, text)
        self.refuses('install', 'not ours', 'library of its own')
        shutil.rmtree(self.kvm / 'include/x86/tdx')
        shutil.rmtree(self.kvm / 'lib/x86/tdx')
        self.write('include/kvm_util.h',
                   self.before['include/kvm_util.h'].decode() + '#define VM_SHAPE_TDX 1\n')
        self.refuses('install', 'include/kvm_util.h', 'library of its own')

    def test_build_products_are_no_sources(self):
        self.install()
        self.write('lib/x86/tdx/tdx_util.o', '')
        self.write('lib/x86/tdx/td_boot_offsets.inc', '')
        self.install()

    def test_manifest_is_not_trusted(self):
        self.install()
        for text in 'nonsense', '{"files": {"../../../x": "1"}, "edits": {}}', '[]':
            self.write(tree.MANIFEST, text)
            self.refuses('install', 'not a manifest')
            self.refuses('uninstall', 'not a manifest')

    def test_interrupted_installation(self):
        self.install()
        for path in 'lib/x86/tdx/tdx_guest.c', 'x86/tdx_io_test.c':
            (self.kvm / path).unlink()
        self.write('lib/x86/processor.c', self.before['lib/x86/processor.c'].decode())
        self.run_tree('uninstall', self.tree)
        self.assertEqual(self.contents(), self.before)

    def test_not_a_tree(self):
        result = self.run_tree('install', self.dir)
        self.assertEqual(result.returncode, 1)
        self.assertIn('not a kernel tree', result.stderr)
        result = self.run_tree('uninstall', self.tree)
        self.assertIn('not installed', result.stderr)

    def test_path_with_a_blank(self):
        self.tree = self.tree.rename(self.dir / 'my linux')
        self.kvm = self.tree / tree.KVM
        self.install()


if __name__ == '__main__':
    unittest.main()
