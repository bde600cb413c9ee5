// SPDX-License-Identifier: Apache-2.0
#include "output/html/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"

enum series_kind { SERIES_GOROUTINES, SERIES_MEMORY, SERIES_RESOURCES };

/* A number of a place at each moment: goroutines, bytes in use that were allocated there, what is open. */
struct series {
	enum series_kind kind;
	char id[9];
	char *function, *start_function, *what;
	enum resource_kind resource;
	uint64_t values[HTML_KEEPER_MOMENTS];
	struct timeline_verdict *verdicts; /* changes; texts are owned */
	size_t n_verdicts;
};

struct kept_target {
	pid_t pid;
	uint64_t runtime;
	struct series **series; /* by kind and id */
	size_t n, capacity;
	struct timeline_memory memory[HTML_KEEPER_MOMENTS]; /* time_ns 0: not known then */
	uint64_t left_out;
};

/* What html_keeper__timeline() has made. */
struct made {
	struct timeline timeline;
	struct timeline_clock clock;
	void **pieces;
	size_t n, capacity;
};

struct html_keeper {
	uint64_t times[HTML_KEEPER_MOMENTS];
	size_t n; /* moments that stay; the one behind them is the latest, until it does */
	bool latest;
	uint64_t stride, skipped;	    /* every so many-th report stays */
	uint64_t realtime_ns, monotonic_ns; /* of the latest */
	struct kept_target **targets;
	size_t n_targets, capacity;
	size_t n_series;
	struct made made;
};

int html_keeper__new(struct html_keeper **ret_keeper)
{
	struct html_keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return -ENOMEM;
	keeper->stride = 1;
	*ret_keeper = keeper;
	return 0;
}

static void release_made(struct made *made)
{
	for (size_t i = 0; i < made->n; i++)
		free(made->pieces[i]);
	free(made->pieces);
	*made = (struct made){.pieces = NULL};
}

static void series__free(struct series *series)
{
	if (!series)
		return;
	free(series->function);
	free(series->start_function);
	free(series->what);
	for (size_t i = 0; i < series->n_verdicts; i++)
		free((char *)series->verdicts[i].why);
	free(series->verdicts);
	free(series);
}

void html_keeper__free(struct html_keeper *keeper)
{
	if (!keeper)
		return;
	release_made(&keeper->made);
	for (size_t i = 0; i < keeper->n_targets; i++) {
		for (size_t k = 0; k < keeper->targets[i]->n; k++)
			series__free(keeper->targets[i]->series[k]);
		free(keeper->targets[i]->series);
		free(keeper->targets[i]);
	}
	free(keeper->targets);
	free(keeper);
}

/* --- moments -------------------------------------------------------------------------------------- */

/* Every second moment goes. */
static void thin_out(struct html_keeper *keeper)
{
	size_t half = HTML_KEEPER_MOMENTS / 2;

	for (size_t i = 0; i < half; i++)
		keeper->times[i] = keeper->times[2 * i];
	for (size_t t = 0; t < keeper->n_targets; t++) {
		struct kept_target *target = keeper->targets[t];

		for (size_t i = 0; i < half; i++)
			target->memory[i] = target->memory[2 * i];
		for (size_t k = 0; k < target->n; k++) {
			uint64_t *values = target->series[k]->values;

			for (size_t i = 0; i < half; i++)
				values[i] = values[2 * i];
		}
	}
	keeper->n = half;
	keeper->stride *= 2;
}

/* Where the next report goes, in place of the latest if that was not to stay. */
static size_t begin_moment(struct html_keeper *keeper)
{
	if (keeper->latest && ++keeper->skipped >= keeper->stride) {
		keeper->n++;
		keeper->skipped = 0;
	}
	if (keeper->n == HTML_KEEPER_MOMENTS)
		thin_out(keeper);
	for (size_t t = 0; t < keeper->n_targets; t++) {
		struct kept_target *target = keeper->targets[t];

		target->memory[keeper->n] = (struct timeline_memory){0};
		for (size_t k = 0; k < target->n; k++)
			target->series[k]->values[keeper->n] = 0;
	}
	keeper->latest = true;
	return keeper->n;
}

/* --- what is kept --------------------------------------------------------------------------------- */

static struct kept_target *find_target(const struct html_keeper *keeper,
				       const struct report_target *of)
{
	for (size_t i = 0; i < keeper->n_targets; i++) {
		struct kept_target *target = keeper->targets[i];

		if (target->pid == of->pid && target->runtime == of->runtime)
			return target;
	}
	return NULL;
}

