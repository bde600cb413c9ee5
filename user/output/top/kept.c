// SPDX-License-Identifier: Apache-2.0
#include "output/top/kept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "output/text/alloc_sites.h"
#include "output/text/explain.h"
#include "output/text/overview.h"
#include "output/text/resources.h"
#include "output/text/site_columns.h"
#include "output/top/alloc_text.h"

/* Columns: names are foreign and may be endless; nothing that is cut there fits a screen. */
#define MAX_TEXT 200

/* --- pieces --------------------------------------------------------------------------------------- */

static void series__add(struct top_series *series, uint64_t value)
{
	if (series->n == TOP_MAX_POINTS) {
		memmove(series->values, series->values + 1,
			(TOP_MAX_POINTS - 1) * sizeof(series->values[0]));
		series->n--;
	}
	series->values[series->n++] = value;
}

static char *copy(const char *text)
{
	text = report__text(text);
	return strndup(text, utf8__prefix(text, MAX_TEXT));
}

/* "cart.go:42" */
static char *location_of(const struct report_frame *frame)
{
	const char *file = text__base_name(report__text(frame->file));
	int n = (int)utf8__prefix(file, MAX_TEXT);
	char *text = NULL;

	if (!*file)
		return strdup("");
	return asprintf(&text, "%.*s:%u", n, file, frame->line) < 0 ? NULL : text;
}

static char *name_of(const struct report_target *target)
{
	const char *name = report__text(target->comm), *library = report__text(target->library);
	const char *whose = report__named_by(target);
	int n = (int)utf8__prefix(name, MAX_TEXT), n_library = (int)utf8__prefix(library, MAX_TEXT);
	char *text = NULL;

	return asprintf(&text, "%.*s%s%.*s%s%.*s%s", n, name, *library ? " " : "", n_library,
			library, *whose ? " (named by " : "", MAX_TEXT, whose,
			*whose ? ")" : "") < 0 ?
		       NULL :
		       text;
}

/* The bytes of @screen, which is released; NULL without memory. */
static char *text_of(struct screen *screen)
{
	char *text =
		screen__error(screen) ? NULL : strndup(report__text(screen->data), screen->len);

	screen__release(screen);
	return text;
}

/* --- sites ---------------------------------------------------------------------------------------- */

/* What building goes through. */
struct taking {
	const struct report *report;
	const struct report_target *target;
	const struct top_kept_options *options;
	bool all_explained;
};

static int explain(const struct taking *taking, const struct report_site *from,
		   struct top_site *site)
{
	struct screen screen;

	if (!taking->all_explained && site->rank >= TOP_FEW_EXPLAINED && !report__flagged(from))
		return 0;
	screen__init(&screen, &taking->options->screen);
	explain__put(&screen, taking->report, taking->target, from);
	site->text = text_of(&screen);
	return site->text ? 0 : -ENOMEM;
}

static int take_site(const struct taking *taking, const struct report_site *from,
		     struct top_site *site)
{
	const struct site_evidence *evidence = &from->view.evidence;
	const struct report_frame *place =
		report__frame_known(&from->blocked_at) ? &from->blocked_at : &from->created_by;
	size_t skip = evidence->n_points - min_of(evidence->n_points, (size_t)TOP_MAX_POINTS);

	memcpy(site->id, from->id, sizeof(site->id));
	site->verdict = from->suppressed ? "known" : verdict__name(from->view.verdict);
	site->style = from->suppressed ? STYLE_DIM : text_part__verdict_style(from);
	site->count = from->view.goroutines;
	site->growth = from->view.growth_per_minute;
	site->oldest_ns = from->view.oldest_age_ns;
	for (size_t i = skip; i < evidence->n_points; i++)
		series__add(&site->series, evidence->points[i].goroutines);
	site->what = copy(from->wait_reason);
	site->function = copy(report__frame_known(place) ? place->function : from->start_function);
	site->location = location_of(place);
	if (!site->what || !site->function || !site->location)
		return -ENOMEM;
	return explain(taking, from, site);
}

