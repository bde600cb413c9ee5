// SPDX-License-Identifier: Apache-2.0
#include "output/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What has an id, of one report: sites, or places that allocate. */
struct entry {
	const char *program, *id;
	uint64_t amount;
	uint64_t largest; /* of what is in here, the amount of the one that stands for it */
	const struct report_site *site;
	const struct report_alloc_site *place;
};

struct entries {
	struct entry *items;
	size_t n;
};

const char *diff_kind__name(enum diff_kind kind)
{
	static const char *const names[DIFF_KINDS] = {
		[DIFF_APPEARED] = "appeared", [DIFF_GREW] = "grew", [DIFF_CONVERGED] = "converged",
		[DIFF_SHRANK] = "shrank",     [DIFF_GONE] = "gone", [DIFF_SAME] = "same",
	};

	return (unsigned int)kind < DIFF_KINDS ? names[kind] : "unknown";
}

/* --- what each report has ------------------------------------------------------------------------ */

static int by_id(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = strcmp(left->program, right->program);

	return order ? order : strcmp(left->id, right->id);
}

/* Entries with the same id become one. */
static void merge(struct entries *entries)
{
	size_t kept = 0;

	if (entries->n)
		qsort(entries->items, entries->n, sizeof(*entries->items), by_id);
	for (size_t i = 0; i < entries->n; i++) {
		struct entry *entry = &entries->items[i];
		struct entry *into = kept ? &entries->items[kept - 1] : NULL;

		if (!into || by_id(into, entry)) {
			entries->items[kept++] = *entry;
			continue;
		}
		into->amount += entry->amount;
		if (entry->largest <= into->largest)
			continue;
		into->largest = entry->largest;
		into->site = entry->site;
		into->place = entry->place;
	}
	entries->n = kept;
}

static const char *program_of(const struct report_target *target)
{
	const char *exe = report__text(target->exe);

	return *exe ? text__base_name(exe) : report__text(target->comm);
}

static void add_site(struct entries *entries, const char *program, const struct report_site *site)
{
	entries->items[entries->n++] = (struct entry){
		.program = program,
		.id = site->id,
		.amount = site->view.goroutines,
		.largest = site->view.goroutines,
		.site = site,
	};
}

static void add_place(struct entries *entries, const char *program,
		      const struct report_alloc_site *place)
{
	entries->items[entries->n++] = (struct entry){
		.program = program,
		.id = place->id,
		.amount = place->in_use_bytes,
		.largest = place->in_use_bytes,
		.place = place,
	};
}

static size_t n_places_of(const struct report_target *target)
{
	return target->allocations ? target->allocations->n_sites : 0;
}

static int gather(const struct report *report, struct entries *sites, struct entries *places)
{
	size_t n_sites = 0, n_places = 0;

	for (size_t t = 0; t < report->n_targets; t++) {
		n_sites += report->targets[t].n_sites;
		n_places += n_places_of(&report->targets[t]);
	}
	sites->items = calloc(n_sites + 1, sizeof(*sites->items));
	places->items = calloc(n_places + 1, sizeof(*places->items));
	if (!sites->items || !places->items)
		return -ENOMEM;
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];
		const char *program = program_of(target);

		for (size_t i = 0; i < target->n_sites; i++)
			add_site(sites, program, &target->sites[i]);
		for (size_t i = 0; i < n_places_of(target); i++)
			add_place(places, program, &target->allocations->sites[i]);
	}
	merge(sites);
	merge(places);
	return 0;
}

/* --- what is different --------------------------------------------------------------------------- */

static enum diff_kind kind_of(uint64_t before, uint64_t now, uint64_t least)
{
	uint64_t difference = now > before ? now - before : before - now;

	if (!before && !now)
		return DIFF_SAME;
	if (!before)
		return DIFF_APPEARED;
	if (!now)
		return DIFF_GONE;
	if (difference < least || difference <= before / DIFF_PART)
		return DIFF_SAME;
	return now > before ? DIFF_GREW : DIFF_SHRANK;
}

static bool rises(const struct report_site *site)
{
	return site &&
	       (site->view.verdict == VERDICT_GROWING || site->view.verdict == VERDICT_LEAKING ||
		site->view.verdict == VERDICT_SUSPECTED);
}

