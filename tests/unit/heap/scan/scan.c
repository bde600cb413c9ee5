// SPDX-License-Identifier: Apache-2.0
#include "heap/scan/scan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "fake_heap.h"

static struct failure failure;

#define ALL_VERSIONS(minor) for (int minor = 18; minor <= 27; minor++)

static struct heap_scan *scan(struct fake_heap *heap, const struct heap_scan_options *options)
{
	struct heap_scan *made;
	int err;

	cr_assert_eq(heap_scan__new(&heap->runtime, options, &made), 0);
	do
		err = heap_scan__step(made, 1000, &failure);
	while (err == 1);
	cr_assert_eq(err, 0, "%s", failure.text);
	return made;
}

static enum heap_root_kind reached_by(const struct heap_scan *made, size_t g)
{
	return (enum heap_root_kind)heap_scan__goroutines(made)->all[g].reached_by;
}

static bool is_unreachable(const struct heap_scan *made, size_t g)
{
	return heap_scan__is_unreachable(&heap_scan__goroutines(made)->all[g]);
}

static void set_global(struct fake_heap *heap, size_t i, uint64_t value)
{
	heap->globals[i] = value;
}

Test(scan, who_waits_for_what_nobody_has)
{
	ALL_VERSIONS(minor)
	{
		struct fake_heap *heap = fake_heap__new(minor);
		size_t lost = fake_heap__goroutine(heap, "chan receive");
		size_t global = fake_heap__goroutine(heap, "chan send");
		size_t never = fake_heap__goroutine(heap, "select (no cases)");
		size_t runs = fake_heap__goroutine(heap, "");
		size_t stack = fake_heap__goroutine(heap, "select");
		size_t behind = fake_heap__goroutine(heap, "chan receive");
		uint64_t chans[4];
		struct heap_scan *made;

		for (size_t i = 0; i < ARRAY_SIZE(chans); i++)
			chans[i] = fake_heap__chan(heap);
		fake_heap__wait(heap, lost, chans[0]);
		fake_heap__push(heap, lost, 3, chans[0]); /* its own stack does not count */
		fake_heap__wait(heap, global, chans[1]);
		set_global(heap, 13, chans[1]);
		fake_heap__wait(heap, stack, fake_heap__chan(heap));
		fake_heap__wait(heap, stack, chans[2]); /* one of two cases */
		fake_heap__push(heap, runs, 2, chans[2]);
		fake_heap__wait(heap, behind, chans[3]); /* held by one that is itself reachable */
		fake_heap__push(heap, stack, 5, chans[3]);

		made = scan(heap, NULL);
		cr_assert_eq(heap_scan__result(made)->doubt, HEAP_SCAN_SURE);
		cr_assert(is_unreachable(made, lost), "Go 1.%d", minor);
		cr_assert(is_unreachable(made, never));
		cr_assert_eq(reached_by(made, global), HEAP_ROOT_GLOBAL, "Go 1.%d", minor);
		cr_assert_eq(reached_by(made, stack), HEAP_ROOT_GOROUTINE, "Go 1.%d", minor);
		cr_assert_eq(reached_by(made, behind), HEAP_ROOT_WAITING, "Go 1.%d", minor);
		cr_assert_eq(heap_scan__result(made)->unreachable, 2);
		cr_assert_eq(heap_scan__result(made)->candidates, 5);
		heap_scan__free(made);
		fake_heap__free(heap);
	}
}

Test(scan, two_that_only_have_each_other)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t a = fake_heap__goroutine(heap, "chan receive");
	size_t b = fake_heap__goroutine(heap, "chan receive");
	uint64_t x = fake_heap__chan(heap), y = fake_heap__chan(heap);
	struct heap_scan *made;

	fake_heap__wait(heap, a, x);
	fake_heap__push(heap, a, 2, y);
	fake_heap__wait(heap, b, y);
	fake_heap__push(heap, b, 2, x);
	made = scan(heap, NULL);
	cr_assert(is_unreachable(made, a));
	cr_assert(is_unreachable(made, b));
	heap_scan__free(made);
	fake_heap__free(heap);
}

