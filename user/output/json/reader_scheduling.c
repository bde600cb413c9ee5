// SPDX-License-Identifier: Apache-2.0
/* What is held up. */
#include <stdio.h>
#include <string.h>

#include "output/json/reader_private.h"

static void read_held(const json_t *json, const struct report_site *sites, size_t n,
		      struct report_held *held)
{
	snprintf(held->site, sizeof(held->site), "%s", read__text(json, "site"));
	snprintf(held->call, sizeof(held->call), "%s", read__text(json, "call"));
	for (size_t i = 0; i < n && *held->site; i++) {
		if (!strcmp(sites[i].id, held->site))
			held->at = &sites[i];
	}
}

static size_t told(const json_t *list)
{
	return min_of(json_array_size(list), (size_t)SCHEDULING_MAX_TOLD);
}

static void read_lists(const json_t *json, const struct report_site *sites, size_t n,
		       struct report_scheduling *scheduling)
{
	struct scheduling_view *view = &scheduling->view;
	const json_t *late = json_object_get(json, "late"), *hogs = json_object_get(json, "hogs"),
		     *stuck = json_object_get(json, "stuck_syscalls");

	view->n_late = told(late);
	for (size_t i = 0; i < view->n_late; i++) {
		const json_t *one = json_array_get(late, i);

		view->late[i] = (struct scheduling_late){
			read__count(one, "goid"), read__seconds(one, "waiting_seconds"),
			read__bool(one, "measured"), read__bool(one, "never_ran"),
			!strcmp(read__text(one, "queue"), "kernel")};
		read_held(one, sites, n, &scheduling->late[i]);
	}
	view->n_hogs = told(hogs);
	for (size_t i = 0; i < view->n_hogs; i++) {
		const json_t *one = json_array_get(hogs, i);

		view->hogs[i] = (struct scheduling_hog){
			read__count(one, "goid"), read__seconds(one, "running_seconds"),
			read__bool(one, "unyielding"), read__count32(one, "looks")};
		read_held(one, sites, n, &scheduling->hogs[i]);
	}
	view->n_stuck = told(stuck);
	for (size_t i = 0; i < view->n_stuck; i++) {
		const json_t *one = json_array_get(stuck, i);
		struct scheduling_stuck *to = &view->stuck[i];

		to->call.goid = read__count(one, "goid");
		to->call.tid = read__count(one, "thread");
		to->call.in_c = read__bool(one, "in_c");
		to->for_ns = read__seconds(one, "seconds");
		read_held(one, sites, n, &scheduling->stuck[i]);
	}
}

static void read_rise(const json_t *json, struct report_scheduling *scheduling)
{
	const json_t *calls = json_object_get(json, "calls");

	scheduling->view.rise = (struct threads_rise){
		read__count(json, "from"), read__count(json, "to"), read__seconds(json, "seconds")};
	scheduling->looked_at = read__count(json, "looked_at");
	scheduling->n_groups = min_of(json_array_size(calls), (size_t)REPORT_MAX_THREAD_GROUPS);
	for (size_t i = 0; i < scheduling->n_groups; i++) {
		struct report_thread_group *group = &scheduling->groups[i];
		const json_t *one = json_array_get(calls, i);

		snprintf(group->call, sizeof(group->call), "%s", read__text(one, "call"));
		snprintf(group->where, sizeof(group->where), "%s", read__text(one, "where"));
		group->in_c = read__bool(one, "in_c");
		group->threads = read__count(one, "threads");
	}
}

static bool is_known(const json_t *json, const char *name)
{
	return json_is_number(json_object_get(json, name));
}

const struct report_scheduling *read__scheduling(struct report_reader *reader, const json_t *json,
						 const struct report_target *target)
{
	struct report_scheduling *scheduling;
	struct scheduling_view *view;

	if (!json_is_object(json))
		return NULL;
	scheduling = arena__take(&reader->arena, 1, sizeof(*scheduling));
	if (!scheduling)
		return NULL;
	view = &scheduling->view;
	view->latencies_known = is_known(json, "latency_over_10ms");
	view->over_10ms = read__count(json, "latency_over_10ms");
	view->over_10ms_new = read__count(json, "latency_over_10ms_new");
	view->since_ns = read__seconds(json, "since_seconds");
	read_lists(json, target->sites, target->n_sites, scheduling);
	view->more_late = read__count(json, "more_late");
	view->more_stuck = read__count(json, "more_stuck_syscalls");
	view->processors = read__count(json, "processors");
	view->cpu.throttled_known = is_known(json, "throttled_seconds");
	view->cpu.throttled_ns = read__seconds(json, "throttled_seconds");
	view->cpu.run_delay_known = is_known(json, "run_delay_seconds");
	view->cpu.run_delay_ns = read__seconds(json, "run_delay_seconds");
	view->cpu.stolen_known = is_known(json, "stolen_seconds");
	view->cpu.stolen_ns = read__seconds(json, "stolen_seconds");
	view->cpu.host_processors = read__count(json, "host_processors");
	view->in_calls = read__count(json, "threads_in_calls");
	view->locked = read__count(json, "locked_goroutines");
	read_rise(json_object_get(json, "threads_rise"), scheduling);
	view->left_out = read__count(json, "left_out");
	return scheduling;
}
