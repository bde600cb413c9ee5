// SPDX-License-Identifier: Apache-2.0
#include "heap/mark/mark.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "heap/mark/private.h"

#define WORD 8u
/* A heap that has grown since the table was read has done so near to where it was. */
#define NEAR (1ULL << 30)

static const struct heap_contents nowhere = {.place = HEAP_IN_RUNTIME};

/* --- bits --------------------------------------------------------------------------------------- */

static int map_bits(struct mark_bits *bits, size_t n_words)
{
	size_t size = max_of(n_words, (size_t)1) * sizeof(uint64_t);
	void *words;

	if (!bits->words)
		words = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	else
		words = mremap(bits->words, bits->size, size, MREMAP_MAYMOVE);
	if (words == MAP_FAILED)
		return -ENOMEM;
	bits->words = words;
	bits->size = size;
	return 0;
}

static void unmap_bits(struct mark_bits *bits)
{
	if (bits->words)
		munmap(bits->words, bits->size);
}

/* Room for spans that were added to the table. */
static int grow(struct heap_mark *mark)
{
	size_t n = (size_t)mark->spans->n_words;

	if (n > mark->n_words) {
		int err;

		n += n / 8 + 1024;
		err = map_bits(&mark->marked, n);
		if (!err)
			err = map_bits(&mark->pending, n);
		if (!err)
			err = map_bits(&mark->watched, n);
		if (!err)
			err = map_bits(&mark->hidden, n);
		if (!err)
			err = map_bits(&mark->next, n);
		if (err)
			return err;
		mark->n_words = n;
	}
	return mark__widen_queues(mark);
}

int heap_mark__new(struct heap_spans *spans, struct heap_types *types, struct heap_mark **ret_mark)
{
	struct heap_mark *mark = calloc(1, sizeof(*mark));

	if (!mark)
		return -ENOMEM;
	mark->spans = spans;
	mark->bits = (struct heap_bits){.spans = spans, .types = types};
	mark->large_span = HEAP_NO_SPAN;
	mark->inside = &nowhere;
	mark->batch = mark_batch__new();
	if (!mark->batch || index__new(LATE_PAGES, &mark->late_pages) || grow(mark)) {
		heap_mark__free(mark);
		return -ENOMEM;
	}
	/* The table may have been used before. */
	for (size_t i = 0; i < spans->n; i++)
		spans->all[i].flags &=
			(uint8_t) ~(HEAP_SPAN_QUEUED | HEAP_SPAN_WATCHED | HEAP_SPAN_NEXT);
	*ret_mark = mark;
	return 0;
}

void heap_mark__free(struct heap_mark *mark)
{
	if (!mark)
		return;
	unmap_bits(&mark->marked);
	unmap_bits(&mark->pending);
	unmap_bits(&mark->watched);
	unmap_bits(&mark->hidden);
	unmap_bits(&mark->next);
	free(mark->wave);
	free(mark->queue);
	free(mark->next_queue);
	index__free(mark->late_pages);
	free(mark->late);
	free(mark->woken);
	free(mark->batch);
	free(mark);
}

void heap_mark__trace(struct heap_mark *mark, heap_edge_fn fn, void *ctx)
{
	mark->edge = fn;
	mark->edge_ctx = ctx;
}

void heap_mark__visit(struct heap_mark *mark, const struct heap_visitor *visitor)
{
	mark->visitor = visitor;
}

void heap_mark__inside(struct heap_mark *mark, const struct heap_contents *contents)
{
	mark->inside = contents ? contents : &nowhere;
	if (mark->visitor && contents)
		mark->visitor->contents(mark->visitor->ctx, contents);
}

void heap_mark__again(struct heap_mark *mark)
{
	mark->again = true;
}

bool heap_mark__is_again(const struct heap_mark *mark)
{
	return mark->again;
}

void heap_mark__by_level(struct heap_mark *mark)
{
	mark->level = 1;
}

/* --- objects ------------------------------------------------------------------------------------ */

static inline bool object_at(const struct heap_mark *mark, uint64_t address,
			     struct mark_object *ret)
{
	uint32_t number = heap_spans__find(mark->spans, address);

	if (number == HEAP_NO_SPAN)
		return false;
	ret->number = number;
	ret->span = &mark->spans->all[number];
	ret->index = heap_span__index(ret->span, address);
	return ret->index < ret->span->nelems;
}

static void add_next(struct heap_mark *mark, const struct mark_object *o)
{
	mark_bits__set(&mark->next, o->span, o->index);
	if (o->span->flags & HEAP_SPAN_NEXT)
		return;
	o->span->flags |= HEAP_SPAN_NEXT;
	mark->next_queue[mark->n_next++] = o->number;
}

