// SPDX-License-Identifier: Apache-2.0
#include "heap/mark/mark.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_heap.h"

struct bench {
	struct fake_heap *heap;
	struct heap_spans *spans;
	struct heap_types *types;
	struct heap_mark *mark;
};

static void begin(struct bench *b)
{
	cr_assert_eq(heap_spans__new(&b->heap->runtime, NULL, &b->spans), 0);
	cr_assert_eq(heap_spans__start(b->spans), 0);
	cr_assert_eq(heap_spans__step(b->spans, 0), 0);
	cr_assert_eq(heap_types__new(&b->heap->runtime, &b->types), 0);
	cr_assert_eq(heap_mark__new(b->spans, b->types, &b->mark), 0);
}

static void end(struct bench *b)
{
	heap_mark__free(b->mark);
	heap_types__free(b->types);
	heap_spans__free(b->spans);
	fake_heap__free(b->heap);
}

static void mark_from(struct bench *b, uint64_t value)
{
	heap_mark__pointer(b->mark, 0, value);
	cr_assert_eq(heap_mark__drain(b->mark, 0), 0);
}

#define ALL_VERSIONS(minor) for (int minor = 18; minor <= 27; minor++)

Test(mark, follows_pointers_and_nothing_else)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = {.heap = fake_heap__new(minor)};
		size_t span = fake_heap__span(b.heap, 48, 1, false);
		size_t flat = fake_heap__span(b.heap, 48, 1, true);
		uint64_t a = fake_heap__alloc(b.heap, span), c = fake_heap__alloc(b.heap, span);
		uint64_t d = fake_heap__alloc(b.heap, span), e = fake_heap__alloc(b.heap, span);
		uint64_t f = fake_heap__alloc(b.heap, flat), g = fake_heap__alloc(b.heap, span);

		fake_heap__point(b.heap, a, 3, c + 17); /* into the middle */
		fake_heap__point(b.heap, c, 0, f);
		*fake_heap__word(b.heap, c + 8) = d; /* looks like one, and is a number */
		fake_heap__point(b.heap, c, 5, a);   /* a ring */
		*fake_heap__word(b.heap, f) = e;     /* in an object without pointers */
		fake_heap__point(b.heap, g, 0, a);
		begin(&b);
		mark_from(&b, a);
		cr_assert(heap_mark__is_marked(b.mark, a), "Go 1.%d", minor);
		cr_assert(heap_mark__is_marked(b.mark, c + 40), "Go 1.%d", minor);
		cr_assert(heap_mark__is_marked(b.mark, f));
		cr_assert_not(heap_mark__is_marked(b.mark, d), "Go 1.%d", minor);
		cr_assert_not(heap_mark__is_marked(b.mark, e));
		cr_assert_not(heap_mark__is_marked(b.mark, g));
		cr_assert_eq(heap_mark__totals(b.mark)->objects, 3);
		cr_assert_eq(heap_mark__totals(b.mark)->bytes, 3 * 48);
		end(&b);
	}
}

/* Beyond 512 bytes the type of an object says where pointers are, from Go 1.22 on. */
Test(mark, objects_with_a_header)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = {.heap = fake_heap__new(minor)};
		size_t span = fake_heap__span(b.heap, 1024, 1, false);
		size_t small = fake_heap__span(b.heap, 16, 1, false);
		uint64_t big = fake_heap__alloc(b.heap, span), yes[3], no;
		/* Values of four words, of which the second is a pointer. */
		uint64_t type = fake_heap__type(b.heap, 32, 16, (const uint8_t[]){2});
		const size_t words[] = {2, 6, 122};

		for (size_t i = 0; i < 3; i++) {
			yes[i] = fake_heap__alloc(b.heap, small);
			fake_heap__point(b.heap, big, words[i], yes[i]);
		}
		no = fake_heap__alloc(b.heap, small);
		*fake_heap__word(b.heap, big + 5 * 8) = no;
		fake_heap__set_type(b.heap, span, big, type);
		begin(&b);
		mark_from(&b, big + 100);
		for (size_t i = 0; i < 3; i++)
			cr_assert(heap_mark__is_marked(b.mark, yes[i]), "Go 1.%d, %zu", minor, i);
		cr_assert_not(heap_mark__is_marked(b.mark, no), "Go 1.%d", minor);
		end(&b);
	}
}