static struct kept_target *keep_target(struct html_keeper *keeper, const struct report_target *of)
{
	struct kept_target *target = find_target(keeper, of);

	if (target)
		return target;
	if (!array__reserve(keeper->targets, keeper->capacity, keeper->n_targets + 1))
		return NULL;
	target = calloc(1, sizeof(*target));
	if (!target)
		return NULL;
	target->pid = of->pid;
	target->runtime = of->runtime;
	keeper->targets[keeper->n_targets++] = target;
	return target;
}

/* What a series is of. */
struct subject {
	enum series_kind kind;
	const char *id; /* "" of resources, which have none */
	const char *function, *start_function, *what;
	enum resource_kind resource;
};

static int compare_series(const struct series *series, const struct subject *subject)
{
	int order = (int)series->kind - (int)subject->kind;

	if (!order)
		order = strcmp(series->id, subject->id);
	if (!order)
		order = (int)series->resource - (int)subject->resource;
	if (order || subject->kind != SERIES_RESOURCES)
		return order;
	order = strcmp(series->function, report__text(subject->function));
	return order ? order : strcmp(series->what, report__text(subject->what));
}

static size_t place_of(const struct kept_target *target, const struct subject *subject)
{
	return bisect(target->n, i, compare_series(target->series[i], subject) < 0);
}

static struct series *new_series(const struct subject *subject)
{
	struct series *series = calloc(1, sizeof(*series));

	if (!series)
		return NULL;
	snprintf(series->id, sizeof(series->id), "%s", subject->id);
	series->kind = subject->kind;
	series->resource = subject->resource;
	series->function = strdup(report__text(subject->function));
	series->start_function = strdup(report__text(subject->start_function));
	series->what = strdup(report__text(subject->what));
	if (series->function && series->start_function && series->what)
		return series;
	series__free(series);
	return NULL;
}

/* *@ret_series: NULL where there is no room for one more. */
static int keep_value(struct html_keeper *keeper, struct kept_target *target,
		      const struct subject *subject, uint64_t value, struct series **ret_series)
{
	size_t at = place_of(target, subject);
	struct series *series;

	*ret_series = NULL;
	if (at < target->n && !compare_series(target->series[at], subject)) {
		*ret_series = target->series[at];
		target->series[at]->values[keeper->n] += value;
		return 0;
	}
	if (keeper->n_series == HTML_KEEPER_SERIES) {
		target->left_out++;
		return 0;
	}
	if (!array__reserve(target->series, target->capacity, target->n + 1))
		return -ENOMEM;
	series = new_series(subject);
	if (!series)
		return -ENOMEM;
	memmove(&target->series[at + 1], &target->series[at],
		(target->n - at) * sizeof(*target->series));
	target->series[at] = series;
	series->values[keeper->n] = value;
	target->n++;
	keeper->n_series++;
	*ret_series = series;
	return 0;
}

/* Of a verdict that comes and goes the last changes are left out. */
static int keep_verdict(const struct html_keeper *keeper, struct series *series,
			const struct report_site *site)
{
	enum verdict verdict = site->view.verdict;
	char why[REPORT_WHY_SIZE];
	void *grown;

	if (series->n_verdicts == HTML_KEEPER_VERDICTS ||
	    (series->n_verdicts && series->verdicts[series->n_verdicts - 1].verdict == verdict) ||
	    (!series->n_verdicts && !verdict__is_suspect(verdict)))
		return 0;
	grown = reallocarray(series->verdicts, series->n_verdicts + 1, sizeof(*series->verdicts));
	if (!grown)
		return -ENOMEM;
	series->verdicts = grown;
	series->verdicts[series->n_verdicts] = (struct timeline_verdict){
		.time_ns = keeper->monotonic_ns,
		.verdict = verdict,
		.why = strdup(site->view.n_why ? report__why(site, 0, why) : ""),
	};
	if (!series->verdicts[series->n_verdicts].why)
		return -ENOMEM;
	series->n_verdicts++;
	return 0;
}

static int keep_resources(struct html_keeper *keeper, struct kept_target *target,
			  const struct resource_lines *resources)
{
	struct series *series;
	int err = 0;

	for (size_t i = 0; resources && i < resources->n && !err; i++) {
		const struct resource_line *line = &resources->all[i];
		const struct subject subject = {
			.kind = SERIES_RESOURCES,
			.id = "",
			.function = line->n_held_by ? line->held_by[0] : "",
			.what = line->calls,
			.resource = line->place.kind,
		};

		err = keep_value(keeper, target, &subject, line->place.outstanding, &series);
	}
	return err;
}

