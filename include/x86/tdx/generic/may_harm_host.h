/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases whose known bug harms the host.  Not about TDX: for the common lib.
 *
 * A case must not bring a host down, and must not cost it what only a reboot brings
 * back: memory, KeyIDs, the account of a cgroup.  If a known bug of KVM's would do
 * that, the case runs only where the environment variable TDX_MAY_HARM_HOST allows
 * it, as in an emulated machine that nobody else uses.
 *
 * A warning is no harm, unless the host panics then (see panics_on_warning()), and
 * neither is a dead VM: KVM tears it down like any other and gets all of it back.
 */
#ifndef SELFTEST_KVM_MAY_HARM_HOST_H
#define SELFTEST_KVM_MAY_HARM_HOST_H

#include <stdbool.h>

#include "kvm_util.h"

/* Does TDX_MAY_HARM_HOST have another value than 0? */
bool may_harm_host(void);

/*
 * Say in the kernel's log that a case begins whose bug harms the host.  If the host
 * does not survive it, this is what is left to tell which case it was.
 */
void announce_harm(const char *fixture, const char *test);

/*
 * At the head of a case or fixture of the harness, before anything is done: like
 * SKIP(), where the case might harm the host.  @harm says what KVM's bug does.
 */
#define SKIP_UNLESS_MAY_HARM_HOST(statement, harm)			\
do {									\
	if (!may_harm_host())						\
		SKIP(statement, "%s; TDX_MAY_HARM_HOST=1 runs it", harm);	\
	announce_harm(_metadata->fixture->name, _metadata->name);	\
} while (0)

#endif /* SELFTEST_KVM_MAY_HARM_HOST_H */
