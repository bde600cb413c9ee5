// SPDX-License-Identifier: Apache-2.0
#include "report/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/self_usage.h"
#include "discover/discovery.h"
#include "report/allocations.h"
#include "report/findings.h"
#include "report/looked_at.h"
#include "report/process_figures.h"
#include "report/scheduling.h"
#include "report/sites.h"
#include "session/heap/target_holders.h"
#include "session/resources/target_resources.h"
#include "session/heap/target_view.h"

/* The least time that a rate is taken over. */
#define RATE_MIN_NS (200 * NSEC_PER_MSEC)

struct built_target {
	struct built_sites sites;
	struct built_findings findings;
	char pid[REPORT_PID_TEXT]; /* as a group's name */
	struct built_allocations allocations;
	struct report_allocations all_places; /* as those of the report, all to be told */
	struct report_scheduling *scheduling; /* owned */
	struct report_trigger triggers[REPORT_MAX_TRIGGERS];
};

/* What a report said, to derive rates. */
struct told_totals {
	uint64_t time_ns, created, exited;
};

/* What is saved of one runtime from one report to the next. */
struct saved_report {
	struct runtime_id id;
	struct told_totals first, last; /* reports; time 0: there was none */
	struct looked_at looked_at;
	struct kept_allocations allocations;
	bool used; /* in the report under way */
};

struct report_builder {
	uint64_t min_age_ns;
	size_t n_targets;
	struct built_target *targets;
	struct report_target *reports;
	size_t n_saved;
	struct saved_report *saved;		    /* owned; one per process of the last report */
	struct allow_list *allow;		    /* borrowed; NULL: none */
	const struct report_evidence_ops *evidence; /* NULL: none is kept */
	void *evidence_ctx;
	const struct source_tree *source; /* borrowed; NULL: none */
	enum report_group group;
	struct report_alloc_choice alloc_choice;
	bool discovers, shows_heap;
	struct report_self self; /* what does not change from report to report, or was noted */
	struct report report;
};

int report_builder__new(uint64_t min_age_ns, struct report_builder **ret_builder)
{
	struct report_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return -ENOMEM;
	builder->min_age_ns = min_age_ns;
	builder->self.start_time_seconds = self_usage__read(PROC_ROOT).start_time_seconds;
	*ret_builder = builder;
	return 0;
}

void report_builder__set_allow(struct report_builder *builder, struct allow_list *allow)
{
	builder->allow = allow;
}

void report_builder__set_source(struct report_builder *builder, const struct source_tree *tree)
{
	builder->source = tree;
}

void report_builder__set_evidence(struct report_builder *builder,
				  const struct report_evidence_ops *ops, void *ctx)
{
	builder->evidence = ops;
	builder->evidence_ctx = ctx;
}

void report_builder__show_heap(struct report_builder *builder)
{
	builder->shows_heap = true;
}

void report_builder__set_group(struct report_builder *builder, enum report_group group)
{
	builder->group = group;
}

void report_builder__set_allocations(struct report_builder *builder,
				     const struct report_alloc_choice *choice)
{
	builder->alloc_choice = *choice;
}

static void note_discovery(struct report_self *self, const struct discovery_counts *counts)
{
	self->targets[REPORT_ATTACHED] = counts->states[DISCOVERY_ATTACHED];
	self->targets[REPORT_UNSUPPORTED] = counts->states[DISCOVERY_UNSUPPORTED];
	self->targets[REPORT_FAILED] = counts->states[DISCOVERY_FAILED];
	self->targets[REPORT_PAUSED] = counts->states[DISCOVERY_PAUSED];
	self->attach_attempts = counts->attach_attempts;
	self->attach_failures = counts->attach_failures;
	self->processes_seen = counts->seen;
	self->processes_rejected = counts->rejected;
}