/* Larger than what is read at a time, and with the last word a pointer. */
Test(mark, large_objects)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = {.heap = fake_heap__new(minor)};
		size_t large = fake_heap__large(b.heap, 100, false);
		size_t small = fake_heap__span(b.heap, 16, 1, false);
		uint64_t big = fake_heap__alloc(b.heap, large), last = 100 * 1024 - 1;
		uint64_t x = fake_heap__alloc(b.heap, small), y = fake_heap__alloc(b.heap, small);
		uint64_t no = fake_heap__alloc(b.heap, small);
		uint64_t type = fake_heap__type(b.heap, 16, 16, (const uint8_t[]){2});

		fake_heap__point(b.heap, big, 1, x);
		fake_heap__point(b.heap, big, last, y);
		*fake_heap__word(b.heap, big + 40000 * 8) = no;
		/* Before 1.20 the bits say that there are no more pointers: not here. */
		for (size_t i = 0; minor < 20 && i < last; i++)
			b.heap->arena[(big - FAKE_HEAP_BASE) / 32 + i / 4] |= 0xf0;
		fake_heap__set_type(b.heap, large, big, type);
		begin(&b);
		mark_from(&b, big + 12345);
		cr_assert(heap_mark__is_marked(b.mark, x));
		cr_assert(heap_mark__is_marked(b.mark, y), "Go 1.%d", minor);
		cr_assert_not(heap_mark__is_marked(b.mark, no), "Go 1.%d", minor);
		end(&b);
	}
}

Test(mark, a_type_that_is_none_hides_nothing)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 1024, 1, false);
	uint64_t big = fake_heap__alloc(b.heap, span), x = fake_heap__alloc(b.heap, span);

	*fake_heap__word(b.heap, big) = 0x12345678; /* not readable */
	*fake_heap__word(b.heap, big + 512) = x;
	*fake_heap__word(b.heap, x) = FAKE_HEAP_BASE; /* readable, but no type */
	begin(&b);
	mark_from(&b, big);
	cr_assert(heap_mark__is_marked(b.mark, x));
	cr_assert_eq(heap_types__refused(b.types), 2);
	end(&b);
}

Test(mark, guesses_must_be_allocated)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	uint64_t a = fake_heap__alloc(b.heap, span), unused = a + 64;

	begin(&b);
	heap_mark__guess(b.mark, 0, unused);
	heap_mark__guess(b.mark, 0, a + 5);
	heap_mark__guess(b.mark, 0, 42);
	cr_assert_eq(heap_mark__drain(b.mark, 0), 0);
	cr_assert_not(heap_mark__is_marked(b.mark, unused));
	cr_assert(heap_mark__is_marked(b.mark, a));
	cr_assert_eq(heap_mark__totals(b.mark)->guesses_free, 1);
	/* A pointer is one, whatever the allocator says: it may just have been allocated. */
	mark_from(&b, unused);
	cr_assert(heap_mark__is_marked(b.mark, unused));
	end(&b);
}

Test(mark, hidden_objects_lead_nowhere_until_revealed)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	uint64_t a = fake_heap__alloc(b.heap, span), c = fake_heap__alloc(b.heap, span);
	uint64_t d = fake_heap__alloc(b.heap, span);

	fake_heap__point(b.heap, a, 0, c);
	fake_heap__point(b.heap, c, 0, d);
	begin(&b);
	heap_mark__hide(b.mark, c);
	mark_from(&b, a);
	cr_assert_not(heap_mark__is_marked(b.mark, d));
	cr_assert_eq(heap_mark__totals(b.mark)->objects, 1);
	heap_mark__reveal(b.mark, c);
	heap_mark__reveal(b.mark, c);
	cr_assert_eq(heap_mark__drain(b.mark, 0), 0);
	cr_assert(heap_mark__is_marked(b.mark, d));
	cr_assert_eq(heap_mark__totals(b.mark)->objects, 3);
	end(&b);
}

