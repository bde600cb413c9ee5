// SPDX-License-Identifier: Apache-2.0
#include "session/label_sets.h"

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
#define MAX_SETS	 (1u << 20)
#define MAX_BYTES	 (256u << 20)
#define FIRST_INDEX_SIZE 1024

struct set {
	uint64_t address;
	struct go_labels *labels;     /* owns the strings; NULL: cannot be read */
	struct report_labels *report; /* NULL likewise */
};

/* One that was looked up already, in this round. */
struct index_slot {
	uint64_t address; /* 0: empty */
	struct report_labels *report;
};

struct label_sets {
	struct go_labels **labels;     /* all that were read; they own the strings */
	struct report_labels **report; /* the same for renderers */
	size_t n, capacity;
	size_t bytes;

	struct index_slot *index; /* open addressing */
	size_t index_size, n_index;
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
		free(sets->labels[i]);
		free(sets->report[i]);
	}
	free(sets->labels);
	free(sets->report);
	free(sets->index);
	free(sets);
}
