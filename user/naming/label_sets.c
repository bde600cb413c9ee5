// SPDX-License-Identifier: Apache-2.0
#include "naming/label_sets.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "golang/labels.h"

/* Goroutines checked with one scattered read: two words of each. */
#define BATCH 512

/* A running goroutine may change its labels between two looks; not each time. */
#define ROUNDS 3

/* Every goroutine may have a set of its own, of up to 33 KB. */
#define MAX_SETS  (1u << 20)
#define MAX_BYTES (256u << 20)

struct set {
	struct go_labels *strings;
	struct report_labels *report; /* points into them */
};

/* An address that was looked up in this round. */
struct index_slot {
	uint64_t address;		    /* 0: empty */
	const struct report_labels *report; /* NULL: cannot be read */
};

struct label_sets {
	struct set *sets;
	size_t n, capacity;
	size_t bytes; /* in all sets */

	struct index_slot *index; /* open addressing, a power of two */
	size_t index_size;
};

int label_sets__new(struct label_sets **ret_sets)
{
	struct label_sets *sets = calloc(1, sizeof(*sets));

	if (!sets)
		return -ENOMEM;
	*ret_sets = sets;
	return 0;
}

void label_sets__free(struct label_sets *sets)
{
	if (!sets)
		return;
	for (size_t i = 0; i < sets->n; i++) {
		free(sets->sets[i].strings);
		free(sets->sets[i].report);
	}
	free(sets->sets);
	free(sets->index);
	free(sets);
}

/* --- one set ------------------------------------------------------------------------------------- */

static struct report_labels *to_report(const struct go_labels *labels)
{
	struct report_labels *report =
		malloc(sizeof(*report) + labels->n * sizeof(report->items[0]));

	if (!report)
		return NULL;
	report->n = labels->n;
	report->cut = labels->cut;
	for (size_t i = 0; i < labels->n; i++)
		report->items[i] =
			(struct report_label){labels->items[i].key, labels->items[i].value};
	return report;
}

static size_t set_bytes(const struct go_labels *labels)
{
	size_t bytes = sizeof(*labels) + labels->n * 2 * sizeof(labels->items[0]);

	for (size_t i = 0; i < labels->n; i++)
		bytes += strlen(labels->items[i].key) + strlen(labels->items[i].value) + 2;
	return bytes;
}

/* Takes @labels over; NULL without memory. */
static const struct report_labels *keep(struct label_sets *sets, struct go_labels *labels)
{
	struct report_labels *report = to_report(labels);

	if (report && sets->n == sets->capacity) {
		size_t capacity = sets->capacity ? sets->capacity * 2 : 64;
		struct set *grown = reallocarray(sets->sets, capacity, sizeof(*grown));

		if (grown) {
			sets->sets = grown;
			sets->capacity = capacity;
		}
	}
	if (!report || sets->n == sets->capacity) {
		free(report);
		free(labels);
		return NULL;
	}
	sets->sets[sets->n++] = (struct set){labels, report};
	sets->bytes += set_bytes(labels);
	return report;
}

/* What cannot be read is none, and not an error; only a lack of memory is. */
static int read_set(struct label_sets *sets, struct remote *remote, const struct go_layout *layout,
		    uint64_t address, const struct report_labels **ret_report)
{
	struct go_labels *labels;
	int err;

	*ret_report = NULL;
	if (sets->n == MAX_SETS || sets->bytes > MAX_BYTES)
		return 0;
	err = go_labels__read(remote, layout->minor, address, &labels);
	if (err)
		return err == -ENOMEM ? err : 0;
	*ret_report = keep(sets, labels);
	return *ret_report ? 0 : -ENOMEM;
}

/* --- each set once ------------------------------------------------------------------------------- */

/* Empties the index, with room for @n addresses. */
static int reset_index(struct label_sets *sets, size_t n)
{
	size_t size = 64;

	while (size < n * 2)
		size *= 2;
	free(sets->index);
	sets->index = calloc(size, sizeof(*sets->index));
	sets->index_size = sets->index ? size : 0;
	return sets->index ? 0 : -ENOMEM;
}

