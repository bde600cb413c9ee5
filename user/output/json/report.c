// SPDX-License-Identifier: Apache-2.0
#include "output/json/report.h"

#include "base/utf8.h"
#include "output/json/execution.h"
#include "output/json/heap.h"
#include "output/json/memory_series.h"
#include "output/json/resources.h"
#include "output/json/scheduling.h"
#include "output/json/scheduling_series.h"
#include "output/json/ways.h"
#include "output/json/site.h"
#include "output/json/writer.h"

/* --- goroutines ---------------------------------------------------------------------------------- */

/* Whether both are the same in JSON, where everything that is not UTF-8 looks alike. */
static bool same_key(const char *a, const char *b)
{
	while (*a && *b) {
		uint32_t code_a, code_b;

		a += utf8__decode(a, &code_a);
		b += utf8__decode(b, &code_b);
		if ((code_a ? code_a : UTF8_REPLACEMENT) != (code_b ? code_b : UTF8_REPLACEMENT))
			return false;
	}
	return !*a && !*b;
}

/* Of labels whose keys are the same the last one counts: readers refuse an object with both. */
static void put_labels(struct json *json, const struct report_labels *labels)
{
	json__object(json, "labels");
	for (size_t i = 0; labels && i < labels->n; i++) {
		bool again = false;

		for (size_t k = i + 1; k < labels->n && !again; k++)
			again = same_key(labels->items[i].key, labels->items[k].key);
		if (!again)
			json__text(json, labels->items[i].key, labels->items[i].value);
	}
	json__end_object(json);
}

static void put_goroutine_place(struct json *json, const struct report_place *place)
{
	json__frame(json, "created_by", &place->created_by);
	json__text(json, "start_function", place->start_function);
	json__text(json, "site", place->site);
	json__stack(json, "stack", place->stack, place->n_stack);
}

static void put_goroutine(struct json *json, const struct report_goroutine *goroutine)
{
	json__object(json, NULL);
	json__count(json, "goid", goroutine->goid);
	if (goroutine->parent_goid)
		json__count(json, "parent_goid", goroutine->parent_goid);
	else
		json__null(json, "parent_goid");
	json__text(json, "state", goroutine->state);
	json__bool(json, "parked", goroutine->parked);
	put_labels(json, goroutine->labels);
	json__bool(json, "locked_to_thread", goroutine->locked_to_thread);
	json__bool(json, "in_bubble", goroutine->in_bubble);
	json__seconds(json, "waiting_seconds", goroutine->waiting_ns);
	put_goroutine_place(json, goroutine->place);
	json__end_object(json);
}

static void put_goroutine_list(struct json *json, const struct report_target *target)
{
	json__array(json, "goroutine_list");
	for (size_t i = 0; i < target->n_goroutine_list; i++)
		put_goroutine(json, &target->goroutine_list[i]);
	json__end_array(json);
}

/* --- targets ------------------------------------------------------------------------------------- */

static void put_goroutines(struct json *json, const struct tracker_totals *totals)
{
	json__object(json, "goroutines");
	json__count(json, "alive", totals->alive);
	json__count(json, "created", totals->created);
	json__count(json, "exited", totals->exited);
	json__count(json, "parked", totals->parked);
	json__end_object(json);
}

static void put_losses(struct json *json, const struct report_target *target)
{
	json__object(json, "losses");
	json__count(json, "events", target->totals.lost);
	json__count(json, "repaired", target->totals.repaired);
	json__count(json, "unreadable", target->unreadable);
	json__count(json, "refused", target->totals.refused);
	json__bool(json, "inexact", target->totals.inexact);
	json__end_object(json);
}

/* What is no number of nanoseconds is 0. */
static uint64_t count_of(double ns)
{
	return ns > 0 && ns < (double)INT64_MAX ? (uint64_t)(ns + 0.5) : 0;
}

static void put_cost_in_short(struct json *json, const struct probe_cost *cost)
{
	if (cost->basis != COST_NONE && cost->ns_per_creation >= 0)
		json__count(json, "ns_per_goroutine", count_of(cost->ns_per_creation));
	else
		json__null(json, "ns_per_goroutine");
	if (cost->basis != COST_NONE && cost->cpu_share > 0)
		json__real(json, "cpu_share", cost->cpu_share);
	else
		json__null(json, "cpu_share");
	json__text(json, "basis", cost_basis__name(cost->basis));
}

