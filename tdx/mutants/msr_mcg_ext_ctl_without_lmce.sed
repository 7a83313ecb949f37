# file: arch/x86/kvm/vmx/tdx.c
# a guest without LMCE reads MCG_EXT_CTL
# tests: tdx_msr_test
/^int tdx_get_msr\(/,/^}/ s/if \(!msr->host_initiated && /if (false \&\& /