static struct index_slot *find_slot(struct label_sets *sets, uint64_t address)
{
	size_t mask = sets->index_size - 1, i = hash__mix64(address) & mask;

	while (sets->index[i].address && sets->index[i].address != address)
		i = (i + 1) & mask;
	return &sets->index[i];
}

static int look_up(struct label_sets *sets, struct remote *remote, const struct go_layout *layout,
		   struct labels_wanted *wanted)
{
	struct index_slot *slot = find_slot(sets, wanted->labels);
	int err = 0;

	if (!slot->address) {
		slot->address = wanted->labels;
		err = read_set(sets, remote, layout, wanted->labels, &slot->report);
	}
	wanted->found = slot->report;
	return err;
}

/* --- checking ------------------------------------------------------------------------------------ */

/* The two words of a goroutine that say whether what was read of it still holds. */
struct words {
	uint64_t goid, labels;
};

static int read_words(struct remote *remote, const struct go_layout *layout,
		      struct labels_wanted *const *pending, size_t n, struct words *words,
		      bool *readable)
{
	struct remote_span spans[BATCH * 2];
	int err;

	for (size_t i = 0; i < n; i++) {
		spans[2 * i] = (struct remote_span){pending[i]->g + layout->g_goid, &words[i].goid,
						    sizeof(words[i].goid), 0};
		spans[2 * i + 1] =
			(struct remote_span){pending[i]->g + layout->g_labels, &words[i].labels,
					     sizeof(words[i].labels), 0};
	}
	err = remote__read_spans(remote, spans, n * 2);
	for (size_t i = 0; i < n; i++)
		readable[i] = !err && !spans[2 * i].result && !spans[2 * i + 1].result;
	return err;
}

/* settle - whether there is nothing more to find out about @wanted. */
static bool settle(struct labels_wanted *wanted, const struct words *now, bool readable,
		   int *unread)
{
	if (!readable || now->goid != wanted->goid) {
		wanted->found = NULL;
		++*unread;
		return true;
	}
	if (now->labels != wanted->labels) {
		wanted->labels = now->labels;
		wanted->found = NULL;
		return !now->labels;
	}
	*unread += !wanted->found;
	return true;
}

/* check - which goroutines still have the set that was read; the others stay pending. */
static size_t check(struct remote *remote, const struct go_layout *layout,
		    struct labels_wanted **pending, size_t n, int *unread)
{
	struct words words[BATCH];
	bool readable[BATCH];
	size_t left = 0;

	for (size_t begin = 0; begin < n; begin += BATCH) {
		size_t batch = min_of(n - begin, (size_t)BATCH);

		/* A process that is gone leaves nothing readable, and every goroutine unread. */
		(void)!read_words(remote, layout, pending + begin, batch, words, readable);
		for (size_t i = 0; i < batch; i++) {
			struct labels_wanted *wanted = pending[begin + i];

			if (!settle(wanted, &words[i], readable[i], unread))
				pending[left++] = wanted;
		}
	}
	return left;
}

int label_sets__read(struct label_sets *sets, struct remote *remote, const struct go_layout *layout,
		     struct labels_wanted *wanted, size_t n)
{
	struct labels_wanted **pending =
		malloc(max_of(n, (size_t)1) * sizeof(struct labels_wanted *));
	size_t left = 0;
	int err = pending ? 0 : -ENOMEM, unread = 0;

	for (size_t i = 0; i < n && !err; i++) {
		wanted[i].found = NULL;
		if (wanted[i].labels)
			pending[left++] = &wanted[i];
	}
	for (int round = 0; round < ROUNDS && left && !err; round++) {
		err = reset_index(sets, left);
		for (size_t i = 0; i < left && !err; i++)
			err = look_up(sets, remote, layout, pending[i]);
		if (!err)
			left = check(remote, layout, pending, left, &unread);
	}
	free(pending);
	return err ? err : unread + (int)min_of(left, (size_t)INT_MAX / 2);
}
