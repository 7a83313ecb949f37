# SPDX-License-Identifier: GPL-2.0
#
# The TDX selftests, outside and inside of a kernel tree.
#
#   make -f selftests.mk KSRC=TREE KHDR=DIR OUTPUT=DIR [TESTS="NAME ..."] [LLVM=1] [V=1]
#	builds OUTPUT/x86/NAME, tests and other programs.  KSRC is only read; KHDR holds the include/ of
#	the tree's "make headers_install".  EXTRA="DIR/tdx_NAME.c ..." builds
#	programs that use the library and are no tests of the suite.
#   make -f selftests.mk list
#	prints the tests' names, as x86/NAME.
#   make -f selftests.mk install-tree KSRC=TREE
#	puts the suite into TREE, where the kernel's own commands build it.
#   make -f selftests.mk uninstall-tree KSRC=TREE
#	takes it out again.
#
# There is one way to build the tests, the kernel's.  Outside of a tree it
# happens in a tree of symbolic links, OUTPUT/tree, that the suite is installed
# into.

SUITE := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
KVM := tools/testing/selftests/kvm
tree = python3 $(SUITE)/tdx/cmd/tree.py

ALL_PROGS := $(sort $(patsubst $(SUITE)/%.c,%,$(wildcard $(SUITE)/x86/tdx_*.c)))
ALL_TESTS := $(filter %_test,$(ALL_PROGS))
TESTS ?= $(ALL_PROGS)
EXTRA_PROGS := $(patsubst %.c,x86/%,$(notdir $(EXTRA)))
PROGS := $(patsubst %,x86/%,$(notdir $(TESTS))) $(EXTRA_PROGS)

.PHONY: all list install-tree uninstall-tree
all:

list:
	@printf '%s\n' $(ALL_TESTS)

install-tree uninstall-tree:
	@$(tree) $(@:-tree=) "$(or $(KSRC),$(error KSRC=TREE is missing))"

ifneq ($(filter all,$(or $(MAKECMDGOALS),all)),)
override KSRC := $(realpath $(or $(KSRC),$(error KSRC=TREE is missing)))
override KHDR := $(realpath $(or $(KHDR),$(error KHDR=DIR is missing)))
ifeq ($(wildcard $(KHDR)/include/linux/kvm.h),)
$(error KHDR has no include/linux/kvm.h)
endif
override OUTPUT := $(abspath $(or $(OUTPUT),$(error OUTPUT=DIR is missing)))
UNKNOWN := $(filter-out $(ALL_PROGS) $(EXTRA_PROGS),$(PROGS))
ifneq ($(UNKNOWN),)
$(error no such test: $(notdir $(UNKNOWN)))
endif
endif

# The tree's files only change if what they are made from does.
all:
	@$(tree) link $(KSRC) $(KHDR) $(OUTPUT)/tree $(abspath $(EXTRA))
	@$(MAKE) $(if $(V),,-s) -C $(OUTPUT)/tree/$(KVM) ARCH=x86 OUTPUT=$(OUTPUT) \
		$(PROGS:%=$(OUTPUT)/%)
