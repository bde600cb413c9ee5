// SPDX-License-Identifier: Apache-2.0
/* What the events of one generation of an execution trace say, in the order of their times. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "record/go_trace_private.h"

/* src/internal/trace/tracev2/events.go GoStatus */
enum status_of_goroutine { GO_RUNNABLE = 1, GO_RUNNING = 2, GO_SYSCALL = 3, GO_WAITING = 4 };

/* Where it stands, to be read again in its turn. */
struct event {
	uint64_t time;
	uint32_t batch, offset;
};

struct event_list {
	struct event *items;
	size_t n, capacity;
};

struct player {
	struct go_trace *trace;
	struct generation *generation;
	struct traced_thread *thread; /* of the event */
	uint64_t ns;
	uint64_t args[GO_TRACE_MAX_ARGS - 1]; /* behind the time */
};

/* How many numbers follow each, its time among them; 0: it has no place among events (there, specs). */
static unsigned int count_args(uint8_t type)
{
	static const uint8_t timed[] = {
		[9] = 3,  [10] = 3, [11] = 1, [12] = 4, [13] = 3, [14] = 4, [15] = 2, [16] = 3,
		[17] = 1, [18] = 1, [19] = 3, [20] = 3, [21] = 4, [22] = 3, [23] = 1, [24] = 1,
		[25] = 4, [26] = 3, [27] = 1, [28] = 2, [29] = 3, [30] = 2, [31] = 2, [32] = 2,
		[33] = 3, [34] = 2, [35] = 2, [36] = 1, [37] = 2, [38] = 2, [39] = 2, [40] = 5,
		[41] = 3, [42] = 4, [43] = 4, [44] = 5, [45] = 3, [46] = 3, [47] = 4, [48] = 5,
	};
	/* GODEBUG=traceallocfree=1: spans, objects, stacks. */
	static const uint8_t experimental[] = {4, 4, 2, 3, 3, 2, 3, 3, 3};
	const uint8_t first = 128;

	if (type < ARRAY_SIZE(timed))
		return timed[type];
	return type >= first && type - first < (int)ARRAY_SIZE(experimental) ?
		       experimental[type - first] :
		       0;
}

/* The type of the next event, whose numbers are @args; 0: it is none. */
static uint8_t read_event(struct bytes_left *left, uint64_t args[GO_TRACE_MAX_ARGS])
{
	uint8_t type = bytes_left__u8(left);
	unsigned int n = count_args(type);

	for (unsigned int i = 0; i < n; i++)
		args[i] = bytes_left__varint(left);
	return n && !left->bad ? type : 0;
}

/* --- their order --------------------------------------------------------------------------------- */

static int list_batch(const struct batch *batch, uint32_t number, struct event_list *list)
{
	struct bytes_left left = {.at = batch->data, .end = batch->data + batch->size};
	uint64_t args[GO_TRACE_MAX_ARGS], time = batch->time;

	while (bytes_left__any(&left)) {
		uint32_t offset = (uint32_t)(left.at - batch->data);

		if (!read_event(&left, args))
			return -EPROTO;
		time += args[0];
		if (list->n == GO_TRACE_MAX_EVENTS)
			return -E2BIG;
		if (!array__reserve(list->items, list->capacity, list->n + 1))
			return -ENOMEM;
		list->items[list->n++] = (struct event){time, number, offset};
	}
	return 0;
}

/* Those of one thread stay in the order in which they were written. */
static int by_time(const void *a, const void *b)
{
	const struct event *left = a, *right = b;

	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	if (left->batch != right->batch)
		return left->batch < right->batch ? -1 : 1;
	return (left->offset > right->offset) - (left->offset < right->offset);
}

static int list_events(const struct generation *generation, struct event_list *list)
{
	int err = 0;

	for (size_t i = 0; i < generation->n_batches && !err; i++)
		err = list_batch(&generation->batches[i], (uint32_t)i, list);
	if (!err && list->n)
		qsort(list->items, list->n, sizeof(*list->items), by_time);
	return err;
}

/* --- goroutines ---------------------------------------------------------------------------------- */

static const char *text_of(struct player *player, uint64_t id)
{
	return generation__text(player->generation, &player->trace->arena, id);
}

/* Of two events of one moment on two threads, the numbers say which was first. */
static bool is_outdated(const struct player *player, struct traced *traced, uint64_t sequence)
{
	if (traced->generation == player->trace->generation && sequence < traced->sequence)
		return true;
	traced->generation = player->trace->generation;
	traced->sequence = sequence;
	return false;
}

