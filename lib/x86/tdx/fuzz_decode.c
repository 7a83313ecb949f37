// SPDX-License-Identifier: GPL-2.0
/* Random programs as bytes, for a fuzzing engine. */
#include "tdx/fuzz_steps.h"

/*
 * A step is a row of fuzz_ops[], a byte for where it happens, and changes of three bytes:
 * the field (none if the top bit is set), the kind of value, and a number for that.
 */
#define NO_CHANGE	0x80

/* Bits 1:0 of the second byte are the thread, and these */
#define ON_VM_1		BIT(2)
#define ON_VCPU_1	BIT(3)
#define BESIDE		GENMASK(7, 5)

/* The first rows of fuzz_ops[], and a field of the first of them. */
#define OP_LAUNCH	0
#define OP_GUEST_CALL	1
#define FIELD_STAGE	1

/* Values at which something begins or ends. */
static const u64 edges[] = {
	0, 1, 0xfff, 0x1000, 0x1001, 0x1fffff, 0x200000, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, BIT_ULL(47) - 0x1000, BIT_ULL(47), BIT_ULL(47) + 0x1000,
	BIT_ULL(48) - 0x1000, BIT_ULL(48), BIT_ULL(51), BIT_ULL(52) - 0x1000, BIT_ULL(52),
	0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
	0x00007ffffffff000, 0xffff800000000000, 0xff, 0xffff,
};

/* Addresses, MSRs, leaves, ports, capabilities that mean something. */
static const u64 meaningful[] = {
	GMEM_GPA, GMEM_PAGE(1), GMEM_PAGE(4), GMEM_PAGE(15), GMEM_PAGE(16), PLAIN_GPA,
	GMEM_GPA | BIT_ULL(47), PLAIN_GPA | BIT_ULL(47), GMEM_GPA | BIT_ULL(46), 0xfee00000,
	0xfec00000, 0xfffff000, 0xfff00000, 0xd0000000, BIT_ULL(47) | 0xd0000000,
	EXIT_REASON_CPUID, EXIT_REASON_HLT, EXIT_REASON_IO_INSTRUCTION, EXIT_REASON_MSR_READ,
	EXIT_REASON_MSR_WRITE, EXIT_REASON_EPT_VIOLATION, TDVMCALL_GET_TD_VM_CALL_INFO,
	TDVMCALL_MAP_GPA, TDVMCALL_GET_QUOTE, TDVMCALL_REPORT_FATAL_ERROR,
	TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, 0x10, 0x1b, 0x3b, 0x174, 0x1a0, 0x277, 0x345,
	0x38f, 0x6e0, 0x802, 0x808, 0x80b, 0x80d, 0x80f, 0x822, 0x828, 0x830, 0x832, 0x838,
	0x83f, 0x9e, 0x4b564d00, 0x4b564d02, 0x4b564d04, 0x40000000, 0x40000001, 0xc0000080,
	0xc0000081, 0xc0000101, 0x79, 0xda0, 0xd90, 0x1c4, 0x17f, 0x400, 0x8000001f, 0x80000008,
	0x4fff, KVM_CAP_SPLIT_IRQCHIP, KVM_CAP_MAX_VCPUS, KVM_CAP_X86_USER_SPACE_MSR,
	KVM_CAP_DIRTY_LOG_RING, KVM_CAP_DIRTY_LOG_RING_ACQ_REL, KVM_CAP_X2APIC_API,
	KVM_CAP_X86_DISABLE_EXITS, KVM_CAP_MSR_PLATFORM_INFO, KVM_CAP_EXCEPTION_PAYLOAD,
	KVM_CAP_X86_TRIPLE_FAULT_EVENT, KVM_CAP_X86_NOTIFY_VMEXIT, KVM_CAP_MAX_VCPU_ID,
	KVM_CAP_X86_APIC_BUS_CYCLES_NS, KVM_CAP_HYPERV_SYNIC, KVM_CAP_HYPERV_SYNIC2,
	KVM_CAP_EXIT_HYPERCALL, KVM_CAP_PMU_CAPABILITY, KVM_CAP_SYNC_REGS,
	KVM_CAP_HALT_POLL, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
};

