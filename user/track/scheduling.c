// SPDX-License-Identifier: Apache-2.0
#include "track/scheduling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Since when a goroutine is known to wait for a processor. */
struct runnable {
	uint64_t goid;
	uint64_t since_ns; /* measured, or of the census that saw it first */
	uint64_t read_at_ns;
	bool measured, never_ran;
	bool by_kernel;
};

struct call {
	struct scheduling_call seen;
	bool before; /* the census before has seen it in one, too, on the same thread */
	bool noted;
	uint64_t since_ns; /* that the kernel has shown the same of it */
};

struct running {
	uint64_t goid;
	uint64_t first_ns; /* of the looks in a row that found it running */
	uint64_t unyielding_ns;
	struct scheduling_thread thread;
	uint64_t looked_ns; /* at that thread */
	uint32_t looks;	    /* in a row that found it running, or waiting for a processor */
	uint32_t times;	    /* of these, running */
};

/* What one census has seen. In most processes that is nothing, and there are many of them. */
struct sighting {
	struct runnable *runnable;
	struct call *calls;
	struct running *running;
	uint64_t *locked; /* goids */
	size_t n_runnable, n_calls, n_running, n_locked;
	size_t runnable_capacity, calls_capacity, running_capacity, locked_capacity;
	uint64_t calls_refused;
	uint64_t left_out;
};

/* What was counted by the end of a census, that a later one is compared with. */
struct base {
	uint64_t ended_ns; /* 0: there was none */
	bool latencies_known;
	uint64_t over_10ms;
	struct scheduling_cpu totals;
};

struct scheduling {
	struct sighting sightings[2];
	struct sighting *now, *before;
	struct scheduling_view view;
	struct threads threads;
	struct base older, last;      /* SCHEDULING_WINDOW_NS apart at least */
	struct base compared;	      /* the one of them that the view is compared with */
	uint64_t ended_ns;	      /* the census before */
	struct scheduling_cpu totals; /* at that one, if it was asked then */
	bool ever_late;
};

int scheduling__new(struct scheduling **ret_scheduling)
{
	struct scheduling *scheduling = calloc(1, sizeof(*scheduling));

	if (!scheduling)
		return -ENOMEM;
	scheduling->now = &scheduling->sightings[0];
	scheduling->before = &scheduling->sightings[1];
	*ret_scheduling = scheduling;
	return 0;
}

void scheduling__free(struct scheduling *scheduling)
{
	if (!scheduling)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(scheduling->sightings); i++) {
		free(scheduling->sightings[i].runnable);
		free(scheduling->sightings[i].calls);
		free(scheduling->sightings[i].running);
		free(scheduling->sightings[i].locked);
	}
	free(scheduling);
}

/* --- seen ------------------------------------------------------------------------------------------ */

void scheduling__begin(struct scheduling *scheduling)
{
	struct sighting *now = scheduling->now;

	now->n_runnable = now->n_calls = now->n_running = now->n_locked = 0;
	now->left_out = now->calls_refused = 0;
}

static void add_runnable(struct sighting *now, const struct runnable *one)
{
	if (now->n_runnable == SCHEDULING_MAX_RUNNABLE ||
	    !array__reserve(now->runnable, now->runnable_capacity, now->n_runnable + 1))
		now->left_out++;
	else
		now->runnable[now->n_runnable++] = *one;
}

void scheduling__runnable(struct scheduling *scheduling, uint64_t goid, uint64_t since_ns,
			  uint64_t read_at_ns, bool never_ran)
{
	bool measured = since_ns && since_ns <= read_at_ns;
	const struct runnable one = {
		goid, measured ? since_ns : read_at_ns, read_at_ns, measured, never_ran, false};

	add_runnable(scheduling->now, &one);
}