static int keep_sites(struct html_keeper *keeper, struct kept_target *target,
		      const struct report_target *of)
{
	const struct report_allocations *allocations = of->allocations;
	struct series *series;
	int err = 0;

	for (size_t i = 0; i < of->n_sites && !err; i++) {
		const struct report_site *site = &of->sites[i];
		const struct subject subject = {
			.id = site->id,
			.function = site->blocked_at.function,
			.start_function = site->start_function,
			.what = site->wait_reason,
		};

		err = keep_value(keeper, target, &subject, site->view.goroutines, &series);
		if (!err && series)
			err = keep_verdict(keeper, series, site);
	}
	for (size_t i = 0; allocations && i < allocations->n_sites && !err; i++) {
		const struct report_alloc_site *site = &allocations->sites[i];
		const struct subject subject = {
			.id = site->id,
			.kind = SERIES_MEMORY,
			.function = site->allocated_at.function,
			.what = site->type,
		};

		err = keep_value(keeper, target, &subject, site->in_use_bytes, &series);
	}
	return err ? err : keep_resources(keeper, target, of->resources);
}

static void keep_memory(const struct html_keeper *keeper, struct kept_target *target,
			const struct report_target *of)
{
	const struct heap_counters *counters = &of->counters;

	if (!of->counters_known)
		return;
	target->memory[keeper->n] = (struct timeline_memory){
		.time_ns = keeper->monotonic_ns,
		.gc_cycles = counters->gc_cycles,
		.heap = counters->heap_bytes,
		.allocated = counters->counted ? counters->allocated_bytes : 0,
		.objects = counters->counted ? counters->allocated_objects : 0,
		.stacks = counters->counted ? counters->stack_bytes : 0,
		.live = counters->marked ? counters->live_bytes : 0,
		.goal = counters->has_goal ? counters->goal_bytes : 0,
		.pause_ns = counters->timed ? counters->pause_ns : 0,
		.timed = counters->timed,
		.assist_ns = counters->assisted ? counters->assist_ns : 0,
		.assisted = counters->assisted,
		.released = counters->returned ? counters->released_bytes : 0,
		.returned = counters->returned,
		.rss = of->resident_bytes,
		.threads = of->threads,
		.counted = counters->counted,
		.marked = counters->marked,
	};
}

int html_keeper__add(struct html_keeper *keeper, const struct report *report, uint64_t monotonic_ns)
{
	keeper->monotonic_ns = monotonic_ns;
	keeper->realtime_ns = report->realtime_ns;
	keeper->times[begin_moment(keeper)] = monotonic_ns;
	for (size_t i = 0; i < report->n_targets; i++) {
		struct kept_target *target = keep_target(keeper, &report->targets[i]);
		int err = target ? keep_sites(keeper, target, &report->targets[i]) : -ENOMEM;

		if (err)
			return err;
		keep_memory(keeper, target, &report->targets[i]);
	}
	return 0;
}

/* --- the timeline --------------------------------------------------------------------------------- */

/* Zeroed memory that lives as long as the timeline; one element at least. */
static void *piece(struct made *made, size_t n, size_t size)
{
	void *memory;

	if (!array__reserve(made->pieces, made->capacity, made->n + 1))
		return NULL;
	memory = calloc(n + 1, size);
	if (memory)
		made->pieces[made->n++] = memory;
	return memory;
}

static int make_site(struct html_keeper *keeper, size_t moments, const struct series *series,
		     struct timeline_site *site)
{
	struct timeline_point *points = piece(&keeper->made, moments, sizeof(*points));

	if (!points)
		return -ENOMEM;
	memcpy(site->id, series->id, sizeof(site->id));
	site->function = series->function;
	site->start_function = series->start_function;
	site->wait_reason = series->what;
	site->points = points;
	site->n_points = moments;
	site->verdicts = series->verdicts;
	site->n_verdicts = series->n_verdicts;
	for (size_t i = 0; i < moments; i++) {
		points[i].time_ns = keeper->times[i];
		points[i].goroutines = series->values[i];
	}
	return 0;
}

static int make_alloc(struct html_keeper *keeper, size_t moments, const struct series *series,
		      struct timeline_alloc *alloc)
{
	struct timeline_alloc_point *points = piece(&keeper->made, moments, sizeof(*points));

