// SPDX-License-Identifier: Apache-2.0
#include "track/scheduling_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

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

bool by_goid__has(const void *list, size_t n, size_t size, uint64_t goid)
{
	return find(list, n, size, goid) != NULL;
}

void by_goid__sort(void *list, size_t n, size_t size)
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
	if (by_goid__has(before->locked, before->n_locked, sizeof(before->locked[0]), goid))
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

	while (*index < now->n_calls && (!now->calls[*index].before || now->calls[*index].noted))
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

void sighting__add_running(struct sighting *now, const struct running *one)
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
	sighting__add_running(now, &one);
}
