// SPDX-License-Identifier: Apache-2.0
#include "heap/scan/confirm.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define DEFAULT_SCANS	 3
#define DEFAULT_INTERVAL NSEC_PER_SEC
#define DEFAULT_MAX	 (4u << 20)

struct entry {
	struct heap_sighting sighting;
	uint64_t first_ns; /* began: the first scan that saw it so */
	uint64_t last_ns;  /* and the last that counted */
	uint32_t count;
	uint32_t scan; /* number of the last scan that saw it */
};

struct heap_confirm {
	struct heap_confirm_options options;
	struct index *by_goid;
	struct entry *all;
	size_t n, capacity;
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
	if (index__new(confirm->options.max, &confirm->by_goid)) {
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
	index__free(confirm->by_goid);
	free(confirm->all);
	free(confirm);
}

static struct entry *find(const struct heap_confirm *confirm, uint64_t goid)
{
	struct index_search search = index__search(confirm->by_goid, hash__keyed_word(goid));

	while (index__next(&search)) {
		if (confirm->all[search.number].sighting.goid == goid)
			return &confirm->all[search.number];
	}
	return NULL;
}

static struct entry *add(struct heap_confirm *confirm, uint64_t goid)
{
	if (!array__reserve(confirm->all, confirm->capacity, confirm->n + 1) ||
	    index__add(confirm->by_goid, hash__keyed_word(goid), (uint32_t)confirm->n))
		return NULL;
	confirm->all[confirm->n] = (struct entry){0};
	return &confirm->all[confirm->n++];
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
	struct entry *entry = find(confirm, sighting->goid);

	if (!sighting->goid)
		return 0;
	if (!entry)
		entry = add(confirm, sighting->goid);
	else if (!is_same(&entry->sighting, sighting))
		entry->count = 0; /* it ran in between */
	if (!entry)
		return -ENOMEM;
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
	size_t kept = 0;

	index__clear(confirm->by_goid);
	for (size_t i = 0; i < confirm->n; i++) {
		const struct entry *entry = &confirm->all[i];

		/* There was room for all of them before. */
		if (entry->scan != confirm->scan ||
		    index__add(confirm->by_goid, hash__keyed_word(entry->sighting.goid),
			       (uint32_t)kept))
			continue;
		confirm->all[kept++] = *entry;
	}
	confirm->n = kept;
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
	const struct entry *entry = find(confirm, goid);

	return entry ? entry->count : 0;
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
	const struct entry *entry = find(confirm, goid);

	return entry && is_confirmed(confirm, entry, now_ns);
}

size_t heap_confirm__waiting(const struct heap_confirm *confirm, uint64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < confirm->n; i++)
		n += !is_confirmed(confirm, &confirm->all[i], now_ns);
	return n;
}
