// SPDX-License-Identifier: Apache-2.0
/*
 * Two forms (src/runtime/pprof/label.go, labelMap):
 *
 *	1.18 to 1.23	*map[string]string: a pointer to the word that points to the map's header
 *	from 1.24 on	*struct{ list []struct{ key, value string } }, sorted by key; since 1.26 the
 *			same under the name internal/runtime/pprof/label.Set
 *
 * First where the strings are, then all strings with one scattered read.
 */
#include "golang/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define MINOR_LIST 24

/* src/runtime/map.go of Go 1.23: hmap, bmap for string keys and values, tophash values. */
#define HMAP_SIZE	   48
#define HMAP_FLAGS	   8
#define HMAP_B		   9
#define HMAP_BUCKETS	   16
#define HMAP_OLDBUCKETS	   24
#define HMAP_SAMESIZE_GROW 8 /* bit of flags */
#define BUCKET_SLOTS	   8
#define BUCKET_KEYS	   8
#define BUCKET_VALUES	   (BUCKET_KEYS + BUCKET_SLOTS * 16)
#define BUCKET_OVERFLOW	   (BUCKET_VALUES + BUCKET_SLOTS * 16)
#define BUCKET_SIZE	   (BUCKET_OVERFLOW + 8)
#define TOPHASH_EMPTY_ONE  1 /* the largest that means "nothing here" */
#define TOPHASH_MIN	   5 /* the smallest of a key; between them: moved elsewhere */

/* A map of GO_LABELS_MAX labels that only grew has 16 buckets, and few that overflow. */
#define MAX_BUCKETS 256
#define MAX_LOG2    40

/* A string as Go keeps it. */
struct raw_string {
	uint64_t data, len;
};

struct raw_label {
	struct raw_string key, value;
};

struct reader {
	struct remote *remote;
	size_t n;
	size_t buckets; /* visited */
	bool cut;
	struct raw_label raw[GO_LABELS_MAX];
	char texts[GO_LABELS_MAX * 2][GO_LABEL_MAX_TEXT + 1];
};

/* --- the form of a list ------------------------------------------------------------------------ */

static int find_in_list(struct reader *reader, uint64_t address)
{
	uint64_t slice[3]; /* data, length, capacity */
	int err = remote__read(reader->remote, address, slice, sizeof(slice));

	if (err)
		return err;
	if (slice[1] > slice[2])
		return -EPROTO;
	reader->n = (size_t)min_of(slice[1], (uint64_t)GO_LABELS_MAX);
	reader->cut = slice[1] > reader->n;
	if (!reader->n)
		return 0;
	return remote__read(reader->remote, slice[0], reader->raw,
			    reader->n * sizeof(reader->raw[0]));
}

/* --- the form of a map ------------------------------------------------------------------------- */

static void add_slots(struct reader *reader, const uint8_t *bucket)
{
	for (size_t i = 0; i < BUCKET_SLOTS; i++) {
		if (bucket[i] < TOPHASH_MIN)
			continue;
		if (reader->n == GO_LABELS_MAX) {
			reader->cut = true;
			return;
		}
		memcpy(&reader->raw[reader->n].key, bucket + BUCKET_KEYS + i * 16, 16);
		memcpy(&reader->raw[reader->n].value, bucket + BUCKET_VALUES + i * 16, 16);
		reader->n++;
	}
}

/* One bucket and those chained to it; nothing of one whose contents are in the new array. */
static int visit_chain(struct reader *reader, uint64_t address)
{
	while (address) {
		uint8_t bucket[BUCKET_SIZE];
		int err;

		if (reader->buckets == MAX_BUCKETS) {
			reader->cut = true;
			return 0;
		}
		reader->buckets++;
		err = remote__read(reader->remote, address, bucket, sizeof(bucket));
		if (err)
			return err;
		if (bucket[0] > TOPHASH_EMPTY_ONE && bucket[0] < TOPHASH_MIN)
			return 0;
		add_slots(reader, bucket);
		address = bytes__u64(bucket, BUCKET_OVERFLOW);
	}
	return 0;
}

static int visit_array(struct reader *reader, uint64_t address, unsigned int log2)
{
	for (uint64_t i = 0; i < 1ULL << log2 && !reader->cut; i++) {
		int err = visit_chain(reader, address + i * BUCKET_SIZE);

		if (err)
			return err;
	}
	return 0;
}

