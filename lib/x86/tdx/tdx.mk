# SPDX-License-Identifier: GPL-2.0
#
# The TDX library, for the tests that are named tdx_* and for no other.
# Included at the end of tools/testing/selftests/kvm/Makefile.kvm.

LIBTDX_C := boot.c cpuid_map.c cpuid_map_print.c hooks.c host_cpus.c orders.c \
	sha384.c tdx_cpuid.c tdx_irq.c tdx_msr.c tdx_util.c
LIBTDX_O := $(LIBTDX_C:%.c=$(OUTPUT)/lib/x86/tdx/%.o)
TDX_ABI_CHECK := $(OUTPUT)/lib/x86/tdx/abi_check

# The lib's functions that lib/x86/tdx/hooks.c extends.
LIBTDX_WRAP := addr_arch_gva2gpa kvm_init_vm_address_properties memset	\
	ucall_arch_do_ucall ucall_arch_get_ucall ucall_init	\
	vcpu_arch_dump vcpu_arch_set_entry_point vcpu_args_set	\
	virt_arch_pg_map vm_arch_vcpu_add

TDX_TESTS := $(filter $(OUTPUT)/x86/tdx_%,$(TEST_GEN_PROGS))

$(TDX_TESTS): $(LIBTDX_O) $(TDX_ABI_CHECK).o lib/x86/tdx/tdx.mk
$(TDX_TESTS): LIBKVM_OBJS += $(LIBTDX_O)
# A TD is filled with the program, page by page: without what nobody calls.
$(TDX_TESTS): LDFLAGS += $(LIBTDX_WRAP:%=-Wl,--wrap=%) -Wl,--gc-sections

# See include/x86/tdx/compat.h.
ifeq ($(shell grep kvm_rng include/test_util.h),)
CFLAGS += -DTDX_LIB_HAS_GUEST_RNG
endif

$(shell mkdir -p $(OUTPUT)/lib/x86/tdx)

$(LIBTDX_O): $(OUTPUT)/%.o: %.c
	$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c $< -o $@

# Compare each constant of tdx_abi.h with the kernel's of that name.  Only what
# tools/include lacks may come from the kernel's own headers.
$(TDX_ABI_CHECK).c: include/x86/tdx/tdx_abi.h lib/x86/tdx/tdx.mk
	{ printf '#include <%s>\n' stdbool.h linux/types.h; \
	  echo '#include <asm/shared/tdx.h>'; \
	  printf '#ifndef TDVMCALL_MAP_GPA\n#error not the header we know\n#endif\n'; \
	  sed -n 's/^#define[[:space:]]\{1,\}\(TD[A-Z0-9_]*\)[[:space:]]\{1,\}\([^"]*\)$$/#ifdef \1\n_Static_assert((\1) == (\2), "\1");\n#endif/p' $<; \
	} > $@

$(TDX_ABI_CHECK).o: $(TDX_ABI_CHECK).c
	$(CC) $(CFLAGS) -idirafter $(top_srcdir)/arch/x86/include \
		-idirafter $(top_srcdir)/include -c $< -o $@

-include $(LIBTDX_O:.o=.d) $(TDX_ABI_CHECK).d
EXTRA_CLEAN += $(LIBTDX_O) $(LIBTDX_O:.o=.d) $(TDX_ABI_CHECK).*
