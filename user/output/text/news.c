// SPDX-License-Identifier: Apache-2.0
#include "output/text/news.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/scheduling.h"
#include "output/text/resources.h"

/* A tenth more or fewer: a growing leak then gets a line less and less often, but never none. */
#define NEWS_SHARE 10

/*
 * What is held up often comes and goes: a line of it is worth one this long after the last. Where a host has no
 * processor to spare it is so in many of its processes.
 */
#define LATE_EVERY_NS	   (60 * NSEC_PER_SEC)
#define LATE_EVERY_HOST_NS (10 * LATE_EVERY_NS)

#define NAME_SIZE 32

/*
 * What was printed about a flagged site, a place where memory or what is open grows or, with an empty id, about a
 * target.
 */
struct entry {
	pid_t pid;
	uint64_t start_time; /* another process may have got the pid */
	uint64_t runtime;    /* of the process */
	char id[9];
	enum entry_about {
		ABOUT_SITE, /* or a target */
		ABOUT_MEMORY,
		ABOUT_RESOURCE,
	} about;
	enum verdict verdict; /* of a site */
	enum probe_mode mode; /* of a target */
	uint64_t goroutines;
	uint64_t late_ns;  /* when what is held up was told, by the target's watch; 0: never */
	unsigned int late; /* and what that was: LATE_* */
	bool lossy, ended;
	char name[NAME_SIZE]; /* of a target */
};

struct entry_list {
	struct entry *entries; /* sorted by (pid, start time, runtime, id) */
	size_t n;
};

struct text_news {
	struct entry_list told;	   /* what was printed */
	struct entry_list current; /* what the report being compared says */
	bool any;
	bool host;
};

int text_news__new(bool host, struct text_news **ret_news)
{
	struct text_news *news = calloc(1, sizeof(*news));

	if (!news)
		return -ENOMEM;
	news->host = host;
	*ret_news = news;
	return 0;
}

void text_news__free(struct text_news *news)
{
	if (!news)
		return;
	free(news->told.entries);
	free(news->current.entries);
	free(news);
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->start_time != b->start_time)
		return a->start_time < b->start_time ? -1 : 1;
	if (a->runtime != b->runtime)
		return a->runtime < b->runtime ? -1 : 1;
	if (a->about != b->about)
		return a->about < b->about ? -1 : 1;
	return strcmp(a->id, b->id);
}

static const struct entry *find(const struct entry_list *list, const struct entry *key)
{
	if (list->n == 0)
		return NULL;
	return bsearch(key, list->entries, list->n, sizeof(*key), compare_entries);
}

enum {
	LATE_WAITS = 1u << 0,
	LATE_HOGS = 1u << 1,
	LATE_CALLS = 1u << 2,
};

static unsigned int late_now(const struct report_target *target)
{
	const struct report_scheduling *scheduling = target->scheduling;

	if (!scheduling || report__gets_on(scheduling))
		return 0;
	return (scheduling->view.n_late || scheduling->view.over_10ms_new ? LATE_WAITS : 0) |
	       (scheduling->view.n_hogs ? LATE_HOGS : 0) |
	       (scheduling->view.n_stuck ? LATE_CALLS : 0);
}

/* As it was told, unless there is something else, or that was long ago. */
static void add_late(struct entry *entry, const struct report_target *target,
		     const struct entry *told, uint64_t every_ns)
{
	unsigned int late = late_now(target);

	if (!told)
		return;
	entry->late_ns = told->late_ns;
	entry->late = told->late;
	if (late && (!told->late_ns || target->observed_ns - told->late_ns >= every_ns)) {
		entry->late_ns = max_of(target->observed_ns, UINT64_C(1));
		entry->late = late;
	}
	entry->late |= late;
}