Test(scan, main_in_select_is_left_out_and_holds_nothing)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t other = fake_heap__goroutine(heap, "chan receive");
	uint64_t chan = fake_heap__chan(heap);
	uint8_t *g1 = (uint8_t *)fake_heap__word(heap, heap->gs[0]);
	struct heap_scan *made;

	g1[heap->layout->g_waitreason] = 17; /* select (no cases) */
	cr_assert_str_eq(heap->layout->wait_reasons[17], "select (no cases)");
	fake_heap__wait(heap, other, chan);
	fake_heap__push(heap, 0, 3, chan);
	made = scan(heap, NULL);
	cr_assert(is_unreachable(made, other));
	cr_assert_not(is_unreachable(made, 0));
	cr_assert_eq(heap_scan__result(made)->unreachable, 1);
	heap_scan__free(made);
	fake_heap__free(heap);
}

/* Libraries that park with a borrowed reason have no list of what they wait on. */
Test(scan, without_a_sudog_nobody_is_accused)
{
	ALL_VERSIONS(minor)
	{
		struct fake_heap *heap = fake_heap__new(minor);
		size_t borrowed = fake_heap__goroutine(heap, "chan receive");
		size_t lock =
			fake_heap__goroutine(heap, minor < 20 ? "semacquire" : "sync.Mutex.Lock");
		size_t cond = fake_heap__goroutine(heap, "sync.Cond.Wait");
		struct heap_scan *made = scan(heap, NULL);

		cr_assert_not(is_unreachable(made, borrowed));
		cr_assert_not(is_unreachable(made, lock), "Go 1.%d", minor);
		cr_assert_not(is_unreachable(made, cond), "Go 1.%d", minor);
		heap_scan__free(made);
		fake_heap__free(heap);
	}
}

/*
 * Before Go 1.26. A saved frame pointer leads to variables of notifyListWait that look like a list: the
 * sudog, twice.
 */
Test(scan, a_cond_is_not_on_the_stack_of_who_waits_for_it)
{
	for (int minor = 18; minor < 26; minor++) {
		struct fake_heap *heap = fake_heap__new(minor);
		size_t g = fake_heap__goroutine(heap, "sync.Cond.Wait");
		uint64_t sudog = fake_heap__alloc(heap, heap->sudog_span), top;
		uint64_t cond = fake_heap__alloc(heap, fake_heap__span(heap, 64, 1, false));
		struct heap_scan *made;

		memcpy(&top,
		       (uint8_t *)fake_heap__word(heap, heap->gs[g]) + heap->layout->g_stack_hi,
		       sizeof(top));
		fake_heap__point(heap, sudog, heap->layout->sudog_g / 8, heap->gs[g]);
		/* sync.Cond: L, notify {wait, notify, lock, head, tail} */
		fake_heap__point(heap, cond, 4, sudog);
		fake_heap__point(heap, cond, 5, sudog);
		fake_heap__push(heap, g, 3, cond);
		fake_heap__push(heap, g, 4, sudog);
		fake_heap__push(heap, g, 5, sudog);
		fake_heap__push(heap, g, 9, top - 8 * 8);
		made = scan(heap, NULL);
		cr_expect(is_unreachable(made, g), "Go 1.%d: by %s", minor,
			  heap_root_kind__name(reached_by(made, g)));
		heap_scan__free(made);
		fake_heap__free(heap);
	}
}

