// SPDX-License-Identifier: Apache-2.0
/*
 * Armed timers. Until Go 1.22 all of them are in the heaps of the Ps; from 1.23 on those whose channel
 * nobody waits on are in none, and exist for as long as something leads to them (src/runtime/time.go).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/index.h"
#include "golang/pclntab.h"
#include "heap/mark/private.h"
#include "heap/paths/private.h"
#include "heap/resources/private.h"

#define WORD	   8u
#define MAX_PS	   4096u
#define MAX_TIMERS (1u << 20) /* of one P */
#define BATCH	   512u
/* src/runtime/time.go timerWhen, from this version on: a pointer and its time. Before: a pointer. */
#define WITH_TIMES 23
/* src/runtime/time.go timeTimer, from 1.23 on: a timer behind a pointer and a bool. */
#define IN_TIMETIMER 16u

/* src/runtime/time.go timer, from when on, in all versions. */
struct timer_words {
	int64_t when, period;
	uint64_t f, arg_type, arg;
	uint64_t seq;
	uint64_t nextwhen, status; /* until Go 1.22 */
};

struct timers {
	struct heap_resources *resources;
	struct heap_scan *scan;
	struct index *seen; /* objects that are among the resources by now */
	bool wanted[PATH_MAX_NODES + 1];
};

static bool was_seen(const struct timers *timers, uint64_t object)
{
	struct index_search search = index__search(timers->seen, hash__keyed_word(object));

	while (index__next(&search)) {
		if (timers->resources->all[search.number].object == object)
			return true;
	}
	return false;
}

/* The link-time entry of a func value; 0. */
static uint64_t code_of(const struct heap_runtime *runtime, uint64_t func)
{
	uint64_t code;

	if (!func || remote__read_u64(runtime->remote, func, &code))
		return 0;
	return code - runtime->bias;
}

static bool is_named(const struct heap_runtime *runtime, uint64_t code, const char *name)
{
	struct pclntab_func func;
	char is[64];

	return runtime->tab && !pclntab__lookup(runtime->tab, code, &func) &&
	       pclntab__name(runtime->tab, &func, is, sizeof(is)) > 0 && !strcmp(is, name);
}

/*
 * One that was stopped stays in its heap for a while: until Go 1.22 with a status that says so
 * (src/runtime/time.go timerDeleted 3, timerRemoving 4, timerRemoved 5), from 1.23 on with no time.
 */
static bool is_armed(const struct heap_runtime *runtime, const struct timer_words *words)
{
	uint32_t status = (uint32_t)words->status;

	return words->when > 0 &&
	       (runtime->layout->minor >= WITH_TIMES || (status && (status < 3 || status > 5)));
}

/*
 * The program's own are those of package time: a channel is sent to, or a function called
 * (src/time/sleep.go sendTime, goFunc). All others are the runtime's: goroutines that sleep, deadlines.
 */
static bool is_programs(const struct heap_runtime *runtime, const struct timer_words *words,
			uint64_t *ret_function)
{
	uint64_t code = code_of(runtime, words->f);

	*ret_function = 0;
	if (is_named(runtime, code, "time.sendTime"))
		return true;
	if (!is_named(runtime, code, "time.goFunc"))
		return false;
	*ret_function = code_of(runtime, words->arg);
	return true;
}

static int add(struct timers *timers, const struct timer_words *words, uint64_t object,
	       uint16_t node)
{
	struct heap_resources *resources = timers->resources;
	struct heap_resource found = {
		.kind = words->period > 0 ? RESOURCE_TICKER : RESOURCE_TIMER,
		.node = node,
		.held = true,
		.object = object,
		.value = object,
		.id = (uint64_t)(words->period > 0 ? words->period : words->when),
	};
	size_t n = resources->n;
	int err;

	if (words->period <= 0 && words->when > resources->now_ns)
		found.left_ns = (uint64_t)(words->when - resources->now_ns);
	if (path_tree__is_young(heap_paths__tree(resources->paths), node) ||
	    was_seen(timers, object) || !is_programs(resources->runtime, words, &found.function))
		return 0;
	err = resources__add(resources, &found);
	if (!err && resources->n > n)
		err = index__add(timers->seen, hash__keyed_word(object), (uint32_t)n);
	return err;
}

/* --- heaps of the Ps ---------------------------------------------------------------------------- */

static int take_timer(struct timers *timers, uint64_t address, const struct timer_words *words)
{
	struct heap_resources *resources = timers->resources;
	const struct heap_mark *mark = heap_scan__mark(timers->scan);
	uint64_t object = heap_mark__object(mark, address, NULL);
	uint32_t span = object ? heap_spans__find(mark->spans, object) : HEAP_NO_SPAN;
	uint64_t slot;

	/* What is no object of the heap belongs to something of the runtime's. */
	if (span == HEAP_NO_SPAN || !is_armed(resources->runtime, words))
		return 0;
	slot = (uint64_t)mark->spans->all[span].first_word * 64 +
	       heap_span__index(&mark->spans->all[span], object);
	return add(timers, words, object, heap_paths__at(resources->paths, slot));
}