static struct entry entry_of_target(const struct text_news *news,
				    const struct report_target *target)
{
	struct entry entry = {
		.pid = target->pid,
		.start_time = target->start_time_seconds,
		.runtime = target->runtime,
		.lossy = target->totals.lost > 0,
		.ended = target->exited_target,
	};

	if (!news->host)
		entry.mode = target->mode;
	snprintf(entry.name, sizeof(entry.name), "%s", report__text(target->comm));
	add_late(&entry, target, find(&news->told, &entry),
		 news->host ? LATE_EVERY_HOST_NS : LATE_EVERY_NS);
	return entry;
}

static struct entry entry_of_site(const struct report_target *target,
				  const struct report_site *site)
{
	struct entry entry = {
		.pid = target->pid,
		.start_time = target->start_time_seconds,
		.runtime = target->runtime,
		.goroutines = site->view.goroutines,
		.verdict = site->view.verdict,
	};

	snprintf(entry.id, sizeof(entry.id), "%s", site->id);
	return entry;
}

static struct entry entry_of_memory(const struct report_target *target,
				    const struct report_alloc_site *site)
{
	struct entry entry = {
		.pid = target->pid,
		.start_time = target->start_time_seconds,
		.runtime = target->runtime,
		.about = ABOUT_MEMORY,
		.verdict = VERDICT_GROWING,
	};

	snprintf(entry.id, sizeof(entry.id), "%s", site->id);
	return entry;
}

/* Known by its kind, and by what held it first. */
static struct entry entry_of_resource(const struct report_target *target,
				      const struct resource_line *line)
{
	struct entry entry = {
		.pid = target->pid,
		.start_time = target->start_time_seconds,
		.runtime = target->runtime,
		.about = ABOUT_RESOURCE,
		.verdict = VERDICT_GROWING,
	};

	text_part__resource_id(line, entry.id);
	return entry;
}

static bool late_differs(const struct entry *now, const struct entry *told)
{
	return now->late_ns != told->late_ns || now->late != told->late;
}

static bool count_differs(const struct entry *now, const struct entry *told)
{
	uint64_t change = max_of(now->goroutines, told->goroutines) -
			  min_of(now->goroutines, told->goroutines);

	return change > 0 && change >= told->goroutines / NEWS_SHARE;
}

/* Other than in numbers. */
static bool kind_differs(const struct entry *now, const struct entry *told)
{
	return !told || now->verdict != told->verdict || now->mode != told->mode ||
	       now->lossy != told->lossy || now->ended != told->ended || late_differs(now, told);
}

static bool differs(const struct entry *now, const struct entry *told)
{
	return kind_differs(now, told) || count_differs(now, told);
}

static size_t count_entries(const struct report *report)
{
	size_t n = report->n_targets;

	for (size_t t = 0; t < report->n_targets; t++) {
		n += report__count_growing_memory(&report->targets[t]) +
		     text_part__told_resources(report->targets[t].resources);
		for (size_t i = 0; i < report->targets[t].n_sites; i++)
			n += report__flagged(&report->targets[t].sites[i]);
	}
	return n;
}

static void fill_memory(struct entry_list *list, const struct report_target *target)
{
	const struct report_allocations *allocations = target->allocations;

	for (size_t i = 0; allocations && i < allocations->n_sites; i++) {
		if (report__memory_flagged(&allocations->sites[i]))
			list->entries[list->n++] = entry_of_memory(target, &allocations->sites[i]);
	}
}

static void fill_resources(struct entry_list *list, const struct report_target *target)
{
	size_t n = text_part__told_resources(target->resources);

	for (size_t i = 0; i < n; i++)
		list->entries[list->n++] = entry_of_resource(target, &target->resources->all[i]);
}

static void fill(const struct text_news *news, struct entry_list *list, const struct report *report)
{
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		if (news->host && target->exited_target)
			continue;
		list->entries[list->n++] = entry_of_target(news, target);
		fill_memory(list, target);
		fill_resources(list, target);
		for (size_t i = 0; i < target->n_sites; i++) {
			if (report__flagged(&target->sites[i]))
				list->entries[list->n++] = entry_of_site(target, &target->sites[i]);
		}
	}
	qsort(list->entries, list->n, sizeof(*list->entries), compare_entries);
}

