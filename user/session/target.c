// SPDX-License-Identifier: Apache-2.0
#include "session/target_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "host/image_file.h"
#include "host/self_usage.h"
#include "naming/meanings.h"
#include "naming/site_frames.h"
#include "session/allocs/target_allocs.h"
#include "session/allocs/target_samples.h"
#include "session/goroutines/target_calls.h"
#include "session/goroutines/target_census.h"
#include "session/goroutines/target_scheduling.h"
#include "session/goroutines/target_waits.h"
#include "session/heap/target_heap.h"
#include "session/heap/target_holders.h"
#include "session/heap/target_view.h"
#include "session/resources/target_openings.h"
#include "session/resources/target_resources.h"
#include "session/saved_state.h"

/* --- the tracker's questions ------------------------------------------------------------------- */

static void answer_traits(void *ctx, uint8_t reason, uint64_t creation_pc, uint64_t start_pc,
			  uint32_t stack_id, struct site_traits *ret_traits)
{
	const struct target *target = ctx;
	const char *reason_text =
		go_layout__wait_reason(go_binary__layout(target->executable->binary), reason);
	const struct meaning *meaning;
	struct site_frames frames;

	site_frames__resolve(target->executable->symbolizer, target->executable->stacks,
			     creation_pc, start_pc, stack_id, &frames);
	meaning = meanings__of(&frames, reason_text,
			       site_frames__library(&frames, target->executable->binary));
	/* A test is there to stand still, and its time is none. */
	ret_traits->wait_class =
		wait_reason__in_bubble(reason_text) ?
			WAIT_RUNTIME :
			site_frames__wait_class(&frames, wait_class__of(reason_text));
	ret_traits->nature = meaning ? meaning->nature : NATURE_UNKNOWN;
}

static bool answer_is_system(void *ctx, uint64_t start_pc)
{
	const struct target *target = ctx;

	return symbolizer__is_system_goroutine(target->executable->symbolizer, start_pc);
}

/* --- bringing it up ----------------------------------------------------------------------------- */

/* The monotonic time of a start that /proc tells. */
static uint64_t started_ns(uint64_t start_time)
{
	uint64_t now_ns = clock__monotonic_ns(), realtime_ns = clock__realtime_ns();
	uint64_t start_ns = process__start_seconds(start_time) * NSEC_PER_SEC;
	uint64_t age_ns = realtime_ns > start_ns ? realtime_ns - start_ns : 0;

	return now_ns - min_of(age_ns, now_ns);
}

/* What an earlier gleakd knew of it. */
static void restore(struct target *target)
{
	const struct state_file *file = target->options.state;
	struct runtime_id id = target__id(target);
	const struct saved_process *process = saved_state__restore(
		file, &id, target->modules, target->executable->places, target->tracker);
	struct alloc_history *history;

	if (!process || !process->allocs.n)
		return;
	history = target_samples__history(target, true);
	if (history)
		saved_state__restore_allocs(file, process, history);
}

static int build_books(struct target *target, struct failure *failure)
{
	struct tracker_options tracking = {
		.attached_ns = clock__monotonic_ns(),
		.started_ns = started_ns(target->process.id.start_time),
		.expect_events = target->mode != PROBE_MODE_CENSUS,
		.classify = answer_traits,
		.is_system = answer_is_system,
		.ctx = target,
	};
	int err = tracker__new(&tracking, &target->tracker);

	if (!err)
		err = target_scheduling__open(&target->scheduling);
	if (!err)
		err = target_census__open(target);
	if (err)
		return failure__set(failure, err, "out of memory while preparing to watch %d",
				    target->process.id.pid);
	target->attached_ns = tracking.attached_ns;
	/* Once: it would change with each correction of the clock. */
	target->started_seconds = process__start_seconds(target->process.id.start_time);
	(void)!process__cpu_ns(target->process.id.pid, &target->executed_ns);
	restore(target);
	return 0;
}

int target__open(const struct target_options *options, pid_t pid, const struct runtime_place *place,
		 const struct exe_file *expected, struct target **ret_target,
		 struct failure *failure)
{
	struct target *target = calloc(1, sizeof(*target));
	int err;

	if (!target)
		return failure__set(failure, -ENOMEM, "out of memory");
	target->options = *options;
	target->mode = options->mode;
	target->stretch = 1;
	target->creations_per_s = -1;
	err = target_runtime__open(target, pid, place, expected, failure);
	if (!err)
		err = target_modules__open(target, failure);
	if (!err)
		err = build_books(target, failure);
	if (!err && target->mode != PROBE_MODE_CENSUS)
		err = target_probes__open(target, failure);
	if (err) {
		target__free(target);
		return err;
	}
	*ret_target = target;
	return 0;
}

void target__free(struct target *target)
{
	if (!target)
		return;
	/* Producers first, then what they feed, then what everything reads from. */
	target_probes__close(target);
	target_census__close(target);
	target_heap__close(target);
	target_view__close(target);
	target_allocs__close(target);
	target_openings__close(target);
	target_samples__close(target);
	target_holders__close(target);
	target_resources__close(target);
	target_scheduling__close(target->scheduling);
	wait_reader__free(target->wait_reader);
	tracker__free(target->tracker);
	module_map__free(target->modules);
	executables__put(target->options.executables, target->executable);
	remote__free(target->remote);
	free(target);
}

/* --- while it runs ------------------------------------------------------------------------------ */