	if (!points)
		return -ENOMEM;
	memcpy(alloc->id, series->id, sizeof(alloc->id));
	alloc->function = series->function;
	alloc->type = series->what;
	alloc->points = points;
	alloc->n_points = moments;
	for (size_t i = 0; i < moments; i++) {
		points[i].time_ns = keeper->times[i];
		points[i].in_use_bytes = series->values[i];
	}
	return 0;
}

static int make_resource(struct html_keeper *keeper, size_t moments, const struct series *series,
			 struct timeline_resource *resource)
{
	struct timeline_resource_point *points = piece(&keeper->made, moments, sizeof(*points));

	if (!points)
		return -ENOMEM;
	resource->kind = series->resource;
	resource->held_by = series->function;
	resource->calls = series->what;
	resource->points = points;
	resource->n_points = moments;
	for (size_t i = 0; i < moments; i++) {
		points[i].time_ns = keeper->times[i];
		points[i].outstanding = series->values[i];
	}
	return 0;
}

/* Collections that are over since the moment before. */
static void make_collections(const struct timeline_memory *memory, size_t n,
			     struct timeline_gc *gcs, size_t *ret_n)
{
	for (size_t i = 1; i < n; i++) {
		if (memory[i].gc_cycles <= memory[i - 1].gc_cycles)
			continue;
		gcs[(*ret_n)++] = (struct timeline_gc){
			.begin_ns = memory[i - 1].time_ns,
			.end_ns = memory[i].time_ns,
			.first = memory[i - 1].gc_cycles + 1,
			.last = memory[i].gc_cycles,
		};
	}
}

static int make_memory(struct html_keeper *keeper, size_t moments, const struct kept_target *target,
		       struct timeline_target *made)
{
	struct timeline_memory *memory = piece(&keeper->made, moments, sizeof(*memory));
	struct timeline_gc *gcs = piece(&keeper->made, moments, sizeof(*gcs));

	if (!memory || !gcs)
		return -ENOMEM;
	for (size_t i = 0; i < moments; i++) {
		if (target->memory[i].time_ns)
			memory[made->n_memory++] = target->memory[i];
	}
	make_collections(memory, made->n_memory, gcs, &made->n_gcs);
	made->memory = memory;
	made->gcs = gcs;
	return 0;
}

static int make_target(struct html_keeper *keeper, size_t moments, const struct report_target *of,
		       struct timeline_target *made)
{
	const struct kept_target *target = find_target(keeper, of);
	struct timeline_site *sites;
	struct timeline_resource *resources;
	struct timeline_alloc *allocs;
	int err;

	made->target = of;
	made->pid = of->pid;
	made->comm = of->comm;
	memcpy(made->lifetimes, of->totals.lifetimes, sizeof(made->lifetimes));
	if (!target)
		return 0;
	made->left_out = target->left_out;
	sites = piece(&keeper->made, target->n, sizeof(*sites));
	allocs = piece(&keeper->made, target->n, sizeof(*allocs));
	resources = piece(&keeper->made, target->n, sizeof(*resources));
	if (!sites || !allocs || !resources)
		return -ENOMEM;
	err = make_memory(keeper, moments, target, made);
	for (size_t i = 0; i < target->n && !err; i++) {
		const struct series *series = target->series[i];

		if (series->kind == SERIES_MEMORY)
			err = make_alloc(keeper, moments, series, &allocs[made->n_allocs++]);
		else if (series->kind == SERIES_RESOURCES)
			err = make_resource(keeper, moments, series,
					    &resources[made->n_resources++]);
		else
			err = make_site(keeper, moments, series, &sites[made->n_sites++]);
	}
	made->sites = sites;
	made->resources = resources;
	made->allocs = allocs;
	return err;
}

int html_keeper__timeline(struct html_keeper *keeper, const struct report *report,
			  const struct timeline **ret_timeline)
{
	size_t moments = keeper->n + keeper->latest;
	struct made *made = &keeper->made;
	struct timeline_target *targets;
	int err = 0;

	release_made(made);
	targets = piece(made, report->n_targets, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < report->n_targets && !err; i++)
		err = make_target(keeper, moments, &report->targets[i], &targets[i]);
	made->clock = (struct timeline_clock){.monotonic_ns = keeper->monotonic_ns,
					      .realtime_ns = keeper->realtime_ns};
	made->timeline = (struct timeline){
		.begin_ns = moments ? keeper->times[0] : 0,
		.end_ns = keeper->monotonic_ns,
		.clocks = &made->clock,
		.n_clocks = 1,
		.targets = targets,
		.n_targets = report->n_targets,
		.complete = true,
	};
	*ret_timeline = &made->timeline;
	return err;
}
