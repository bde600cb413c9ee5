// SPDX-License-Identifier: Apache-2.0
#include "track/callers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define MAX_KNOWN 65536u /* goroutines */
#define MAX_STATS 1024u
#define NO_STAT	  UINT32_MAX

/* A goroutine and where it comes from; goid 0: free. */
struct known {
	uint64_t goid;
	uint32_t origin; /* its stat; of a free one the next that is free, plus 1 */
};

struct callers {
	struct known *known;
	size_t n_known, known_room;
	uint32_t free; /* the first free one of .known, plus 1 */
	struct index *by_goid;

	struct call_stat *stats;
	size_t n_stats, stats_room;
	struct index *by_key;
};

int callers__new(struct callers **ret_callers)
{
	struct callers *callers = calloc(1, sizeof(*callers));

	if (!callers)
		return -ENOMEM;
	if (index__new(MAX_KNOWN, &callers->by_goid) || index__new(MAX_STATS, &callers->by_key)) {
		callers__free(callers);
		return -ENOMEM;
	}
	*ret_callers = callers;
	return 0;
}

void callers__free(struct callers *callers)
{
	if (!callers)
		return;
	index__free(callers->by_goid);
	index__free(callers->by_key);
	free(callers->known);
	free(callers->stats);
	free(callers);
}

size_t callers__memory(const struct callers *callers)
{
	return callers->known_room * (sizeof(struct known) + sizeof(struct index_slot)) +
	       callers->stats_room * (sizeof(struct call_stat) + sizeof(struct index_slot));
}

/* --- stats --------------------------------------------------------------------------------------- */

static uint64_t hash_of_key(uint64_t site, uint64_t call_pc)
{
	const uint64_t words[] = {site, call_pc};

	return hash__keyed(words, sizeof(words));
}

static uint32_t find_stat(const struct callers *callers, uint64_t site, uint64_t call_pc)
{
	struct index_search search = index__search(callers->by_key, hash_of_key(site, call_pc));

	while (index__next(&search)) {
		const struct call_stat *stat = &callers->stats[search.number];

		if (stat->site == site && stat->call_pc == call_pc)
			return search.number;
	}
	return NO_STAT;
}

static uint32_t intern_stat(struct callers *callers, uint64_t site, uint64_t call_pc)
{
	uint32_t number = find_stat(callers, site, call_pc);

	if (number != NO_STAT)
		return number;
	number = (uint32_t)callers->n_stats;
	if (number == MAX_STATS ||
	    !array__reserve(callers->stats, callers->stats_room, callers->n_stats + 1) ||
	    index__add(callers->by_key, hash_of_key(site, call_pc), number))
		return NO_STAT;
	callers->stats[callers->n_stats++] = (struct call_stat){.site = site, .call_pc = call_pc};
	return number;
}

struct call_stat *callers__stat(const struct callers *callers, uint64_t site, uint64_t call_pc)
{
	uint32_t number = find_stat(callers, site, call_pc);

	return number == NO_STAT ? NULL : &callers->stats[number];
}

struct call_stat *callers__stats(struct callers *callers, size_t *ret_n)
{
	*ret_n = callers->n_stats;
	return callers->stats;
}

static void count_ended(struct call_stat *stat, uint64_t length_ns)
{
	stat->ended++;
	length_histogram__add(&stat->lengths, length_ns);
}

void callers__park_ended(struct callers *callers, uint64_t site, uint64_t call_pc,
			 uint64_t length_ns)
{
	uint32_t number = intern_stat(callers, site, call_pc);

	if (number != NO_STAT)
		count_ended(&callers->stats[number], length_ns);
}

void callers__halve_ended(struct callers *callers)
{
	for (size_t i = 0; i < callers->n_stats; i++)
		length_histogram__halve(&callers->stats[i].lengths);
}

/* --- goroutines ---------------------------------------------------------------------------------- */

static struct known *find_known(const struct callers *callers, uint64_t goid)
{
	struct index_search search = index__search(callers->by_goid, hash__keyed_word(goid));

	while (index__next(&search)) {
		if (callers->known[search.number].goid == goid)
			return &callers->known[search.number];
	}
	return NULL;
}

/* A free one; NULL: there is no room. */
static struct known *take_known(struct callers *callers)
{
	struct known *known;

	if (callers->free) {
		known = &callers->known[callers->free - 1];
		callers->free = known->origin;
		return known;
	}
	if (callers->n_known == MAX_KNOWN ||
	    !array__reserve(callers->known, callers->known_room, callers->n_known + 1))
		return NULL;
	return &callers->known[callers->n_known++];
}

static void give_back(struct callers *callers, struct known *known)
{
	known->goid = 0;
	known->origin = callers->free;
	callers->free = (uint32_t)(known - callers->known) + 1;
}

bool callers__note(struct callers *callers, uint64_t goid, uint64_t origin, uint64_t call_pc)
{
	struct known *known;
	uint32_t stat;

	if (!goid || !call_pc || find_known(callers, goid))
		return false;
	stat = intern_stat(callers, origin, call_pc);
	known = stat == NO_STAT ? NULL : take_known(callers);
	if (!known)
		return false;
	*known = (struct known){goid, stat};
	if (index__add(callers->by_goid, hash__keyed_word(goid),
		       (uint32_t)(known - callers->known))) {
		give_back(callers, known);
		return false;
	}
	callers->stats[stat].here++;
	return true;
}

uint64_t callers__of(const struct callers *callers, uint64_t goid)
{
	const struct known *known = find_known(callers, goid);

	return known ? callers->stats[known->origin].call_pc : 0;
}

void callers__exited(struct callers *callers, uint64_t goid, uint64_t life_ns)
{
	struct known *known = find_known(callers, goid);
	struct call_stat *stat;

	if (!known)
		return;
	stat = &callers->stats[known->origin];
	stat->here--;
	count_ended(stat, life_ns);
	index__remove(callers->by_goid, hash__keyed_word(goid), (uint32_t)(known - callers->known));
	give_back(callers, known);
}

/* --- what most of a site come from ---------------------------------------------------------------- */

/*
 * Where there are more than fit, each of the others takes one from all (Misra and Gries 1982): whatever
 * more than a fifth come from stays.
 */
void call_counts__add(struct call_counts *counts, uint64_t call_pc)
{
	size_t free = CALL_COUNTS_MAX;

	counts->known++;
	for (size_t i = 0; i < CALL_COUNTS_MAX; i++) {
		if (counts->calls[i].n && counts->calls[i].call_pc == call_pc) {
			counts->calls[i].n++;
			return;
		}
		if (!counts->calls[i].n)
			free = i;
	}
	if (free < CALL_COUNTS_MAX) {
		counts->calls[free].call_pc = call_pc;
		counts->calls[free].n = 1;
		return;
	}
	for (size_t i = 0; i < CALL_COUNTS_MAX; i++)
		counts->calls[i].n--;
}

uint64_t call_counts__first(const struct call_counts *counts, uint32_t *ret_n)
{
	size_t first = 0;

	for (size_t i = 1; i < CALL_COUNTS_MAX; i++) {
		if (counts->calls[i].n > counts->calls[first].n)
			first = i;
	}
	*ret_n = counts->calls[first].n;
	return counts->calls[first].n ? counts->calls[first].call_pc : 0;
}