/* Every member begins with a goid, and they lie in its order. */
static int compare_goids(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* An empty list has no memory of its own, which the library's functions do not take. */
static void *find(const void *list, size_t n, size_t size, uint64_t goid)
{
	return n ? bsearch(&goid, list, n, size, compare_goids) : NULL;
}

static bool has_goid(const void *list, size_t n, size_t size, uint64_t goid)
{
	return find(list, n, size, goid) != NULL;
}

static void sort(void *list, size_t n, size_t size)
{
	if (n)
		qsort(list, n, size, compare_goids);
}

static const struct call *find_call(const struct sighting *sighting, uint64_t goid, uint64_t m)
{
	const struct call *found = find(sighting->calls, sighting->n_calls, sizeof(*found), goid);

	return found && found->seen.m == m ? found : NULL;
}

void scheduling__in_call(struct scheduling *scheduling, uint64_t goid, uint64_t m)
{
	struct sighting *now = scheduling->now;

	if (now->n_calls == SCHEDULING_MAX_CALLS ||
	    !array__reserve(now->calls, now->calls_capacity, now->n_calls + 1)) {
		now->left_out++;
		now->calls_refused++;
		return;
	}
	now->calls[now->n_calls++] = (struct call){
		.seen = {.goid = goid, .m = m},
		.before = find_call(scheduling->before, goid, m) != NULL,
	};
}

void scheduling__locked(struct scheduling *scheduling, uint64_t goid)
{
	struct sighting *now = scheduling->now;

	if (now->n_locked == SCHEDULING_MAX_LOCKED ||
	    !array__reserve(now->locked, now->locked_capacity, now->n_locked + 1))
		now->left_out++;
	else
		now->locked[now->n_locked++] = goid;
}

static void keep_runnable(struct scheduling *scheduling, uint64_t goid, uint64_t read_at_ns)
{
	const struct sighting *before = scheduling->before;
	const struct runnable *found =
		find(before->runnable, before->n_runnable, sizeof(*found), goid);
	struct runnable one;

	if (!found || found->by_kernel)
		return;
	one = *found;
	one.read_at_ns = read_at_ns;
	add_runnable(scheduling->now, &one);
}

void scheduling__unchanged(struct scheduling *scheduling, uint64_t goid, uint64_t read_at_ns)
{
	const struct sighting *before = scheduling->before;
	const struct call *call;

	/* Nearly always there are none. */
	if (before->n_runnable)
		keep_runnable(scheduling, goid, read_at_ns);
	if (has_goid(before->locked, before->n_locked, sizeof(before->locked[0]), goid))
		scheduling__locked(scheduling, goid);
	if (!before->n_calls)
		return;
	call = find(before->calls, before->n_calls, sizeof(*call), goid);
	if (call)
		scheduling__in_call(scheduling, goid, call->seen.m);
}

bool scheduling__wants_call(const struct scheduling *scheduling, size_t *index, uint64_t *ret_goid,
			    uint64_t *ret_m)
{
	const struct sighting *now = scheduling->now;

	while (*index < now->n_calls && !now->calls[*index].before)
		++*index;
	if (*index == now->n_calls)
		return false;
	*ret_goid = now->calls[*index].seen.goid;
	*ret_m = now->calls[*index].seen.m;
	++*index;
	return true;
}

/* A thread that has blocked again has left the call, or what it waited for in it has come. */
static bool is_same_call(const struct scheduling_call *a, const struct scheduling_call *b)
{
	return a->tid == b->tid && a->number == b->number && a->switches == b->switches &&
	       a->sp == b->sp && a->pc == b->pc && !memcmp(a->args, b->args, sizeof(a->args));
}

void scheduling__note_call(struct scheduling *scheduling, const struct scheduling_call *call,
			   uint64_t now_ns)
{
	struct sighting *now = scheduling->now;
	const struct call *before = find_call(scheduling->before, call->goid, call->m);

	for (size_t i = 0; i < now->n_calls; i++) {
		struct call *one = &now->calls[i];

		if (one->seen.goid != call->goid)
			continue;
		one->seen = *call;
		one->noted = true;
		one->since_ns = before && before->noted && is_same_call(&before->seen, call) ?
					before->since_ns :
					now_ns;
		return;
	}
}

const struct scheduling_call *scheduling__call(const struct scheduling *scheduling, size_t *index)
{
	const struct sighting *last = scheduling->before;

	while (*index < last->n_calls) {
		const struct call *one = &last->calls[(*index)++];

		if (one->noted)
			return &one->seen;
	}
	return NULL;
}

static void add_running(struct sighting *now, const struct running *one)
{
	if (now->n_running == SCHEDULING_MAX_RUNNING ||
	    !array__reserve(now->running, now->running_capacity, now->n_running + 1))
		now->left_out++;
	else
		now->running[now->n_running++] = *one;
}

bool scheduling__is_long(uint64_t since_ns, uint64_t now_ns)
{
	return since_ns && since_ns + SCHEDULING_HOG_NS <= now_ns;
}

bool scheduling__wants_thread(const struct scheduling *scheduling, uint64_t since_ns,
			      uint64_t now_ns)
{
	return scheduling->ever_late || scheduling__is_long(since_ns, now_ns);
}

/* What was known of a thread at the census before; NULL: nothing. */
static const struct running *find_thread(const struct sighting *before, uint64_t tid)
{
	for (size_t i = 0; tid && i < before->n_running; i++) {
		if (before->running[i].thread.tid == tid)
			return &before->running[i];
	}
	return NULL;
}

bool scheduling__knows_thread(const struct scheduling *scheduling, uint64_t tid)
{
	return find_thread(scheduling->before, tid) != NULL;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a - min_of(a, b);
}

/* How long a thread ran, and how long it did not, since nobody else was scheduled on its P: at least. */
struct thread_share {
	uint64_t ran_ns, waited_ns;
};

/*
 * By what it took since the census before, if that was asked then; what of that was before @since_ns, it may all have
 * run or not. Else, if it runs now, by all that it ever waited: a thread with a goroutine on it rests nowhere, so that
 * it ran for the remainder.
 */
static struct thread_share share_of(const struct sighting *before,
				    const struct scheduling_thread *thread, uint64_t since_ns,
				    uint64_t now_ns)
{
	const struct running *base = find_thread(before, thread->tid);
	uint64_t kept_ns = now_ns - since_ns, ran_ns, overlap_ns;

	if (!thread->tid)
		return (struct thread_share){.ran_ns = kept_ns};
	if (!base)
		return (struct thread_share){
			.ran_ns = thread->runs ? less(kept_ns, thread->run_delay_ns) : 0};
	ran_ns = less(thread->cpu_ns, base->thread.cpu_ns);
	overlap_ns = min_of(kept_ns, less(now_ns, base->looked_ns));
	return (struct thread_share){
		.ran_ns = less(ran_ns, less(since_ns, base->looked_ns)),
		.waited_ns = less(overlap_ns, ran_ns),
	};
}

void scheduling__running(struct scheduling *scheduling, uint64_t goid, uint64_t since_ns,
			 const struct scheduling_thread *thread, uint64_t now_ns)
{
	struct sighting *now = scheduling->now;
	const struct sighting *before = scheduling->before;
	const struct running *found =
		find(before->running, before->n_running, sizeof(*found), goid);
	struct running one = {.goid = goid, .first_ns = now_ns, .looks = 1, .times = 1};

	if (found) {
		one.first_ns = found->first_ns;
		one.looks = found->looks + 1;
		one.times = found->times + 1;
	}
	if (thread) {
		one.thread = *thread;
		one.looked_ns = now_ns;
	}
	if (since_ns && since_ns < now_ns) {
		struct thread_share share = share_of(before, &one.thread, since_ns, now_ns);
		const struct runnable starved = {
			.goid = goid,
			.since_ns = now_ns - share.waited_ns,
			.read_at_ns = now_ns,
			.by_kernel = true,
		};

		if (share.ran_ns >= SCHEDULING_HOG_NS)
			one.unyielding_ns = now_ns - since_ns;
		else if (share.waited_ns >= SCHEDULING_HOG_NS)
			add_runnable(now, &starved);
	}
	add_running(now, &one);
}

/* --- told ------------------------------------------------------------------------------------------ */

/*
 * Puts @value where it belongs among the @n of @size bytes in @list, by the time at @at of each, the longest
 * first. False: one fell out at the end.
 */
static bool insert_longest(void *list, size_t *n, size_t size, size_t at, const void *value)
{
	uint8_t *bytes = list;
	uint64_t time, other;
	size_t place = *n;
	bool room = *n < SCHEDULING_MAX_TOLD;

	memcpy(&time, (const uint8_t *)value + at, sizeof(time));
	for (; place; place--) {
		memcpy(&other, bytes + (place - 1) * size + at, sizeof(other));
		if (other >= time)
			break;
	}
	if (place == SCHEDULING_MAX_TOLD)
		return false;
	*n += room;
	memmove(bytes + (place + 1) * size, bytes + place * size, (*n - 1 - place) * size);
	memcpy(bytes + place * size, value, size);
	return room;
}

/* Whether one of them is in Go's queue. */
static bool tell_late(const struct sighting *now, struct scheduling_view *view)
{
	bool in_queue = false;

	for (size_t i = 0; i < now->n_runnable; i++) {
		const struct runnable *one = &now->runnable[i];
		struct scheduling_late late = {one->goid, one->read_at_ns - one->since_ns,
					       one->measured, one->never_ran, one->by_kernel};

		if (late.waiting_ns < SCHEDULING_LATE_NS)
			continue;
		in_queue |= !late.by_kernel;
		view->more_late +=
			!insert_longest(view->late, &view->n_late, sizeof(late),
					offsetof(struct scheduling_late, waiting_ns), &late);
	}
	return in_queue;
}

/* Who ran and now waits for its next turn has not rested. */
static void carry_on(struct sighting *now, const struct sighting *before)
{
	size_t n = now->n_running;

	for (size_t i = 0; i < before->n_running; i++) {
		struct running one = before->running[i];

		if (!has_goid(now->runnable, now->n_runnable, sizeof(now->runnable[0]), one.goid) ||
		    has_goid(now->running, n, sizeof(one), one.goid))
			continue;
		one.unyielding_ns = 0;
		one.looks++;
		add_running(now, &one);
	}
	sort(now->running, now->n_running, sizeof(now->running[0]));
}

/*
 * Who is found running each time keeps a processor if it does not yield when asked, or if others wait
 * meanwhile: with a processor for everybody that is nobody's business.
 */
static void tell_hogs(const struct sighting *now, bool others_wait, uint64_t now_ns,
		      struct scheduling_view *view)
{
	for (size_t i = 0; i < now->n_running; i++) {
		const struct running *one = &now->running[i];
		struct scheduling_hog hog = {.goid = one->goid, .looks = one->looks};

		hog.unyielding = one->unyielding_ns >= SCHEDULING_HOG_NS;
		if (!hog.unyielding && !(others_wait && one->looks >= SCHEDULING_HOG_LOOKS &&
					 one->times >= SCHEDULING_HOG_TIMES))
			continue;
		hog.running_ns = hog.unyielding ? one->unyielding_ns : now_ns - one->first_ns;
		(void)insert_longest(view->hogs, &view->n_hogs, sizeof(hog),
				     offsetof(struct scheduling_hog, running_ns), &hog);
	}
}

static void tell_stuck(const struct sighting *now, uint64_t now_ns, struct scheduling_view *view)
{
	for (size_t i = 0; i < now->n_calls; i++) {
		const struct call *one = &now->calls[i];
		struct scheduling_stuck stuck = {one->seen, now_ns - min_of(one->since_ns, now_ns)};

		if (one->noted && stuck.for_ns >= SCHEDULING_STUCK_NS)
			view->more_stuck +=
				!insert_longest(view->stuck, &view->n_stuck, sizeof(stuck),
						offsetof(struct scheduling_stuck, for_ns), &stuck);
	}
}

static uint64_t risen(bool known, uint64_t now, bool known_before, uint64_t before, bool *ret_known)
{
	*ret_known = known && known_before && now >= before;
	return *ret_known ? now - before : 0;
}

/* The one before, or where that was a moment ago, as a last report comes when it is asked for, the one before that. */
static void choose_base(struct scheduling *scheduling, uint64_t now_ns)
{
	const struct base *older = &scheduling->older, *last = &scheduling->last;
	bool short_of = older->ended_ns && now_ns < last->ended_ns + SCHEDULING_WINDOW_NS;

	scheduling->compared = short_of ? *older : *last;
}

/* Where it is to be compared with at the next one. */
static void keep_base(struct scheduling *scheduling, const struct scheduling_counts *counts,
		      uint64_t now_ns)
{
	struct base *last = &scheduling->last;

	if (last->ended_ns && now_ns < last->ended_ns + SCHEDULING_WINDOW_NS)
		return;
	scheduling->older = *last;
	*last = (struct base){now_ns, counts->latencies_known, counts->over_10ms, {0}};
}

static void tell_latencies(const struct scheduling *scheduling,
			   const struct scheduling_counts *counts, uint64_t now_ns,
			   struct scheduling_view *view)
{
	const struct base *base = &scheduling->compared;
	bool known;

	view->processors = counts->processors ? counts->processors : scheduling->view.processors;
	view->latencies_known = counts->latencies_known;
	view->over_10ms = counts->over_10ms;
	if (!base->ended_ns)
		return;
	view->since_ns = now_ns - min_of(base->ended_ns, now_ns);
	view->over_10ms_new = risen(counts->latencies_known, counts->over_10ms,
				    base->latencies_known, base->over_10ms, &known);
}

void scheduling__end(struct scheduling *scheduling, const struct scheduling_counts *counts,
		     uint64_t now_ns)
{
	struct sighting *now = scheduling->now;
	struct scheduling_view view = {.left_out = now->left_out};
	/* Since the census before, whatever is told: who keeps a processor does so meanwhile. */
	bool others_waited =
		scheduling->view.latencies_known && counts->over_10ms > scheduling->view.over_10ms;

	view.in_calls = now->n_calls + now->calls_refused;
	view.locked = now->n_locked;
	sort(now->locked, now->n_locked, sizeof(now->locked[0]));
	sort(now->runnable, now->n_runnable, sizeof(now->runnable[0]));
	sort(now->calls, now->n_calls, sizeof(now->calls[0]));
	sort(now->running, now->n_running, sizeof(now->running[0]));
	carry_on(now, scheduling->before);
	choose_base(scheduling, now_ns);
	tell_latencies(scheduling, counts, now_ns, &view);
	others_waited |= tell_late(now, &view);
	tell_hogs(now, others_waited && counts->computes, now_ns, &view);
	tell_stuck(now, now_ns, &view);
	if (counts->threads) {
		view.rise = threads__rise(&scheduling->threads, counts->threads, view.processors,
					  now_ns);
		threads__note(&scheduling->threads, counts->threads, now_ns);
	}
	keep_base(scheduling, counts, now_ns);
	scheduling->now = scheduling->before;
	scheduling->before = now;
	scheduling->view = view;
	scheduling->ended_ns = now_ns;
	scheduling->ever_late |= view.n_late || view.over_10ms_new || view.n_hogs;
}

bool scheduling__wants_cpu(const struct scheduling *scheduling)
{
	return scheduling->ever_late;
}

static struct scheduling_cpu cpu_since(const struct scheduling_cpu *totals,
				       const struct scheduling_cpu *before)
{
	struct scheduling_cpu cpu = {.host_processors = totals->host_processors};

	cpu.run_delay_ns =
		risen(totals->run_delay_known, totals->run_delay_ns, before->run_delay_known,
		      before->run_delay_ns, &cpu.run_delay_known);
	cpu.throttled_ns =
		risen(totals->throttled_known, totals->throttled_ns, before->throttled_known,
		      before->throttled_ns, &cpu.throttled_known);
	cpu.stolen_ns = risen(totals->stolen_known, totals->stolen_ns, before->stolen_known,
			      before->stolen_ns, &cpu.stolen_known);
	return cpu;
}

void scheduling__note_cpu(struct scheduling *scheduling, const struct scheduling_cpu *totals)
{
	scheduling->view.cpu = cpu_since(totals, &scheduling->compared.totals);
	scheduling->view.cpu_new = cpu_since(totals, &scheduling->totals);
	scheduling->totals = *totals;
	if (scheduling->last.ended_ns == scheduling->ended_ns)
		scheduling->last.totals = *totals;
}

const struct scheduling_view *scheduling__view(const struct scheduling *scheduling)
{
	return &scheduling->view;
}