void report_builder__note(struct report_builder *builder, const struct report_notes *notes)
{
	struct report_self *self = &builder->self;

	builder->discovers = notes->discovery;
	if (notes->discovery)
		note_discovery(self, notes->discovery);
	self->cycle_ns = notes->cycle_ns;
	self->interval_stretch = notes->interval_stretch;
	self->process_events_lost = notes->process_events_lost;
	self->textfile_errors = notes->textfile_errors;
	self->state_errors = notes->state_errors;
	self->reports_left_out = notes->reports_left_out;
	self->held = notes->held;
}

static void clear_target(struct built_target *built)
{
	built_sites__clear(&built->sites);
	built_findings__clear(&built->findings);
	built_allocations__free(&built->allocations);
	free(built->scheduling);
	*built = (struct built_target){0};
}

static void clear(struct report_builder *builder)
{
	for (size_t t = 0; t < builder->n_targets; t++)
		clear_target(&builder->targets[t]);
	free(builder->targets);
	free(builder->reports);
	builder->targets = NULL;
	builder->reports = NULL;
	builder->n_targets = 0;
}

static void release_saved(struct saved_report *saved)
{
	looked_at__clear(&saved->looked_at);
	kept_allocations__free(&saved->allocations);
}

void report_builder__free(struct report_builder *builder)
{
	if (!builder)
		return;
	clear(builder);
	for (size_t i = 0; i < builder->n_saved; i++)
		release_saved(&builder->saved[i]);
	free(builder->saved);
	free(builder);
}

/* --- from one report to the next --------------------------------------------------------------- */

/*
 * What is saved of runtime @id: at @hint if none came or went, else anywhere; made if there is nothing.
 * NULL: no memory.
 */
static struct saved_report *find_saved(struct report_builder *builder, struct runtime_id id,
				       size_t hint)
{
	struct saved_report *all;

	for (size_t n = 0; n < builder->n_saved; n++) {
		struct saved_report *saved = &builder->saved[(hint + n) % builder->n_saved];

		if (runtime_id__same(&saved->id, &id))
			return saved;
	}
	all = reallocarray(builder->saved, builder->n_saved + 1, sizeof(*all));
	if (!all)
		return NULL;
	builder->saved = all;
	all[builder->n_saved] = (struct saved_report){.id = id};
	return &all[builder->n_saved++];
}

static void drop_unused_saved(struct report_builder *builder)
{
	size_t kept = 0;

	for (size_t i = 0; i < builder->n_saved; i++) {
		struct saved_report *saved = &builder->saved[i];

		if (!saved->used) {
			release_saved(saved);
			continue;
		}
		saved->used = false;
		builder->saved[kept++] = *saved;
	}
	builder->n_saved = kept;
}

/* --- sites -------------------------------------------------------------------------------------- */

/* The allow-list has the last word on what is shown as found. */
static void suppress(struct report_builder *builder, struct report_site *site)
{
	const char *reason = builder->allow ? allow_list__match(builder->allow, site) : NULL;

	if (!reason || !report__flagged(site))
		return;
	site->suppressed = true;
	site->suppressed_reason = reason;
}

/* What was found at a site is saved until the next look, which is after the next build. */
static void finish_sites(struct report_builder *builder, struct saved_report *saved,
			 uint64_t realtime_ns, struct built_sites *sites)
{
	struct looked_at *looked = &saved->looked_at;

	if (looked->locks)
		built_locks__place(looked->locks, sites->all, sites->n);
	for (size_t i = 0; i < sites->n; i++) {
		struct report_site *site = &sites->all[i];
		uint64_t at_ns;
		const struct site_objects_wanted *seen =
			looked_at__find(looked, site->view.index, &at_ns);

		if (seen && site->view.parked)
			site->objects = &seen->found;
		site->locks = looked->locks ? looked->locks->all : NULL;
		site->n_locks = looked->locks ? looked->locks->n : 0;
		if (site->view.due_ns)
			site->due_ns = realtime_ns + site->view.due_ns;
		suppress(builder, site);
		site->source = source_tree__of_site(builder->source, site);
		if (builder->evidence)
			site->evidence_folder = builder->evidence->folder(builder->evidence_ctx,
									  &saved->id, site->id);
	}
}