static int take_sites(const struct taking *taking, struct top_sites *sites)
{
	const struct report_target *target = taking->target;
	size_t n = min_of(target->n_sites, (size_t)TOP_MAX_SITES);
	int err = 0;

	sites->items = calloc(n + 1, sizeof(*sites->items));
	if (!sites->items)
		return -ENOMEM;
	sites->left_out = target->n_sites - n;
	for (; sites->n < n && !err; sites->n++) {
		sites->items[sites->n].rank = sites->n;
		err = take_site(taking, &target->sites[sites->n], &sites->items[sites->n]);
	}
	return err;
}

static const char *alloc_word(const struct report_alloc_site *site)
{
	if (site->judgement.verdict == ALLOC_GROWING && site->suppressed)
		return "known";
	return site->judgement.verdict == ALLOC_NOT_JUDGED ?
		       "" :
		       alloc_verdict__name(site->judgement.verdict);
}

static int take_alloc_site(const struct taking *taking, const struct report_alloc_site *from,
			   const struct top_sites *before, struct top_site *site)
{
	const struct top_site *earlier = before ? top_sites__find(before, from->id) : NULL;
	struct screen screen;

	memcpy(site->id, from->id, sizeof(site->id));
	site->verdict = alloc_word(from);
	site->style = report__memory_flagged(from) ? STYLE_GROWING : STYLE_PLAIN;
	site->count = from->in_use_objects;
	site->bytes = from->in_use_bytes;
	site->allocated = from->alloc_bytes;
	site->per_second = from->rate_known ? from->bytes_per_second : -1;
	site->growth = from->growth_per_minute;
	if (earlier)
		site->series = earlier->series;
	series__add(&site->series, site->bytes);
	site->what = copy(from->type);
	site->function = copy(from->allocated_at.function);
	site->location = location_of(&from->allocated_at);
	screen__init(&screen, &taking->options->screen);
	alloc_text__put(&screen, from);
	site->text = text_of(&screen);
	return site->what && site->function && site->location && site->text ? 0 : -ENOMEM;
}

static int take_allocations(const struct taking *taking, const struct top_process *before,
			    struct top_process *process)
{
	const struct report_allocations *from = taking->target->allocations;
	struct top_sites *sites = &process->sites[TOP_MEMORY];
	size_t n = from ? min_of(from->n_sites, (size_t)TOP_MAX_SITES) : 0;
	int err = 0;

	process->no_memory = copy(from ? from->missing : NULL);
	sites->items = calloc(n + 1, sizeof(*sites->items));
	if (!process->no_memory || !sites->items)
		return -ENOMEM;
	sites->left_out = from ? from->n_sites - n : 0;
	for (; sites->n < n && !err; sites->n++) {
		sites->items[sites->n].rank = sites->n;
		err = take_alloc_site(taking, &from->sites[sites->n],
				      before ? &before->sites[TOP_MEMORY] : NULL,
				      &sites->items[sites->n]);
	}
	return err;
}

/* --- who allocates -------------------------------------------------------------------------------- */

/* A goroutine, a `go` statement, labels or a type: in each report the same. */
static void identify(const struct report_alloc_group *from, char id[9])
{
	uint64_t hash = hash__combine(from->goid, from->created_by.line);
	const char *texts[] = {report__text(from->name), report__text(from->created_by.file),
			       report__text(from->start_function)};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		hash = hash__combine(hash, hash__keyed(texts[i], strlen(texts[i])));
	snprintf(id, 9, "%08x", (uint32_t)(hash ^ hash >> 32));
}

static int take_group(const struct taking *taking, const struct report_alloc_groups *groups,
		      const struct report_alloc_group *from, const struct top_sites *before,
		      struct top_site *site)
{
	struct screen_options plain = taking->options->screen;
	const struct top_site *earlier;
	struct screen screen;

