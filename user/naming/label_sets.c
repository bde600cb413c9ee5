// SPDX-License-Identifier: Apache-2.0
#include "naming/label_sets.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
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
struct looked_up {
	uint64_t address;
	const struct report_labels *report; /* NULL: cannot be read */
};

struct label_sets {
	struct set *sets;
	size_t n, capacity;
	size_t bytes; /* in all sets */

	struct looked_up *looked_up;
	size_t n_looked_up, looked_up_size;
	struct index *index; /* of what was looked up, by address */
};

int label_sets__new(struct label_sets **ret_sets)
{
	struct label_sets *sets = calloc(1, sizeof(*sets));

	if (!sets || index__new(INDEX_MAX, &sets->index)) {
		free(sets);
		return -ENOMEM;
	}
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
	free(sets->looked_up);
	index__free(sets->index);
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

	if (!report || !array__reserve(sets->sets, sets->capacity, sets->n + 1)) {
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

static void forget_looked_up(struct label_sets *sets)
{
	index__clear(sets->index);
	sets->n_looked_up = 0;
}

static const struct looked_up *find(const struct label_sets *sets, uint64_t address)
{
	struct index_search search = index__search(sets->index, hash__keyed_word(address));

	while (index__next(&search)) {
		if (sets->looked_up[search.number].address == address)
			return &sets->looked_up[search.number];
	}
	return NULL;
}

static int look_up(struct label_sets *sets, struct remote *remote, const struct go_layout *layout,
		   struct labels_wanted *wanted)
{
	const struct looked_up *known = find(sets, wanted->labels);
	struct looked_up *new;
	int err;

	if (known) {
		wanted->found = known->report;
		return 0;
	}
	if (!array__reserve(sets->looked_up, sets->looked_up_size, sets->n_looked_up + 1) ||
	    index__add(sets->index, hash__keyed_word(wanted->labels), (uint32_t)sets->n_looked_up))
		return -ENOMEM;
	new = &sets->looked_up[sets->n_looked_up++];
	new->address = wanted->labels;
	err = read_set(sets, remote, layout, wanted->labels, &new->report);
	wanted->found = new->report;
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
		forget_looked_up(sets);
		for (size_t i = 0; i < left && !err; i++)
			err = look_up(sets, remote, layout, pending[i]);
		if (!err)
			left = check(remote, layout, pending, left, &unread);
	}
	free(pending);
	return err ? err : unread + (int)min_of(left, (size_t)INT_MAX / 2);
}