/* What a finalizer gets: everything but the object. */
Test(mark, contents_without_the_object)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	uint64_t a = fake_heap__alloc(b.heap, span), c = fake_heap__alloc(b.heap, span);

	fake_heap__point(b.heap, a, 7, c);
	begin(&b);
	heap_mark__contents(b.mark, a);
	cr_assert_eq(heap_mark__drain(b.mark, 0), 0);
	cr_assert_not(heap_mark__is_marked(b.mark, a));
	cr_assert(heap_mark__is_marked(b.mark, c));
	end(&b);
}

Test(mark, watched_objects_wake)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	uint64_t a = fake_heap__alloc(b.heap, span), c = fake_heap__alloc(b.heap, span);
	uint64_t d = fake_heap__alloc(b.heap, span);

	fake_heap__point(b.heap, a, 0, c);
	begin(&b);
	cr_assert_eq(heap_mark__watch(b.mark, c + 8), 0);
	cr_assert_eq(heap_mark__watch(b.mark, d), 0);
	mark_from(&b, a);
	cr_assert_eq(heap_mark__woken(b.mark), c);
	cr_assert_eq(heap_mark__woken(b.mark), 0);
	cr_assert_eq(heap_mark__watch(b.mark, a), 0); /* too late: at once */
	cr_assert_eq(heap_mark__woken(b.mark), a);
	end(&b);
}

static void take_edge(void *ctx, uint64_t from, uint64_t object)
{
	uint64_t *edges = ctx;
	size_t n = (size_t)edges[0];

	edges[1 + 2 * n] = from;
	edges[2 + 2 * n] = object;
	edges[0]++;
}

Test(mark, edges_in_order)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	uint64_t a = fake_heap__alloc(b.heap, span), c = fake_heap__alloc(b.heap, span);
	uint64_t edges[16] = {0};

	fake_heap__point(b.heap, a, 2, c + 8);
	fake_heap__point(b.heap, c, 0, a);
	begin(&b);
	heap_mark__trace(b.mark, take_edge, edges);
	heap_mark__pointer(b.mark, 0x740008, a);
	cr_assert_eq(heap_mark__drain(b.mark, 0), 0);
	cr_assert_eq(edges[0], 2);
	cr_assert_eq(edges[1], 0x740008);
	cr_assert_eq(edges[2], a);
	cr_assert_eq(edges[3], a + 16);
	cr_assert_eq(edges[4], c);
	end(&b);
}

/* The span was freed and is one of other objects now: all that is in it counts. */
Test(mark, a_span_that_changed_is_taken_word_by_word)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	size_t other = fake_heap__span(b.heap, 32, 1, false);
	uint64_t a = fake_heap__alloc(b.heap, span), x = fake_heap__alloc(b.heap, other);
	uint64_t size = 96;

	begin(&b);
	*fake_heap__word(b.heap, a + 64 * 9 + 24) = x; /* another object's number, before */
	b.heap->mspans[span][b.heap->layout->mspan_spanclass] = 8 << 1;
	memcpy(b.heap->mspans[span] + b.heap->layout->mspan_elemsize, &size, 8);
	b.heap->mspans[span][b.heap->layout->mspan_nelems] = 70;
	mark_from(&b, a);
	cr_assert_eq(heap_mark__totals(b.mark)->spans_changed, 1);
	cr_assert(heap_mark__is_marked(b.mark, x));
	end(&b);
}

Test(mark, a_freed_span_has_nothing)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	uint64_t a = fake_heap__alloc(b.heap, span), c = fake_heap__alloc(b.heap, span);

	fake_heap__point(b.heap, a, 0, c);
	begin(&b);
	b.heap->mspans[span][b.heap->layout->mspan_state] = 0;
	mark_from(&b, a);
	cr_assert_not(heap_mark__is_marked(b.mark, c));
	cr_assert_eq(heap_mark__totals(b.mark)->pieces_unreadable, 0);
	end(&b);
}

