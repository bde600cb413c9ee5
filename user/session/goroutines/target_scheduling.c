// SPDX-License-Identifier: Apache-2.0
#include "session/goroutines/target_scheduling.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/access.h"
#include "host/cpu_limit.h"
#include "host/steal.h"
#include "host/system_calls.h"
#include "host/task.h"
#include "observe/scheduler.h"
#include "session/target_internal.h"

/* Threads that are asked for their system call after a census; and while there are more and more. */
#define MAX_ASKED	 64
#define MAX_ASKED_RISING 256
/* Threads at a look of which it is seen whether they run, each for TASK_SEEN_NS at most. */
#define MAX_WATCHED 4
/* Of processor time from census to census: a hundredth of a processor that a group may have is more. */
#define LEAST_USED_NS NSEC_PER_MSEC

struct target_scheduling {
	struct scheduling *book;
	uint64_t unchanged;		 /* goid of the goroutine that was told last as one */
	bool complete;			 /* one census at least */
	uint64_t taken_ns;		 /* of processor time by the process, at the last one */
	struct scheduling_counts counts; /* of the last look */
};

int target_scheduling__open(struct target_scheduling **ret_scheduling)
{
	struct target_scheduling *scheduling = calloc(1, sizeof(*scheduling));
	int err = scheduling ? scheduling__new(&scheduling->book) : -ENOMEM;

	if (err)
		free(scheduling);
	else
		*ret_scheduling = scheduling;
	return err;
}

void target_scheduling__close(struct target_scheduling *scheduling)
{
	if (!scheduling)
		return;
	scheduling__free(scheduling->book);
	free(scheduling);
}

/* --- a census ------------------------------------------------------------------------------------ */

void target_scheduling__begin(struct target_scheduling *scheduling)
{
	scheduling->unchanged = 0;
	scheduling__begin(scheduling->book);
}

/* The runtime's own goroutines are nobody's business: their work is counted elsewhere. */
static bool is_system(const struct target *target, uint64_t start_pc)
{
	return symbolizer__is_system_goroutine(target->executable->symbolizer, start_pc);
}

/* Its thread waits for as long as there is no signal (src/os/signal/signal_unix.go): in nearly every server. */
static bool waits_for_signals(const struct target *target, uint64_t start_pc)
{
	return !strcmp(symbolizer__function(target->executable->symbolizer, start_pc),
		       "os/signal.loop");
}

void target_scheduling__seen(struct target *target, const struct census_goroutine *g)
{
	struct target_scheduling *scheduling = target->scheduling;

	/* One that is to be seen in full all the same, for a list. */
	if (g->goid == scheduling->unchanged)
		return;
	if (g->locked_to_thread && !is_system(target, g->start_pc))
		scheduling__locked(scheduling->book, g->goid);
	if (g->runnable && !is_system(target, g->start_pc))
		scheduling__runnable(scheduling->book, g->goid, g->runnable_since_ns, g->read_at_ns,
				     g->never_ran);
	else if (g->in_syscall && g->m && !waits_for_signals(target, g->start_pc))
		scheduling__in_call(scheduling->book, g->goid, g->m);
}

void target_scheduling__unchanged(struct target_scheduling *scheduling, uint64_t goid,
				  uint64_t read_at_ns)
{
	scheduling->unchanged = goid;
	scheduling__unchanged(scheduling->book, goid, read_at_ns);
}

static void ask_for_call(struct target *target, uint64_t goid, uint64_t m, uint64_t now_ns)
{
	const char *proc_root = target->options.proc_root;
	pid_t pid = target->process.id.pid, tid;
	struct scheduling_call call = {.goid = goid, .m = m};
	struct task_call found;
	uint64_t own_tid;

	if (scheduler__thread(target->census, m, &own_tid, &call.in_c) ||
	    task__find(proc_root, pid, own_tid, &tid) || task__call(proc_root, pid, tid, &found) ||
	    found.number < 0)
		return;
	call.tid = (uint64_t)tid;
	call.number = found.number;
	memcpy(call.args, found.args, sizeof(call.args));
	call.sp = found.sp;
	call.pc = found.pc;
	call.switches = found.switches;
	scheduling__note_call(target->scheduling->book, &call, now_ns);
}

static void ask_for_calls(struct target *target, uint64_t now_ns)
{
	bool rising = scheduling__view(target->scheduling->book)->rise.over_ns;
	size_t index = 0, most = rising ? MAX_ASKED_RISING : MAX_ASKED;
	uint64_t goid, m;

	for (size_t n = 0;
	     n < most && scheduling__wants_call(target->scheduling->book, &index, &goid, &m); n++)
		ask_for_call(target, goid, m, now_ns);
}

/*
 * What the kernel says of the thread that a goroutine is on; nothing, if it does not. One that is not known from the
 * census before is watched for a moment where @patience is left.
 */
static struct scheduling_thread thread_of(const struct target *target, uint64_t m,
					  unsigned int *patience)
{
	const char *proc_root = target->options.proc_root;
	pid_t pid = target->process.id.pid, tid;
	struct task_times times;
	uint64_t own_tid;
	bool in_c, runs = false;

	if (scheduler__thread(target->census, m, &own_tid, &in_c) ||
	    task__find(proc_root, pid, own_tid, &tid) || task__times(proc_root, pid, tid, &times))
		return (struct scheduling_thread){0};
	if (*patience && !scheduling__knows_thread(target->scheduling->book, (uint64_t)tid)) {
		--*patience;
		runs = task__seen_to_run(proc_root, pid, tid, &times);
	}
	return (struct scheduling_thread){(uint64_t)tid, times.cpu_ns, times.run_delay_ns, runs};
}

