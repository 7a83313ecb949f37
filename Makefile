# SPDX-License-Identifier: GPL-2.0
# "make help" lists what there is.  The work is done by the scripts in tdx/ and,
# for the test programs, by selftests.mk.

# What a user may set on the command line reaches the scripts through these.
export HOST TESTS PROFILE TIMEOUT TEST_TIMEOUT TEST_JOBS TEST_FAIL_FAST
export KSRC KERNEL QEMU QEMU_SRC LLVM TDX_CACHE TDX_PLAIN_CC MUTANTS MUTANT RESUME
export REPORT TARBALL SUITE TDX_MAY_HARM_HOST DEBUG KERNEL_CONFIG
export SECONDS CORPUS REPLAY ROW STAGE FROM

# The commands are modules of one Python package.
CMD := /usr/bin/python3 -I tdx/cmd

.PHONY: help run_tests check coverage mutants races ioctl-sweep fuzz-kvm bench lint cpuid-map
.PHONY: tarball install-tree uninstall-tree clean-cache

help:
	@sed -n 's/^# | //p' Makefile

# | make run_tests                 run the suite; builds what is missing
# |   TESTS="NAME ..."             only those
# |   HOST=auto|native|box         where: this machine's KVM or the box
# |   SEED=N                       the order in which the box runs its CPUs
# |   PROFILE=NAME                 which TDX module the box has, such as 2.0.08,gpaw=52
# |   KSRC=DIR                     your kernel: its selftests lib, its headers, and
# |                                in the box the kernel itself
# |   KERNEL=VERSION               another of Debian's linux-source packages
# |   DEBUG=1, kcsan or kmemleak   in the box, on a kernel that looks for its own bugs,
# |                                for data races, or for lost memory
# |   KERNEL_CONFIG=FILE           on a kernel with your configuration
# |   QEMU=bookworm-backports      another of Debian's QEMUs; QEMU_SRC=DIR for yours
# |   LLVM=1                       tests by clang
# |   TIMEOUT=SECONDS              for all tests together in the box (900)
# |   TEST_TIMEOUT=SECONDS         for each test (120)
# |   TEST_JOBS=N                  tests that run at a time
# |   TEST_FAIL_FAST=1             stop at the first failure
# |   REPORT=DIR                   leave a report there, to attach to a mail
# |   TDX_MAY_HARM_HOST=0 or 1     run cases whose known bug harms the host? (1 in the
# |                                box, else 0)
run_tests:
	@$(CMD) suite

# | make check                     the project's own tests, all of them
# |   PARTS="NAME ..."             only those: module inside suite inject guest intree
# |                                tarball box tools lint, and stress, which takes half
# |                                an hour
check:
	@$(CMD) check $(PARTS)

# | make coverage                  the lines of KVM's TDX code that the suite reaches
# |   SUITE=DIR                    what the programs in another directory reach
coverage:
	@$(CMD) coverage

# | make mutants                   deliberate bugs in KVM that the suite must catch
# |   MUTANTS=DIR MUTANT=NAME,...  others than tdx/mutants; some of them
# |   RESUME=1                     not those that were caught before
mutants:
	@$(CMD) mutants

# | make races                     looks for the order of events in which a race of the suite
# |   RACES="NAME ..."             fails, and tells it; those whose names have this in them
# |   SECONDS=600                  in all; SEED=N to begin elsewhere
# |   KSRC= KERNEL= DEBUG=1        as above, or KERNEL_IMAGE=FILE, a kernel that is built
races:
	@$(CMD) races

# | make ioctl-sweep               each of KVM's ioctls in each stage of a TD's life, each
# |                                field at its edges; finds the calls that are to blame
# |   ROW="KVM_..." STAGE=NAME     only that; FROM=ROW/STAGE from there on
ioctl-sweep:
	@$(CMD) ioctl_sweep

# | make fuzz-kvm SECONDS=600      random programs of KVM's ioctls, guided by the code that
# |                                they reach
# |   CORPUS=DIR                   the programs to start from and to keep (in the cache)
# |   REPLAY=FILE                  run one program, as steps; HOST as above
fuzz-kvm:
	@$(CMD) fuzz_kvm

# | make bench                     what the box costs, as ratios
bench:
	@$(CMD) bench

# | make cpuid-map                 a page that shows what decides about each bit of a
# |                                TD's CPUID; HOST and PROFILE as above
cpuid-map:
	@$(CMD) cpuid_map

# | make tarball                   tdx-selftests.tar.gz, the suite for a TDX host without
# |                                compiler or source; TARBALL=FILE elsewhere
tarball:
	@$(CMD) tarball

# | make lint                      checkpatch, shellcheck, warnings
lint:
	@$(CMD) check lint

# | make install-tree KSRC=DIR     put the suite into a kernel tree
# | make uninstall-tree KSRC=DIR   take it out again, and nothing else
install-tree uninstall-tree:
	@python3 tdx/cmd/tree.py $(@:-tree=) "$(or $(KSRC),$(error KSRC=DIR is missing))"

# | make clean-cache               remove all that was built and fetched
clean-cache:
	@$(CMD) build clean

# | tdx/box help                   run other programs in the box