static void add_pending(struct heap_mark *mark, const struct mark_object *o)
{
	if (o->span->flags & HEAP_SPAN_NOSCAN)
		return;
	if (mark->level) {
		add_next(mark, o);
		return;
	}
	mark_bits__set(&mark->pending, o->span, o->index);
	mark__enqueue(mark, o->number);
}

static int push_woken(struct heap_mark *mark, uint64_t address)
{
	if (!array__reserve(mark->woken, mark->woken_capacity, mark->n_woken + 1))
		return -ENOMEM;
	mark->woken[mark->n_woken++] = address;
	return 0;
}

static void wake(struct heap_mark *mark, const struct mark_object *o)
{
	if (!mark_bits__test(&mark->watched, o->span, o->index))
		return;
	mark_bits__clear(&mark->watched, o->span, o->index);
	if (push_woken(mark, heap_span__object(o->span, o->index)))
		mark->failed = -ENOMEM;
}

static void show_reference(struct heap_mark *mark, uint64_t from, uint64_t value,
			   const struct mark_object *o, bool first)
{
	struct heap_reference reference = {
		.mark = mark,
		.in = mark->inside,
		.from = from,
		.value = value,
		.object = heap_span__object(o->span, o->index),
		.slot = mark__slot(o->span, o->index),
		.span = o->span,
		.first = first,
	};

	mark->visitor->reference(mark->visitor->ctx, &reference);
}

static inline void mark_object(struct heap_mark *mark, uint64_t from, uint64_t value,
			       const struct mark_object *o)
{
	if (mark->visitor)
		show_reference(mark, from, value, o,
			       !mark_bits__test(&mark->marked, o->span, o->index));
	if (mark_bits__test(&mark->marked, o->span, o->index))
		return;
	mark_bits__set(&mark->marked, o->span, o->index);
	mark->totals.objects++;
	mark->totals.bytes += o->span->elemsize;
	if (o->span->flags & HEAP_SPAN_WATCHED)
		wake(mark, o);
	if (mark->edge)
		mark->edge(mark->edge_ctx, from, heap_span__object(o->span, o->index));
	add_pending(mark, o);
}

static inline bool may_be_young(const struct heap_mark *mark, uint64_t value)
{
	const struct heap_spans *spans = mark->spans;

	return value - (spans->low - min_of(spans->low, (uint64_t)NEAR)) <
	       spans->high - spans->low + 2 * NEAR;
}

void heap_mark__pointer(struct heap_mark *mark, uint64_t from, uint64_t value)
{
	struct mark_object o;

	if (!may_be_young(mark, value))
		return;
	if (object_at(mark, value, &o))
		mark_object(mark, from, value, &o);
	else if (heap_spans__find(mark->spans, value) == HEAP_NO_SPAN)
		mark__late(mark, from, value);
}

/* --- pointers ahead ----------------------------------------------------------------------------- */

static void find_span(struct heap_mark *mark, struct mark_step *step)
{
	uint32_t number = *step->place - 1;

	if (number == HEAP_NO_SPAN) {
		mark__late(mark, step->from, step->value);
		step->value = 0;
		return;
	}
	step->object.number = number;
	step->object.span = &mark->spans->all[number];
	__builtin_prefetch(step->object.span, 1);
	__builtin_prefetch((const uint8_t *)(step->object.span + 1) - 1, 1);
}

static void find_bits(struct heap_mark *mark, struct mark_step *step)
{
	const struct heap_span *span = step->object.span;
	uint32_t index = heap_span__index(span, step->value);
	size_t word = span->first_word + index / 64;

	if (index >= span->nelems) {
		step->value = 0;
		return;
	}
	step->object.index = index;
	__builtin_prefetch(&mark->marked.words[word], 1);
	if (!(span->flags & HEAP_SPAN_NOSCAN))
		__builtin_prefetch(&mark->pending.words[word], 1);
}

/* Room for one more: whatever is on its way gets on by one place. */
static struct mark_step *advance(struct heap_mark *mark)
{
	size_t at = mark->ahead_at++;
	struct mark_step *step = &mark->ahead[(at - MARK_STAGE) % MARK_AHEAD];

	if (step->value)
		find_span(mark, step);
	step = &mark->ahead[(at - 2 * MARK_STAGE) % MARK_AHEAD];
	if (step->value)
		find_bits(mark, step);
	step = &mark->ahead[(at - 3 * MARK_STAGE) % MARK_AHEAD];
	if (step->value)
		mark_object(mark, step->from, step->value, &step->object);
	step->value = 0;
	return &mark->ahead[at % MARK_AHEAD];
}