static void take_site(struct diff *diff, const char *program, const struct entry *old,
		      const struct entry *now)
{
	struct diff_site site = {
		.program = program,
		.old = old ? old->site : NULL,
		.site = now ? now->site : NULL,
		.before = old ? old->amount : 0,
		.now = now ? now->amount : 0,
	};
	bool flagged = site.site && report__flagged(site.site);

	site.kind = kind_of(site.before, site.now, DIFF_MIN_GOROUTINES);
	if (rises(site.old) && site.site && !rises(site.site) && site.kind == DIFF_SAME)
		site.kind = DIFF_CONVERGED;
	site.worse = flagged && (!site.old || !report__flagged(site.old) ||
				 site.kind == DIFF_GREW || site.kind == DIFF_APPEARED);
	if (site.kind == DIFF_SAME && !site.worse)
		return;
	diff->worse += site.worse;
	diff->sites[diff->n_sites++] = site;
}

static bool is_growing(const struct report_alloc_site *place)
{
	return place && report__memory_flagged(place);
}

static void take_place(struct diff *diff, const char *program, const struct entry *old,
		       const struct entry *now)
{
	struct diff_place place = {
		.program = program,
		.old = old ? old->place : NULL,
		.place = now ? now->place : NULL,
		.before = old ? old->amount : 0,
		.now = now ? now->amount : 0,
	};

	/* Estimates: what is in the error of either is no difference. */
	double error = (place.old ? place.old->relative_error * (double)place.before : 0) +
		       (place.place ? place.place->relative_error * (double)place.now : 0);
	double difference = (double)place.now - (double)place.before;

	place.kind = kind_of(place.before, place.now, DIFF_MIN_BYTES);
	place.worse = is_growing(place.place) && !is_growing(place.old);
	if (max_of(difference, -difference) <= max_of(error, (double)DIFF_MIN_BYTES))
		place.kind = DIFF_SAME;
	if (place.kind == DIFF_SAME && !place.worse)
		return;
	diff->worse += place.worse;
	diff->places[diff->n_places++] = place;
}

/* Each id once: from the one, the other, or both. */
static void join(struct diff *diff, const struct entries *old, const struct entries *now,
		 void (*take)(struct diff *diff, const char *program, const struct entry *old,
			      const struct entry *now))
{
	for (size_t i = 0, k = 0; i < old->n || k < now->n;) {
		const struct entry *left = i < old->n ? &old->items[i] : NULL;
		const struct entry *right = k < now->n ? &now->items[k] : NULL;
		int order = left && right ? by_id(left, right) : 0;

		if (left && (!right || order < 0))
			take(diff, left->program, left, NULL);
		else if (right && (!left || order > 0))
			take(diff, right->program, NULL, right);
		else if (left && right)
			take(diff, right->program, left, right);
		i += left && (!right || order <= 0);
		k += right && (!left || order >= 0);
	}
}

static int by_change(bool worse_a, bool worse_b, enum diff_kind a, enum diff_kind b,
		     uint64_t change_a, uint64_t change_b)
{
	if (worse_a != worse_b)
		return worse_a ? -1 : 1;
	if (a != b)
		return a < b ? -1 : 1;
	return (change_a < change_b) - (change_a > change_b);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static int compare_sites(const void *a, const void *b)
{
	const struct diff_site *left = a, *right = b;

	return by_change(left->worse, right->worse, left->kind, right->kind,
			 distance(left->now, left->before), distance(right->now, right->before));
}

static int compare_places(const void *a, const void *b)
{
	const struct diff_place *left = a, *right = b;

	return by_change(left->worse, right->worse, left->kind, right->kind,
			 distance(left->now, left->before), distance(right->now, right->before));
}

int diff__make(const struct report *old, const struct report *report, struct diff *ret_diff)
{
	struct entries sites[2] = {{0}}, places[2] = {{0}};
	struct diff diff = {.old = old, .report = report};
	int err = gather(old, &sites[0], &places[0]);

	if (!err)
		err = gather(report, &sites[1], &places[1]);
	diff.sites = calloc(sites[0].n + sites[1].n + 1, sizeof(*diff.sites));
	diff.places = calloc(places[0].n + places[1].n + 1, sizeof(*diff.places));
	if (!diff.sites || !diff.places)
		err = -ENOMEM;
	if (!err) {
		join(&diff, &sites[0], &sites[1], take_site);
		qsort(diff.sites, diff.n_sites, sizeof(*diff.sites), compare_sites);
	}
	/* A report that has none says nothing of them. */
	if (!err && places[0].n && places[1].n) {
		join(&diff, &places[0], &places[1], take_place);
		qsort(diff.places, diff.n_places, sizeof(*diff.places), compare_places);
	}
	for (int i = 0; i < 2; i++) {
		free(sites[i].items);
		free(places[i].items);
	}
	if (err)
		diff__release(&diff);
	else
		*ret_diff = diff;
	return err;
}

void diff__release(struct diff *diff)
{
	free(diff->sites);
	free(diff->places);
	diff->sites = NULL;
	diff->places = NULL;
}
