// SPDX-License-Identifier: Apache-2.0
/* At the end of a census: who is late, who keeps a processor, who stays in a call, and what was counted. */
#include <string.h>

#include "track/scheduling_private.h"

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

		if (!by_goid__has(now->runnable, now->n_runnable, sizeof(now->runnable[0]),
				  one.goid) ||
		    by_goid__has(now->running, n, sizeof(one), one.goid))
			continue;
		one.unyielding_ns = 0;
		one.looks++;
		sighting__add_running(now, &one);
	}
	by_goid__sort(now->running, now->n_running, sizeof(now->running[0]));
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
	by_goid__sort(now->locked, now->n_locked, sizeof(now->locked[0]));
	by_goid__sort(now->runnable, now->n_runnable, sizeof(now->runnable[0]));
	by_goid__sort(now->calls, now->n_calls, sizeof(now->calls[0]));
	by_goid__sort(now->running, now->n_running, sizeof(now->running[0]));
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
