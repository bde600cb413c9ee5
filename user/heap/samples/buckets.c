// SPDX-License-Identifier: Apache-2.0
/*
 * Buckets come from persistentalloc (src/runtime/malloc.go), which cuts chunks of 256 KiB into pieces,
 * a chunk for each P. So what comes next in the list lies below, in one of a few places: memory is
 * read in windows, and some windows are kept.
 */
#include "heap/samples/buckets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "golang/profile_globals.h"

#define WORD		8u
#define MAX_BUCKETS	(1u << 18)
#define PCS_PER_BUCKET	32u /* on average; the deepest stacks have PROFILE_MAX_STACK */
#define PAGE		4096u
#define WINDOW_PAGES	16u
#define PAGES_BELOW	12u /* the others hold the rest of the largest bucket: 8,368 bytes */
#define WINDOW		(WINDOW_PAGES * PAGE)
#define WINDOWS		8u
#define N_CYCLES	3u /* memRecord.future, the same from Go 1.18 to 1.27 */
#define RECORD_MAX	256u
#define ATTEMPTS	4
#define LOOKS_PER_CLOCK 64u

/* A stretch of the target's memory, read twice. */
struct sample_window {
	uint64_t base;	/* of its first page; 1: none was read */
	uint32_t pages; /* bit i: page i is readable */
	uint8_t data[WINDOW], again[WINDOW];
};

int sample_buckets__init(struct sample_buckets *buckets, const struct heap_runtime *runtime,
			 size_t max)
{
	max = max && max < MAX_BUCKETS ? max : MAX_BUCKETS;
	*buckets = (struct sample_buckets){
		.runtime = runtime,
		.max = max,
		.max_pcs = max_of(max * PCS_PER_BUCKET, (size_t)PROFILE_MAX_STACK),
		.windows = malloc(WINDOWS * sizeof(struct sample_window)),
	};
	if (!buckets->windows || index__new(max, &buckets->index)) {
		sample_buckets__destroy(buckets);
		return -ENOMEM;
	}
	for (size_t i = 0; i < WINDOWS; i++)
		buckets->windows[i].base = 1;
	return 0;
}

void sample_buckets__destroy(struct sample_buckets *buckets)
{
	free(buckets->windows);
	free(buckets->all);
	free(buckets->pcs);
	index__free(buckets->index);
	*buckets = (struct sample_buckets){0};
}

/* --- the table ---------------------------------------------------------------------------------- */

static bool find(const struct sample_buckets *buckets, uint64_t address, uint32_t *ret_number)
{
	struct index_search search = index__search(buckets->index, hash__keyed_word(address));

	while (index__next(&search)) {
		if (buckets->all[search.number].address != address)
			continue;
		*ret_number = search.number;
		return true;
	}
	return false;
}

int sample_buckets__named(struct sample_buckets *buckets, uint64_t address, uint32_t *ret_number)
{
	int err;

	if (find(buckets, address, ret_number))
		return 0;
	if (buckets->n == buckets->max) {
		buckets->totals.refused++;
		return -ENOSPC;
	}
	if (!array__reserve(buckets->all, buckets->capacity, buckets->n + 1))
		return -ENOMEM;
	err = index__add(buckets->index, hash__keyed_word(address), (uint32_t)buckets->n);
	if (err)
		return err;
	*ret_number = (uint32_t)buckets->n;
	buckets->all[buckets->n++] = (struct heap_sample_bucket){.address = address};
	return 0;
}

/* --- memory ------------------------------------------------------------------------------------- */

static int load(struct sample_buckets *buckets, struct sample_window *window, uint64_t address)
{
	uint64_t below = (uint64_t)PAGES_BELOW * PAGE, page = address - address % PAGE;
	struct remote_span reads[2 * WINDOW_PAGES];
	int err;

	window->base = page > below ? page - below : 0;
	window->pages = 0;
	for (uint32_t i = 0; i < 2 * WINDOW_PAGES; i++) {
		uint32_t at = i % WINDOW_PAGES * PAGE;

		reads[i] = (struct remote_span){
			.address = window->base + at,
			.buffer = (i < WINDOW_PAGES ? window->data : window->again) + at,
			.size = PAGE,
		};
	}
	err = remote__read_spans(buckets->runtime->remote, reads, ARRAY_SIZE(reads));
	for (uint32_t i = 0; i < WINDOW_PAGES && !err; i++) {
		if (!reads[i].result && !reads[i + WINDOW_PAGES].result)
			window->pages |= 1u << i;
	}
	return err;
}

static bool holds(const struct sample_window *window, uint64_t address, uint32_t size)
{
	uint64_t offset = address - window->base;

	if (window->base % PAGE || offset >= WINDOW || size > WINDOW - offset)
		return false;
	for (uint64_t page = offset / PAGE; page <= (offset + size - 1) / PAGE; page++) {
		if (!(window->pages >> page & 1))
			return false;
	}
	return true;
}

/* A window with @size bytes at @address; NULL: they cannot be read. */
static int window_of(struct sample_buckets *buckets, uint64_t address, uint32_t size,
		     const struct sample_window **ret_window)
{
	struct sample_window *window;
	int err;

	for (size_t i = 0; i < WINDOWS; i++) {
		if (holds(&buckets->windows[i], address, size)) {
			*ret_window = &buckets->windows[i];
			return 0;
		}
	}
	window = &buckets->windows[buckets->oldest];
	buckets->oldest = (buckets->oldest + 1) % WINDOWS;
	err = load(buckets, window, address);
	*ret_window = holds(window, address, size) ? window : NULL;
	return err;
}

/* --- one bucket --------------------------------------------------------------------------------- */

