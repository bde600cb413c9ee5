// SPDX-License-Identifier: Apache-2.0
#include "heap/mark/visitors.h"

#include <criterion/criterion.h>
#include <string.h>

static char seen[16];
static size_t n_seen;
static char first_name[] = "a", second_name[] = "b";

static void on_contents(void *ctx, const struct heap_contents *contents)
{
	(void)contents;
	seen[n_seen++] = *(const char *)ctx;
}

static void on_reference(void *ctx, const struct heap_reference *reference)
{
	(void)reference;
	seen[n_seen++] = *(const char *)ctx;
}

Test(visitors, the_first_sees_it_before_the_second)
{
	const struct heap_visitor a = {
		.contents = on_contents, .reference = on_reference, .ctx = first_name};
	const struct heap_visitor b = {
		.contents = on_contents, .reference = on_reference, .ctx = second_name};
	struct heap_visitors visitors;

	heap_visitors__init(&visitors, &a, &b);
	visitors.both.contents(visitors.both.ctx, NULL);
	visitors.both.reference(visitors.both.ctx, NULL);
	cr_assert_str_eq(seen, "abab");
	cr_assert_null(visitors.both.settle);

	memset(seen, 0, sizeof(seen));
	n_seen = 0;
	heap_visitors__init(&visitors, NULL, &b);
	visitors.both.contents(visitors.both.ctx, NULL);
	heap_visitors__init(&visitors, &a, NULL);
	visitors.both.reference(visitors.both.ctx, NULL);
	cr_assert_str_eq(seen, "ba");
}
