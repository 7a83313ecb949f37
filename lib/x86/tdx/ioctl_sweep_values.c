// SPDX-License-Identifier: GPL-2.0
/*
 * The values that a sweep tries: for each number in an argument its edges, and for each
 * argument in memory some bad pointers.
 */
#include "tdx/generic/test_memory.h"
#include "tdx/ioctl_sweep.h"

/*
 * Edges by the width of a number: the smallest and the largest, those of a page, and
 * those of a TD's GPAs with 48 and with 52 bits, whose topmost bit is the shared bit.
 * Apart from these each bit of the sane value is changed.
 */
static const u64 edges1[] = { 0, 1, 0xff };
static const u64 edges2[] = { 0, 1, 0xffff, 0xfff, 0x1000, 0x1001 };
static const u64 edges4[] = {
	0, 1, 0xffffffff, 0xfff, 0x1000, 0x1001, 0x7fffffff, 0x80000000,
};
static const u64 edges8[] = {
	0, 1, ~0ull, 0xfff, 0x1000, 0x1001, GENMASK_ULL(62, 0), BIT_ULL(63), 0xffffffff,
	BIT_ULL(32), BIT_ULL(47) - 0x1000, BIT_ULL(47), BIT_ULL(48) - 0x1000, BIT_ULL(48),
	BIT_ULL(51) - 0x1000, BIT_ULL(51), BIT_ULL(52) - 0x1000, BIT_ULL(52), ~0xfffull,
};

static const struct {
	const u64 *edges;
	int nr;
} edges[] = {
	[1] = { edges1, ARRAY_SIZE(edges1) },
	[2] = { edges2, ARRAY_SIZE(edges2) },
	[4] = { edges4, ARRAY_SIZE(edges4) },
	[8] = { edges8, ARRAY_SIZE(edges8) },
};

/* A number that is the argument itself. */
static const struct sweep_field the_argument = { "arg", 0, 8, 1 };

enum bad_pointer {
	PTR_NULL,
	PTR_ONE,
	PTR_LAST_PAGE,
	PTR_ALL_ONES,
	PTR_INACCESSIBLE,
	PTR_READ_ONLY,
	NR_BAD_POINTERS
};

static const char *const bad_pointers[NR_BAD_POINTERS] = {
	"NULL", "1", "-0x1000", "-1", "inaccessible", "read-only",
};

/* What comes after a row's fields, if KVM gets the pointer. */
static bool is_pointer(const struct sweep_row *row, int field)
{
	return row->size && !row->call && field == row->nr_fields;
}

/* Fields, or the number, and pointers. */
int sweep_nr_fields(const struct sweep_row *row)
{
	if (row->others || !row->size)
		return 1;
	return row->nr_fields + !row->call;
}

static const struct sweep_field *field_of(const struct sweep_row *row, int field)
{
	return row->size ? &row->fields[field] : &the_argument;
}

/* Of words without a name only the first and the last are swept whole. */
static bool is_swept_whole(const struct sweep_field *f, int word)
{
	return word == 0 || word == f->nr - 1;
}

static int nr_word_values(const struct sweep_field *f, int word)
{
	return is_swept_whole(f, word) ? edges[f->size].nr + 8 * f->size : 2;
}

int sweep_nr_values(const struct sweep_row *row, int field)
{
	const struct sweep_field *f;
	int nr = 0;

	if (row->others)
		return sweep_nr_others(row);
	if (is_pointer(row, field))
		return NR_BAD_POINTERS;
	f = field_of(row, field);
	for (int word = 0; word < f->nr; word++)
		nr += nr_word_values(f, word);
	return nr;
}

int sweep_nr_calls(const struct sweep_row *row)
{
	int nr = 0;

	for (int field = 0; field < sweep_nr_fields(row); field++)
		nr += sweep_nr_values(row, field);
	return nr;
}

int sweep_field_of_value(const struct sweep_row *row, int i)
{
	int field;

	for (field = 0; field < sweep_nr_fields(row); field++) {
		i -= sweep_nr_values(row, field);
		if (i < 0)
			break;
	}
	return field;
}

bool sweep_value_selects(const struct sweep_row *row, int i)
{
	const int field = sweep_field_of_value(row, i);

	return field < row->nr_fields && row->fields[field].selects;
}

static u64 get(const void *at, int size)
{
	u64 val = 0;

	memcpy(&val, at, size);
	return val;
}

/* The @i-th value of a word whose sane value is @sane. */
static u64 word_value(const struct sweep_field *f, int word, int i, u64 sane, bool *is_xor)
{
	*is_xor = false;
	if (!is_swept_whole(f, word))
		return i ? ~0ull : sane + 1;
	if (i < edges[f->size].nr)
		return edges[f->size].edges[i];

	*is_xor = true;
	return sane ^ BIT_ULL(i - edges[f->size].nr);
}

static void *apply_pointer(enum bad_pointer which, void *arg, size_t size, char *name,
			   size_t len)
{
	static void *inaccessible;

	snprintf(name, len, "pointer=%s", bad_pointers[which]);
	if (!inaccessible)
		inaccessible = mmap(NULL, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0);

	switch (which) {
	case PTR_NULL:
		return NULL;
	case PTR_ONE:
		return (void *)1;
	case PTR_LAST_PAGE:
		return (void *)-PAGE_SIZE;
	case PTR_ALL_ONES:
		return (void *)-1;
	case PTR_INACCESSIBLE:
		return inaccessible;
	default:
		return size <= PAGE_SIZE ? test_alloc_read_only(arg, size) : inaccessible;
	}
}

static void *apply_field(const struct sweep_row *row, const struct sweep_field *f, int i,
			 void *arg, char *name, size_t len)
{
	char index[16] = "";
	bool is_xor;
	void *at;
	u64 val, sane;
	int word;

	for (word = 0; i >= nr_word_values(f, word); word++)
		i -= nr_word_values(f, word);

	/* A number is where the pointer to it would be. */
	at = row->size ? arg + f->offset + word * f->size : &arg;
	sane = get(at, f->size);
	val = word_value(f, word, i, sane, &is_xor);
	memcpy(at, &val, f->size);

	if (f->nr > 1)
		snprintf(index, sizeof(index), "[%d]", word);
	snprintf(name, len, "%s%s%s0x%lx", f->name, index, is_xor ? "^" : "=",
		 (unsigned long)(is_xor ? sane ^ val : val));
	return arg;
}

void *sweep_apply_value(const struct sweep_row *row, int i, void *arg, char *name,
			size_t len)
{
	const int field = sweep_field_of_value(row, i);

	if (row->others) {
		snprintf(name, len, "%s", sweep_other_name(row, i));
		return (void *)(long)i;
	}
	for (int j = 0; j < field; j++)
		i -= sweep_nr_values(row, j);
	if (is_pointer(row, field))
		return apply_pointer(i, arg, row->size, name, len);
	return apply_field(row, field_of(row, field), i, arg, name, len);
}

int sweep_uncovered_byte(const struct sweep_row *row)
{
	for (int byte = 0; byte < row->in; byte++) {
		bool covered = false;

		for (int i = 0; i < row->nr_fields; i++) {
			const struct sweep_field *f = &row->fields[i];

			covered |= byte >= f->offset && byte < f->offset + f->size * f->nr;
		}
		if (!covered)
			return byte;
	}
	return -1;
}