int text_news__compare(struct text_news *news, const struct report *report)
{
	struct entry_list list = {0};
	size_t n = count_entries(report);

	list.entries = calloc(n + 1, sizeof(*list.entries));
	if (!list.entries)
		return -ENOMEM;
	fill(news, &list, report);
	free(news->current.entries);
	news->current = list;
	news->any = false;
	for (size_t i = 0; i < list.n && !news->any; i++)
		news->any = differs(&list.entries[i], find(&news->told, &list.entries[i]));
	for (size_t i = 0; i < news->told.n && !news->any; i++)
		news->any = !find(&list, &news->told.entries[i]);
	return 0;
}

bool text_news__any(const struct text_news *news)
{
	return news->any;
}

bool text_news__target(const struct text_news *news, const struct report_target *target)
{
	struct entry now = entry_of_target(news, target);
	const struct entry *told = find(&news->told, &now);

	if (told) {
		now.late_ns = told->late_ns;
		now.late = told->late;
	}
	return differs(&now, told);
}

bool text_news__late(const struct text_news *news, const struct report_target *target)
{
	struct entry now = entry_of_target(news, target);
	const struct entry *told = find(&news->told, &now);

	return told && late_differs(&now, told);
}

bool text_news__came(const struct text_news *news, const struct report_target *target)
{
	struct entry now = entry_of_target(news, target);

	return !find(&news->told, &now);
}

void text_news__gone(const struct text_news *news,
		     void (*visit)(void *ctx, pid_t pid, const char *name), void *ctx)
{
	for (size_t i = 0; i < news->told.n; i++) {
		const struct entry *told = &news->told.entries[i];

		if (!told->id[0] && !find(&news->current, told))
			visit(ctx, told->pid, told->name);
	}
}

enum site_news text_news__site(const struct text_news *news, const struct report_target *target,
			       const struct report_site *site)
{
	struct entry now = entry_of_site(target, site);
	const struct entry *told = find(&news->told, &now);

	if (!report__flagged(site) || !report__leads(site))
		return SITE_NEWS_NONE;
	if (kind_differs(&now, told))
		return SITE_NEWS_WHOLE;
	return count_differs(&now, told) ? SITE_NEWS_COUNT : SITE_NEWS_NONE;
}

bool text_news__memory(const struct text_news *news, const struct report_target *target,
		       const struct report_alloc_site *site)
{
	struct entry now = entry_of_memory(target, site);

	return report__memory_flagged(site) && !find(&news->told, &now);
}

bool text_news__resource(const struct text_news *news, const struct report_target *target,
			 const struct resource_line *line)
{
	struct entry now = entry_of_resource(target, line);

	return !find(&news->told, &now);
}

void text_news__resolved(const struct text_news *news, const struct report_target *target,
			 void (*visit)(void *ctx, const char *id, enum verdict verdict), void *ctx)
{
	for (size_t i = 0; i < news->told.n; i++) {
		const struct entry *told = &news->told.entries[i];

		if (told->pid == target->pid && told->start_time == target->start_time_seconds &&
		    told->runtime == target->runtime && told->id[0] && told->about == ABOUT_SITE &&
		    !find(&news->current, told))
			visit(ctx, told->id, told->verdict);
	}
}

void text_news__printed(struct text_news *news)
{
	/* What changed too little to be printed is remembered as it was printed before. */
	for (size_t i = 0; i < news->current.n; i++) {
		const struct entry *told = find(&news->told, &news->current.entries[i]);

		if (told && !differs(&news->current.entries[i], told))
			news->current.entries[i] = *told;
	}
	free(news->told.entries);
	news->told = news->current;
	news->current = (struct entry_list){0};
}
