// SPDX-License-Identifier: GPL-2.0
#include "tdx/generic/ucall_loop.h"

const char *ucall_str(u64 cmd)
{
	switch (cmd) {
	case UCALL_NONE:	return "no ucall";
	case UCALL_SYNC:	return "UCALL_SYNC";
	case UCALL_ABORT:	return "UCALL_ABORT";
	case UCALL_PRINTF:	return "UCALL_PRINTF";
	case UCALL_DONE:	return "UCALL_DONE";
	default:		return "an unknown ucall";
	}
}

const char *vcpu_exit_str(struct kvm_vcpu *vcpu)
{
	static char text[160];
	struct kvm_run *run = vcpu->run;
	int len = snprintf(text, sizeof(text), "exit reason %u (%s)",
			   run->exit_reason, exit_reason_str(run->exit_reason));
	char *more = text + len;
	size_t room = sizeof(text) - len;

	switch (run->exit_reason) {
	case KVM_EXIT_MEMORY_FAULT:
		snprintf(more, room, ", %s GPA 0x%llx, %llu bytes",
			 run->memory_fault.flags & KVM_MEMORY_EXIT_FLAG_PRIVATE ?
				"private" : "shared",
			 run->memory_fault.gpa, run->memory_fault.size);
		break;
	case KVM_EXIT_IO:
		snprintf(more, room, ", %s port 0x%x, %u bytes",
			 run->io.direction == KVM_EXIT_IO_IN ? "from" : "to",
			 run->io.port, run->io.size);
		break;
	case KVM_EXIT_MMIO:
		snprintf(more, room, ", %s GPA 0x%llx, %u bytes",
			 run->mmio.is_write ? "to" : "from",
			 run->mmio.phys_addr, run->mmio.len);
		break;
	case KVM_EXIT_HYPERCALL:
		snprintf(more, room, ", number %llu", run->hypercall.nr);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		snprintf(more, room, ", type %u", run->system_event.type);
		break;
	}
	return text;
}

u64 vcpu_run_to_ucall(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	for (;;) {
		int r = _vcpu_run(vcpu);

		TEST_ASSERT(!r, "KVM_RUN failed: errno %d (%s), %s", errno,
			    strerror(errno), vcpu_exit_str(vcpu));

		switch (get_ucall(vcpu, uc)) {
		case UCALL_PRINTF:
			REPORT_GUEST_PRINTF(*uc);
			break;
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(*uc);
			break;
		default:
			return uc->cmd;
		}
	}
}