struct moment {
	uint64_t now_ns, realtime_ns;
	bool final;	/* the run ends with it */
	bool all_waits; /* are looked at, not only those under suspicion */
};

static int build_sites(struct report_builder *builder, size_t t, struct target *target,
		       struct saved_report *saved, const struct moment *moment)
{
	struct looked_at *looked = &saved->looked_at;
	struct built_target *built = &builder->targets[t];
	struct built_sites *sites = &built->sites;
	int news, err;

	err = built_sites__judge(sites, target, builder->min_age_ns, moment->now_ns);
	if (err)
		return err;
	news = looked_at__renew(looked, target, sites->all, sites->n, moment->now_ns,
				moment->all_waits);
	if (news < 0)
		return news;
	/* What they wait on is evidence, too. */
	if (news)
		err = built_sites__judge(sites, target, builder->min_age_ns, moment->now_ns);
	if (!err)
		err = built_sites__resolve(sites, target);
	if (err)
		return err;
	finish_sites(builder, saved, moment->realtime_ns, sites);
	err = built_scheduling__make(target, sites->all, sites->n, &built->scheduling);
	return err ? err : built_findings__make(&built->findings, sites->all, sites->n);
}

/* --- the target's head -------------------------------------------------------------------------- */

static double rate(uint64_t now, uint64_t before, uint64_t elapsed_ns)
{
	if (now < before)
		return 0;
	return (double)(now - before) * NSEC_PER_SEC / (double)elapsed_ns;
}

/*
 * Since the report before, or in the last one since the first: it may come a moment after the one
 * before, when nothing has happened. Within less than RATE_MIN_NS a few make a wild rate.
 */
static void fill_rates(struct saved_report *saved, const struct tracker_totals *totals,
		       uint64_t now_ns, bool final, struct report_target *report)
{
	const struct told_totals *since = final ? &saved->first : &saved->last;
	struct told_totals now = {now_ns, totals->created, totals->exited};

	report->created_per_second = report->exited_per_second = -1;
	if (since->time_ns && now_ns - since->time_ns >= RATE_MIN_NS) {
		uint64_t elapsed_ns = now_ns - since->time_ns;

		report->created_per_second = rate(now.created, since->created, elapsed_ns);
		report->exited_per_second = rate(now.exited, since->exited, elapsed_ns);
	}
	saved->last = now;
	if (!saved->first.time_ns)
		saved->first = now;
}

static void fill_target(const struct target *target, const struct built_target *built,
			const struct tracker_totals *totals, uint64_t now_ns,
			struct report_target *report)
{
	const struct process_info *process = target__process(target);
	const struct census_result *census = target__census(target);
	const struct go_build_info *info = go_binary__build_info(target__binary(target));

	report->pid = process->id.pid;
	report->comm = process->comm;
	report->exe = process->exe;
	report->runtime_file = target__file(target);
	report->build_id = go_binary__build_id(target__binary(target));
	report->library = target__is_of_exe(target) ? "" : text__base_name(report->runtime_file);
	report->runtime = target__id(target).moduledata;
	report->go_version = info->version.text;
	report->module = info->module_path;
	report->module_version = info->module_version;
	report->vcs_revision = info->vcs_revision;
	report->vcs_modified = info->vcs_modified;
	report->how = target__how(target);
	report->mode = target__mode(target);
	report->mode_reason = target__mode_reason(target);
	report->observed_ns = now_ns - target__attached_ns(target);
	built_scheduling__fill(target, built->scheduling, now_ns, report);
	report->census_stretch = target__stretch(target);
	if (census->finished_ns)
		report->census_age_ns = now_ns - min_of(census->finished_ns, now_ns);
	report->totals = *totals;
	report->totals.refused += stack_table__refused(target__stacks(target)) +
				  symbolizer__unnamed(target__symbolizer(target)) +
				  census->refused + built->sites.refused;
	report->unreadable = census->unreadable + census->stacks_failed;
	report->exited_target =
		target__state(target) == TARGET_EXITED || target__state(target) == TARGET_EXECUTED;
	report->holders = target_holders__get(target);
	report->resources = target_resources__get(target);
	/* That its heap was looked at for what it has open is nobody's question. */
	report->heap = report->resources ? NULL : target_view__get(target);
	report->sites = built->sites.all;
	report->n_sites = built->sites.n;
	report->folded_sites = built->sites.folded;
	report->findings = built->findings.findings;
	report->n_findings = built->findings.n;
}

