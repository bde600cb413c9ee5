// SPDX-License-Identifier: Apache-2.0
#include "track/site_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Sites with a history at one time, 2 to 8 KiB each. */
#define MAX_HISTORIES 4096
/* Bytes for a site outside of the table: its view, its place, its names, its part of a report. */
#define ELSEWHERE 1024
/* Slots looked at for one to recycle, for each new site of a full table. */
#define RECYCLE_STEPS 64

struct site_table {
	struct site *sites; /* [0] is "other" */
	uint32_t end, allocated;
	uint32_t count;
	uint32_t max;
	uint32_t hand; /* where the search for a slot to recycle goes on */

	uint32_t *index; /* site indices, 0: free; at most half full */
	uint32_t mask;
	uint32_t n_histories;
	bool frozen;
};

static bool key_equal(const struct site_key *a, const struct site_key *b)
{
	return a->creation_pc == b->creation_pc && a->start_pc == b->start_pc &&
	       a->place == b->place && a->call_pc == b->call_pc && a->wait_reason == b->wait_reason;
}

uint64_t site_key__hash(const struct site_key *key)
{
	const uint64_t words[] = {key->creation_pc, key->start_pc, key->place, key->call_pc,
				  key->wait_reason};

	return hash__keyed(words, sizeof(words));
}

static uint32_t key_home(const struct site_table *table, const struct site_key *key)
{
	return (uint32_t)site_key__hash(key) & table->mask;
}

/* Room for @allocated sites; the index follows. On failure nothing has changed. */
static int resize(struct site_table *table, uint32_t allocated)
{
	uint32_t slots = 2;
	struct site *sites;
	uint32_t *index;

	while (slots < allocated * 2)
		slots *= 2;
	index = calloc(slots, sizeof(*index));
	sites = index ? realloc(table->sites, allocated * sizeof(*sites)) : NULL;
	if (!sites) {
		free(index);
		return -ENOMEM;
	}
	table->sites = sites;
	table->allocated = allocated;
	free(table->index);
	table->index = index;
	table->mask = slots - 1;
	for (uint32_t i = 1; i < table->end; i++) {
		uint32_t at = key_home(table, &sites[i].key);

		while (index[at])
			at = (at + 1) & table->mask;
		index[at] = i;
	}
	return 0;
}

int site_table__new(size_t max, struct site_table **ret_table)
{
	struct site_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	/* Records hold a site in 24 bits. */
	table->max = (uint32_t)min_of(max_of(max, (size_t)2), (size_t)1 << 24);
	if (resize(table, min_of(table->max, 16u))) {
		site_table__free(table);
		return -ENOMEM;
	}
	table->end = table->count = 1;
	table->hand = 1;
	table->sites[SITE_OTHER] = (struct site){0};
	*ret_table = table;
	return 0;
}

static void drop_history(struct site_table *table, struct site *site)
{
	if (!site->history)
		return;
	history__clear(site->history);
	free(site->history);
	site->history = NULL;
	table->n_histories--;
}

void site_table__free(struct site_table *table)
{
	if (!table)
		return;
	for (uint32_t i = 0; i < table->end; i++)
		drop_history(table, &table->sites[i]);
	free(table->sites);
	free(table->index);
	free(table);
}

/* Where @key is in the index, or the free entry where it would go. */
static uint32_t index_find(const struct site_table *table, const struct site_key *key)
{
	uint32_t at = key_home(table, key);

	while (table->index[at] && !key_equal(&table->sites[table->index[at]].key, key))
		at = (at + 1) & table->mask;
	return at;
}

/* Closes the gap in the index, so that a search still ends at the first free entry. */
static void index_erase(struct site_table *table, uint32_t gap)
{
	uint32_t at = gap;

	for (;;) {
		uint32_t home;

		table->index[gap] = 0;
		do {
			at = (at + 1) & table->mask;
			if (!table->index[at])
				return;
			home = key_home(table, &table->sites[table->index[at]].key);
		} while (((at - home) & table->mask) < ((at - gap) & table->mask));
		table->index[gap] = table->index[at];
		gap = at;
	}
}

/*
 * Gives up a site without members, whose counts go to "other". Returns its slot, 0: none was found.
 */