/* Code that is in no module may be that of a plugin which was opened a moment ago. */
static uint64_t place_of(struct target *target, uint64_t pc)
{
	if (pc && !module_map__find(target->modules, pc))
		target_modules__refresh(target);
	return module_map__pc(target->modules, pc);
}

void target__event(struct target *target, const struct gl_event *head,
		   const struct gl_event_create *create, const struct gl_creator *creator,
		   const struct gl_event_wake *wake)
{
	target->events[head->kind]++;
	switch ((enum probe_event)head->kind) {
	case PROBE_EVENT_CREATE:
		tracker__created(target->tracker, head->goid,
				 places__creation(target->executable->places,
						  place_of(target, create->creation_pc)),
				 places__start(target->executable->places,
					       place_of(target, create->start_pc)),
				 head->time_ns);
		if (creator)
			target_calls__note(target, head, create, creator);
		break;
	case PROBE_EVENT_EXIT:
		tracker__exited(target->tracker, head->goid, head->time_ns);
		break;
	case PROBE_EVENT_PARK:
		tracker__parked(target->tracker, head->goid, head->time_ns);
		tracker__wait_began(target->tracker, head->goid, head->time_ns);
		break;
	case PROBE_EVENT_WAKE:
		target_waits__ended(target, wake);
		break;
	case PROBE_EVENT_COUNT:
		break; /* the reader has refused others */
	}
}

/*
 * exec keeps the pid and the start time. The address space tells, or where the kernel does not give
 * that out the file.
 */
static bool has_executed(const struct target *target)
{
	enum remote_memory memory = remote__memory(target->remote);
	struct image_file now;

	if (memory != REMOTE_MEMORY_UNKNOWN)
		return memory == REMOTE_MEMORY_GONE;
	return !image_file__identify(target->options.proc_root, target->process.id.pid, &now) &&
	       !image_file__same(&now, &target->image);
}

/* Or it is ending: then it has given up its memory before anything else, and has got no other. */
static bool goes_on(const struct target *target)
{
	struct process_id id = target->process.id;
	uint64_t bytes;

	return process__same(target->options.proc_root, id) &&
	       !process__resident(target->options.proc_root, id.pid, &bytes) && bytes;
}

bool target__check_alive(struct target *target)
{
	if (target->state != TARGET_LIVE)
		return false;
	/* It is being read, which tells if it is not what it was (census_failed()). */
	if (target__census_under_way(target))
		return true;
	if (!process__same(target->options.proc_root, target->process.id))
		target->state = TARGET_EXITED;
	else if (has_executed(target))
		target->state = goes_on(target) ? TARGET_EXECUTED : TARGET_EXITED;
	return target->state == TARGET_LIVE;
}

/* --- what is known ------------------------------------------------------------------------------ */

enum target_state target__state(const struct target *target)
{
	return target->state;
}

const char *target__trouble(const struct target *target)
{
	return target->state == TARGET_UNREADABLE ? target->trouble.text : "";
}

pid_t target__pid(const struct target *target)
{
	return target->process.id.pid;
}

void target__set_origin(struct target *target, const struct process_origin *origin)
{
	target->origin = *origin;
}

const struct process_origin *target__origin(const struct target *target)
{
	return &target->origin;
}

const struct process_info *target__process(const struct target *target)
{
	return &target->process;
}

struct go_binary *target__binary(const struct target *target)
{
	return target->executable->binary;
}

uint64_t target__module_pc(const struct target *target, uint64_t pc)
{
	return module_map__pc(target->modules, pc);
}

const struct module_map *target__modules(const struct target *target)
{
	return target->modules;
}

const char *target__how(const struct target *target)
{
	return target->how[0] ? target->how : go_binary__how(target->executable->binary);
}

const struct probe_plan *target__plan(const struct target *target)
{
	return &target->plan;
}

int target__slot(const struct target *target, size_t index)
{
	const struct module_probe *probe;

	if (!target->probes || index >= module_probes__count(target->probes))
		return -1;
	probe = module_probes__at(target->probes, index);
	return probe->attachment ? (int)probe_attachment__slot(probe->attachment) : -1;
}

enum probe_mode target__mode(const struct target *target)
{
	return target->mode;
}

uint64_t target__threads(const struct target *target)
{
	return target->threads;
}

uint64_t target__attached_ns(const struct target *target)
{
	return target->attached_ns;
}

uint64_t target__started_seconds(const struct target *target)
{
	return target->started_seconds;
}

bool target__is_of_age(const struct target *target, uint64_t age_ns)
{
	uint64_t started_ns = target->started_seconds * NSEC_PER_SEC;
	uint64_t now_ns = clock__realtime_ns();

	return now_ns > started_ns && now_ns - started_ns >= age_ns;
}

struct tracker *target__tracker(const struct target *target)
{
	return target->tracker;
}

struct symbolizer *target__symbolizer(const struct target *target)
{
	return target->executable->symbolizer;
}

struct stack_table *target__stacks(const struct target *target)
{
	return target->executable->stacks;
}

const struct census_result *target__census(const struct target *target)
{
	return census__result(target->census);
}

const struct remote *target__remote(const struct target *target)
{
	return target->remote;
}

const struct census *target__slots(const struct target *target)
{
	return target->census;
}

struct wait_reader *target__wait_reader(struct target *target)
{
	/* Made when first asked for: most targets have nothing that needs a closer look. */
	if (!target->wait_reader && wait_reader__new(target->executable->binary, target->remote,
						     target->load_bias, &target->wait_reader))
		return NULL;
	return target->wait_reader;
}