	plain.color = false;
	identify(from, site->id);
	earlier = before ? top_sites__find(before, site->id) : NULL;
	site->verdict = "";
	site->count = from->alloc_objects;
	site->bytes = from->in_use_bytes;
	site->allocated = from->alloc_bytes;
	site->per_second = from->bytes_per_second;
	if (earlier)
		site->series = earlier->series;
	series__add(&site->series, site->allocated);
	screen__init(&screen, &plain);
	text_part__alloc_group_name(&screen, groups->by, from);
	site->function = text_of(&screen);
	site->what = copy(from->allocated_at.function);
	site->location = location_of(&from->allocated_at);
	screen__init(&screen, &taking->options->screen);
	text_part__alloc_group(&screen, groups, from);
	site->text = text_of(&screen);
	return site->what && site->function && site->location && site->text ? 0 : -ENOMEM;
}

static int take_groups(const struct taking *taking, const struct top_process *before,
		       struct top_process *process)
{
	const struct report_alloc_groups *from = taking->target->alloc_groups;
	struct top_sites *sites = &process->sites[TOP_ALLOCATORS];
	size_t n = from ? min_of(from->n_groups, (size_t)TOP_MAX_SITES) : 0;
	int err = 0;

	process->by_who = from;
	process->nobody = copy(from ? from->figures.missing : NULL);
	sites->items = calloc(n + 1, sizeof(*sites->items));
	if (!process->nobody || !sites->items)
		return -ENOMEM;
	sites->left_out = from ? from->n_groups - n : 0;
	for (; sites->n < n && !err; sites->n++) {
		sites->items[sites->n].rank = sites->n;
		err = take_group(taking, from, &from->groups[sites->n],
				 before ? &before->sites[TOP_ALLOCATORS] : NULL,
				 &sites->items[sites->n]);
	}
	return err;
}

/* --- what is open --------------------------------------------------------------------------------- */

static int take_resource(const struct taking *taking, const struct resource_line *from,
			 const struct top_sites *before, struct top_site *site)
{
	const struct report_frame *at = from->opened_at[0].at;
	const struct top_site *earlier;
	struct screen screen;

	text_part__resource_id(from, site->id);
	earlier = before ? top_sites__find(before, site->id) : NULL;
	site->verdict = resource_verdict__name(from->place.verdict);
	site->style = from->place.verdict == RESOURCE_GROWING ||
				      from->place.verdict == RESOURCE_REUSE_LOST ?
			      STYLE_GROWING :
			      STYLE_PLAIN;
	site->count = from->place.outstanding;
	site->growth = from->place.per_minute;
	site->oldest_ns = from->place.oldest_ns;
	if (earlier)
		site->series = earlier->series;
	series__add(&site->series, site->count);
	site->what = copy(resource_kind__name(from->place.kind));
	site->function = copy(text_part__resource_holder(from));
	site->location = at ? location_of(at) : copy("");
	screen__init(&screen, &taking->options->screen);
	text_part__resource(&screen, taking->target->resources, from);
	site->text = text_of(&screen);
	return site->what && site->function && site->location && site->text ? 0 : -ENOMEM;
}

static int take_resources(const struct taking *taking, const struct top_process *before,
			  struct top_process *process)
{
	const struct resource_lines *from = taking->target->resources;
	struct top_sites *sites = &process->sites[TOP_RESOURCES];
	size_t n = from ? min_of(from->n, (size_t)TOP_MAX_SITES) : 0;
	int err = 0;

	sites->items = calloc(n + 1, sizeof(*sites->items));
	if (!sites->items)
		return -ENOMEM;
	sites->left_out = from ? from->n - n + from->left_out : 0;
	for (; sites->n < n && !err; sites->n++) {
		sites->items[sites->n].rank = sites->n;
		err = take_resource(taking, &from->all[sites->n],
				    before ? &before->sites[TOP_RESOURCES] : NULL,
				    &sites->items[sites->n]);
	}
	return err;
}

/* --- processes ------------------------------------------------------------------------------------ */