static void note_running(struct target *target, const struct scheduler_look *look)
{
	struct scheduling *book = target->scheduling->book;
	unsigned int none = 0, patience = MAX_WATCHED;

	for (size_t i = 0; i < look->n_running; i++) {
		const struct scheduler_running *running = &look->running[i];
		struct scheduling_thread thread = {0};

		if (is_system(target, running->start_pc))
			continue;
		if (scheduling__wants_thread(book, running->since_ns, look->read_at_ns))
			thread =
				thread_of(target, running->m,
					  scheduling__is_long(running->since_ns, look->read_at_ns) ?
						  &patience :
						  &none);
		scheduling__running(book, running->goid, running->since_ns, &thread,
				    look->read_at_ns);
	}
}

static void note_cpu(struct target *target)
{
	const char *proc_root = target->options.proc_root;
	pid_t pid = target->process.id.pid;
	struct scheduling_cpu totals = {0};
	struct steal steal;

	if (!host__steal(proc_root, &steal)) {
		totals.stolen_known = true;
		totals.stolen_ns = steal.ns;
		totals.host_processors = steal.processors;
	}
	totals.run_delay_known = !process__run_delay(proc_root, pid, &totals.run_delay_ns);
	totals.throttled_known =
		!process__throttled(proc_root, CGROUP_ROOT, pid, &totals.throttled_ns);
	scheduling__note_cpu(target->scheduling->book, &totals);
}

/* Nobody keeps a processor in a process that has used none to speak of; one that is given little has used little. */
static bool may_have_hogs(struct target *target, bool *ret_computes)
{
	uint64_t before_ns = target->scheduling->taken_ns;
	bool known = !process__cpu_ns(target->process.id.pid, &target->scheduling->taken_ns) &&
		     before_ns;
	uint64_t used_ns = target->scheduling->taken_ns - before_ns;

	*ret_computes = !known || used_ns >= SCHEDULING_HOG_NS;
	return !known || used_ns >= LEAST_USED_NS ||
	       scheduling__wants_cpu(target->scheduling->book);
}

void target_scheduling__look(struct target *target)
{
	struct scheduler_look look;
	bool computes;

	scheduler__look(target->census, may_have_hogs(target, &computes), &look);
	note_running(target, &look);
	target->scheduling->counts = (struct scheduling_counts){
		.processors = look.n_ps,
		.latencies_known = look.latencies_known,
		.over_10ms = look.over_10ms,
		.computes = computes,
	};
}

/* Who is in a call is in the same one. */
void target_scheduling__rested(struct target *target, uint64_t now_ns)
{
	struct scheduling *book = target->scheduling->book;
	const struct scheduling_call *before;
	size_t index = 0;

	target->scheduling->counts.processors = 0;
	target->scheduling->counts.computes = false;
	while ((before = scheduling__call(book, &index))) {
		const struct scheduling_call call = *before;

		scheduling__note_call(book, &call, now_ns);
	}
}

void target_scheduling__finish(struct target *target, uint64_t now_ns)
{
	struct scheduling *book = target->scheduling->book;

	ask_for_calls(target, now_ns);
	target->scheduling->counts.threads = target->threads;
	scheduling__end(book, &target->scheduling->counts, now_ns);
	if (scheduling__wants_cpu(book))
		note_cpu(target);
	target->scheduling->complete = true;
}

const struct scheduling_view *target_scheduling__get(const struct target *target)
{
	return target->scheduling && target->scheduling->complete ?
		       scheduling__view(target->scheduling->book) :
		       NULL;
}

const struct scheduling_call *target_scheduling__call(const struct target *target, size_t *index)
{
	return scheduling__call(target->scheduling->book, index);
}

/* --- in words ------------------------------------------------------------------------------------ */

/* What descriptor @fd is of; "": that cannot be read. */
static void name_fd(const struct target *target, uint64_t fd, char *name, size_t size)
{
	char path[64];
	ssize_t n;

	name[0] = '\0';
	snprintf(path, sizeof(path), "%s/%d/fd/%" PRIu64, target->options.proc_root,
		 target->process.id.pid, fd);
	n = access__link(path, name, size - 1);
	name[n > 0 ? n : 0] = '\0';
}

/* Up to the page's end: who passes a path owes no more. */
static void read_path(const struct target *target, uint64_t address, char *text, size_t size)
{
	size_t n = min_of(size - 1, (size_t)(4096 - address % 4096));

	if (remote__read(target->remote, address, text, n))
		n = 0;
	text[n] = '\0';
}

void target_scheduling__call_text(const struct target *target, const struct scheduling_call *call,
				  char text[TARGET_CALL_TEXT])
{
	const char *name = system_call__name(call->number);
	int fd = system_call__fd(call->number), path = system_call__path(call->number);
	char about[256];

	if (!name) {
		snprintf(text, TARGET_CALL_TEXT, "system call %" PRId64, call->number);
	} else if (fd >= 0) {
		name_fd(target, call->args[fd], about, sizeof(about));
		snprintf(text, TARGET_CALL_TEXT, "%s(%" PRIu64 "%s%s)", name, call->args[fd],
			 *about ? ": " : "", about);
	} else if (path >= 0) {
		read_path(target, call->args[path], about, sizeof(about));
		snprintf(text, TARGET_CALL_TEXT, *about ? "%s(\"%s\")" : "%s()%s", name, about);
	} else {
		snprintf(text, TARGET_CALL_TEXT, "%s()", name);
	}
}
