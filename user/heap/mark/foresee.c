// SPDX-License-Identifier: Apache-2.0
/*
 * What a visitor is shown is shown in its order, one reference after another, and nearly each leads to places that
 * are in no cache. So what is pending in a part of a span is gone through once before, to have them on their way.
 */
#include "heap/mark/private.h"

static void fetch_span(const struct heap_mark *mark, struct mark_step *step)
{
	uint32_t number = *step->place - 1;

	if (number == HEAP_NO_SPAN) {
		step->value = 0;
		return;
	}
	step->object.span = &mark->spans->all[number];
	__builtin_prefetch(step->object.span);
	__builtin_prefetch((const uint8_t *)(step->object.span + 1) - 1);
}

static void fetch_object(const struct heap_mark *mark, const struct mark_step *step)
{
	const struct heap_span *span = step->object.span;
	uint32_t index = heap_span__index(span, step->value);

	if (index >= span->nelems)
		return;
	__builtin_prefetch(&mark->marked.words[span->first_word + index / 64], 1);
	if (mark->visitor->coming)
		mark->visitor->coming(mark->visitor->ctx, mark__slot(span, index));
}

/* Room for one more: whatever is on its way gets on by one place. */
static struct mark_step *advance(struct heap_mark *mark)
{
	size_t at = mark->ahead_at++;
	struct mark_step *step = &mark->ahead[(at - MARK_STAGE) % MARK_AHEAD];

	if (step->value)
		fetch_span(mark, step);
	step = &mark->ahead[(at - 2 * MARK_STAGE) % MARK_AHEAD];
	if (step->value)
		fetch_object(mark, step);
	step->value = 0;
	return &mark->ahead[at % MARK_AHEAD];
}

void mark__foresee(struct heap_mark *mark, uint64_t value)
{
	const struct heap_spans *spans = mark->spans;
	const uint32_t *leaf = value - spans->low < spans->high - spans->low ?
				       spans->arenas[value >> GO_ARENA_SHIFT] :
				       NULL;
	struct mark_step *step;

	if (!leaf)
		return;
	step = advance(mark);
	step->value = value;
	step->place = &leaf[value % GO_ARENA_SIZE >> GO_PAGE_SHIFT];
	__builtin_prefetch(step->place);
}

void mark__foresee_all(struct heap_mark *mark)
{
	for (size_t i = 0; i < 2 * MARK_STAGE; i++)
		advance(mark)->value = 0;
}