void mark__ahead(struct heap_mark *mark, uint64_t from, uint64_t value)
{
	const struct heap_spans *spans = mark->spans;
	const uint32_t *leaf;
	struct mark_step *step;

	/* A visitor is to be shown references while it is shown what they are in. */
	if (mark->visitor || value - spans->low >= spans->high - spans->low) {
		heap_mark__pointer(mark, from, value);
		return;
	}
	leaf = spans->arenas[value >> GO_ARENA_SHIFT];
	if (!leaf) {
		heap_mark__pointer(mark, from, value);
		return;
	}
	step = advance(mark);
	step->from = from;
	step->value = value;
	step->place = &leaf[value % GO_ARENA_SIZE >> GO_PAGE_SHIFT];
	__builtin_prefetch(step->place);
	mark->ahead_used = 3 * MARK_STAGE + 1;
}

void mark__ahead_all(struct heap_mark *mark)
{
	for (; mark->ahead_used; mark->ahead_used--)
		(void)advance(mark);
}

void heap_mark__guess(struct heap_mark *mark, uint64_t from, uint64_t value)
{
	struct mark_object o;
	bool is_free = false;
	int err;

	if (!object_at(mark, value, &o)) {
		heap_mark__pointer(mark, from, value);
		return;
	}
	if (mark_bits__test(&mark->marked, o.span, o.index)) {
		mark_object(mark, from, value, &o);
		return;
	}
	err = heap_spans__is_free(mark->spans, o.span, o.index, &is_free);
	if (err == -ESRCH)
		mark->failed = err;
	if (!err && is_free)
		mark->totals.guesses_free++;
	else
		mark_object(mark, from, value, &o);
}

void heap_mark__words(struct heap_mark *mark, uint64_t address, const uint8_t *data, size_t n,
		      const uint8_t *bits)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value;

		if (bits && !(bits[i / 8] >> i % 8 & 1))
			continue;
		value = bytes__u64(data, i * WORD);
		if (bits)
			heap_mark__pointer(mark, address + i * WORD, value);
		else
			heap_mark__guess(mark, address + i * WORD, value);
	}
}

void heap_mark__contents(struct heap_mark *mark, uint64_t address)
{
	struct mark_object o;

	if (object_at(mark, address, &o) && !mark_bits__test(&mark->hidden, o.span, o.index))
		add_pending(mark, &o);
}

void heap_mark__hide(struct heap_mark *mark, uint64_t address)
{
	struct mark_object o;

	if (!object_at(mark, address, &o) || mark_bits__test(&mark->marked, o.span, o.index))
		return;
	mark_bits__set(&mark->marked, o.span, o.index);
	mark_bits__set(&mark->hidden, o.span, o.index);
}

void heap_mark__reveal(struct heap_mark *mark, uint64_t address)
{
	struct mark_object o;

	if (!object_at(mark, address, &o) || !mark_bits__test(&mark->marked, o.span, o.index))
		return;
	if (mark_bits__test(&mark->hidden, o.span, o.index)) {
		mark_bits__clear(&mark->hidden, o.span, o.index);
		if (mark->visitor)
			show_reference(mark, 0, address, &o, true);
		mark->totals.objects++;
		mark->totals.bytes += o.span->elemsize;
	}
	add_pending(mark, &o);
}

uint64_t heap_mark__object(const struct heap_mark *mark, uint64_t address, uint64_t *ret_size)
{
	struct mark_object o;

	if (!object_at(mark, address, &o))
		return 0;
	if (ret_size)
		*ret_size = o.span->elemsize;
	return heap_span__object(o.span, o.index);
}

bool heap_mark__is_marked(const struct heap_mark *mark, uint64_t address)
{
	struct mark_object o;

	return !object_at(mark, address, &o) || mark_bits__test(&mark->marked, o.span, o.index);
}

int heap_mark__watch(struct heap_mark *mark, uint64_t address)
{
	struct mark_object o;

	if (!object_at(mark, address, &o))
		return 0;
	if (mark_bits__test(&mark->marked, o.span, o.index))
		return push_woken(mark, heap_span__object(o.span, o.index));
	o.span->flags |= HEAP_SPAN_WATCHED;
	mark_bits__set(&mark->watched, o.span, o.index);
	return 0;
}

uint64_t heap_mark__woken(struct heap_mark *mark)
{
	return mark->n_woken ? mark->woken[--mark->n_woken] : 0;
}

/* --- spans that are younger than the table ------------------------------------------------------ */

