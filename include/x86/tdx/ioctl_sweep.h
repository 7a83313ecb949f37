/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sweep over KVM's ioctls: tables of what there is to try on a TD, and how to try it.
 *
 * A row is one use of an ioctl: the descriptor that it is for, a sane argument, the
 * argument's fields, and what KVM may answer.  The sweep makes each row's call in each
 * stage of a TD's life, with one field at a time changed to each of its edges, and then
 * lets the TD go on.  See x86/tdx_ioctl_sweep_test.c.
 */
#ifndef SELFTEST_KVM_TDX_IOCTL_SWEEP_H
#define SELFTEST_KVM_TDX_IOCTL_SWEEP_H

#include "tdx/tdx_util.h"

/* How far a TD has come.  Each stage includes those before it, but for the last two. */
enum sweep_stage {
	SWEEP_NEW,		/* no TDX command yet */
	SWEEP_INIT_VM,
	SWEEP_VCPU,		/* KVM_CREATE_VCPU */
	SWEEP_INIT_VCPU,
	SWEEP_MEMORY,		/* KVM_TDX_INIT_MEM_REGION */
	SWEEP_FINAL,
	SWEEP_RAN,		/* the last exit is completed */
	SWEEP_EXIT,		/* the last exit is a TDVMCALL, not completed yet */
	SWEEP_SHUTDOWN,		/* the vCPU has shut down */
	SWEEP_DEAD,		/* KVM has declared the VM dead */
	SWEEP_NR_STAGES
};

extern const char *const sweep_stage_names[SWEEP_NR_STAGES];

/* Sets of stages. */
#define SWEEP_ONLY(stage)	BIT(stage)
#define SWEEP_BETWEEN(a, b)	GENMASK(b, a)
#define SWEEP_FROM(stage)	SWEEP_BETWEEN(stage, SWEEP_SHUTDOWN)
#define SWEEP_ALWAYS		SWEEP_FROM(SWEEP_NEW)
#define SWEEP_NEVER		0

/* In any stage, if the kernel is built with it. */
#define SWEEP_MAYBE		BIT(31)

enum sweep_fd {
	SWEEP_FD_SYSTEM,	/* /dev/kvm */
	SWEEP_FD_VM,
	SWEEP_FD_VCPU,
	SWEEP_NR_FDS
};

/*
 * A TD in one of the stages.  Memory for calls to play with: a memslot with a
 * guest_memfd that the guest does not use, and addresses without one.
 */
struct sweep_td {
	enum sweep_stage stage;
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;	/* NULL before SWEEP_VCPU */
	size_t run_size;	/* of the vCPU's struct kvm_run, with what follows it */
	int kvm_fd;		/* /dev/kvm */
	int eventfd, guest_memfd;
};

#define SWEEP_SCRATCH_SLOT	20
#define SWEEP_SCRATCH_GPA	(4ull << 30)
#define SWEEP_SCRATCH_SIZE	(4 * PAGE_SIZE)
#define SWEEP_FREE_SLOT		21
#define SWEEP_FREE_GPA		(5ull << 30)

/* Create a TD and take it to @stage.  Returns false if this host's TDs can't get there. */
bool sweep_td_create(struct sweep_td *td, enum sweep_stage stage);

/*
 * Take the TD from its stage to the end of its guest, and assert that the guest has
 * found its memory and its registers as they were.
 */
void sweep_td_finish(struct sweep_td *td);

/* The same for a TD that may have been changed: nothing is asserted. */
void sweep_td_try_to_finish(struct sweep_td *td);

void sweep_td_free(struct sweep_td *td);

/* A number in an argument, or @nr of them that have no names of their own. */
struct sweep_field {
	const char *name;
	u16 offset;
	u16 size;		/* of each, in bytes: 1, 2, 4 or 8 */
	u16 nr;
	bool selects;		/* with another value this is another call */
};

#define SWEEP_SIZEOF(type, member)	sizeof(((type *)0)->member)
#define SWEEP_END(type, member)		(offsetof(type, member) + SWEEP_SIZEOF(type, member))