/* The goroutine that the event is about runs on its thread. */
static void start(struct player *player)
{
	uint32_t number;

	if (!go_trace__number(player->trace, player->args[0], &number))
		return;
	is_outdated(player, &player->trace->goroutines[number], player->args[1]);
	go_trace__enter(player->trace, number, TIMELINE_RUNNING, "", player->ns);
	player->thread->goroutine = number + 1;
}

static void unblock(struct player *player)
{
	uint32_t number;

	if (go_trace__number(player->trace, player->args[0], &number) &&
	    !is_outdated(player, &player->trace->goroutines[number], player->args[1]))
		go_trace__enter(player->trace, number, TIMELINE_RUNNABLE, "", player->ns);
}

/* Who runs on the thread is in @state from now on, and runs there no more unless it @stays. */
static void change_own(struct player *player, enum timeline_state state, const char *reason,
		       bool stays)
{
	uint32_t own = player->thread->goroutine;

	if (own)
		go_trace__enter(player->trace, own - 1, state, reason, player->ns);
	if (!stays)
		player->thread->goroutine = 0;
}

static void end_own(struct player *player)
{
	uint32_t own = player->thread->goroutine;

	if (own)
		go_trace__leave(player->trace, own - 1, player->ns);
	player->thread->goroutine = 0;
}

static void create(struct player *player, enum timeline_state state)
{
	struct traced *traced;
	uint32_t number;

	if (!go_trace__number(player->trace, player->args[0], &number))
		return;
	traced = &player->trace->goroutines[number];
	traced->function =
		generation__function(player->generation, &player->trace->arena, player->args[1]);
	/* It may have started in the same moment. */
	if (!traced->known)
		go_trace__enter(player->trace, number, state, "", player->ns);
}

/* C has called, on a thread that Go did not make. */
static void create_in_call(struct player *player)
{
	uint32_t number;

	if (!go_trace__number(player->trace, player->args[0], &number))
		return;
	go_trace__enter(player->trace, number, TIMELINE_IN_SYSCALL, "", player->ns);
	player->thread->goroutine = number + 1;
}

/* How it is as the generation begins. */
static void take_status(struct player *player)
{
	struct traced_thread *thread;
	enum timeline_state state;
	uint32_t number;

	switch (player->args[2]) {
	case GO_RUNNABLE:
		state = TIMELINE_RUNNABLE;
		break;
	case GO_RUNNING:
		state = TIMELINE_RUNNING;
		break;
	case GO_SYSCALL:
		state = TIMELINE_IN_SYSCALL;
		break;
	case GO_WAITING:
		state = TIMELINE_WAITING;
		break;
	default:
		return;
	}
	if (!go_trace__number(player->trace, player->args[0], &number))
		return;
	/* What it waits for is known from the generation before, or is not. */
	if (!player->trace->goroutines[number].known ||
	    player->trace->goroutines[number].state != state)
		go_trace__enter(player->trace, number, state, "", player->ns);
	if (state != TIMELINE_RUNNING && state != TIMELINE_IN_SYSCALL)
		return;
	thread = go_trace__thread(player->trace, player->args[1]);
	if (thread)
		thread->goroutine = number + 1;
}

/* --- spans --------------------------------------------------------------------------------------- */

static void begin_region(struct player *player)
{
	struct go_trace *trace = player->trace;
	uint32_t own = player->thread->goroutine;

	if (!own || trace->n_open_regions == GO_TRACE_MAX_OPEN_REGIONS ||
	    !array__reserve(trace->open_regions, trace->open_regions_capacity,
			    trace->n_open_regions + 1)) {
		trace->timeline.left_out++;
		return;
	}
	trace->open_regions[trace->n_open_regions++] = (struct owned_span){
		own - 1, {.begin_ns = player->ns, .name = text_of(player, player->args[1])}};
}

static void end_region(struct player *player)
{
	struct go_trace *trace = player->trace;
	const char *name = text_of(player, player->args[1]);
	uint32_t own = player->thread->goroutine;
	struct owned_span span = {
		own ? own - 1 : 0,
		{.begin_ns = trace->timeline.begin_ns, .end_ns = player->ns, .name = name}};

	if (!own)
		return;
	for (size_t i = trace->n_open_regions; i-- > 0;) {
		const struct owned_span *open = &trace->open_regions[i];

		if (open->goroutine != span.goroutine || strcmp(open->span.name, name) != 0)
			continue;
		span.span.begin_ns = open->span.begin_ns;
		memmove(&trace->open_regions[i], &trace->open_regions[i + 1],
			(--trace->n_open_regions - i) * sizeof(*open));
		break;
	}
	go_trace__add_span(trace, &trace->regions, &span);
}

static void begin_span(struct player *player, struct owned_span *under_way, const char *name)
{
	if (!under_way->span.name)
		under_way->span = (struct timeline_span){.begin_ns = player->ns, .name = name};
}

