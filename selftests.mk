# SPDX-License-Identifier: GPL-2.0
#
# The TDX selftests, outside and inside of a kernel tree.
#
#   make -f selftests.mk KSRC=TREE KHDR=DIR OUTPUT=DIR [TESTS="NAME ..."] [LLVM=1] [V=1]
#	builds OUTPUT/x86/NAME.  KSRC is only read; KHDR holds the include/ of
#	the tree's "make headers_install".  EXTRA="DIR/tdx_NAME.c ..." builds
#	programs that use the library and are no tests of the suite.
#   make -f selftests.mk list
#	prints the tests' names, as x86/NAME.
#   make -f selftests.mk install-tree KSRC=TREE
#	puts the suite into TREE, where the kernel's own commands build it.
#
# There is one way to build the tests, the kernel's.  Outside of a tree it
# happens in a tree of symbolic links, OUTPUT/tree, that the suite is installed
# into.

SUITE := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
KVM := tools/testing/selftests/kvm

ALL_TESTS := $(sort $(patsubst $(SUITE)/%.c,%,$(wildcard $(SUITE)/x86/tdx_*_test.c)))
TESTS ?= $(ALL_TESTS)
EXTRA_PROGS := $(patsubst %.c,x86/%,$(notdir $(EXTRA)))
PROGS := $(patsubst %,x86/%,$(notdir $(TESTS))) $(EXTRA_PROGS)

.PHONY: all list install-tree
all:

list:
	@printf '%s\n' $(ALL_TESTS)

ifeq ($(filter-out all install-tree,$(or $(MAKECMDGOALS),all)),)
override KSRC := $(realpath $(or $(KSRC),$(error KSRC=TREE is missing)))
ifeq ($(wildcard $(KSRC)/$(KVM)/Makefile.kvm),)
$(error KSRC is not a kernel tree with $(KVM)/Makefile.kvm)
endif
endif

# Shell code that puts the suite into the tree $(1) with the copy command $(2),
# and other programs $(3) into its makefile.
# Both lines' places in Makefile.kvm are certain, or nothing is touched.
define install
	set -e; mk=$(1)/$(KVM)/Makefile.kvm; \
	grep -q '^TEST_GEN_PROGS_x86 +=' $$mk && \
	grep -q '^include \.\./lib\.mk$$' $$mk || { \
		echo "$$mk: no TEST_GEN_PROGS_x86 or no lib.mk in it" >&2; exit 1; }; \
	for dir in include/x86/tdx lib/x86/tdx; do \
		rm -rf $(1)/$(KVM)/$$dir; \
		mkdir $(1)/$(KVM)/$$dir; \
		$(2) $(SUITE)/$$dir/* $(1)/$(KVM)/$$dir/; \
	done; \
	rm -f $(1)/$(KVM)/x86/tdx_*_test.c; \
	$(2) $(SUITE)/x86/tdx_*_test.c $(1)/$(KVM)/x86/; \
	sed -i -e '/x86\/tdx_.*_test$$/d' -e '/^include lib\/x86\/tdx\//d' $$mk; \
	last=$$(grep -n '^TEST_GEN_PROGS_x86 +=' $$mk | tail -n 1 | cut -d: -f1); \
	for test in $(ALL_TESTS) $(3); do echo "TEST_GEN_PROGS_x86 += $$test"; done | \
		sed -i "$${last}r /dev/stdin" $$mk; \
	echo 'include lib/x86/tdx/tdx.mk' >> $$mk
endef

install-tree:
	@$(call install,$(KSRC),cp)

ifneq ($(filter all,$(or $(MAKECMDGOALS),all)),)
override KHDR := $(realpath $(or $(KHDR),$(error KHDR=DIR is missing)))
ifeq ($(wildcard $(KHDR)/include/linux/kvm.h),)
$(error KHDR has no include/linux/kvm.h)
endif
override OUTPUT := $(abspath $(or $(OUTPUT),$(error OUTPUT=DIR is missing)))
UNKNOWN := $(filter-out $(ALL_TESTS) $(EXTRA_PROGS),$(PROGS))
ifneq ($(UNKNOWN),)
$(error no such test: $(notdir $(UNKNOWN)))
endif
endif

TREE := $(OUTPUT)/tree

# Names what the tree was made from, so that another choice makes it anew.
space := $(subst ,, )
STAMP := $(OUTPUT)/.tree$(subst $(space),,$(subst /,_,$(KSRC)$(KHDR)$(EXTRA_PROGS:x86/%=/%)))$(LLVM)

all: $(STAMP)
	@$(MAKE) $(if $(V),,-s) -C $(TREE)/$(KVM) ARCH=x86 OUTPUT=$(OUTPUT) $(PROGS:%=$(OUTPUT)/%)

# The lib needs the VFIO library for tests that aren't ours.
$(STAMP): $(SUITE)/selftests.mk $(SUITE)/include/x86/tdx $(SUITE)/lib/x86/tdx \
		$(SUITE)/lib/x86/tdx/tdx.mk $(SUITE)/x86 $(KSRC)/$(KVM)/Makefile.kvm
	@set -e; rm -rf $(TREE); \
	[ -e $@ ] || rm -f $(addprefix $(OUTPUT)/,.tree* lib/*.o lib/x86/*.o lib/x86/tdx/*.o x86/*.o); \
	mkdir -p $(TREE)/$(KVM) $(TREE)/tools/testing/selftests/vfio/lib; \
	ln -s $(KSRC)/arch $(KSRC)/include $(KSRC)/scripts $(TREE)/; \
	ln -s $(KHDR) $(TREE)/usr; \
	for dir in tools tools/testing/selftests; do \
		for path in $(KSRC)/$$dir/*; do \
			[ -e $(TREE)/$$dir/$${path##*/} ] || ln -s $$path $(TREE)/$$dir/; \
		done; \
	done; \
	: > $(TREE)/tools/testing/selftests/vfio/lib/libvfio.mk; \
	cp -as $(KSRC)/$(KVM)/. $(TREE)/$(KVM)/; \
	rm $(TREE)/$(KVM)/Makefile.kvm; \
	cp $(KSRC)/$(KVM)/Makefile.kvm $(TREE)/$(KVM)/; \
	chmod u+w $(TREE)/$(KVM)/Makefile.kvm; \
	$(call install,$(TREE),ln -s,$(EXTRA_PROGS)); \
	$(if $(EXTRA),ln -s $(abspath $(EXTRA)) $(TREE)/$(KVM)/x86/;) \
	: > $@
