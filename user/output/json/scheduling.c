// SPDX-License-Identifier: Apache-2.0
#include "output/json/scheduling.h"

static void put_late(struct json *json, const struct scheduling_late *late,
		     const struct report_held *held)
{
	json__object(json, NULL);
	json__count(json, "goid", late->goid);
	json__text_or_null(json, "site", held->site);
	json__seconds(json, "waiting_seconds", late->waiting_ns);
	json__bool(json, "measured", late->measured);
	json__bool(json, "never_ran", late->never_ran);
	json__text(json, "queue", late->by_kernel ? "kernel" : "go");
	json__end_object(json);
}

static void put_stuck(struct json *json, const struct scheduling_stuck *stuck,
		      const struct report_held *held)
{
	json__object(json, NULL);
	json__count(json, "goid", stuck->call.goid);
	json__text_or_null(json, "site", held->site);
	json__count(json, "thread", stuck->call.tid);
	json__text(json, "call", held->call);
	json__bool(json, "in_c", stuck->call.in_c);
	json__seconds(json, "seconds", stuck->for_ns);
	json__end_object(json);
}

static void put_hog(struct json *json, const struct scheduling_hog *hog,
		    const struct report_held *held)
{
	json__object(json, NULL);
	json__count(json, "goid", hog->goid);
	json__text_or_null(json, "site", held->site);
	json__seconds(json, "running_seconds", hog->running_ns);
	json__bool(json, "unyielding", hog->unyielding);
	json__count(json, "looks", hog->looks);
	json__end_object(json);
}

static void put_count_or_null(struct json *json, const char *name, bool known, uint64_t n)
{
	if (known)
		json__count(json, name, n);
	else
		json__null(json, name);
}

static void put_seconds_or_null(struct json *json, const char *name, bool known, uint64_t ns)
{
	if (known)
		json__seconds(json, name, ns);
	else
		json__null(json, name);
}

static void put_lists(struct json *json, const struct report_scheduling *scheduling)
{
	const struct scheduling_view *view = &scheduling->view;

	json__array(json, "late");
	for (size_t i = 0; i < view->n_late; i++)
		put_late(json, &view->late[i], &scheduling->late[i]);
	json__end_array(json);
	json__count(json, "more_late", view->more_late);
	json__array(json, "stuck_syscalls");
	for (size_t i = 0; i < view->n_stuck; i++)
		put_stuck(json, &view->stuck[i], &scheduling->stuck[i]);
	json__end_array(json);
	json__count(json, "more_stuck_syscalls", view->more_stuck);
	json__array(json, "hogs");
	for (size_t i = 0; i < view->n_hogs; i++)
		put_hog(json, &view->hogs[i], &scheduling->hogs[i]);
	json__end_array(json);
}

static void put_stolen(struct json *json, const struct scheduling_cpu *cpu)
{
	put_seconds_or_null(json, "stolen_seconds", cpu->stolen_known, cpu->stolen_ns);
	put_count_or_null(json, "host_processors", cpu->stolen_known, cpu->host_processors);
}

static void put_rise(struct json *json, const struct report_scheduling *scheduling)
{
	const struct threads_rise *rise = &scheduling->view.rise;

	if (!rise->over_ns) {
		json__null(json, "threads_rise");
		return;
	}
	json__object(json, "threads_rise");
	json__count(json, "from", rise->from);
	json__count(json, "to", rise->to);
	json__seconds(json, "seconds", rise->over_ns);
	json__count(json, "looked_at", scheduling->looked_at);
	json__array(json, "calls");
	for (size_t i = 0; i < scheduling->n_groups; i++) {
		const struct report_thread_group *group = &scheduling->groups[i];

		json__object(json, NULL);
		json__text(json, "call", group->call);
		json__text_or_null(json, "where", group->where);
		json__bool(json, "in_c", group->in_c);
		json__count(json, "threads", group->threads);
		json__end_object(json);
	}
	json__end_array(json);
	json__end_object(json);
}

void json__scheduling(struct json *json, const struct report_target *target)
{
	const struct report_scheduling *scheduling = target->scheduling;
	const struct scheduling_view *view;

	if (!scheduling) {
		json__null(json, "scheduling");
		return;
	}
	view = &scheduling->view;
	json__object(json, "scheduling");
	put_count_or_null(json, "latency_over_10ms", view->latencies_known, view->over_10ms);
	put_count_or_null(json, "latency_over_10ms_new", view->latencies_known && view->since_ns,
			  view->over_10ms_new);
	put_seconds_or_null(json, "since_seconds", view->since_ns, view->since_ns);
	put_lists(json, scheduling);
	put_count_or_null(json, "processors", view->processors, view->processors);
	put_count_or_null(json, "threads", target->threads, target->threads);
	json__count(json, "threads_in_calls", view->in_calls);
	json__count(json, "locked_goroutines", view->locked);
	put_rise(json, scheduling);
	put_seconds_or_null(json, "throttled_seconds", view->cpu.throttled_known,
			    view->cpu.throttled_ns);
	put_seconds_or_null(json, "run_delay_seconds", view->cpu.run_delay_known,
			    view->cpu.run_delay_ns);
	put_stolen(json, &view->cpu);
	json__text_or_null(json, "delayed_by", report_delay__name(report__delay(view)));
	json__count(json, "left_out", view->left_out);
	json__end_object(json);
}
