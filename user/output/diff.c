// SPDX-License-Identifier: Apache-2.0
#include "output/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "output/text/resources.h"

/* What has an id, of one report: sites, places that allocate, or where something is open. */
struct entry {
	const char *program;
	char id[sizeof(((struct report_site *)0)->id)];
	uint64_t amount;
	uint64_t largest; /* of what is in here, the amount of the one that stands for it */
	const struct report_site *site;
	const struct report_alloc_site *place;
	const struct resource_line *resource;
};

struct entries {
	struct entry *items;
	size_t n;
	bool looked; /* at any target: what is not there does not exist */
};

/* What a report has. */
enum { SITES, PLACES, RESOURCES, KINDS_OF_ENTRIES };

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
		into->resource = entry->resource;
	}
	entries->n = kept;
}

static const char *program_of(const struct report_target *target)
{
	const char *exe = report__text(target->exe);

	return *exe ? text__base_name(exe) : report__text(target->comm);
}

static struct entry *add(struct entries *entries, const char *program, uint64_t amount)
{
	struct entry *entry = &entries->items[entries->n++];

	*entry = (struct entry){.program = program, .amount = amount, .largest = amount};
	return entry;
}

static void add_site(struct entries *entries, const char *program, const struct report_site *site)
{
	struct entry *entry = add(entries, program, site->view.goroutines);

	memcpy(entry->id, site->id, sizeof(entry->id));
	entry->site = site;
}

static void add_place(struct entries *entries, const char *program,
		      const struct report_alloc_site *place)
{
	struct entry *entry = add(entries, program, place->in_use_bytes);

	_Static_assert(sizeof(entry->id) == sizeof(place->id), "ids of both are as long");
	memcpy(entry->id, place->id, sizeof(entry->id));
	entry->place = place;
}

static void add_resource(struct entries *entries, const char *program,
			 const struct resource_line *line)
{
	struct entry *entry = add(entries, program, line->place.outstanding);

	text_part__resource_id(line, entry->id);
	entry->resource = line;
}

static size_t n_places_of(const struct report_target *target)
{
	return target->allocations ? target->allocations->n_sites : 0;
}

static size_t n_resources_of(const struct report_target *target)
{
	return target->resources ? target->resources->n : 0;
}

static int make_room(const struct report *report, struct entries *entries)
{
	size_t n[KINDS_OF_ENTRIES] = {0};

	for (size_t t = 0; t < report->n_targets; t++) {
		n[SITES] += report->targets[t].n_sites;
		n[PLACES] += n_places_of(&report->targets[t]);
		n[RESOURCES] += n_resources_of(&report->targets[t]);
	}
	for (int kind = 0; kind < KINDS_OF_ENTRIES; kind++) {
		entries[kind].items = calloc(n[kind] + 1, sizeof(*entries[kind].items));
		if (!entries[kind].items)
			return -ENOMEM;
	}
	return 0;
}

static int gather(const struct report *report, struct entries *entries)
{
	int err = make_room(report, entries);

	if (err)
		return err;
	entries[SITES].looked = true;
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];
		const char *program = program_of(target);

		for (size_t i = 0; i < target->n_sites; i++)
			add_site(&entries[SITES], program, &target->sites[i]);
		for (size_t i = 0; i < n_places_of(target); i++)
			add_place(&entries[PLACES], program, &target->allocations->sites[i]);
		for (size_t i = 0; i < n_resources_of(target); i++)
			add_resource(&entries[RESOURCES], program, &target->resources->all[i]);
		entries[PLACES].looked |= n_places_of(target) != 0;
		entries[RESOURCES].looked |= target->resources != NULL;
	}
	for (int kind = 0; kind < KINDS_OF_ENTRIES; kind++)
		merge(&entries[kind]);
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

static bool opens_more(const struct resource_line *line)
{
	return line && line->place.verdict == RESOURCE_GROWING;
}

static void take_resource(struct diff *diff, const char *program, const struct entry *old,
			  const struct entry *now)
{
	struct diff_resource resource = {
		.program = program,
		.old = old ? old->resource : NULL,
		.line = now ? now->resource : NULL,
		.before = old ? old->amount : 0,
		.now = now ? now->amount : 0,
	};

	resource.kind = kind_of(resource.before, resource.now, DIFF_MIN_OPEN);
	resource.worse = opens_more(resource.line) && !opens_more(resource.old);
	if (opens_more(resource.old) && resource.line && !opens_more(resource.line) &&
	    resource.kind == DIFF_SAME)
		resource.kind = DIFF_CONVERGED;
	if (resource.kind == DIFF_SAME && !resource.worse)
		return;
	diff->worse += resource.worse;
	diff->resources[diff->n_resources++] = resource;
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

static int compare_resources(const void *a, const void *b)
{
	const struct diff_resource *left = a, *right = b;

	return by_change(left->worse, right->worse, left->kind, right->kind,
			 distance(left->now, left->before), distance(right->now, right->before));
}

/* A report that has not looked for what it lacks says nothing of it. */
static bool can_be_compared(const struct entries *old, const struct entries *now)
{
	return old->looked && now->looked;
}

static int compare_all(struct diff *diff, const struct entries *old, const struct entries *now)
{
	diff->sites = calloc(old[SITES].n + now[SITES].n + 1, sizeof(*diff->sites));
	diff->places = calloc(old[PLACES].n + now[PLACES].n + 1, sizeof(*diff->places));
	diff->resources = calloc(old[RESOURCES].n + now[RESOURCES].n + 1, sizeof(*diff->resources));
	if (!diff->sites || !diff->places || !diff->resources)
		return -ENOMEM;
	join(diff, &old[SITES], &now[SITES], take_site);
	qsort(diff->sites, diff->n_sites, sizeof(*diff->sites), compare_sites);
	if (can_be_compared(&old[PLACES], &now[PLACES])) {
		join(diff, &old[PLACES], &now[PLACES], take_place);
		qsort(diff->places, diff->n_places, sizeof(*diff->places), compare_places);
	}
	if (can_be_compared(&old[RESOURCES], &now[RESOURCES])) {
		join(diff, &old[RESOURCES], &now[RESOURCES], take_resource);
		qsort(diff->resources, diff->n_resources, sizeof(*diff->resources),
		      compare_resources);
	}
	return 0;
}

int diff__make(const struct report *old, const struct report *report, struct diff *ret_diff)
{
	struct entries before[KINDS_OF_ENTRIES] = {{0}}, now[KINDS_OF_ENTRIES] = {{0}};
	struct diff diff = {.old = old, .report = report};
	int err = gather(old, before);

	if (!err)
		err = gather(report, now);
	if (!err)
		err = compare_all(&diff, before, now);
	for (int kind = 0; kind < KINDS_OF_ENTRIES; kind++) {
		free(before[kind].items);
		free(now[kind].items);
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
	free(diff->resources);
	diff->sites = NULL;
	diff->places = NULL;
	diff->resources = NULL;
}
