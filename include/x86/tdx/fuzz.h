/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Short random programs of KVM's ioctls, for x86/tdx_ioctl_fuzz.c.
 *
 * A program is a list of steps.  A step is an ioctl, a request to the guest, or something
 * that user space does to memory or file descriptors, see fuzz_ops[].  Each has operands
 * that are sane in the world as it is then; a step says which of them it changes, and how.
 * So a program is short, and one that was found on one machine makes sense on another.
 *
 * A program is bytes for a fuzzing engine, and text for people:
 *
 *	t0 vm0 LAUNCH vcpus=2
 *	t1 vm0 vcpu1 KVM_SET_VCPU_EVENTS nmi.pending=1 flags^0x1
 *	& t2 vm0 PUNCH_HOLE offset+0x1000
 *
 * "t1" is the thread that takes the step, and "&" means at the same time as the step
 * before; without it a step begins when all before it have ended.
 */
#ifndef SELFTEST_KVM_TDX_FUZZ_H
#define SELFTEST_KVM_TDX_FUZZ_H

#include "tdx/tdx_memory.h"

#define FUZZ_MAX_STEPS		24
#define FUZZ_MAX_CHANGES	4
#define FUZZ_STEP_BYTES		(2 + 3 * FUZZ_MAX_CHANGES)
#define FUZZ_THREADS		3
#define FUZZ_VMS		2
#define FUZZ_VCPUS		2

/* A field of a step's operand becomes a value, is XORed with it, or has it added. */
struct fuzz_change {
	u8 field;
	char how;	/* '=', '^' or '+' */
	u64 val;
};

struct fuzz_step {
	const struct fuzz_op *op;
	u8 thread, vm, vcpu;
	bool beside;
	u8 nr_changes;
	struct fuzz_change change[FUZZ_MAX_CHANGES];
};

struct fuzz_program {
	int nr;
	struct fuzz_step step[FUZZ_MAX_STEPS];
};

struct fuzz_field {
	const char *name;
	u16 offset, size;
};

/* What a step's ioctl goes to. */
enum fuzz_target {
	FUZZ_NONE,
	FUZZ_SYSTEM,
	FUZZ_VM,
	FUZZ_VCPU,
};

/* Operand of an ioctl, or of a step that is none. */
#define FUZZ_OPERAND_SIZE	8192

struct fuzz_world;

struct fuzz_op {
	const char *name;
	const char *type;	/* of the operand, in C; NULL if it is a number */
	enum fuzz_target target;
	unsigned long request;
	unsigned long get;	/* fills the operand in, 0 for none */
	const void *sane;	/* otherwise: the operand, zeroes if NULL */
	u16 size;		/* of that; 0 if the operand is a number */
	const struct fuzz_field *fields;	/* NULL: u64s without names */
	u8 nr_fields;
	bool harmless;		/* to a TD's guest, if KVM does as it should */
	u16 pointer;		/* 1 + offset of a pointer to memory, 0 for none */
	u16 fd;			/* 1 + offset of a file descriptor, 0 for none */
	/* Takes the step, if it isn't a plain ioctl. */
	int (*run)(struct fuzz_world *w, const struct fuzz_step *step, void *operand);
	const char *c;		/* does the same, in C */
};

extern const struct fuzz_op fuzz_ops[];
extern const int fuzz_nr_ops;

/* The number of an operand's fields, and the @i-th. */
int fuzz_nr_fields(const struct fuzz_op *op);
struct fuzz_field fuzz_field(const struct fuzz_op *op, int i, char name[16]);

/* Bytes to a program; any bytes are one. */
void fuzz_decode(struct fuzz_program *p, const u8 *data, size_t size);

/* Text to a program.  Returns NULL, or what is wrong with it in one line. */
const char *fuzz_parse(struct fuzz_program *p, FILE *f);
void fuzz_print_step(const struct fuzz_step *step, FILE *f);
void fuzz_print(const struct fuzz_program *p, FILE *f);
void fuzz_print_c(const struct fuzz_program *p, FILE *f);

/* Write programs to start from, as bytes, to the directory @path. */
void fuzz_write_seeds(const char *path);

/*
 * Is this a step that KVM is known not to survive?  Looks at the operand with its
 * changes.
 */
bool fuzz_is_deadly(const struct fuzz_step *step, const void *operand);

/*
 * Is a line of the kernel's log the complaint of a bug that is known, and that a program
 * can have met?
 */
bool fuzz_is_known(const char *line, const struct fuzz_program *p);

/*
 * What ran in the kernel during one program: PCs, their low 32 bits, and how often.  In
 * memory that processes share.
 */
#define FUZZ_MAX_PCS	32768

struct fuzz_coverage {
	u32 lock;
	u32 nr;
	u32 pc[FUZZ_MAX_PCS];
	u8 count[FUZZ_MAX_PCS];
	u16 slot[4 * FUZZ_MAX_PCS];
};

/* Returns NULL if the kernel has no KCOV. */
struct fuzz_coverage *fuzz_coverage_open(void);
void fuzz_coverage_reset(struct fuzz_coverage *c);
void fuzz_coverage_begin(int thread);
void fuzz_coverage_end(int thread);

/* What is known after a program has ended, in memory that processes share. */
struct fuzz_outcome {
	u32 at;		/* the step that began last in each thread, for hangs */
	bool dead;	/* a VM died */
	char wrong[200];	/* what should not be */
};

/* Run a program in this process, which must end afterwards. */
void fuzz_run(const struct fuzz_program *p, struct fuzz_outcome *outcome);

/*
 * Complaints of the kernel since the last call that are no known bugs of the program, a line
 * each.
 */
void fuzz_log_open(void);
void fuzz_log_read(const struct fuzz_program *p, char *text, size_t size, bool *any);

/*
 * Run a program in a process of its own, and look at the host afterwards.  @text gets what
 * was found, and is empty if nothing was.  Counting KeyIDs takes time, so it happens for each
 * program only if it is to be @thorough.
 */
void fuzz_try(const struct fuzz_program *p, bool thorough, char *text, size_t size);

#endif /* SELFTEST_KVM_TDX_FUZZ_H */