Test(scan, finalizers_keep_what_they_will_get)
{
	ALL_VERSIONS(minor)
	{
		struct fake_heap *heap = fake_heap__new(minor);
		uint8_t finalizer = minor < 25 ? 1 : 2;
		size_t span = fake_heap__span(heap, 64, 1, false);
		size_t child = fake_heap__goroutine(heap, "chan receive");
		uint64_t object = fake_heap__alloc(heap, span), chan = fake_heap__chan(heap);
		struct heap_scan *made;

		fake_heap__wait(heap, child, chan);
		fake_heap__point(heap, object, 1, chan);
		made = scan(heap, NULL);
		cr_assert(is_unreachable(made, child));
		heap_scan__free(made);

		fake_heap__special(heap, span, object, finalizer, 0);
		made = scan(heap, NULL);
		cr_assert_eq(reached_by(made, child), HEAP_ROOT_FINALIZER, "Go 1.%d", minor);
		cr_assert_eq(heap_scan__result(made)->roots.specials, 1);
		heap_scan__free(made);
		fake_heap__free(heap);
	}
}

Test(scan, an_unreadable_root_makes_it_unsure)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t lost = fake_heap__goroutine(heap, "chan receive");
	struct heap_scan *made;
	uint64_t *stack_lo;

	fake_heap__wait(heap, lost, fake_heap__chan(heap));
	/* The stack of goroutine 1, which sleeps, is somewhere else. */
	stack_lo = fake_heap__word(heap, heap->gs[0] + heap->layout->g_stack_lo);
	stack_lo[0] = 0x1000;
	stack_lo[1] = 0x2000;
	*fake_heap__word(heap, heap->gs[0] + heap->layout->g_sched_sp) = 0x1800;
	made = scan(heap, NULL);
	cr_assert_eq(heap_scan__result(made)->doubt, HEAP_SCAN_STACKS_UNREADABLE);
	cr_assert_str_not_empty(heap_scan_doubt__text(heap_scan__result(made)->doubt));
	heap_scan__free(made);

	heap->masks[0] = 0;
	memset(heap->module + heap->layout->moduledata_gcdatamask + 8, 0x11, 8);
	made = scan(heap, NULL);
	cr_assert_eq(heap_scan__result(made)->doubt, HEAP_SCAN_ROOTS_UNREADABLE);
	heap_scan__free(made);
	fake_heap__free(heap);
}

Test(scan, what_they_retain)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t a = fake_heap__goroutine(heap, "chan receive");
	size_t b = fake_heap__goroutine(heap, "chan receive");
	size_t span = fake_heap__span(heap, 128, 1, false);
	uint64_t own = fake_heap__alloc(heap, span), shared = fake_heap__alloc(heap, span);
	uint64_t alive = fake_heap__alloc(heap, span), chan = fake_heap__chan(heap);
	struct heap_retained retained;
	struct heap_scan *made;
	uint64_t per_goroutine = 480 + 112 + 112; /* classes of a g, a sudog and a channel */

	cr_assert_eq(heap->layout->g_sizeof, 456);
	fake_heap__wait(heap, a, chan);
	fake_heap__push(heap, a, 1, chan);
	fake_heap__push(heap, a, 2, own);
	fake_heap__push(heap, a, 3, shared);
	fake_heap__push(heap, a, 4, alive);
	set_global(heap, 3, alive);
	chan = fake_heap__chan(heap);
	fake_heap__wait(heap, b, chan);
	fake_heap__push(heap, b, 1, chan);
	fake_heap__push(heap, b, 2, shared);
	made = scan(heap, NULL);
	cr_assert(is_unreachable(made, a));
	cr_assert_eq(heap_scan__retain(made, &a, 1, &retained), 0);
	cr_assert_eq(retained.bytes, per_goroutine + 2 * 128);
	cr_assert_eq(retained.objects, 5);
	cr_assert_eq(retained.stack_bytes, FAKE_STACK);
	cr_assert_eq(heap_scan__retain(made, &b, 1, &retained), 0);
	cr_assert_eq(retained.bytes, per_goroutine);
	heap_scan__free(made);
	fake_heap__free(heap);
}