/* One step at a time comes to the same end. */
Test(mark, in_steps)
{
	struct bench b = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(b.heap, 64, 1, false);
	uint64_t first = fake_heap__alloc(b.heap, span), last = first;
	size_t steps = 0;

	for (int i = 0; i < 100; i++) {
		uint64_t next = fake_heap__alloc(b.heap, span);

		fake_heap__point(b.heap, last, 1, next);
		last = next;
	}
	begin(&b);
	heap_mark__pointer(b.mark, 0, first);
	while (heap_mark__drain(b.mark, 1) == 1)
		steps++;
	cr_assert_gt(steps, 0);
	cr_assert(heap_mark__is_marked(b.mark, last));
	cr_assert_eq(heap_mark__totals(b.mark)->objects, 101);
	/* A span is read once for all that waits in it, and the list stays within it. */
	cr_assert_eq(heap_mark__totals(b.mark)->pieces, 1);
	end(&b);
}

/* --- who is told -------------------------------------------------------------------------------- */

struct seen {
	uint64_t holders[8], objects[8], headers[8];
	bool first[8];
	size_t n, n_contents;
};

static void see_contents(void *ctx, const struct heap_contents *contents)
{
	struct seen *seen = ctx;

	cr_assert_eq(contents->place, HEAP_IN_OBJECT);
	cr_assert_eq(contents->start, contents->object); /* none is larger than a piece */
	seen->headers[seen->n_contents++] = contents->header;
}

static void see_reference(void *ctx, const struct heap_reference *reference)
{
	struct seen *seen = ctx;

	seen->holders[seen->n] = reference->in->object;
	seen->objects[seen->n] = reference->object;
	seen->first[seen->n++] = reference->first;
}

Test(mark, a_visitor_sees_all_references_and_what_they_are_in)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = {.heap = fake_heap__new(minor)};
		size_t span = fake_heap__span(b.heap, 48, 1, false);
		uint64_t a = fake_heap__alloc(b.heap, span), c = fake_heap__alloc(b.heap, span);
		struct seen seen = {0};
		const struct heap_visitor visitor = {
			.contents = see_contents, .reference = see_reference, .ctx = &seen};

		fake_heap__point(b.heap, a, 3, c + 17);
		fake_heap__point(b.heap, c, 5, a);
		begin(&b);
		heap_mark__visit(b.mark, &visitor);
		mark_from(&b, a);
		cr_assert_eq(seen.n, 3, "Go 1.%d", minor);
		cr_assert_eq(seen.n_contents, 2);
		cr_assert(seen.holders[0] == 0 && seen.objects[0] == a && seen.first[0]);
		cr_assert(seen.holders[1] == a && seen.objects[1] == c && seen.first[1]);
		cr_assert(seen.holders[2] == c && seen.objects[2] == a && !seen.first[2]);
		end(&b);
	}
}

Test(mark, a_visitor_is_told_what_the_allocator_wrote_down)
{
	for (int minor = 22; minor <= 27; minor++) {
		struct bench b = {.heap = fake_heap__new(minor)};
		uint64_t type = fake_heap__type(b.heap, 32, 16, (const uint8_t[]){2});
		size_t small = fake_heap__span(b.heap, 1024, 1, false);
		size_t large = fake_heap__large(b.heap, 5, false);
		uint64_t a = fake_heap__alloc(b.heap, small), c = fake_heap__alloc(b.heap, large);
		struct seen seen = {0};
		const struct heap_visitor visitor = {
			.contents = see_contents, .reference = see_reference, .ctx = &seen};

		fake_heap__set_type(b.heap, small, a, type);
		fake_heap__set_type(b.heap, large, c, type);
		begin(&b);
		heap_mark__visit(b.mark, &visitor);
		mark_from(&b, a);
		mark_from(&b, c);
		cr_assert(seen.n_contents >= 2);
		cr_assert_eq(seen.headers[0], type, "Go 1.%d", minor);
		cr_assert_eq(seen.headers[1], type, "Go 1.%d", minor);
		end(&b);
	}
}
