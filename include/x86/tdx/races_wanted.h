/* SPDX-License-Identifier: GPL-2.0 */
/* What the environment variable TDX_RACES asks for. */
#ifndef SELFTEST_KVM_TDX_RACES_WANTED_H
#define SELFTEST_KVM_TDX_RACES_WANTED_H

#include <stdlib.h>
#include <linux/types.h>

/* For what an ordinary run had better leave out; @why is one of the reasons below. */
#define SKIP_UNLESS_RACES_WANTED(statement, why)			\
do {									\
	if (!getenv("TDX_RACES"))					\
		SKIP(statement, why);					\
} while (0)

/* KVM gets it wrong so rarely that an ordinary run would flicker. */
#define MATTER_OF_LUCK		"a matter of luck: TDX_RACES=5000 runs it"

/* KVM leaves the host such that it dies sooner or later. */
#define HOST_DIES_OF_IT		"the host does not survive it for long: TDX_RACES=1 runs it"

/*
 * How often the environment variable TDX_RACES wants a race, else @by_default, or a third
 * of that if KSFT_MACHINE_SLOW=yes.
 */
__u32 nr_races_wanted(__u32 by_default);

#endif /* SELFTEST_KVM_TDX_RACES_WANTED_H */
