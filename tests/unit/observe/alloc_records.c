// SPDX-License-Identifier: Apache-2.0
#include "observe/alloc_records.h"

#include <criterion/criterion.h>
#include <string.h>

static struct gl_alloc got;
static unsigned int n_got;

static void take(void *ctx, const struct gl_alloc *record)
{
	(void)ctx;
	got = *record;
	n_got++;
}

static struct gl_alloc record_of(unsigned int n_pcs)
{
	struct gl_alloc record = {.kind = GL_ALLOC_CALL, .n_pcs = (__u8)n_pcs, .size = 64};

	for (unsigned int i = 0; i < GL_ALLOC_STACK; i++)
		record.pcs[i] = 0x400000 + i;
	return record;
}

static bool decodes(const struct gl_alloc *record)
{
	n_got = 0;
	return alloc_record__decode(record, sizeof(*record), take, NULL) && n_got == 1;
}

Test(alloc_records, what_makes_sense)
{
	struct gl_alloc record = record_of(GL_ALLOC_STACK);

	cr_assert(decodes(&record));
	cr_expect_eq(got.n_pcs, GL_ALLOC_STACK);
	cr_expect_eq(got.size, 64);
	record = record_of(1);
	cr_assert(decodes(&record));
}

Test(alloc_records, a_caller_that_is_named_twice_counts_once)
{
	struct gl_alloc record = record_of(4);

	record.pcs[1] = record.pcs[0];
	cr_assert(decodes(&record));
	cr_expect_eq(got.n_pcs, 3);
	cr_expect_eq(got.pcs[0], 0x400000);
	cr_expect_eq(got.pcs[1], 0x400002);
	cr_expect_eq(got.pcs[2], 0x400003);
	record = record_of(1);
	record.pcs[1] = record.pcs[0];
	cr_assert(decodes(&record));
	cr_expect_eq(got.n_pcs, 1);
}

Test(alloc_records, what_makes_none)
{
	struct gl_alloc record = record_of(2);

	n_got = 0;
	cr_expect_not(alloc_record__decode(&record, sizeof(record) - 1, take, NULL));
	record.kind = GL_ALLOC_KINDS;
	cr_expect_not(decodes(&record));
	record = record_of(0);
	cr_expect_not(decodes(&record));
	record = record_of(GL_ALLOC_STACK + 1);
	cr_expect_not(decodes(&record));
	record = record_of(2);
	record.slot = GL_ALLOC_MAX_TARGETS;
	cr_expect_not(decodes(&record));
	record = record_of(2);
	record.size = 0;
	cr_expect_not(decodes(&record));
	record.size = 1ULL << 60;
	cr_expect_not(decodes(&record));
	record = record_of(2);
	record.gap = GL_ALLOC_MAX_GAP + 1;
	cr_expect_not(decodes(&record));
	cr_expect_eq(n_got, 0);
}