/* @n timers, whose addresses are the first of each @stride words. */
static int take_some(struct timers *timers, const uint64_t *words, size_t n, size_t stride)
{
	const struct heap_runtime *runtime = timers->resources->runtime;
	struct timer_words values[BATCH];
	struct remote_span reads[BATCH];
	int err;

	for (size_t i = 0; i < n; i++)
		reads[i] = (struct remote_span){
			.address = words[i * stride] + runtime->layout->timer_when,
			.buffer = &values[i],
			.size = sizeof(values[i]),
		};
	err = remote__read_spans(runtime->remote, reads, n);
	for (size_t i = 0; i < n && !err; i++) {
		if (!reads[i].result)
			err = take_timer(timers, words[i * stride], &values[i]);
	}
	return err;
}

static int take_heap(struct timers *timers, uint64_t p)
{
	const struct heap_runtime *runtime = timers->resources->runtime;
	size_t stride = runtime->layout->minor >= WITH_TIMES ? 2 : 1;
	uint64_t slice[2], words[2 * BATCH], n;
	int err = 0;

	if (!p ||
	    remote__read(runtime->remote, p + runtime->layout->p_timers, slice, sizeof(slice)))
		return 0;
	n = min_of(slice[1], (uint64_t)MAX_TIMERS);
	timers->resources->refused += slice[1] - n;
	for (uint64_t i = 0; i < n && !err; i += BATCH) {
		size_t some = (size_t)min_of(n - i, (uint64_t)BATCH);

		/* The heap has moved: the next look will find it. */
		if (remote__read(runtime->remote, slice[0] + i * stride * WORD, words,
				 some * stride * WORD))
			return 0;
		err = take_some(timers, words, some, stride);
	}
	return err;
}

static int take_heaps(struct timers *timers)
{
	const struct heap_runtime *runtime = timers->resources->runtime;
	uint64_t slice[2], p;
	int err = 0;

	if (!runtime->allp || runtime->layout->p_timers == GO_LAYOUT_ABSENT ||
	    remote__read(runtime->remote, runtime->allp, slice, sizeof(slice)))
		return 0;
	for (uint64_t i = 0; i < min_of(slice[1], (uint64_t)MAX_PS) && !err; i++) {
		if (!remote__read_u64(runtime->remote, slice[0] + i * WORD, &p))
			err = take_heap(timers, p);
	}
	return err;
}

/* --- timers that something leads to ------------------------------------------------------------- */

static int see_timer(void *ctx, uint16_t node, const struct heap_span *span, uint64_t object)
{
	struct timers *timers = ctx;
	const struct heap_runtime *runtime = timers->resources->runtime;
	uint64_t at = object + IN_TIMETIMER + runtime->layout->timer_when;
	struct timer_words words;

	if (span->elemsize < IN_TIMETIMER + runtime->layout->timer_when + sizeof(words) ||
	    remote__read(runtime->remote, at, &words, sizeof(words)))
		return 0;
	/* One that has fired keeps its time until somebody looks at its channel. */
	if (words.when <= 0 || (words.period <= 0 && words.when <= timers->resources->now_ns))
		return 0;
	return add(timers, &words, object, node);
}

/*
 * What a *time.Timer or *time.Ticker leads to is larger than the type says, so that the node itself is of no
 * known type; where its channel leads to it (src/runtime/chan.go hchan.timer), it is the channel's.
 */
static bool is_timer(struct heap_resources *resources, const struct path_node *node)
{
	const struct path_tree *tree = heap_paths__tree(resources->paths);
	const struct heap_type *pointer;
	const struct heap_shape *shape;

	if (node->role == PATH_INTERNAL)
		return path_tree__node(tree, node->parent)->role == PATH_CHAN;
	pointer = node->shown ? heap_types__any(resources->paths->types, node->shown) : NULL;
	shape = pointer ? heap_types__shape(resources->paths->types, pointer) : NULL;
	return shape && pointer->kind == GO_KIND_POINTER && shape->elem &&
	       (shape->elem == resources->timer_type || shape->elem == resources->ticker_type);
}

static int take_held(struct timers *timers)
{
	struct heap_resources *resources = timers->resources;
	const struct path_tree *tree = heap_paths__tree(resources->paths);
	size_t n = path_tree__count(tree);

	if (resources->runtime->layout->minor < WITH_TIMES)
		return 0;
	for (size_t i = 1; i < n; i++) {
		const struct path_node *node = path_tree__node(tree, (uint16_t)i);

		timers->wanted[i] = is_timer(resources, node);
	}
	return resource_objects__each(resources, timers->scan, timers->wanted, see_timer, timers);
}

int resource_timers__take(struct heap_resources *resources, struct heap_scan *scan)
{
	struct timers *timers = calloc(1, sizeof(*timers));
	int err = timers ? index__new(HEAP_MAX_RESOURCES, &timers->seen) : -ENOMEM;

	if (!err) {
		timers->resources = resources;
		timers->scan = scan;
		err = take_heaps(timers);
		if (!err)
			err = take_held(timers);
		index__free(timers->seen);
	}
	free(timers);
	return err;
}