static uint32_t recycle(struct site_table *table)
{
	for (size_t step = 0; step < RECYCLE_STEPS && table->end > 1; step++) {
		uint32_t i = table->hand;
		struct site *site = &table->sites[i], *other = &table->sites[SITE_OTHER];

		table->hand = i + 1 < table->end ? i + 1 : 1;
		if (site->goroutines || site->children)
			continue;
		if (site->origin != i && site->origin != SITE_OTHER)
			table->sites[site->origin].children--;
		other->created += site->system ? 0 : site->created;
		other->exited += site->system ? 0 : site->exited;
		drop_history(table, site);
		index_erase(table, index_find(table, &site->key));
		table->count--;
		return i;
	}
	return 0;
}

static uint32_t slot_for_one(struct site_table *table)
{
	if (table->frozen)
		return recycle(table);
	if (table->end < table->allocated)
		return table->end++;
	if (table->allocated < table->max &&
	    !resize(table, min_of(table->max, table->allocated * 2)))
		return table->end++;
	return recycle(table);
}

void site_table__freeze(struct site_table *table, bool frozen)
{
	table->frozen = frozen;
}

size_t site_table__memory(const struct site_table *table)
{
	return table->allocated * sizeof(struct site) + table->count * ELSEWHERE +
	       ((size_t)table->mask + 1) * sizeof(table->index[0]) +
	       table->n_histories * sizeof(struct history);
}

uint32_t site_table__find(const struct site_table *table, const struct site_key *key)
{
	return table->index[index_find(table, key)];
}

void site_table__set_origin(struct site_table *table, uint32_t index, uint32_t origin)
{
	table->sites[index].origin = origin;
	if (origin != index && origin != SITE_OTHER)
		table->sites[origin].children++;
}

uint32_t site_table__intern(struct site_table *table, const struct site_key *key, bool *ret_new)
{
	uint32_t slot = site_table__find(table, key);

	*ret_new = false;
	if (slot != SITE_OTHER)
		return slot;
	slot = slot_for_one(table);
	if (!slot)
		return SITE_OTHER;
	table->sites[slot] = (struct site){.key = *key};
	table->index[index_find(table, key)] = slot;
	table->count++;
	*ret_new = true;
	return slot;
}

struct site *site_table__at(const struct site_table *table, uint32_t index)
{
	return &table->sites[index];
}

uint32_t site_table__end(const struct site_table *table)
{
	return table->end;
}

size_t site_table__count(const struct site_table *table)
{
	return table->count;
}

struct history *site_table__history(struct site_table *table, uint32_t index)
{
	struct site *site = &table->sites[index];

	if (site->history || table->n_histories >= MAX_HISTORIES)
		return site->history;
	site->history = calloc(1, sizeof(*site->history));
	table->n_histories += site->history != NULL;
	return site->history;
}

static bool is_worth_it(const struct site *site)
{
	/* The runtime's own goroutines are not judged, and their past is not shown. */
	return !site->system &&
	       (site->history || site->goroutines || site->sample_created || site->children);
}

/* Whether the site had no members over the recent half of its history. */
static bool is_over(const struct site *site)
{
	const struct history *history = site->history;

	if (site->goroutines || site->children || history->count < HISTORY_SAMPLES / 2)
		return false;
	for (uint32_t i = history->count / 2; i < history->count; i++)
		if (history->samples[i].goroutines || history->samples[i].arrivals ||
		    history->samples[i].created)
			return false;
	return true;
}

void site_table__sample(struct site_table *table, uint64_t ticks)
{
	for (uint32_t i = 0; i < table->end; i++) {
		struct site *site = &table->sites[i];

		if (is_worth_it(site) && site_table__history(table, i)) {
			struct history_sample sample = {
				.ticks = ticks,
				.goroutines = site->goroutines,
				.parked = site->parked,
				.arrivals = site->arrivals,
				.departures = site->departures,
				.created = site->sample_created,
				.exited = site->sample_exited,
			};

			history__add(site->history, &sample);
			if (is_over(site))
				drop_history(table, site);
		}
		site->arrivals = 0;
		site->departures = 0;
		site->sample_created = 0;
		site->sample_exited = 0;
	}
}

void site_table__halve_ended(struct site_table *table)
{
	for (uint32_t i = 0; i < table->end; i++) {
		length_histogram__halve(&table->sites[i].ended_parks);
		length_histogram__halve(&table->sites[i].ended_lives);
		length_histogram__halve(&table->sites[i].ended_runs);
	}
}
