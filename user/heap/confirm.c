// SPDX-License-Identifier: Apache-2.0
#include "heap/confirm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define DEFAULT_SCANS	 3
#define DEFAULT_INTERVAL NSEC_PER_SEC
#define DEFAULT_MAX	 (4u << 20)
#define FIRST_SIZE	 256u

struct entry {
	struct heap_sighting sighting; /* goid 0: empty */
	uint64_t first_ns;	       /* began: the first scan that saw it so */
	uint64_t last_ns;	       /* and the last that counted */
	uint32_t count;
	uint32_t scan; /* number of the last scan that saw it */
};

struct heap_confirm {
	struct heap_confirm_options options;
	struct entry *table; /* open addressing; size: a power of two */
	size_t size, n;
	uint64_t started_ns;
	uint32_t scan;
};

int heap_confirm__new(const struct heap_confirm_options *options, struct heap_confirm **ret_confirm)
{
	struct heap_confirm *confirm = calloc(1, sizeof(*confirm));

	if (!confirm)
		return -ENOMEM;
	confirm->options = *options;
	if (!confirm->options.scans)
		confirm->options.scans = DEFAULT_SCANS;
	if (!confirm->options.interval_ns)
		confirm->options.interval_ns = DEFAULT_INTERVAL;
	if (!confirm->options.max)
		confirm->options.max = DEFAULT_MAX;
	confirm->size = FIRST_SIZE;
	confirm->table = calloc(confirm->size, sizeof(confirm->table[0]));
	if (!confirm->table) {
		free(confirm);
		return -ENOMEM;
	}
	*ret_confirm = confirm;
	return 0;
}

void heap_confirm__free(struct heap_confirm *confirm)
{
	if (!confirm)
		return;
	free(confirm->table);
	free(confirm);
}

/* The entry of @goid, or the empty one where it belongs. */
static struct entry *slot(struct entry *table, size_t size, uint64_t goid)
{
	size_t i = hash__mix64(goid) & (size - 1);

	while (table[i].sighting.goid && table[i].sighting.goid != goid)
		i = (i + 1) & (size - 1);
	return &table[i];
}

/* A new table of @size with the entries for which @scan is the last, or all where it is 0. */
static int rebuild(struct heap_confirm *confirm, size_t size, uint32_t scan)
{
	struct entry *table = calloc(size, sizeof(*table));
	size_t n = 0;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < confirm->size; i++) {
		const struct entry *entry = &confirm->table[i];

		if (!entry->sighting.goid || (scan && entry->scan != scan))
			continue;
		*slot(table, size, entry->sighting.goid) = *entry;
		n++;
	}
	free(confirm->table);
	confirm->table = table;
	confirm->size = size;
	confirm->n = n;
	return 0;
}

void heap_confirm__begin(struct heap_confirm *confirm, uint64_t started_ns)
{
	confirm->started_ns = started_ns;
	if (!++confirm->scan)
		confirm->scan = 1;
}

static bool is_same(const struct heap_sighting *a, const struct heap_sighting *b)
{
	return a->fingerprint == b->fingerprint && a->waits == b->waits;
}

int heap_confirm__see(struct heap_confirm *confirm, const struct heap_sighting *sighting)
{
	struct entry *entry;

	if (!sighting->goid)
		return 0;
	if (2 * confirm->n >= confirm->size) {
		int err = rebuild(confirm, 2 * confirm->size, 0);

		if (err)
			return err;
	}
	entry = slot(confirm->table, confirm->size, sighting->goid);
	if (!entry->sighting.goid) {
		if (confirm->n >= confirm->options.max)
			return -ENOMEM;
		confirm->n++;
		entry->count = 0;
	} else if (!is_same(&entry->sighting, sighting)) {
		entry->count = 0; /* it ran in between */
	}
	if (!entry->count)
		entry->first_ns = confirm->started_ns;
	if (!entry->count || confirm->started_ns - entry->last_ns >= confirm->options.interval_ns) {
		entry->last_ns = confirm->started_ns;
		entry->count += entry->count < UINT32_MAX;
	}
	entry->sighting = *sighting;
	entry->scan = confirm->scan;
	return 0;
}

void heap_confirm__end(struct heap_confirm *confirm)
{
	bool all = true;

	for (size_t i = 0; i < confirm->size && all; i++)
		all = !confirm->table[i].sighting.goid || confirm->table[i].scan == confirm->scan;
	/* Without memory for a smaller table the others only lose what they had. */
	if (all || !rebuild(confirm, confirm->size, confirm->scan))
		return;
	for (size_t i = 0; i < confirm->size; i++) {
		if (confirm->table[i].scan != confirm->scan)
			confirm->table[i].count = 0;
	}
}

static uint64_t hash_of_waits(const struct heap_goroutines *goroutines,
			      const struct heap_goroutine *g)
{
	uint64_t hash = HASH_FNV_BASIS;

	for (uint32_t i = 0; i < g->n_waits; i++)
		hash = hash__combine(hash, goroutines->waits[g->first_wait + i].object);
	return hash;
}

int heap_confirm__take(struct heap_confirm *confirm, const struct heap_scan *scan,
		       heap_since_fn since, void *ctx)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	const struct heap_scan_result *result = heap_scan__result(scan);
	int err = 0;

	if (result->doubt != HEAP_SCAN_SURE)
		return 0;
	heap_confirm__begin(confirm, result->started_ns);
	for (size_t i = 0; i < goroutines->n && !err; i++) {
		const struct heap_goroutine *g = &goroutines->all[i];

		if (!heap_scan__is_unreachable(g))
			continue;
		err = heap_confirm__see(confirm, &(struct heap_sighting){
							 .goid = g->goid,
							 .fingerprint = g->fingerprint,
							 .waits = hash_of_waits(goroutines, g),
							 .since_ns = since ? since(ctx, g) : 0,
						 });
	}
	heap_confirm__end(confirm);
	return err;
}

uint32_t heap_confirm__count(const struct heap_confirm *confirm, uint64_t goid)
{
	return goid ? slot(confirm->table, confirm->size, goid)->count : 0;
}

static bool is_confirmed(const struct heap_confirm *confirm, const struct entry *entry,
			 uint64_t now_ns)
{
	uint64_t since = entry->sighting.since_ns;

	/* What is not known began when it was first seen. */
	if (!since || since > entry->first_ns)
		since = entry->first_ns;
	return entry->count >= confirm->options.scans &&
	       now_ns - since >= confirm->options.min_age_ns;
}

bool heap_confirm__is_confirmed(const struct heap_confirm *confirm, uint64_t goid, uint64_t now_ns)
{
	return goid && is_confirmed(confirm, slot(confirm->table, confirm->size, goid), now_ns);
}

size_t heap_confirm__waiting(const struct heap_confirm *confirm, uint64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < confirm->size; i++)
		n += confirm->table[i].sighting.goid && confirm->table[i].count &&
		     !is_confirmed(confirm, &confirm->table[i], now_ns);
	return n;
}
