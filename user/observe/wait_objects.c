// SPDX-License-Identifier: Apache-2.0
/*
 * Nothing stops the target. The g structs are read before and after everything else: what was read
 * between two equal readings of goid, status, waiting and trackingSeq belongs to that wait.
 */
#include "observe/wait_objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "golang/arch.h"
#include "golang/semtable.h"
#include "observe/wait_find.h"

#define WORD		  sizeof(uint64_t)
#define MAX_WINDOW	  512				 /* of a g; it has had 392 to 456 bytes */
#define MAX_COUNTED	  (4 * WAIT_OBJECTS_MAX_WAITERS) /* waiters on all objects together */
#define COUNT_ATTEMPTS	  3
#define SEMTABLE_ATTEMPTS 3

const char *wait_object_kind__name(enum wait_object_kind kind)
{
	static const char *const names[] = {
		[WAIT_OBJECT_CHANNEL] = "channel", [WAIT_OBJECT_MUTEX] = "mutex",
		[WAIT_OBJECT_RWMUTEX] = "rwmutex", [WAIT_OBJECT_WAIT_GROUP] = "wait group",
		[WAIT_OBJECT_COND] = "cond",	   [WAIT_OBJECT_SEMAPHORE] = "semaphore",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

/* --- the reader --------------------------------------------------------------------------------- */

static bool set_window(struct wait_reader *reader)
{
	const struct go_layout *l = reader->runtime.layout;
	const uint32_t fields[] = {l->g_stack_hi, l->g_sched_sp,   l->g_atomicstatus, l->g_goid,
				   l->g_waiting,  l->g_waitreason, l->g_trackingSeq};
	uint32_t lo = UINT32_MAX, hi = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i] > MAX_WINDOW)
			return false;
		lo = min_of(lo, fields[i]);
		hi = max_of(hi, fields[i] + (uint32_t)WORD);
	}
	reader->window = lo;
	reader->window_size = hi - lo;
	return hi <= l->g_sizeof && reader->window_size <= MAX_WINDOW;
}

int wait_reader__new_runtime(const struct wait_runtime *runtime, struct remote *remote,
			     struct wait_reader **ret_reader)
{
	struct wait_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->remote = remote;
	reader->runtime = *runtime;
	reader->sudog_slot = WAIT_NO_SLOT;
	reader->cond_slot = WAIT_NO_SLOT;
	reader->budget.left = WAIT_LOOK_STEPS;
	reader->usable = set_window(reader) && wait_queues__usable(runtime->layout);
	*ret_reader = reader;
	return 0;
}

int wait_reader__new(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
		     struct wait_reader **ret_reader)
{
	const struct go_layout *layout = go_binary__layout(binary);
	const struct go_arch *arch = go_arch__of(go_binary__image(binary));
	uint64_t semtable = go_binary__globals(binary)->semtable;
	uint64_t allp = go_binary__globals(binary)->allp;
	const struct wait_runtime runtime = {
		.layout = layout,
		.allp = allp ? allp + load_bias : 0,
		.semtable = semtable ? semtable + load_bias : 0,
		.semtable_stride = arch->cache_line(layout->minor),
	};
	int err = wait_reader__new_runtime(&runtime, remote, ret_reader);

	if (err)
		return err;
	(*ret_reader)->binary = binary;
	(*ret_reader)->load_bias = load_bias;
	return 0;
}

void wait_reader__begin(struct wait_reader *reader)
{
	wait_timers__clear(&reader->timers);
	reader->runtime.timers = NULL;
	reader->budget.left = WAIT_LOOK_STEPS;
}

void wait_reader__free(struct wait_reader *reader)
{
	if (reader)
		wait_timers__clear(&reader->timers);
	free(reader);
}

/* With a budget of its own: many timers must not use up that of the look at the waits. */
static void find_timers(struct wait_reader *reader)
{
	struct wait_budget budget = {WAIT_TIMER_STEPS};
	struct wait_memory *memory;

	if (reader->runtime.timers || !wait_timers__useful(&reader->runtime) ||
	    wait_memory__new(reader->remote, &budget, &memory))
		return;
	if (!wait_timers__read(&reader->runtime, memory, &reader->timers))
		reader->runtime.timers = &reader->timers;
	wait_memory__free(memory);
}

/*
 * In a stripped program the semaphore table can be found only while a goroutine waits in it, as one
 * does now.
 */
static void find_semtable(struct wait_reader *reader)
{
	uint64_t found;

	if (reader->runtime.semtable || !reader->binary ||
	    reader->semtable_attempts == SEMTABLE_ATTEMPTS)
		return;
	reader->semtable_attempts++;
	found = go_binary__find_semtable(reader->binary, reader->remote, reader->load_bias);
	if (found)
		reader->runtime.semtable = found + reader->load_bias;
}