static void take_figures(const struct report_target *target, struct top_process *process)
{
	const struct report_site *worst = overview__worst(target);
	const struct heap_counters *counters = &target->counters;

	process->pid = target->pid;
	process->runtime = target->runtime;
	process->mode = target->mode;
	process->overhead = target->overhead;
	process->ended = target->exited_target;
	process->goroutines = target->totals.alive;
	process->created_per_second = target->created_per_second;
	if (target->counters_known)
		process->heap_bytes =
			counters->counted ? counters->allocated_bytes : counters->heap_bytes;
	process->verdict = worst ? verdict__name(worst->view.verdict) : "";
	process->style = worst ? text_part__verdict_style(worst) : STYLE_PLAIN;
	for (size_t i = 0; i < target->n_sites; i++)
		process->flagged +=
			report__flagged(&target->sites[i]) && report__leads(&target->sites[i]);
}

static int take_process(struct taking *taking, const struct top_kept *before,
			struct top_process *process)
{
	const struct report_target *target = taking->target;
	const struct top_process *earlier = top_kept__find(before, target->pid, target->runtime);
	int err;

	take_figures(target, process);
	if (earlier)
		process->series = earlier->series;
	series__add(&process->series, process->goroutines);
	process->name = name_of(target);
	process->version = copy(target->go_version);
	if (!process->name || !process->version)
		return -ENOMEM;
	taking->all_explained = taking->options->opened == target->pid &&
				taking->options->opened_runtime == target->runtime;
	err = take_sites(taking, &process->sites[TOP_GOROUTINES]);
	if (!err)
		err = take_allocations(taking, earlier, process);
	if (!err)
		err = take_groups(taking, earlier, process);
	return err ? err : take_resources(taking, earlier, process);
}

static void rank(struct top_kept *kept, const struct report *report)
{
	struct overview overview;

	/* Without memory they stay in the order they came. */
	if (overview__init(&overview, report))
		return;
	for (size_t i = 0; i < overview.n; i++)
		kept->processes[overview.targets[i] - report->targets].rank = i;
	overview__release(&overview);
}

int top_kept__take(struct top_kept *ret_kept, const struct report *report,
		   const struct top_kept *before, const struct top_kept_options *options)
{
	struct taking taking = {.report = report, .options = options};
	struct top_kept kept = {.realtime_ns = report->realtime_ns};
	int err = 0;

	kept.processes = calloc(report->n_targets + 1, sizeof(*kept.processes));
	if (!kept.processes)
		return -ENOMEM;
	for (; kept.n < report->n_targets && !err; kept.n++) {
		struct top_process *process = &kept.processes[kept.n];

		taking.target = &report->targets[kept.n];
		process->rank = kept.n;
		err = take_process(&taking, before, process);
		kept.goroutines += process->goroutines;
		kept.flagged += process->flagged;
	}
	if (err) {
		top_kept__release(&kept);
		return err;
	}
	rank(&kept, report);
	*ret_kept = kept;
	return 0;
}

static void release_site(struct top_site *site)
{
	free(site->what);
	free(site->function);
	free(site->location);
	free(site->text);
}

void top_kept__release(struct top_kept *kept)
{
	for (size_t i = 0; i < kept->n; i++) {
		struct top_process *process = &kept->processes[i];

		for (int kind = 0; kind < TOP_KINDS; kind++) {
			for (size_t k = 0; k < process->sites[kind].n; k++)
				release_site(&process->sites[kind].items[k]);
			free(process->sites[kind].items);
		}
		free(process->name);
		free(process->version);
		free(process->no_memory);
		free(process->nobody);
	}
	free(kept->processes);
	*kept = (struct top_kept){0};
}

struct top_process *top_kept__find(const struct top_kept *kept, pid_t pid, uint64_t runtime)
{
	for (size_t i = 0; i < kept->n; i++) {
		if (kept->processes[i].pid == pid && kept->processes[i].runtime == runtime)
			return &kept->processes[i];
	}
	return NULL;
}

struct top_site *top_sites__find(const struct top_sites *sites, const char *id)
{
	for (size_t i = 0; i < sites->n; i++) {
		if (!strcmp(sites->items[i].id, id))
			return &sites->items[i];
	}
	return NULL;
}