void mark__late(struct heap_mark *mark, uint64_t from, uint64_t address)
{
	/* A visitor is to be shown all that leads there, if there is room for it. */
	bool each = mark->visitor && mark->n_late < LATE_PAGES / 2;
	uint64_t page = address >> GO_PAGE_SHIFT;
	uint64_t holder = each && from ? heap_mark__object(mark, from, NULL) : 0;
	uint64_t hash = hash__keyed_word(page ^ holder << 32);
	struct index_search search = index__search(mark->late_pages, hash);

	while (index__next(&search)) {
		const struct mark_late *late = &mark->late[search.number];

		if (late->address >> GO_PAGE_SHIFT == page && (!each || late->holder == holder))
			return;
	}
	if (!array__reserve(mark->late, mark->late_capacity, mark->n_late + 1) ||
	    index__add(mark->late_pages, hash, (uint32_t)mark->n_late))
		mark->totals.late_refused++;
	else
		mark->late[mark->n_late++] = (struct mark_late){address, holder};
}

/*
 * Of several objects in one young page only the first that was pointed to is known by address, so
 * all of the span is marked.
 */
static int mark_young(struct heap_mark *mark, uint32_t number)
{
	struct mark_object o = {.number = number, .span = &mark->spans->all[number]};

	static const struct heap_contents young = {.place = HEAP_IN_YOUNG};

	mark->inside = &young;
	for (; o.index < o.span->nelems; o.index++)
		mark_object(mark, 0, heap_span__object(o.span, o.index), &o);
	mark->inside = &nowhere;
	return 0;
}

static int look_up_late(struct heap_mark *mark)
{
	struct mark_late late = mark->late[mark->late_done++];
	uint32_t number;
	int err;

	number = heap_spans__find(mark->spans, late.address);
	if (number == HEAP_NO_SPAN) {
		err = heap_spans__look_up(mark->spans, late.address, &number);
		if (err || number == HEAP_NO_SPAN)
			return err;
		err = grow(mark);
		if (!err)
			err = mark_young(mark, number);
		if (err)
			return err;
	}
	/* Whoever wants to know what hangs from what has not seen that it hangs there. */
	if (mark->visitor && late.holder)
		heap_mark__contents(mark, late.holder);
	return 0;
}

/* Many at once: a holder of many is then shown once. */
static int look_up_some_late(struct heap_mark *mark)
{
	size_t end = min_of(mark->n_late, mark->late_done + LATE_AT_ONCE);
	int err = 0;

	while (!err && mark->late_done < end)
		err = look_up_late(mark);
	return err;
}

/* ------------------------------------------------------------------------------------------------ */

/* All of a level has been scanned: what was found meanwhile is the next one. */
static void next_level(struct heap_mark *mark)
{
	for (size_t i = 0; i < mark->n_next; i++) {
		struct heap_span *span = &mark->spans->all[mark->next_queue[i]];
		uint64_t *from = mark->next.words + span->first_word;
		uint64_t *to = mark->pending.words + span->first_word;

		for (uint32_t w = 0; w < (span->nelems + 63) / 64; w++) {
			to[w] |= from[w];
			from[w] = 0;
		}
		span->flags &= (uint8_t)~HEAP_SPAN_NEXT;
		mark__enqueue(mark, mark->next_queue[i]);
	}
	mark->n_next = 0;
	if (mark->level && mark->level++ == HEAP_MARK_LEVELS)
		mark->level = 0;
}

int heap_mark__drain(struct heap_mark *mark, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;

	while (!mark->failed) {
		if (mark->wave_at < mark->n_wave || mark->n_queue ||
		    mark->large_span != HEAP_NO_SPAN)
			mark->failed = mark__read_batch(mark);
		else if (mark->n_next)
			next_level(mark);
		else if (mark->late_done < mark->n_late)
			mark->failed = look_up_some_late(mark);
		else
			return 0;
		if (budget_ns && clock__monotonic_ns() >= end)
			break;
	}
	return mark->failed ? mark->failed : 1;
}

int heap_mark__settle(struct heap_mark *mark, uint64_t budget_ns)
{
	int err = heap_mark__drain(mark, budget_ns);

	if (err || !mark->visitor || !mark->visitor->settle)
		return err;
	return mark->visitor->settle(mark->visitor->ctx, mark);
}

const struct heap_mark_totals *heap_mark__totals(const struct heap_mark *mark)
{
	return &mark->totals;
}

struct heap_spans *heap_mark__spans(struct heap_mark *mark)
{
	return mark->spans;
}

int heap_mark__failed(const struct heap_mark *mark)
{
	return mark->failed;
}