/* --- g structs ---------------------------------------------------------------------------------- */

struct windows {
	uint8_t data[WAIT_OBJECTS_MAX_MEMBERS][MAX_WINDOW];
	struct remote_span spans[WAIT_OBJECTS_MAX_MEMBERS];
};

static int read_windows(struct wait_visit *visit, struct windows *windows)
{
	struct wait_reader *reader = visit->reader;
	struct wait_look *look = visit->look;

	for (size_t i = 0; i < look->n_members; i++)
		windows->spans[i] = (struct remote_span){
			.address = look->members[i].g + reader->window,
			.buffer = windows->data[i],
			.size = reader->window_size,
		};
	return remote__read_spans(reader->remote, windows->spans, look->n_members);
}

/* The fields of a g that must not change; false when it was not read. */
static bool decode(const struct wait_visit *visit, const struct windows *windows, size_t i,
		   struct wait_look_member *ret_member)
{
	const struct go_layout *l = visit->reader->runtime.layout;
	const uint8_t *data = windows->data[i];
	uint32_t base = visit->reader->window;

	if (windows->spans[i].result)
		return false;
	ret_member->goid = bytes__u64(data, l->g_goid - base);
	ret_member->waiting = bytes__u64(data, l->g_waiting - base);
	ret_member->sp = bytes__u64(data, l->g_sched_sp - base);
	ret_member->stack_hi = bytes__u64(data, l->g_stack_hi - base);
	ret_member->status = go_status__of(bytes__u32(data, l->g_atomicstatus - base));
	ret_member->reason = data[l->g_waitreason - base];
	ret_member->sequence = data[l->g_trackingSeq - base];
	return true;
}

/*
 * The caller may know from the frames what a semaphore is part of; the reason of the wait does not
 * tell.
 */
static bool fits(const struct wait_visit *visit, enum wait_class by_text)
{
	return by_text == visit->class ||
	       (by_text == WAIT_SEMAPHORE &&
		(visit->class == WAIT_LOCK || visit->class == WAIT_WAIT_GROUP));
}

static int read_members(struct wait_visit *visit, struct windows *windows)
{
	int err = read_windows(visit, windows);

	for (size_t i = 0; !err && i < visit->look->n_members; i++) {
		struct wait_look_member *member = &visit->look->members[i];
		struct wait_look_member now = *member;

		member->good = decode(visit, windows, i, &now) && now.goid == member->goid &&
			       go_status__waits(now.status) &&
			       fits(visit, wait_class__of(wait__reason_text(visit, &now)));
		if (member->good) {
			*member = now;
			member->good = true;
		}
	}
	return err;
}

static int check_members(struct wait_visit *visit, struct windows *windows)
{
	int err = read_windows(visit, windows);

	for (size_t i = 0; !err && i < visit->look->n_members; i++) {
		struct wait_look_member *member = &visit->look->members[i];
		struct wait_look_member now = {0};

		member->good = member->good && decode(visit, windows, i, &now) &&
			       now.goid == member->goid && now.status == member->status &&
			       now.waiting == member->waiting && now.reason == member->reason &&
			       now.sequence == member->sequence;
	}
	return err;
}

/* --- how many wait -------------------------------------------------------------------------------- */

static struct wait_count count_queue(struct wait_visit *visit,
				     const struct wait_look_object *object, uint64_t first,
				     uint32_t limit)
{
	struct wait_count count = wait_queues__count_channel(&visit->reader->runtime, visit->memory,
							     object->key, first, limit);

	visit->counted += count.n;
	return count;
}

static bool count_channel(struct wait_visit *visit, struct wait_look_object *object,
			  struct wait_object *described)
{
	uint32_t limit = WAIT_OBJECTS_MAX_WAITERS;
	struct wait_count receivers, senders;

	/* A channel that cannot be read any more stays as it was first read. */
	if (wait_queues__channel(&visit->reader->runtime, visit->memory, object->key,
				 &object->channel))
		return false;
	receivers = count_queue(visit, object, object->channel.receivers, limit);
	senders = count_queue(visit, object, object->channel.senders, limit - receivers.n);
	described->receivers = receivers.n;
	described->senders = senders.n;
	described->more_waiters = receivers.more || senders.more;
	described->length = object->channel.length;
	described->capacity = object->channel.capacity;
	described->value_bytes = object->channel.value_bytes;
	described->closed = object->channel.closed;
	described->timer = object->channel.timer;
	return !described->more_waiters || receivers.n + senders.n == limit;
}

static bool count_variable(struct wait_visit *visit, const struct wait_look_object *object,
			   struct wait_object *described)
{
	const struct wait_runtime *runtime = &visit->reader->runtime;
	uint32_t limit = WAIT_OBJECTS_MAX_WAITERS;
	struct wait_count count;
	bool found;