#define SWEEP_FIELD(type, member)					\
	{ #member, offsetof(type, member), SWEEP_SIZEOF(type, member), 1 }

#define SWEEP_SELECTOR(type, member)					\
	{ #member, offsetof(type, member), SWEEP_SIZEOF(type, member), 1, true }

/* An array, or anything else that is swept by words of @width bytes. */
#define SWEEP_WORDS(type, member, width)				\
	{ #member, offsetof(type, member), width, SWEEP_SIZEOF(type, member) / (width) }

/* All of a type. */
#define SWEEP_ALL(type, width)	{ "", 0, width, sizeof(type) / (width) }

#define SWEEP_MAX_ERRNOS	8

struct sweep_row {
	const char *name;	/* the ioctl's, and what else tells the row from others */
	unsigned long cmd;
	enum sweep_fd fd;

	/*
	 * The argument.  @size bytes, of which KVM reads at most the first @in as fields;
	 * what follows is room for results, or memory that a field points to.  If @size
	 * is 0, the argument is a number.
	 */
	size_t size, in;
	const struct sweep_field *fields;
	int nr_fields;

	/*
	 * Fill in a sane argument, which is zero except for @sane: the number, or the first
	 * field.
	 */
	u64 sane;
	void (*prepare)(struct sweep_td *td, void *arg);

	/* Returns what ioctl() would, without that pointer to the argument.  NULL: ioctl(). */
	int (*call)(struct sweep_td *td, const struct sweep_row *row, void *arg);

	/* Would KVM do as it is told, but need hours or most of the host's memory for that? */
	bool (*too_big)(const void *arg);

	/* In these stages KVM accepts the sane argument. */
	u32 works;

	/* All that KVM may refuse the call with, whatever the argument. */
	int errnos[SWEEP_MAX_ERRNOS];

	/* A success is a new file descriptor. */
	bool returns_fd;

	/* After a success in one of these stages the guest may not get to its end. */
	u32 may_stop;

	/* The ioctls that the descriptor lacks; each value is one of them. */
	bool others;

	/* After a success the TD has moved on to another stage, or can't go on. */
	bool ends;
};

#define SWEEP_FIELDS(array)	.fields = array, .nr_fields = ARRAY_SIZE(array)

/* The tables. */
extern const struct sweep_row sweep_system_rows[], sweep_vm_rows[], sweep_vcpu_rows[];
extern const int sweep_nr_system_rows, sweep_nr_vm_rows, sweep_nr_vcpu_rows;

/* All rows: those of the tables, then one for each descriptor's missing ioctls. */
int sweep_nr_rows(void);
const struct sweep_row *sweep_row(int i);

/*
 * Returns the name of the first ioctl of <linux/kvm.h> that should have a row and has
 * none, or NULL.
 */
const char *sweep_ioctl_without_row(void);

/* The ioctls that a descriptor lacks, for their row, whose values they are. */
int sweep_nr_others(const struct sweep_row *row);
const char *sweep_other_name(const struct sweep_row *row, int i);

/* Make the call.  Returns what ioctl() returned, with errno. */
int sweep_call(struct sweep_td *td, const struct sweep_row *row, void *arg);

/* Returns the first byte of @row's argument that no field covers, or -1. */
int sweep_uncovered_byte(const struct sweep_row *row);

/*
 * Number of things in a row that have values of their own to try: fields, or the number
 * that is the argument, and last the pointer to the argument.
 */
int sweep_nr_fields(const struct sweep_row *row);

/* Number of values that there are to try for the @field-th of them. */
int sweep_nr_values(const struct sweep_row *row, int field);

/* All of them together. */
int sweep_nr_calls(const struct sweep_row *row);

/*
 * Change the @i-th of these in a sane argument.  @name, of @len bytes, gets a text like
 * "smi.smm=0x1"; "^" stands for bits that are changed.  Returns the argument for ioctl(),
 * which is @arg unless the value is about the pointer.
 */
void *sweep_apply_value(const struct sweep_row *row, int i, void *arg, char *name,
			size_t len);

/* The field that the @i-th value belongs to. */
int sweep_field_of_value(const struct sweep_row *row, int i);

/* Does the @i-th value make it another call? */
bool sweep_value_selects(const struct sweep_row *row, int i);

/* Is @error among those that @row expects? */
bool sweep_expects_errno(const struct sweep_row *row, int error);

#endif /* SELFTEST_KVM_TDX_IOCTL_SWEEP_H */