static void end_span(struct player *player, struct span_list *list, struct owned_span *under_way)
{
	if (!under_way->span.name)
		return;
	under_way->span.end_ns = player->ns;
	go_trace__add_span(player->trace, list, under_way);
	under_way->span.name = NULL;
}

/* --- all of them --------------------------------------------------------------------------------- */

/* False: it is not about a goroutine's state. */
static bool play_goroutine(struct player *player, uint8_t type)
{
	switch (type) {
	case GO_EV_GO_CREATE:
		create(player, TIMELINE_RUNNABLE);
		break;
	case GO_EV_GO_CREATE_BLOCKED:
		create(player, TIMELINE_WAITING);
		break;
	case GO_EV_GO_CREATE_SYSCALL:
		create_in_call(player);
		break;
	case GO_EV_GO_START:
		start(player);
		break;
	case GO_EV_GO_DESTROY:
	case GO_EV_GO_DESTROY_SYSCALL:
		end_own(player);
		break;
	case GO_EV_GO_STOP:
		change_own(player, TIMELINE_RUNNABLE, text_of(player, player->args[0]), false);
		break;
	case GO_EV_GO_BLOCK:
		change_own(player, TIMELINE_WAITING, text_of(player, player->args[0]), false);
		break;
	case GO_EV_GO_UNBLOCK:
		unblock(player);
		break;
	case GO_EV_GO_SYSCALL_BEGIN:
		change_own(player, TIMELINE_IN_SYSCALL, "", true);
		break;
	case GO_EV_GO_SYSCALL_END:
		change_own(player, TIMELINE_RUNNING, "", true);
		break;
	case GO_EV_GO_SYSCALL_END_BLOCKED:
		change_own(player, TIMELINE_RUNNABLE, "", false);
		break;
	case GO_EV_GO_STATUS:
	case GO_EV_GO_STATUS_STACK:
		take_status(player);
		break;
	case GO_EV_GO_SWITCH:
		change_own(player, TIMELINE_WAITING, "coroutine", false);
		start(player);
		break;
	case GO_EV_GO_SWITCH_DESTROY:
		end_own(player);
		start(player);
		break;
	default:
		return false;
	}
	return true;
}

static void play_other(struct player *player, uint8_t type)
{
	struct go_trace *trace = player->trace;

	switch (type) {
	case GO_EV_STW_BEGIN:
		begin_span(player, &trace->stop, text_of(player, player->args[0]));
		break;
	case GO_EV_STW_END:
		end_span(player, &trace->stops, &trace->stop);
		break;
	case GO_EV_GC_ACTIVE:
	case GO_EV_GC_BEGIN:
		begin_span(player, &trace->gc, "GC");
		break;
	case GO_EV_GC_END:
		end_span(player, &trace->gcs, &trace->gc);
		break;
	case GO_EV_HEAP_ALLOC:
		go_trace__add_level(trace, &trace->heap, player->ns, player->args[0]);
		break;
	case GO_EV_HEAP_GOAL:
		go_trace__add_level(trace, &trace->goal, player->ns, player->args[0]);
		break;
	case GO_EV_USER_REGION_BEGIN:
		begin_region(player);
		break;
	case GO_EV_USER_REGION_END:
		end_region(player);
		break;
	default:
		break;
	}
}

static void play(struct player *player, const struct event *event)
{
	const struct batch *batch = &player->generation->batches[event->batch];
	struct bytes_left left = {.at = batch->data + event->offset,
				  .end = batch->data + batch->size};
	struct go_trace *trace = player->trace;
	uint64_t args[GO_TRACE_MAX_ARGS] = {0};
	uint8_t type = read_event(&left, args);
	__int128 ns = (__int128)generation__ns(player->generation, event->time) - trace->offset_ns;

	player->thread = go_trace__thread(trace, batch->m);
	if (!player->thread)
		return;
	player->ns = ns < 0 ? 0 : (uint64_t)min_of(ns, (__int128)INT64_MAX);
	memcpy(player->args, args + 1, sizeof(player->args));
	if (!trace->timeline.begin_ns)
		trace->timeline.begin_ns = player->ns;
	trace->last_ns = max_of(trace->last_ns, player->ns);
	if (!play_goroutine(player, type))
		play_other(player, type);
}

int go_trace__play(struct go_trace *trace, struct generation *generation)
{
	struct player player = {.trace = trace, .generation = generation};
	struct event_list list = {0};
	int err = list_events(generation, &list);

	trace->generation++;
	for (size_t i = 0; i < list.n && !err && !trace->err && !trace->arena.failed; i++)
		play(&player, &list.items[i]);
	free(list.items);
	if (err)
		return err;
	return trace->err || trace->arena.failed ? -ENOMEM : 0;
}
