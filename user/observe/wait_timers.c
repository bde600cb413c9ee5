// SPDX-License-Identifier: Apache-2.0
#include "observe/wait_timers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"

#define WORD   sizeof(uint64_t)
#define MAX_PS 4096 /* GOMAXPROCS is no more on the largest machines */

/* The first Go without asynctimerchan. */
#define SYNC_ONLY 27
/* src/runtime/time.go timerWhen, from this version on: a pointer and its time. Before: a pointer. */
#define WITH_TIMES 23

struct slice {
	uint64_t first, n;
};

bool wait_timers__useful(const struct wait_runtime *runtime)
{
	const struct go_layout *l = runtime->layout;

	return runtime->allp && l->minor < SYNC_ONLY && l->p_timers != GO_LAYOUT_ABSENT &&
	       l->timer_when != GO_LAYOUT_ABSENT && l->timer_arg != GO_LAYOUT_ABSENT;
}

static uint64_t read_word(struct wait_memory *memory, uint64_t address)
{
	uint8_t data[WORD];

	if (!address || address % WORD || wait_memory__read(memory, address, data, sizeof(data)))
		return 0;
	return bytes__u64(data, 0);
}

static struct slice read_slice(struct wait_memory *memory, uint64_t address, uint64_t max)
{
	struct slice slice = {.first = read_word(memory, address)};

	if (slice.first)
		slice.n = min_of(read_word(memory, address + WORD), max);
	return slice;
}

/* An argument is an interface: a type and a pointer. */
static void take_timer(const struct go_layout *l, struct wait_memory *memory, uint64_t timer,
		       struct wait_timers *timers)
{
	uint64_t argument;

	if ((int64_t)read_word(memory, timer + l->timer_when) <= 0)
		return;
	argument = read_word(memory, timer + l->timer_arg + WORD);
	if (argument)
		timers->arguments[timers->n++] = argument;
}

static void take_heap(const struct go_layout *l, struct wait_memory *memory, uint64_t p,
		      struct wait_timers *timers)
{
	uint64_t item = l->minor >= WITH_TIMES ? 2 * WORD : WORD;
	struct slice heap = read_slice(memory, p + l->p_timers, WAIT_TIMERS_MAX - timers->n);

	for (uint64_t i = 0; i < heap.n; i++) {
		uint64_t timer = read_word(memory, heap.first + i * item);

		if (timer && timer % WORD == 0)
			take_timer(l, memory, timer, timers);
	}
}

static int compare_words(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int wait_timers__read(const struct wait_runtime *runtime, struct wait_memory *memory,
		      struct wait_timers *ret_timers)
{
	struct wait_timers timers = {0};
	struct slice ps = read_slice(memory, runtime->allp, MAX_PS);

	timers.arguments = calloc(WAIT_TIMERS_MAX, sizeof(*timers.arguments));
	if (!timers.arguments)
		return -ENOMEM;
	for (uint64_t i = 0; i < ps.n; i++) {
		uint64_t p = read_word(memory, ps.first + i * WORD);

		if (p)
			take_heap(runtime->layout, memory, p, &timers);
	}
	if (timers.n)
		qsort(timers.arguments, timers.n, sizeof(*timers.arguments), compare_words);
	*ret_timers = timers;
	return 0;
}

void wait_timers__clear(struct wait_timers *timers)
{
	free(timers->arguments);
	*timers = (struct wait_timers){0};
}

bool wait_timers__will_send(const struct wait_timers *timers, uint64_t channel)
{
	return timers && timers->n &&
	       bsearch(&channel, timers->arguments, timers->n, sizeof(channel), compare_words);
}
