#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_tdx_tests.sh [--report DIR] [TEST]...
#
# Runs the TDX selftests on this machine, all of them or those that are named, several
# at a time, and prints KTAP.  The exit status is 0 if no test failed.  --report leaves
# one file in DIR with the results and with all that somebody else needs to make sense
# of them; root sees more than others.
#
# This is for a host that may have nothing but a shell.  "make run_tests" tells by
# --runner, --tests, --profiler and --config where it has the programs and the kernel's
# configuration.

set -u

here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
runner=$here/runner
tests=$here/kvm
profiler=$here/tdx_profile
report=
kernel_config=

CONFIG='INTEL_TDX_HOST|TDX_HOST_SERVICES|KVM|KVM_X86|KVM_INTEL|KVM_INTEL_TDX|KVM_SMM'
CONFIG="$CONFIG|KVM_HYPERV|KVM_PROVE_MMU|KVM_WERROR|CGROUP_MISC|USERFAULTFD|PREEMPT[A-Z_]*"
CONFIG="$CONFIG|HZ|NR_CPUS|HOTPLUG_CPU|NUMA|TRANSPARENT_HUGEPAGE|HARDENED_USERCOPY|KEXEC_CORE"
CONFIG="$CONFIG|KASAN|KCSAN|UBSAN|PROVE_LOCKING|DEBUG_VM|DEBUG_ATOMIC_SLEEP|DEBUG_LIST"
CONFIG="$CONFIG|FAULT_INJECTION|INTEL_IOMMU|X86_SGX|PANIC_ON_OOPS"

COMPLAINTS='WARNING: |BUG: |Oops|general protection|kernel BUG at|Kernel panic'
COMPLAINTS="$COMPLAINTS|SEAMCALL .*failed|INFO: rcu|rcu: INFO|self-detected stall"
COMPLAINTS="$COMPLAINTS|possible (recursive|circular) locking|suspicious RCU usage"
COMPLAINTS="$COMPLAINTS|inconsistent lock state|UBSAN:|KASAN:"

die()
{
	echo "run_tdx_tests.sh: $*" >&2
	exit 2
}

section()
{
	printf '\n===== %s =====\n' "$*"
}

# Shows files that this kernel may have, with their names.
show()
{
	for shown; do
		if [ -r "$shown" ]; then
			sed "s|^|$shown: |" "$shown" 2>&1
		fi
	done
}

config()
{
	for from in "$kernel_config" /proc/config.gz "/boot/config-$(uname -r)" \
		    "/lib/modules/$(uname -r)/config"; do
		case $from in
		*.gz)	text=$(gzip -dc "$from" 2>/dev/null) || continue ;;
		*)	text=$(cat "$from" 2>/dev/null) || continue ;;
		esac
		echo "From $from:"
		echo "$text" | grep -E "^(# )?CONFIG_($CONFIG)[= ]"
		return
	done
	echo "The kernel's configuration is nowhere to be found."
}

host()
{
	section kernel
	uname -srvm
	show /proc/cmdline /proc/sys/kernel/tainted /proc/sys/kernel/panic_on_warn \
	     /proc/sys/kernel/panic_on_oops /proc/sys/kernel/warn_limit
	show /sys/module/kvm/parameters/* /sys/module/kvm_intel/parameters/*
	config

	section CPU
	sed '/^$/q' /proc/cpuinfo | grep -E \
		'^(vendor_id|cpu family|model|model name|stepping|microcode|flags|bugs)[[:blank:]]*:'
	echo "CPUs: $(grep -c '^processor' /proc/cpuinfo)," \
	     "packages: $(grep '^physical id' /proc/cpuinfo | sort -u | wc -l)"
	show /sys/devices/system/cpu/microcode/version /sys/devices/system/cpu/online \
	     /sys/devices/system/cpu/smt/control
	grep '^MemTotal' /proc/meminfo

	section 'TDX module'
	# The device has been in different places in sysfs.
	show /sys/devices/faux/tdx_host/version /sys/devices/faux/tdx_host/seamldr_version \
	     /sys/devices/faux/tdx_host/num_remaining_updates \
	     /sys/devices/virtual/tdx/tdx_host/version
	show /sys/fs/cgroup/misc.capacity /sys/fs/cgroup/misc.current
	dmesg 2>&1 | grep -iE 'tdx|seam|not permitted' |
		grep -viE 'kselftest: |tdx-box: |command line: ' | head -n 100
}

# Prints the kernel's log since a line that has a text; all of it if that is gone.
log_since()
{
	dmesg 2>&1 | awk -v mark="$1" '
		index($0, mark) { lines = ""; found = 1; next }
		{ lines = lines $0 "\n" }
		END {
			if (!found)
				print "(not from the beginning of the run, which is not in the log)"
			printf "%s", lines
		}'
}

kernels_part()
{
	log=$(log_since "$1")
	section "the kernel's complaints"
	echo "A line with \"expects\" announces a complaint that a known bug causes."
	echo "$log" | grep -E "$COMPLAINTS|kselftest: (expects|may harm)" || echo none
	section "the kernel's log of the run"
	echo "$log" | tail -n 5000
}

profile()
{
	section profile
	if [ -x "$profiler" ]; then
		"$profiler" 2>&1
	else
		echo "There is no tdx_profile beside the runner."
	fi
}

# Does not return.  The report is also written if the run is interrupted.
run_with_report()
{
	mkdir -p "$report" || exit 1
	file=$report/tdx-report-$(uname -n)-$(date +%Y%m%d-%H%M%S).txt
	mark="run_tdx_tests: begins in process $$ at $(date +%s)"
	trap : INT TERM HUP
	{
		echo "TDX selftests, $(cat "$here/VERSION" 2>/dev/null || echo built in place)"
		date -u '+%Y-%m-%d %H:%M UTC'
		echo "TDX_MAY_HARM_HOST=${TDX_MAY_HARM_HOST-}"
		host
		section results
	} >"$file" || exit 1
	[ -w /dev/kmsg ] && echo "$mark" >/dev/kmsg
	status=$({
		{
			trap : INT TERM HUP
			"$runner" "$tests" "$@"
			echo $? >&3
		} | (trap '' INT TERM HUP; exec tee -a "$file") >&4
	} 3>&1) 4>&1
	{
		kernels_part "$mark"
		profile
	} >>"$file"
	echo "# Report: $file"
	exit "${status:-1}"
}

while [ $# -gt 0 ]; do
	case $1 in
	--report | --runner | --tests | --profiler | --config)
		[ $# -ge 2 ] || die "$1 wants a value"
		case $1 in
		--report) report=$2 ;;
		--runner) runner=$2 ;;
		--tests) tests=$2 ;;
		--profiler) profiler=$2 ;;
		--config) kernel_config=$2 ;;
		esac
		shift 2 ;;
	--)
		shift
		break ;;
	-*)
		die "usage: run_tdx_tests.sh [--report DIR] [TEST]..." ;;
	*)
		break ;;
	esac
done

[ -d "$tests" ] || die "no such directory: $tests"
for test; do
	[ -x "$tests/$test" ] || die "no such test: $test"
done
if [ $# = 0 ]; then
	# Names of tests have no blanks.
	# shellcheck disable=SC2046
	set -- $(cd "$tests" && echo tdx_*_test)
	[ -x "$tests/$1" ] || die "no tests in $tests"
fi
if [ "$(cat /sys/module/kvm_intel/parameters/tdx 2>/dev/null)" != Y ]; then
	echo "run_tdx_tests.sh: KVM has no TDX here, so the tests will skip" >&2
fi
[ "$report" ] && run_with_report "$@"
exec "$runner" "$tests" "$@"
