// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/access.h"
#include "host/memory_copy_private.h"

/*
 * What is asked for at a time: twice as much as before when that came soon, half of it when it took long. On a machine
 * that is starved, or emulated, it has to come within the time that a read may take (ACCESS_GUARD_DEADLINE_NS).
 */
#define MAX_BATCH_BYTES ((uint64_t)BATCH_RUNS * RUN_BYTES)
#define SOON_NS		(50 * NSEC_PER_MSEC)
#define LONG_NS		(200 * NSEC_PER_MSEC)
/* The time on a processor is that much too short, one part of so many: 2 to 5 were seen at a load of 12. */
#define HANDED_OVER 3u

/* --- pages --------------------------------------------------------------------------------------- */

static void note_copied(struct memory_copy *copy, struct region *region, uint64_t page)
{
	if (!bit(region->have, page))
		__atomic_fetch_add(&copy->totals.copied_bytes, copy->page, __ATOMIC_RELAXED);
	set_bit(region->have, page);
	if (copy->pass == PASS_LAST)
		set_bit(region->still, page);
}

static void adapt(struct page_batch *batch, uint64_t took_ns)
{
	if (took_ns > LONG_NS)
		batch->max_bytes = max_of(batch->max_bytes / 2, (uint64_t)RUN_BYTES);
	else if (took_ns < SOON_NS && batch->bytes >= batch->max_bytes)
		batch->max_bytes = min_of(batch->max_bytes * 2, MAX_BATCH_BYTES);
}

/*
 * A run that cannot be read was unmapped since the look at the page map; while the process stands
 * still that is an error.
 */
static int read_batch(struct worker *worker)
{
	struct memory_copy *copy = worker->copy;
	struct page_batch *batch = &worker->batch;
	uint64_t begin_ns = clock__monotonic_ns();
	int err = batch->shared ? remote__copy_spans(copy->options.remote, batch->runs, batch->n) :
				  remote__read_spans(copy->options.remote, batch->runs, batch->n);

	for (size_t i = 0; i < batch->n && !err; i++) {
		const struct remote_span *run = &batch->runs[i];
		struct region *region = batch->regions[i];
		uint64_t first = (run->address - region->start) / copy->page;

		if (run->result && copy->pass == PASS_LAST)
			err = run->result;
		for (uint64_t p = 0; p < run->size / copy->page && !run->result; p++)
			note_copied(copy, region, first + p);
		if (copy->pass == PASS_LAST)
			__atomic_fetch_add(&copy->totals.again_bytes, run->size, __ATOMIC_RELAXED);
	}
	adapt(batch, clock__monotonic_ns() - begin_ns);
	batch->n = 0;
	batch->bytes = 0;
	if (!err && copy->options.max_bytes &&
	    __atomic_load_n(&copy->totals.copied_bytes, __ATOMIC_RELAXED) > copy->options.max_bytes)
		err = -E2BIG;
	return err;
}

static int add_page(struct worker *worker, struct region *region, uint64_t page)
{
	const struct memory_copy *copy = worker->copy;
	struct page_batch *batch = &worker->batch;
	uint64_t address = region->start + page * copy->page;
	struct remote_span *last = batch->n ? &batch->runs[batch->n - 1] : NULL;

	if (last && batch->regions[batch->n - 1] == region &&
	    last->address + last->size == address && last->size < RUN_BYTES) {
		last->size += (uint32_t)copy->page;
		batch->bytes += copy->page;
		return 0;
	}
	if (batch->n == BATCH_RUNS || batch->bytes >= batch->max_bytes ||
	    (batch->n && batch->shared != region->shared)) {
		int err = read_batch(worker);

		if (err)
			return err;
	}
	batch->runs[batch->n] = (struct remote_span){
		.address = address,
		.buffer = region->data + page * copy->page,
		.size = (uint32_t)copy->page,
	};
	batch->bytes += copy->page;
	batch->shared = region->shared;
	batch->regions[batch->n++] = region;
	return 0;
}

static bool has_contents(const struct region *region, uint64_t entry)
{
	return region->from_file || entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED);
}

/* Whether the page has to be read by this pass. */
static bool is_due(const struct memory_copy *copy, const struct region *region, uint64_t page,
		   uint64_t entry)
{
	if (bit(region->skip, page) || !has_contents(region, entry))
		return false;
	if (!bit(region->have, page))
		return true;
	if (copy->pass == PASS_FIRST || region->constant || bit(region->still, page))
		return false;
	return !copy->totals.soft_dirty || entry & PAGEMAP_SOFT_DIRTY;
}

/* The process gave the page back to the kernel since: it reads as zeros. */
static bool has_vanished(const struct memory_copy *copy, const struct region *region, uint64_t page,
			 uint64_t entry)
{
	return copy->pass != PASS_FIRST && !has_contents(region, entry) && bit(region->have, page);
}

/* @n pages of @region from @first on. */
static int copy_pages(struct worker *worker, struct region *region, uint64_t first, size_t n)
{
	struct memory_copy *copy = worker->copy;
	const uint64_t *entries = worker->entries;
	ssize_t got = pagemap__look(&copy->pagemap, region->start / copy->page + first,
				    worker->entries, n);

	if (got < 0)
		return (int)got;
	/* Nothing at all: the process has no memory any more. */
	if (!got)
		return -ESRCH;
	for (size_t i = 0; i < (size_t)got; i++) {
		int err = 0;

		if (is_due(copy, region, first + i, entries[i]))
			err = add_page(worker, region, first + i);
		else if (has_vanished(copy, region, first + i, entries[i]))
			memset(region->data + (first + i) * copy->page, 0, copy->page);
		if (err)
			return err;
	}
	return read_batch(worker);
}

