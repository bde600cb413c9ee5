// SPDX-License-Identifier: Apache-2.0
#include "output/json/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "output/json/reader_private.h"

static const char *mode_name(unsigned int mode)
{
	return probe_mode__name((enum probe_mode)mode);
}

static const char *state_name(unsigned int state)
{
	return execution_state__name((enum execution_state)state);
}

static const char *basis_name(unsigned int basis)
{
	return cost_basis__name((enum cost_basis)basis);
}

static const char *end_words(unsigned int end)
{
	return report_end__words((enum report_end)end);
}

/* --- target -------------------------------------------------------------------------------------- */

static void read_execution(const json_t *json, struct execution *execution)
{
	const json_t *tracer = json_object_get(json, "tracer");
	size_t length = 0;

	execution->state = (enum execution_state)read__word(json, "run_state", state_name,
							    EXECUTION_FROZEN + 1);
	execution->tracer = (pid_t)min_of(read__count(tracer, "pid"), (uint64_t)INT32_MAX);
	for (const char *at = read__text(tracer, "comm");
	     *at && length < sizeof(execution->tracer_comm) - 1; at++)
		execution->tracer_comm[length++] = *at;
}

static void read_cost(const json_t *json, struct report_target *target)
{
	const json_t *hits = json_object_get(json, "probe_hits");

	target->overhead = read__real(json, "overhead");
	target->overhead_max = read__real(json, "overhead_max");
	target->cost.basis =
		(enum cost_basis)read__word(json, "basis", basis_name, COST_MEASURED + 1);
	target->cost.ns_per_creation = json_is_number(json_object_get(json, "ns_per_goroutine")) ?
					       read__real(json, "ns_per_goroutine") :
					       -1;
	target->cost.cpu_share = read__real(json, "cpu_share");
	target->dearer = read__real(json, "hit_cost_ratio");
	target->probe_ns = read__seconds(json, "probe_seconds");
	target->mode_changes = read__count(json, "mode_changes");
	for (int event = 0; event < PROBE_EVENT_COUNT; event++)
		target->probe_hits[event] =
			read__count(hits, probe_event__name((enum probe_event)event));
}

static void read_totals(const json_t *json, struct report_target *target)
{
	const json_t *goroutines = json_object_get(json, "goroutines");
	const json_t *losses = json_object_get(json, "losses");

	target->totals = (struct tracker_totals){
		.alive = read__count(goroutines, "alive"),
		.created = read__count(goroutines, "created"),
		.exited = read__count(goroutines, "exited"),
		.parked = read__count(goroutines, "parked"),
		.lost = read__count(losses, "events"),
		.repaired = read__count(losses, "repaired"),
		.refused = read__count(losses, "refused"),
		.inexact = read__bool(losses, "inexact"),
	};
	target->unreadable = read__count(losses, "unreadable");
	target->threads = read__count(json, "threads");
	/* Rates are for people who look on; JSON has the counts. */
	target->created_per_second = target->exited_per_second = -1;
}

static void read_place(const json_t *json, struct report_target *target)
{
	const json_t *runtime = json_object_get(json, "runtime");
	const json_t *program = json_object_get(json, "program");
	const json_t *claims = json_object_get(json, "claimed_by");

	target->pid = (pid_t)min_of(read__count(json, "pid"), (uint64_t)INT32_MAX);
	target->comm = read__text(json, "comm");
	target->exe = read__text(json, "exe");
	target->runtime_file = read__text(runtime, "file");
	target->build_id = read__text(runtime, "build_id");
	target->library = strcmp(target->runtime_file, target->exe) ?
				  text__base_name(target->runtime_file) :
				  "";
	target->group = text__base_name(target->exe);
	target->go_version = read__text(json, "go_version");
	target->module = read__text(program, "module");
	target->module_version = read__text(program, "version");
	target->vcs_revision = read__text(program, "vcs_revision");
	target->vcs_modified = read__bool(program, "vcs_modified");
	target->how = read__text(json, "how");
	target->unit = read__text(json, "unit");
	target->container_id = read__text(json, "container_id");
	target->pod_uid = read__text(json, "pod_uid");
	target->cgroup = read__text(json, "cgroup");
	target->claims = (struct report_claims){
		.exe = read__text(claims, "exe"),
		.unit = read__text(claims, "unit"),
		.container_id = read__text(claims, "container_id"),
		.pod_uid = read__text(claims, "pod_uid"),
		.cgroup = read__text(claims, "cgroup"),
		.exe_elsewhere = read__bool(claims, "exe_elsewhere"),
	};
	target->claims.group = target->claims.exe;
}

static void read_contention(const json_t *json, struct report_site *sites, size_t n,
			    struct report_target *target)
{
	const json_t *list = json_object_get(json, "contention");
	size_t n_listed = min_of(json_array_size(list), (size_t)REPORT_MAX_CONTENTION);