static int find_in_map(struct reader *reader, uint64_t address)
{
	uint8_t header[HMAP_SIZE];
	uint64_t map, buckets, old;
	unsigned int log2;
	int err = remote__read_u64(reader->remote, address, &map);

	if (!err)
		err = remote__read(reader->remote, map, header, sizeof(header));
	if (err)
		return err;
	if (!bytes__u64(header, 0))
		return 0;
	log2 = header[HMAP_B];
	buckets = bytes__u64(header, HMAP_BUCKETS);
	old = bytes__u64(header, HMAP_OLDBUCKETS);
	/* Memory has no room for more. */
	if (log2 > MAX_LOG2 || !buckets)
		return -EPROTO;
	err = visit_array(reader, buckets, log2);
	/* While a map grows, what has not been moved yet is still in the array before. */
	if (!err && old && (header[HMAP_FLAGS] & HMAP_SAMESIZE_GROW || log2))
		err = visit_array(reader, old,
				  header[HMAP_FLAGS] & HMAP_SAMESIZE_GROW ? log2 : log2 - 1);
	return err;
}

/* --- the strings ------------------------------------------------------------------------------- */

/* The string whose bytes go into texts[@index]: a key, or the value after it. */
static struct raw_string *string_at(struct reader *reader, size_t index)
{
	struct raw_label *label = &reader->raw[index / 2];

	return index % 2 ? &label->value : &label->key;
}

static void end_text(char *text, uint64_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\0')
			text[i] = (char)0xff;
	}
	text[length] = '\0';
}

static int read_texts(struct reader *reader)
{
	struct remote_span spans[GO_LABELS_MAX * 2];
	size_t n_spans = 0;
	int err;

	for (size_t i = 0; i < reader->n * 2; i++) {
		struct raw_string *string = string_at(reader, i);

		if (string->len > GO_LABEL_MAX_TEXT) {
			string->len = GO_LABEL_MAX_TEXT;
			reader->cut = true;
		}
		if (string->len)
			spans[n_spans++] = (struct remote_span){string->data, reader->texts[i],
								(uint32_t)string->len, 0};
	}
	err = remote__read_spans(reader->remote, spans, n_spans);
	for (size_t i = 0; i < n_spans && !err; i++)
		err = spans[i].result;
	for (size_t i = 0; i < reader->n * 2 && !err; i++)
		end_text(reader->texts[i], string_at(reader, i)->len);
	return err;
}

static int by_key(const void *a, const void *b)
{
	const struct go_label *left = a, *right = b;
	int order = strcmp(left->key, right->key);

	return order ? order : strcmp(left->value, right->value);
}

static struct go_labels *pack(const struct reader *reader)
{
	size_t size = sizeof(struct go_labels) + reader->n * sizeof(struct go_label);
	struct go_labels *labels;
	char *next;

	for (size_t i = 0; i < reader->n * 2; i++)
		size += strlen(reader->texts[i]) + 1;
	labels = malloc(size);
	if (!labels)
		return NULL;
	labels->cut = reader->cut;
	labels->n = reader->n;
	next = (char *)&labels->items[labels->n];
	for (size_t i = 0; i < reader->n; i++) {
		labels->items[i].key = next;
		next = stpcpy(next, reader->texts[2 * i]) + 1;
		labels->items[i].value = next;
		next = stpcpy(next, reader->texts[2 * i + 1]) + 1;
	}
	if (labels->n)
		qsort(labels->items, labels->n, sizeof(labels->items[0]), by_key);
	return labels;
}

int go_labels__read(struct remote *remote, int minor, uint64_t address,
		    struct go_labels **ret_labels)
{
	struct reader *reader = malloc(sizeof(*reader));
	struct go_labels *labels;
	int err;

	if (!reader)
		return -ENOMEM;
	reader->remote = remote;
	reader->n = reader->buckets = 0;
	reader->cut = false;
	if (minor < MINOR_LIST)
		err = find_in_map(reader, address);
	else
		err = find_in_list(reader, address);
	if (!err)
		err = read_texts(reader);
	labels = err ? NULL : pack(reader);
	if (!err && !labels)
		err = -ENOMEM;
	free(reader);
	if (!err)
		*ret_labels = labels;
	return err;
}