static void decode_change(struct fuzz_change *change, u8 kind, u8 n)
{
	change->how = '=';
	switch (kind % 10) {
	case 0:
	case 1:
		change->val = n;
		break;
	case 2:
		change->val = ~0ull >> (n & 63);
		break;
	case 3:
		change->val = BIT_ULL(n & 63);
		break;
	case 4:
		change->how = '^';
		change->val = BIT_ULL(n & 63);
		break;
	case 5:
		change->how = '+';
		change->val = (s8)n;
		break;
	case 6:
		change->how = '+';
		change->val = (s64)(s8)n * PAGE_SIZE;
		break;
	case 7:
		change->val = edges[n % ARRAY_SIZE(edges)];
		break;
	default:
		change->val = meaningful[n % ARRAY_SIZE(meaningful)];
	}
}

static u64 truncate_to(u64 val, u16 size)
{
	return size < 8 ? val & (BIT_ULL(8 * size) - 1) : val;
}

static void decode_step(struct fuzz_step *step, const u8 *data)
{
	char name[16];

	*step = (struct fuzz_step) {
		.op = &fuzz_ops[data[0] % fuzz_nr_ops],
		.thread = (data[1] & 3) % FUZZ_THREADS,
		.vm = !!(data[1] & ON_VM_1),
		.vcpu = !!(data[1] & ON_VCPU_1),
		.beside = (data[1] & BESIDE) == BESIDE,
	};
	data += 2;
	for (int i = 0; i < FUZZ_MAX_CHANGES; i++, data += 3) {
		struct fuzz_change *change = &step->change[step->nr_changes];

		if (data[0] & NO_CHANGE)
			continue;
		change->field = data[0] % fuzz_nr_fields(step->op);
		decode_change(change, data[1], data[2]);
		change->val = truncate_to(change->val,
					  fuzz_field(step->op, change->field, name).size);
		step->nr_changes++;
	}
}

void fuzz_decode(struct fuzz_program *p, const u8 *data, size_t size)
{
	for (p->nr = 0; p->nr < FUZZ_MAX_STEPS && size >= FUZZ_STEP_BYTES; p->nr++) {
		decode_step(&p->step[p->nr], data);
		data += FUZZ_STEP_BYTES;
		size -= FUZZ_STEP_BYTES;
	}
	if (p->nr)
		p->step[0].beside = false;
}

/* Programs to start from. */
struct seed {
	u8 data[FUZZ_MAX_STEPS][FUZZ_STEP_BYTES];
	int nr;
};

static u8 *add_step(struct seed *seed, int op)
{
	u8 *data = seed->data[seed->nr++];

	memset(data, NO_CHANGE, FUZZ_STEP_BYTES);
	data[0] = op;
	data[1] = 0;
	return data;
}

static void add_changed_step(struct seed *seed, int op, u8 field, u8 kind, u8 n)
{
	u8 *data = add_step(seed, op);

	data[2] = field;
	data[3] = kind;
	data[4] = n;
}

static void write_seed(const struct seed *seed, const char *path, int op, int number)
{
	const size_t size = seed->nr * FUZZ_STEP_BYTES;
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s/seed-%d-%d", path, op, number);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
	TEST_ASSERT(fd >= 0, "%s: errno %d", name, errno);
	TEST_ASSERT_EQ(write(fd, seed->data, size), size);
	close(fd);
}

/* A TD that has run, each field of a row with a value, and a request to the guest. */
static void write_fields(const char *path, int op, int number, u8 kind, u8 n)
{
	const int fields = min_t(int, fuzz_nr_fields(&fuzz_ops[op]), FUZZ_MAX_STEPS - 2);
	struct seed seed = {};

	add_step(&seed, OP_LAUNCH);
	for (int field = 0; field < fields; field++)
		add_changed_step(&seed, op, field, kind, n);
	add_step(&seed, OP_GUEST_CALL);
	write_seed(&seed, path, op, number);
}

/* A launch to a stage, and a row as it is. */
static void write_stage(const char *path, int op, int stage)
{
	struct seed seed = {};

	add_changed_step(&seed, OP_LAUNCH, FIELD_STAGE, 0, stage);
	add_step(&seed, op);
	add_step(&seed, OP_GUEST_CALL);
	write_seed(&seed, path, op, 100 + stage);
}

void fuzz_write_seeds(const char *path)
{
	for (int op = 1; op < fuzz_nr_ops; op++) {
		write_stage(path, op, FUZZ_HAS_RUN);
		write_fields(path, op, 1, 0, 1);
		write_fields(path, op, 2, 2, 0);
	}
	for (int stage = FUZZ_CREATED; stage < FUZZ_HAS_RUN; stage++)
		for (int op = 1; op < fuzz_nr_ops; op++)
			if (op == OP_GUEST_CALL ||
			    fuzz_ops[op].request == KVM_MEMORY_ENCRYPT_OP)
				write_stage(path, op, stage);
}