static void put_cost(struct json *json, const struct report_target *target)
{
	json__object(json, "cost");
	json__real(json, "overhead", target->overhead);
	if (target->overhead_max > 0)
		json__real(json, "overhead_max", target->overhead_max);
	else
		json__null(json, "overhead_max");
	put_cost_in_short(json, &target->cost);
	json__real(json, "hit_cost_ratio", max_of(target->dearer, 1.0));
	json__seconds(json, "probe_seconds", target->probe_ns);
	json__count(json, "mode_changes", target->mode_changes);
	json__object(json, "probe_hits");
	for (enum probe_event event = 0; event < PROBE_EVENT_COUNT; event++)
		json__count(json, probe_event__name(event), target->probe_hits[event]);
	json__end_object(json);
	json__end_object(json);
}

static void put_program(struct json *json, const struct report_target *target)
{
	bool revision = *report__text(target->vcs_revision);

	json__object(json, "program");
	json__text_or_null(json, "module", target->module);
	json__text_or_null(json, "version", target->module_version);
	json__text_or_null(json, "vcs_revision", target->vcs_revision);
	if (revision)
		json__bool(json, "vcs_modified", target->vcs_modified);
	else
		json__null(json, "vcs_modified");
	json__end_object(json);
}

static void put_claims(struct json *json, const struct report_claims *claims)
{
	json__object(json, "claimed_by");
	json__text_or_null(json, "exe", report__text(claims->exe));
	json__bool(json, "exe_elsewhere", claims->exe_elsewhere);
	json__text_or_null(json, "unit", report__text(claims->unit));
	json__text_or_null(json, "container_id", report__text(claims->container_id));
	json__text_or_null(json, "pod_uid", report__text(claims->pod_uid));
	json__text_or_null(json, "cgroup", report__text(claims->cgroup));
	json__end_object(json);
}