/* The record at @address, which was read as @data and @again, until both are the same. */
static void steady_record(struct sample_buckets *buckets, uint64_t address, uint8_t *data,
			  const uint8_t *again)
{
	uint32_t size = buckets->runtime->layout->memRecord_sizeof;
	uint8_t next[RECORD_MAX];

	if (!memcmp(data, again, size))
		return;
	memcpy(data, again, size);
	for (int i = 0; i < ATTEMPTS; i++) {
		if (remote__read(buckets->runtime->remote, address, next, size))
			break;
		if (!memcmp(data, next, size))
			return;
		memcpy(data, next, size);
	}
	buckets->totals.unsteady++;
}

static void add_up(const struct go_layout *l, const uint8_t *record,
		   struct heap_sample_bucket *bucket)
{
	bucket->allocs = bucket->frees = 0;
	for (uint32_t i = 0; i <= N_CYCLES; i++) {
		uint32_t cycle = i < N_CYCLES ? l->memRecord_future + i * l->memRecordCycle_sizeof :
						l->memRecord_active;

		bucket->allocs += bytes__u64(record, cycle + l->memRecordCycle_allocs);
		bucket->frees += bytes__u64(record, cycle + l->memRecordCycle_frees);
	}
}

static int take_stack(struct sample_buckets *buckets, struct heap_sample_bucket *bucket,
		      const uint8_t *stack, uint32_t n)
{
	if (n > buckets->max_pcs - buckets->n_pcs) {
		buckets->totals.refused++;
		return -ENOSPC;
	}
	if (n && !array__reserve(buckets->pcs, buckets->pcs_capacity, buckets->n_pcs + n))
		return -ENOMEM;
	if (n)
		memcpy(buckets->pcs + buckets->n_pcs, stack, n * sizeof(uint64_t));
	bucket->first_pc = (uint32_t)buckets->n_pcs;
	bucket->n_pcs = n;
	buckets->n_pcs += n;
	return 0;
}

/*
 * Bucket @number as it is in memory. @ret_next: what follows in the list, 0 where it cannot be read.
 * Errors: -EFAULT, -EINVAL it is none, -ENOSPC, -ESRCH, -ENOMEM.
 */
static int read_bucket(struct sample_buckets *buckets, uint32_t number, uint64_t *ret_next)
{
	const struct go_layout *l = buckets->runtime->layout;
	struct heap_sample_bucket *bucket = &buckets->all[number];
	const struct sample_window *window;
	uint64_t address = bucket->address, size, n, record;
	uint8_t data[RECORD_MAX];
	const uint8_t *head;
	int err = window_of(buckets, address, l->bucket_sizeof, &window);

	*ret_next = 0;
	bucket->tried = true;
	if (err || !window)
		return err ? err : -EFAULT;
	head = window->data + (address - window->base);
	size = bytes__u64(head, l->bucket_size);
	n = bytes__u64(head, l->bucket_nstk);
	if (bytes__u64(head, l->bucket_typ) != PROFILE_TYPE_MEMORY || !size ||
	    size >= 1ULL << GO_HEAP_BITS || n > PROFILE_MAX_STACK)
		return -EINVAL;
	record = l->bucket_sizeof + n * WORD;
	err = window_of(buckets, address, (uint32_t)record + l->memRecord_sizeof, &window);
	if (err || !window)
		return err ? err : -EFAULT;
	head = window->data + (address - window->base);
	*ret_next = bytes__u64(head, l->bucket_allnext);
	memcpy(data, head + record, l->memRecord_sizeof);
	steady_record(buckets, address + record, data,
		      window->again + (address - window->base) + record);
	err = take_stack(buckets, bucket, head + l->bucket_sizeof, (uint32_t)n);
	if (err)
		return err;
	add_up(l, data, bucket);
	bucket->size = size;
	bucket->read = true;
	buckets->totals.read++;
	return 0;
}

/* --- all of them -------------------------------------------------------------------------------- */

static bool is_over(size_t looks, uint64_t budget_ns, uint64_t end_ns)
{
	return budget_ns && looks % LOOKS_PER_CLOCK == 0 && clock__monotonic_ns() >= end_ns;
}

void sample_buckets__start(struct sample_buckets *buckets, uint64_t first)
{
	buckets->next = first;
}

/* What is wrong with one bucket ends the list, and not the reading. */
static int note(struct sample_buckets *buckets, int err)
{
	buckets->totals.unreadable += err == -EFAULT;
	buckets->totals.invalid += err == -EINVAL;
	return err == -EFAULT || err == -EINVAL || err == -ENOSPC ? 0 : err;
}

int sample_buckets__step(struct sample_buckets *buckets, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;

	for (size_t looks = 1; buckets->next; looks++) {
		uint64_t address = buckets->next;
		uint32_t number;
		int err;

		buckets->next = 0;
		if (address % WORD) {
			buckets->totals.invalid++;
			return 0;
		}
		err = sample_buckets__named(buckets, address, &number);
		if (err)
			return err == -ENOSPC ? 0 : err;
		/* The list has come back to where it was. */
		if (buckets->all[number].tried) {
			buckets->totals.invalid++;
			return 0;
		}
		err = note(buckets, read_bucket(buckets, number, &buckets->next));
		if (err)
			return err;
		if (is_over(looks, budget_ns, end))
			return buckets->next != 0;
	}
	return 0;
}

int sample_buckets__step_known(struct sample_buckets *buckets, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns, next;

	for (size_t looks = 1; buckets->n_known < buckets->n; looks++) {
		uint32_t number = (uint32_t)buckets->n_known++;
		int err;

		if (buckets->all[number].tried || buckets->all[number].address % WORD)
			continue;
		err = note(buckets, read_bucket(buckets, number, &next));
		if (err)
			return err;
		if (is_over(looks, budget_ns, end))
			return 1;
	}
	return 0;
}
