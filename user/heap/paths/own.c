// SPDX-License-Identifier: Apache-2.0
/*
 * Structures of the runtime itself, in programs whose variables have no names: allp and allgs are
 * known to it (golang/globals.h), and the types of what they lead to are among those of the
 * program. From Go 1.22 on the allocator has written down that a p is one; before, and of a g,
 * nothing says so.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "heap/paths/private.h"

#define GO_TYPE_PTR_TO_THIS \
	44u /* src/internal/abi/type.go Type: int32 from the start of the module's types */
#define FIRST_TIME_TIMER 23  /* Go 1.23 */
#define TICKER_PERIOD	 24u /* src/time/tick.go Ticker.r, src/runtime/time.go timer.period */
#define MAX_PROCS	 4096u

/* The type *T of T at @type; 0: the program has none. */
static uint64_t pointer_to(const struct heap_paths *paths, uint64_t type)
{
	const struct heap_module *module = &paths->modules.all[0];
	uint8_t offset[4];
	uint64_t at;

	if (remote__read(paths->runtime->remote, type + GO_TYPE_PTR_TO_THIS, offset,
			 sizeof(offset)))
		return 0;
	at = bytes__u32(offset, 0);
	return at && at < module->etypes - module->types ? module->types + at : 0;
}

static void add(struct heap_paths *paths, uint64_t object, enum heap_allocated_as as, uint64_t type)
{
	if (object && type)
		paths->own[paths->n_own++] =
			(struct heap_known){.object = object, .what = {as, type}};
}

static int by_object(const void *a, const void *b)
{
	const struct heap_known *x = a, *y = b;

	return x->object < y->object ? -1 : x->object > y->object;
}

/*
 * A heap of timers leads into what these are a part of. Until Go 1.22 that is a time.Timer or a time.Ticker, which
 * differ by whether they have a period (src/time/sleep.go, tick.go); since, a timeTimer (src/runtime/time.go).
 */
void path_own__init(struct heap_paths *paths)
{
	const struct type_index *index = paths->type_index;
	uint64_t timer = type_index__find(index, "runtime", "timer");

	paths->timer_pointer = timer ? pointer_to(paths, timer) : 0;
	if (paths->runtime->layout->minor >= FIRST_TIME_TIMER) {
		paths->timer = type_index__find(index, "runtime", "timeTimer");
		return;
	}
	paths->timer = type_index__find(index, "time", "Timer");
	paths->ticker = type_index__find(index, "time", "Ticker");
	paths->timer_period = TICKER_PERIOD;
}

uint16_t path_own__around(struct heap_paths *paths, uint16_t number,
			  const struct heap_contents *contents)
{
	uint64_t shown = path_tree__node(paths->tree, number)->shown, type = paths->timer;
	const struct heap_type *outer;
	uint32_t rounded = 0;

	if (!shown || shown != paths->timer_pointer)
		return number;
	if (paths->timer_period && contents->size >= paths->timer_period + 8 &&
	    bytes__u64(contents->data, paths->timer_period))
		type = paths->ticker;
	outer = type ? heap_types__any(paths->types, type) : NULL;
	if (!outer || !heap_spans__size_class(outer->size, &rounded) || rounded != contents->size)
		return number;
	return path_tree__sibling(paths->tree, number, PATH_VALUE, type);
}

void path_own__begin(struct heap_paths *paths)
{
	const struct heap_runtime *runtime = paths->runtime;
	uint64_t p = type_index__find(paths->type_index, "runtime", "p");
	uint64_t g = type_index__find(paths->type_index, "runtime", "g");
	uint64_t allp[2] = {0}, allgs = 0;
	uint64_t *procs;
	size_t n;

	free(paths->own);
	paths->own = NULL;
	paths->n_own = 0;
	if ((paths->variables && go_variables__count(paths->variables)) ||
	    (runtime->allp && remote__read(runtime->remote, runtime->allp, allp, sizeof(allp))) ||
	    (runtime->allgptr && remote__read_u64(runtime->remote, runtime->allgptr, &allgs)))
		return;
	n = (size_t)min_of(allp[1], (uint64_t)MAX_PROCS);
	procs = calloc(n + 1, sizeof(*procs));
	paths->own = procs ? calloc(n + 2, sizeof(*paths->own)) : NULL;
	if (paths->own) {
		add(paths, allgs, HEAP_ALLOCATED_ARRAY, g ? pointer_to(paths, g) : 0);
		add(paths, allp[0], HEAP_ALLOCATED_ARRAY, p ? pointer_to(paths, p) : 0);
		if (n && remote__read(runtime->remote, allp[0], procs, n * sizeof(*procs)))
			n = 0;
		for (size_t i = 0; i < n; i++)
			add(paths, procs[i], HEAP_ALLOCATED_VALUE, p);
		qsort(paths->own, paths->n_own, sizeof(*paths->own), by_object);
	}
	free(procs);
}

const struct heap_allocation *path_own__find(const struct heap_paths *paths, uint64_t object)
{
	const struct heap_known wanted = {.object = object};
	const struct heap_known *found = paths->n_own ? bsearch(&wanted, paths->own, paths->n_own,
								sizeof(wanted), by_object) :
							NULL;

	return found ? &found->what : NULL;
}

const char *path_own__variable(const struct heap_paths *paths, uint64_t address)
{
	const struct heap_runtime *runtime = paths->runtime;

	if (runtime->allp && address - runtime->allp < 8)
		return "runtime.allp";
	if (runtime->allgptr && address - runtime->allgptr < 8)
		return "runtime.allgptr";
	return NULL;
}
