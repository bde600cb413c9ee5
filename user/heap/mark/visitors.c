// SPDX-License-Identifier: Apache-2.0
#include "heap/mark/visitors.h"

static void see_contents(void *ctx, const struct heap_contents *contents)
{
	const struct heap_visitors *visitors = ctx;
	const struct heap_visitor *first = visitors->first, *second = visitors->second;

	if (first)
		first->contents(first->ctx, contents);
	if (second)
		second->contents(second->ctx, contents);
}

static void see_reference(void *ctx, const struct heap_reference *reference)
{
	const struct heap_visitors *visitors = ctx;
	const struct heap_visitor *first = visitors->first, *second = visitors->second;

	if (first)
		first->reference(first->ctx, reference);
	if (second)
		second->reference(second->ctx, reference);
}

static void see_coming(void *ctx, uint64_t slot)
{
	const struct heap_visitors *visitors = ctx;
	const struct heap_visitor *first = visitors->first, *second = visitors->second;

	if (first && first->coming)
		first->coming(first->ctx, slot);
	if (second && second->coming)
		second->coming(second->ctx, slot);
}

void heap_visitors__init(struct heap_visitors *visitors, const struct heap_visitor *first,
			 const struct heap_visitor *second)
{
	*visitors = (struct heap_visitors){
		.first = first,
		.second = second,
		.both = {.contents = see_contents,
			 .reference = see_reference,
			 .ctx = visitors,
			 .coming = see_coming},
	};
}