static void put_contention(struct json *json, const struct report_target *target)
{
	const struct report_site *sites[REPORT_MAX_CONTENTION];
	size_t n = report__contention(target, sites);
	bool traced = target->waits_traced_ns;

	json__text(json, "contention_by", traced ? "events" : "censuses");
	json__seconds(json, "contention_seconds",
		      traced ? target->waits_traced_ns : target->observed_ns);
	json__count(json, "contention_missed", target->waits_missed);
	json__array(json, "contention");
	for (size_t i = 0; i < n; i++) {
		json__object(json, NULL);
		json__text(json, "site", sites[i]->id);
		json__text_or_null(json, "wait_reason", report__text(sites[i]->wait_reason));
		json__seconds(json, "parked_seconds", sites[i]->view.waited_ns);
		json__count(json, "parks", sites[i]->view.parks);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_triggers(struct json *json, const struct report_target *target)
{
	json__array(json, "triggers");
	for (size_t i = 0; i < target->n_triggers; i++) {
		const struct report_trigger *trigger = &target->triggers[i];

		json__object(json, NULL);
		json__text(json, "trigger", trigger->text);
		json__bool(json, "met", trigger->met);
		json__text_or_null(json, "evidence_folder", report__text(trigger->evidence_folder));
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_target(struct json *json, const struct report_target *target,
		       const struct timeline *timeline)
{
	json__object(json, NULL);
	json__count(json, "pid", (uint64_t)target->pid);
	json__text(json, "comm", target->comm);
	json__text(json, "exe", target->exe);
	json__object(json, "runtime");
	json__text(json, "file", target->runtime_file);
	json__text_or_null(json, "build_id", target->build_id);
	json__end_object(json);
	json__text(json, "go_version", target->go_version);
	put_program(json, target);
	json__text(json, "how", target->how);
	json__text_or_null(json, "unit", target->unit);
	json__text_or_null(json, "container_id", target->container_id);
	json__text_or_null(json, "pod_uid", target->pod_uid);
	json__text_or_null(json, "cgroup", target->cgroup);
	put_claims(json, &target->claims);
	json__seconds(json, "observed_seconds", target->observed_ns);
	json__execution(json, &target->execution);
	json__text(json, "mode", probe_mode__name(target->mode));
	json__text_or_null(json, "mode_reason", target->mode_reason);
	put_goroutines(json, &target->totals);
	if (target->threads)
		json__count(json, "threads", target->threads);
	else
		json__null(json, "threads");
	if (target->census_age_ns)
		json__seconds(json, "census_age_seconds", target->census_age_ns);
	else
		json__null(json, "census_age_seconds");
	json__count(json, "census_stretch", max_of(target->census_stretch, 1u));
	put_losses(json, target);
	put_cost(json, target);
	json__count(json, "silenced_sites", report__count_suppressed(target));
	json__count(json, "folded_sites", target->folded_sites);
	json__array(json, "findings");
	for (size_t i = 0; i < target->n_findings; i++)
		json__finding(json, &target->findings[i]);
	json__end_array(json);
	json__array(json, "sites");
	for (size_t i = 0; i < target->n_sites; i++)
		json__site(json, &target->sites[i]);
	json__end_array(json);
	if (target->goroutines_listed)
		put_goroutine_list(json, target);
	json__heap(json, target);
	json__ways(json, target);
	json__resources(json, target->resources);
	json__scheduling(json, target);
	put_contention(json, target);
	put_triggers(json, target);
	json__memory_series(json, timeline, target);
	json__scheduling_series(json, timeline, target);
	json__end_object(json);
}

/* --- gleakd itself -------------------------------------------------------------------------------- */

static void put_processes(struct json *json, const struct report_self *self)
{
	json__object(json, "processes");
	json__count(json, "attached", self->targets[REPORT_ATTACHED]);
	json__count(json, "unsupported", self->targets[REPORT_UNSUPPORTED]);
	json__count(json, "failed", self->targets[REPORT_FAILED]);
	json__count(json, "paused", self->targets[REPORT_PAUSED]);
	json__end_object(json);
}

static void put_own_losses(struct json *json, const struct report_self *self)
{
	json__object(json, "losses");
	json__count(json, "process_events", self->process_events_lost);
	json__count(json, "malformed_events", self->events_malformed);
	json__count(json, "textfile_writes", self->textfile_errors);
	json__count(json, "state_saves", self->state_errors);
	json__count(json, "reports", self->reports_left_out);
	json__end_object(json);
}

static void put_quarantine(struct json *json, const struct report_self *self)
{
	size_t n = min_of((size_t)self->quarantined, (size_t)REPORT_MAX_QUARANTINED);

	json__array(json, "quarantined_processes");
	for (size_t i = 0; i < n; i++) {
		json__object(json, NULL);
		json__count(json, "pid", (uint64_t)self->quarantine[i].pid);
		json__count(json, "owner", self->quarantine[i].owner);
		json__seconds(json, "seconds_left", self->quarantine[i].left_ns);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_self(struct json *json, const struct report_self *self)
{
	json__object(json, "self");
	json__real(json, "cpu_seconds", self->cpu_seconds);
	json__count(json, "resident_bytes", self->resident_bytes);
	json__count(json, "bpf_bytes", self->bpf_bytes);
	json__count(json, "open_files", self->open_fds);
	json__seconds(json, "cycle_seconds", self->cycle_ns);
	json__seconds(json, "suspended_seconds", self->suspended_ns);
	json__seconds(json, "longest_hold_seconds", self->held.ns);
	json__text(json, "longest_hold_in", held_by__name(self->held.by));
	json__count(json, "interval_stretch", max_of(self->interval_stretch, 1u));
	json__count(json, "slowed_targets", self->slowed_targets);
	json__count(json, "quarantined", self->quarantined);
	put_quarantine(json, self);
	json__count(json, "missed_deadlines", self->missed_deadlines);
	put_processes(json, self);
	put_own_losses(json, self);
	json__end_object(json);
}

int report__write_json(FILE *out, const struct report *report)
{
	return report__write_recorded_json(out, report, NULL);
}

int report__write_recorded_json(FILE *out, const struct report *report,
				const struct timeline *timeline)
{
	struct json json;

	json__begin_dated(&json, REPORT_SCHEMA_VERSION, report->realtime_ns);
	json__bool(&json, "final", report__final(report));
	json__text_or_null(&json, "final_reason", report_end__words(report->end));
	put_self(&json, &report->self);
	json__array(&json, "targets");
	for (size_t i = 0; i < report->n_targets; i++)
		put_target(&json, &report->targets[i], timeline);
	json__end_array(&json);
	json__end_object(&json);
	return json__finish(&json, out);
}