	for (size_t i = 0; i < n_listed; i++) {
		const json_t *one = json_array_get(list, i);

		for (size_t k = 0; k < n; k++) {
			if (strcmp(sites[k].id, read__text(one, "site")) != 0)
				continue;
			sites[k].view.waited_ns = read__seconds(one, "parked_seconds");
			sites[k].view.parks = read__count(one, "parks");
			break;
		}
	}
	target->waits_missed = read__count(json, "contention_missed");
	if (!strcmp(read__text(json, "contention_by"), "events"))
		target->waits_traced_ns = read__seconds(json, "contention_seconds");
}

static void read_triggers(struct report_reader *reader, const json_t *list,
			  struct report_target *target)
{
	struct report_trigger *triggers = NULL;

	target->n_triggers =
		read__array(reader, list, sizeof(*triggers), REPORT_READER_MAX_ITEMS, &triggers);
	for (size_t i = 0; i < target->n_triggers; i++) {
		const json_t *trigger = json_array_get(list, i);

		triggers[i] = (struct report_trigger){read__text(trigger, "trigger"),
						      read__bool(trigger, "met"),
						      read__text(trigger, "evidence_folder")};
	}
	target->triggers = triggers;
}

static void read_target(struct report_reader *reader, const json_t *json,
			struct report_target *target)
{
	const json_t *list = json_object_get(json, "sites");
	struct report_site *sites = NULL;

	read_place(json, target);
	target->observed_ns = read__seconds(json, "observed_seconds");
	/* 0 is none. */
	if (json_is_number(json_object_get(json, "census_age_seconds")))
		target->census_age_ns =
			max_of(read__seconds(json, "census_age_seconds"), (uint64_t)1);
	target->census_stretch = read__count32(json, "census_stretch");
	read_execution(json, &target->execution);
	target->mode = (enum probe_mode)read__word(json, "mode", mode_name, PROBE_MODE_COUNT);
	target->mode_reason = read__text(json, "mode_reason");
	read_totals(json, target);
	read_cost(json_object_get(json, "cost"), target);
	target->folded_sites = read__count(json, "folded_sites");
	target->n_sites =
		read__array(reader, list, sizeof(*sites), REPORT_READER_MAX_SITES, &sites);
	target->sites = sites;
	for (size_t i = 0; i < target->n_sites; i++)
		read__site(reader, json_array_get(list, i), reader->report.realtime_ns,
			   target->module, &sites[i]);
	target->totals.sites = target->n_sites;
	read__locks(reader, list, target, sites);
	read__findings(reader, json_object_get(json, "findings"), target);
	read__goroutines(reader, json_object_get(json, "goroutine_list"), target);
	read__heap(reader, json, target);
	target->scheduling = read__scheduling(reader, json_object_get(json, "scheduling"), target);
	read_contention(json, sites, target->n_sites, target);
	read_triggers(reader, json_object_get(json, "triggers"), target);
}

/* --- report -------------------------------------------------------------------------------------- */

static void read_quarantine(const json_t *json, struct report_self *self)
{
	size_t n = min_of(json_array_size(json), (size_t)REPORT_MAX_QUARANTINED);

	for (size_t i = 0; i < n; i++) {
		const json_t *process = json_array_get(json, i);

		self->quarantine[i] = (struct report_quarantined){
			.pid = (pid_t)min_of(read__count32(process, "pid"), (uint32_t)INT32_MAX),
			.owner = read__count32(process, "owner"),
			.left_ns = read__seconds(process, "seconds_left"),
		};
	}
	self->quarantined = n;
}

static enum held_by read_held_by(const json_t *json)
{
	const char *name = json_string_value(json);
	enum held_by by = HELD_BY_NOTHING;

	while (name && by < HELD_BY_COUNT && strcmp(name, held_by__name(by)) != 0)
		by++;
	return by < HELD_BY_COUNT ? by : HELD_BY_OTHERS;
}

