// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_pace.h"

#include <math.h>

/* What was seen before counts so much less with each window on all allocations. */
#define FORGET 0.9

/* Who did little else in a quarter of them, as who was seen to in the latest. */
#define FAST_PART 0.25

/*
 * A cache that has no span is one that a collection has emptied, of half a span on average if its owner takes several
 * between two collections. Of fewer, nobody knows how much there was.
 */
#define SPANS_TO_EMPTY 2

#define MIN_WINDOWS 3
#define MIN_REFILLS 30

/* Off by more, it is not better than what is known from windows. */
#define MAX_ERROR 0.2

/* What refills were off by where they were held against what programs had counted. */
#define REFILL_ERROR 0.07

void alloc_pace__begin(struct alloc_pace *pace)
{
	for (size_t i = 0; i < ALLOC_PACE_FAST; i++)
		pace->fast[i].lately *= FORGET;
}

void alloc_pace__saturated(struct alloc_pace *pace, uint64_t goid)
{
	size_t least = 0;

	for (size_t i = 0; i < ALLOC_PACE_FAST; i++) {
		if (pace->fast[i].goid == goid && pace->fast[i].lately > 0) {
			pace->fast[i].lately += 1 - FORGET;
			return;
		}
		if (pace->fast[i].lately < pace->fast[least].lately)
			least = i;
	}
	pace->fast[least].goid = goid;
	pace->fast[least].lately = FAST_PART;
}

bool alloc_pace__is_fast(const struct alloc_pace *pace, uint64_t goid)
{
	for (size_t i = 0; i < ALLOC_PACE_FAST; i++) {
		if (pace->fast[i].goid == goid && pace->fast[i].lately >= FAST_PART)
			return true;
	}
	return false;
}

void alloc_pace__refill(struct alloc_pace *pace, uint64_t goid, uint8_t size_class, uint64_t taken)
{
	struct alloc_pace_class *class;

	if (!size_class || size_class >= ALLOC_PACE_CLASSES)
		return;
	class = &pace->classes[size_class];
	class->spans += taken > 0;
	class->taken += (double)taken;
	if (alloc_pace__is_fast(pace, goid))
		return;
	class->now.spans += taken > 0;
	class->now.taken += (double)taken;
	class->now.empty += !taken;
}

static double objects_of(const struct alloc_pace_class *class, const struct alloc_pace_group *group)
{
	double span = class->spans > 0 ? class->taken / class->spans : 0;

	return group->taken + group->empty * span / 2;
}

static void settle_class(struct alloc_pace_class *class, const struct alloc_pace_window *window,
			 uint64_t counted)
{
	double objects = objects_of(class, &class->now), ns = (double)window->ns;

	class->all.spans += class->now.spans;
	class->all.taken += class->now.taken;
	class->all.empty += class->now.empty;
	class->squares += objects * objects;
	class->products += objects * ns;
	class->ns += ns;
	class->ns_squares += ns * ns;
	class->last_ns = (double)window->now_ns;
	class->last_counted = (double)counted;
	if (!class->windows++) {
		class->first_ns = class->last_ns;
		class->first_counted = class->last_counted;
	}
}

void alloc_pace__settle(struct alloc_pace *pace, const struct alloc_pace_window *window)
{
	for (size_t c = 0; c < ALLOC_PACE_CLASSES; c++) {
		struct alloc_pace_class *class = &pace->classes[c];

		if (window->complete && window->seen[c])
			settle_class(class, window, window->counted[c]);
		class->now = (struct alloc_pace_group){0};
	}
}

bool alloc_pace__part(const struct alloc_pace *pace, size_t c, double *ret_part, double *ret_error)
{
	const struct alloc_pace_class *class = &pace->classes[c % ALLOC_PACE_CLASSES];
	double objects = objects_of(class, &class->all), n = (double)class->windows;
	double counted = class->last_counted - class->first_counted, rate, differ;

	if (n < MIN_WINDOWS || counted <= 0 || class->all.spans < MIN_REFILLS ||
	    class->all.spans < SPANS_TO_EMPTY * class->all.empty)
		return false;
	rate = objects / class->ns;
	/* How windows differ from what they have by their time. */
	differ = class->squares - 2 * rate * class->products + rate * rate * class->ns_squares;
	*ret_part = rate * (class->last_ns - class->first_ns) / counted;
	*ret_error = sqrt(n / (n - 1) * fmax(differ, 0) / (objects * objects) +
			  REFILL_ERROR * REFILL_ERROR);
	return *ret_error <= MAX_ERROR;
}