/* Of what a recording tells everything may be asked later. */
static void show_heap(struct built_target *built, const struct target *target,
		      struct report_target *report)
{
	report->heap = target_view__get(target);
	if (!report->allocations)
		return;
	built->all_places = *report->allocations;
	built->all_places.watched = false;
	report->allocations = &built->all_places;
}

static void fill_triggers(const struct report_builder *builder, const struct runtime_id *id,
			  uint64_t now_ns, struct built_target *built, struct report_target *report)
{
	if (!builder->evidence)
		return;
	report->n_triggers = builder->evidence->triggers(builder->evidence_ctx, id, report, now_ns,
							 built->triggers, REPORT_MAX_TRIGGERS);
	report->triggers = built->triggers;
}

static bool is_another(const struct report_builder *builder, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (builder->reports[i].pid == builder->reports[index].pid)
			return true;
	}
	return false;
}

/* The report of target @i, which is the session's of that number. */
static int build_target(struct report_builder *builder, size_t i, const struct session *session,
			const struct moment *moment)
{
	struct target *target = session__target(session, i);
	struct saved_report *saved = find_saved(builder, target__id(target), i);
	struct built_target *built = &builder->targets[i];
	struct report_target *report = &builder->reports[i];
	struct tracker_totals totals;
	int err = saved ? build_sites(builder, i, target, saved, moment) : -ENOMEM;

	if (err)
		return err;
	tracker__totals(target__tracker(target), &totals);
	fill_target(target, built, &totals, moment->now_ns, report);
	report->totals.lost += session__malformed(session);
	report->another = is_another(builder, i);
	report_metrics__fill_target(target, builder->group, built->pid, report);
	report_metrics__fill_memory(target, moment->now_ns, report);
	report_metrics__fill_goroutines(target__goroutine_list(target), report);
	err = built_allocations__build(&built->allocations, target, &builder->alloc_choice,
				       moment->now_ns, &saved->allocations, report);
	if (err)
		return err;
	if (builder->shows_heap)
		show_heap(built, target, report);
	kept_allocations__suppress(&saved->allocations, builder->allow);
	kept_allocations__tell_due(&saved->allocations, moment->now_ns, moment->realtime_ns);
	saved->used = true;
	fill_rates(saved, &totals, moment->now_ns, moment->final, report);
	fill_triggers(builder, &saved->id, moment->now_ns, built, report);
	return 0;
}

int report_builder__build(struct report_builder *builder, struct session *session, uint64_t now_ns,
			  uint64_t realtime_ns, enum report_end end,
			  const struct report **ret_report)
{
	bool final = end != REPORT_GOES_ON;
	size_t n = session__n_targets(session);
	const struct moment moment = {now_ns, realtime_ns, final,
				      final && n <= LOOKED_AT_MAX_TARGETS};
	int err = 0;

	clear(builder);
	builder->targets = calloc(max_of(n, (size_t)1), sizeof(*builder->targets));
	builder->reports = calloc(max_of(n, (size_t)1), sizeof(*builder->reports));
	if (!builder->targets || !builder->reports)
		return -ENOMEM;
	builder->n_targets = n;
	for (size_t i = 0; i < n && !err; i++)
		err = build_target(builder, i, session, &moment);
	if (err)
		return err;
	drop_unused_saved(builder);
	builder->report = (struct report){.realtime_ns = realtime_ns,
					  .end = end,
					  .targets = builder->reports,
					  .n_targets = n};
	builder->report.self = builder->self;
	report_metrics__fill_self(session, &builder->report, builder->discovers);
	*ret_report = &builder->report;
	return 0;
}