int memory_copy__first(struct memory_copy *copy, uint64_t budget_ns)
{
	uint64_t begin_ns = clock__monotonic_ns(), now_ns = begin_ns;
	int err = 0;

	while (!err && copy->next < copy->n && (!budget_ns || now_ns - begin_ns < budget_ns)) {
		struct region *region = &copy->regions[copy->next];
		uint64_t left = n_pages(copy, region) - copy->next_page;
		size_t n = (size_t)min_of(left, (uint64_t)LOOK_PAGES);

		err = copy_pages(&copy->workers[0], region, copy->next_page, n);
		copy->next_page += n;
		if (copy->next_page >= n_pages(copy, region)) {
			copy->next++;
			copy->next_page = 0;
		}
		now_ns = clock__monotonic_ns();
	}
	if (err)
		return err;
	return copy->next < copy->n ? 1 : 0;
}

/* --- all that is due, side by side --------------------------------------------------------------- */

/* Takes the next piece: its number of pages, or 0. */
static size_t take_piece(struct memory_copy *copy, struct region **ret_region, uint64_t *ret_first)
{
	struct pieces *pieces = &copy->pieces;
	size_t n = 0;

	pthread_mutex_lock(&pieces->lock);
	while (pieces->region < copy->n && !n && !pieces->failed) {
		struct region *region = &copy->regions[pieces->region];

		n = (size_t)min_of(n_pages(copy, region) - pieces->page, (uint64_t)LOOK_PAGES);
		*ret_region = region;
		*ret_first = pieces->page;
		pieces->page += n;
		if (!n) {
			pieces->region++;
			pieces->page = 0;
		}
	}
	pthread_mutex_unlock(&pieces->lock);
	return n;
}

static void *work(void *ctx)
{
	struct worker *worker = ctx;
	struct memory_copy *copy = worker->copy;
	uint64_t first, begin_ns = clock__thread_cpu_ns();
	struct region *region;
	size_t n;

	worker->err = 0;
	while (!worker->err && (n = take_piece(copy, &region, &first))) {
		worker->err = copy_pages(worker, region, first, n);
		if (!worker->err && clock__monotonic_ns() > copy->pieces.deadline_ns)
			worker->err = -ETIME;
	}
	worker->batch.n = 0;
	worker->batch.bytes = 0;
	worker->cpu_ns = clock__thread_cpu_ns() - begin_ns;
	if (worker->err) {
		pthread_mutex_lock(&copy->pieces.lock);
		copy->pieces.failed = true;
		pthread_mutex_unlock(&copy->pieces.lock);
	}
	return NULL;
}

/* All that is due by now. Where no thread can be had, those that there are do it. */
static int copy_all(struct memory_copy *copy, uint64_t deadline_ns)
{
	size_t started = 1;
	int err = memory_copy__read_maps(copy);

	if (err)
		return err;
	copy->pieces.region = 0;
	copy->pieces.page = 0;
	copy->pieces.failed = false;
	copy->pieces.deadline_ns = deadline_ns;
	while (started < copy->n_workers &&
	       !pthread_create(&copy->workers[started].thread, NULL, work, &copy->workers[started]))
		started++;
	work(&copy->workers[0]);
	for (size_t i = 1; i < started; i++)
		pthread_join(copy->workers[i].thread, NULL);
	for (size_t i = 0; i < started && !err; i++)
		err = copy->workers[i].err;
	return err;
}

/* Of whoever reads for this process. Two of its threads copy side by side, if it can (copy_pair.h). */
static uint64_t agent_cpu_ns(void)
{
	struct access_usage usage;
	double threads = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;

	access__usage(&usage, false);
	return (uint64_t)(usage.cpu_seconds / threads * (double)NSEC_PER_SEC);
}

int memory_copy__rehearse(struct memory_copy *copy)
{
	uint64_t begin_ns = clock__monotonic_ns(), cpu_ns = agent_cpu_ns(), took_ns;
	int err;

	copy->pass = PASS_REHEARSAL;
	for (size_t i = 0; i < copy->n_workers; i++)
		copy->workers[i].cpu_ns = 0;
	err = copy_all(copy, UINT64_MAX);
	took_ns = clock__monotonic_ns() - begin_ns;
	cpu_ns = agent_cpu_ns() - cpu_ns;
	for (size_t i = 0; i < copy->n_workers; i++)
		cpu_ns += copy->workers[i].cpu_ns;
	/*
	 * On a busy machine it takes one thread that nobody comes before (process_stop.h) not much longer than it
	 * has used a processor now: what it hands to other processes, and what these find in no cache, comes on top.
	 */
	copy->totals.rehearsed_ns = min_of(took_ns, cpu_ns + cpu_ns / HANDED_OVER);
	return err;
}

int memory_copy__again(struct memory_copy *copy, uint64_t deadline_ns)
{
	copy->pass = PASS_LAST;
	return copy_all(copy, deadline_ns);
}