static void read_self(const json_t *json, struct report_self *self)
{
	const json_t *processes = json_object_get(json, "processes");
	const json_t *losses = json_object_get(json, "losses");

	self->cpu_seconds = read__real(json, "cpu_seconds");
	self->resident_bytes = read__count(json, "resident_bytes");
	self->bpf_bytes = read__count(json, "bpf_bytes");
	self->open_fds = read__count(json, "open_files");
	self->cycle_ns = read__seconds(json, "cycle_seconds");
	self->suspended_ns = read__seconds(json, "suspended_seconds");
	self->held = (struct loop_hold){read__seconds(json, "longest_hold_seconds"),
					read_held_by(json_object_get(json, "longest_hold_in"))};
	self->interval_stretch = read__count32(json, "interval_stretch");
	self->slowed_targets = read__count(json, "slowed_targets");
	read_quarantine(json_object_get(json, "quarantined_processes"), self);
	self->missed_deadlines = read__count(json, "missed_deadlines");
	self->targets[REPORT_ATTACHED] = read__count(processes, "attached");
	self->targets[REPORT_UNSUPPORTED] = read__count(processes, "unsupported");
	self->targets[REPORT_FAILED] = read__count(processes, "failed");
	self->targets[REPORT_PAUSED] = read__count(processes, "paused");
	self->process_events_lost = read__count(losses, "process_events");
	self->events_malformed = read__count(losses, "malformed_events");
	self->textfile_errors = read__count(losses, "textfile_writes");
	self->reports_left_out = read__count(losses, "reports");
	self->state_errors = read__count(losses, "state_saves");
}

static void read_report(struct report_reader *reader)
{
	const json_t *list = json_object_get(reader->root, "targets");
	struct report *report = &reader->report;
	struct report_target *targets = NULL;

	if (!clock__from_rfc3339(read__text(reader->root, "time"), &report->realtime_ns))
		report->realtime_ns = 0;
	if (read__bool(reader->root, "final"))
		report->end = (enum report_end)read__word(reader->root, "final_reason", end_words,
							  REPORT_NOTHING_TO_EXPLAIN + 1);
	read_self(json_object_get(reader->root, "self"), &report->self);
	report->n_targets =
		read__array(reader, list, sizeof(*targets), REPORT_READER_MAX_TARGETS, &targets);
	report->targets = targets;
	for (size_t i = 0; i < report->n_targets; i++) {
		read_target(reader, json_array_get(list, i), &targets[i]);
		for (size_t k = 0; k < i; k++)
			targets[i].another |= targets[k].pid == targets[i].pid;
	}
}

/* A watch writes one line for each interval: the last that is whole. */
static json_t *load_last_line(const char *text, size_t size, json_error_t *error)
{
	while (size) {
		const char *newline;
		json_t *root;

		while (size && (text[size - 1] == '\n' || text[size - 1] == '\r'))
			size--;
		newline = memrchr(text, '\n', size);
		if (!newline)
			return json_loadb(text, size, 0, error);
		root = json_loadb(newline + 1, size - (size_t)(newline + 1 - text), 0, error);
		if (root)
			return root;
		size = (size_t)(newline - text);
	}
	return NULL;
}

static int check(const struct report_reader *reader, const char *what, struct failure *failure)
{
	json_int_t version = json_integer_value(json_object_get(reader->root, "schema_version"));

	if (!json_is_array(json_object_get(reader->root, "targets")) || version < 1)
		return failure__set(failure, -EPROTO,
				    "%s: it is JSON, but no report of gleakd (--json makes those)",
				    what);
	if (version > REPORT_SCHEMA_VERSION)
		return failure__set(failure, -EOPNOTSUPP,
				    "%s: a report of schema %lld; this gleakd knows %d: take a "
				    "newer one",
				    what, (long long)version, REPORT_SCHEMA_VERSION);
	return 0;
}

static int load(struct report_reader *reader, const char *text, size_t size, const char *what,
		struct failure *failure)
{
	json_error_t error = {.text = "empty"};

	if (size > REPORT_READER_MAX_BYTES)
		return failure__set(failure, -E2BIG, "%s: %zu bytes are more than a report has",
				    what, size);
	reader->root = json_loadb(text, size, 0, &error);
	if (!reader->root)
		reader->root = load_last_line(text, size, &error);
	if (!reader->root)
		return failure__set(failure, -EPROTO,
				    "%s: no JSON: %s (--json makes reports, 'gleakd record' "
				    "recordings)",
				    what, error.text);
	return check(reader, what, failure);
}

int report_reader__new(const char *text, size_t size, const char *what,
		       struct report_reader **ret_reader, struct failure *failure)
{
	struct report_reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader)
		return failure__set(failure, -ENOMEM, "%s: out of memory", what);
	err = load(reader, text, size, what, failure);
	if (!err)
		read_report(reader);
	if (!err && reader->arena.failed)
		err = failure__set(failure, -ENOMEM, "%s: out of memory", what);
	else if (!err && reader->too_many)
		err = failure__set(failure, -E2BIG,
				   "%s: a list in it is longer than gleakd would write", what);
	if (err) {
		report_reader__free(reader);
		return err;
	}
	*ret_reader = reader;
	return 0;
}

void report_reader__free(struct report_reader *reader)
{
	if (!reader)
		return;
	json_decref(reader->root);
	arena__release(&reader->arena);
	free(reader);
}

const struct report *report_reader__report(const struct report_reader *reader)
{
	return &reader->report;
}