/* A heap that is none is refused in words. */
Test(scan, what_is_no_heap)
{
	struct fake_heap *heap = fake_heap__new(26);
	struct heap_scan *made;

	heap->bss[1] = 0x1234560; /* allgptr */
	cr_assert_eq(heap_scan__new(&heap->runtime, NULL, &made), 0);
	cr_assert_eq(heap_scan__step(made, 0, &failure), -EOPNOTSUPP);
	cr_assert_not_null(strstr(failure.text, "heap"), "%s", failure.text);
	heap_scan__free(made);
	fake_heap__free(heap);
}

/* What is known of those that are gone is not made room for any more. */
Test(scan, a_list_of_goroutines_that_gets_shorter_is_none)
{
	struct fake_heap *heap = fake_heap__new(26);
	struct heap_goroutines goroutines;

	for (int i = 0; i < 7; i++)
		fake_heap__goroutine(heap, "chan receive");
	heap_goroutines__init(&goroutines, &heap->runtime, 0);
	cr_assert_eq(heap_goroutines__start(&goroutines, false), 0);
	cr_assert_eq(heap_goroutines__step(&goroutines, 0), 0);
	cr_assert_eq(goroutines.n, 8);
	heap->bss[0] = 3; /* allglen */
	cr_assert_eq(heap_goroutines__start(&goroutines, true), -EFAULT);
	cr_assert_eq(goroutines.n, 8);
	cr_assert_geq(goroutines.capacity, 8);
	cr_assert_eq(heap_goroutines__start(&goroutines, false), 0);
	cr_assert_eq(heap_goroutines__step(&goroutines, 0), 0);
	cr_assert_eq(goroutines.n, 3);
	heap_goroutines__release(&goroutines);
	fake_heap__free(heap);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Anything in a heap's memory: an answer, soon. */
Test(scan, hostile_contents_do_no_harm, .timeout = 120)
{
	uint64_t state = 88172645463325252ULL;
	size_t answers = 0, refusals = 0;

	for (size_t round = 0; round < 400; round++) {
		struct fake_heap *heap = fake_heap__new(18 + (int)(round % 10));
		size_t g = fake_heap__goroutine(heap, "select");
		size_t large = fake_heap__large(heap, 20, false);
		uint8_t *const regions[] = {heap->pages,
					    (uint8_t *)heap->mspans,
					    (uint8_t *)heap->stacks,
					    (uint8_t *)heap->globals,
					    (uint8_t *)heap->specials,
					    heap->module,
					    (uint8_t *)heap->list,
					    heap->arena};
		const size_t sizes[] = {8 * 8192,
					sizeof(heap->mspans),
					sizeof(heap->stacks),
					sizeof(heap->globals),
					sizeof(heap->specials),
					sizeof(heap->module),
					sizeof(heap->list),
					heap->arena_size};
		struct heap_scan *made;
		int err;

		fake_heap__wait(heap, g, fake_heap__chan(heap));
		fake_heap__special(heap, large, fake_heap__alloc(heap, large), 2, 0x1234);
		for (size_t i = 0; i <= round % 9; i++) {
			size_t r = next_random(&state) % ARRAY_SIZE(regions);
			size_t at = next_random(&state) % (sizes[r] / 8) * 8;
			uint64_t value = next_random(&state);

			/* Numbers, small ones, and addresses of what is there. */
			if (i % 3 == 1)
				value %= 70;
			else if (i % 3 == 2)
				value = FAKE_HEAP_BASE + value % (heap->next_page * 8192);
			memcpy(regions[r] + at, &value, sizeof(value));
		}
		cr_assert_eq(heap_scan__new(&heap->runtime, NULL, &made), 0);
		err = heap_scan__step(made, 0, &failure);
		cr_assert(err == 0 || err == -EOPNOTSUPP || err == -EAGAIN || err == -E2BIG, "%d",
			  err);
		answers += !err;
		refusals += err != 0;
		heap_scan__free(made);
		fake_heap__free(heap);
	}
	cr_assert_gt(answers, 50);
	cr_assert_gt(refusals, 5);
}