	if (object->kind == WAIT_OBJECT_COND)
		count = wait_queues__count_notify_list(runtime, visit->memory, object->key, 0,
						       limit, &found);
	else
		count = wait_queues__count_semaphore(runtime, visit->memory, object->key, limit);
	visit->counted += count.n;
	described->waiters = count.n;
	described->more_waiters = count.more;
	return !count.more || count.n == limit ||
	       (object->kind != WAIT_OBJECT_COND && !runtime->semtable);
}

/* A queue that changed while it was walked is walked again, a few times. */
static void describe(struct wait_visit *visit, struct wait_look_object *object,
		     struct wait_object *described)
{
	described->kind = object->kind;
	described->address = object->address;
	for (int attempt = 0; attempt < COUNT_ATTEMPTS; attempt++) {
		bool done;

		if (visit->counted >= MAX_COUNTED) {
			described->more_waiters = true;
			break;
		}
		done = object->kind == WAIT_OBJECT_CHANNEL ?
			       count_channel(visit, object, described) :
			       count_variable(visit, object, described);
		if (done)
			break;
		wait_memory__forget(visit->memory);
	}
}

/* Leaving out goroutines that ran meanwhile may have changed the order. */
static void sort_top(struct wait_objects *objects)
{
	for (size_t i = 1; i < objects->n_top; i++) {
		struct wait_object object = objects->top[i];
		size_t at = i;

		for (; at > 0 && objects->top[at - 1].members < object.members; at--)
			objects->top[at] = objects->top[at - 1];
		objects->top[at] = object;
	}
}

static int look(struct wait_visit *visit, struct windows *windows, struct wait_objects *ret_objects)
{
	struct wait_object described[WAIT_OBJECTS_TOP] = {0};
	uint32_t top[WAIT_OBJECTS_TOP];
	struct wait_objects objects;
	size_t n;
	int err = read_members(visit, windows);

	if (err)
		return err;
	wait_find__objects(visit);
	wait_look__count(visit->look);
	n = wait_look__top(visit->look, top);
	for (size_t i = 0; i < n; i++)
		describe(visit, &visit->look->objects[top[i]], &described[i]);
	err = check_members(visit, windows);
	if (err)
		return err;
	wait_look__count(visit->look);
	wait_look__sum_up(visit->look, &objects);
	for (size_t i = 0; i < n; i++) {
		struct wait_object *object = &described[i];

		object->members = visit->look->objects[top[i]].members;
		if (object->kind != WAIT_OBJECT_CHANNEL)
			object->waiters = max_of(object->waiters, object->members);
		if (object->members)
			objects.top[objects.n_top++] = *object;
	}
	sort_top(&objects);
	*ret_objects = objects;
	return 0;
}

static bool choose_how(struct wait_visit *visit)
{
	bool in_g = visit->reader->runtime.layout->minor >= 26;

	switch (wait_class__facts(visit->class)->on) {
	case WAIT_ON_CHANNELS:
		visit->how = WAIT_BY_CHANNELS;
		return true;
	case WAIT_ON_SEMAPHORE:
		visit->how = in_g ? WAIT_BY_SUDOG : WAIT_BY_STACK;
		return true;
	case WAIT_ON_COND:
		visit->how = in_g ? WAIT_BY_SUDOG : WAIT_COND_BY_STACK;
		return true;
	case WAIT_ON_NOTHING:
		break;
	}
	return false;
}

int wait_reader__read(struct wait_reader *reader, enum wait_class class, const char *wait_reason,
		      const struct wait_member *members, size_t n, struct wait_objects *ret_objects)
{
	struct wait_visit visit = {.reader = reader, .class = class, .wait_reason = wait_reason};
	struct windows *windows __cleanup_free = NULL;
	int err = -ENOMEM;

	if (!reader->usable || !choose_how(&visit))
		return -EOPNOTSUPP;
	if (visit.how == WAIT_BY_SUDOG || visit.how == WAIT_BY_STACK)
		find_semtable(reader);
	if (visit.how == WAIT_BY_CHANNELS)
		find_timers(reader);
	windows = malloc(sizeof(*windows));
	visit.look = wait_look__new();
	if (windows && visit.look &&
	    !wait_memory__new(reader->remote, &reader->budget, &visit.memory)) {
		visit.look->n_members = min_of(n, (size_t)WAIT_OBJECTS_MAX_MEMBERS);
		for (size_t i = 0; i < visit.look->n_members; i++) {
			visit.look->members[i].goid = members[i].goid;
			visit.look->members[i].g = members[i].address;
		}
		err = look(&visit, windows, ret_objects);
		wait_memory__free(visit.memory);
	}
	wait_look__free(visit.look);
	return err;
}
