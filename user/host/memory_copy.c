// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/cleanup.h"
#include "base/read.h"
#include "host/access.h"
#include "host/maps.h"
#include "host/memory_copy_private.h"

#define MAX_REGIONS (1u << 20)
/* Constant data of a file, such as Go's types; what is larger holds something else. */
#define MAX_CONSTANT (256ull << 20)
/* Shadow memory of sanitizers (and of Go's race detector) is larger; a heap of 256 GiB is not copied. */
#define MAX_REGION_BYTES (256ull << 30)
/* Addresses and not memory: what is never written takes none. */
#define MAX_SHARED (1ull << 39)
#define MIN_SPARE  (64ull << 20)
/* Threads that copy side by side: the process stands still, and its processors have nothing to do. */
#define MAX_WORKERS 4

/* --- what is mapped ------------------------------------------------------------------------------ */

static void release(struct region *region)
{
	if (region->data && !region->shared)
		munmap(region->data, region->end - region->start);
	free(region->skip);
	free(region->have);
	free(region->still);
}

/* Memory for what is mapped at [@start, @end). */
static void take_room(struct memory_copy *copy, struct region *region)
{
	size_t size = region->end - region->start;
	void *data;

	if (size <= copy->shared_size - copy->shared_used) {
		region->shared = true;
		region->data = copy->shared + copy->shared_used;
		copy->shared_used += size;
		return;
	}
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	region->data = data == MAP_FAILED ? NULL : data;
}

static int add_region(struct memory_copy *copy, const struct maps_line *line, uint64_t start,
		      uint64_t end)
{
	struct region region = {
		.start = start,
		.end = end,
		.from_file = line->inode != 0,
		.constant = !line->mapping.writable,
	};
	size_t bits = (end - start) / copy->page / 8 + 1;

	if (copy->n >= MAX_REGIONS)
		return -E2BIG;
	if (!array__reserve(copy->regions, copy->capacity, copy->n + 1))
		return -ENOMEM;
	take_room(copy, &region);
	region.skip = calloc(bits, 1);
	region.have = calloc(bits, 1);
	region.still = calloc(bits, 1);
	if (!region.data || !region.skip || !region.have || !region.still) {
		release(&region);
		return -ENOMEM;
	}
	copy->regions[copy->n++] = region;
	return 0;
}

/* [vvar] and [vdso] are the kernel's; shared memory holds no heap of Go. */
static bool is_wanted(const struct maps_line *line)
{
	const struct process_mapping *mapping = &line->mapping;

	if (!line->readable || line->shared || !strncmp(line->path, "[v", 2) ||
	    mapping->end - mapping->start > MAX_REGION_BYTES)
		return false;
	return mapping->writable ||
	       (!mapping->executable && mapping->end - mapping->start <= MAX_CONSTANT);
}

/* The first region that ends behind @address; n when there is none. */
static size_t find_region(const struct memory_copy *copy, size_t n, uint64_t address)
{
	return bisect(n, i, copy->regions[i].end <= address);
}

struct mapping_walk {
	struct memory_copy *copy;
	size_t n_known; /* regions before this walk, in order */
	int err;
};

/* Every part of the mapping that no region covers yet becomes a region. */
static bool add_mapping(void *ctx, const struct maps_line *line)
{
	struct mapping_walk *walk = ctx;
	struct memory_copy *copy = walk->copy;
	uint64_t at = line->mapping.start, end = line->mapping.end;
	size_t i = find_region(copy, walk->n_known, at);

	if (!is_wanted(line))
		return true;
	for (; at < end && !walk->err; i++) {
		bool known = i < walk->n_known && copy->regions[i].start < end;
		uint64_t gap_end = known ? copy->regions[i].start : end;

		if (at < gap_end)
			walk->err = add_region(copy, line, at, gap_end);
		if (!known)
			break;
		at = copy->regions[i].end;
	}
	return !walk->err;
}

static bool add_size(void *ctx, const struct maps_line *line)
{
	uint64_t *bytes = ctx;

	if (is_wanted(line))
		*bytes += line->mapping.end - line->mapping.start;
	return *bytes <= MAX_SHARED;
}

/* Without it all is copied once more on the way. */
static void share(struct memory_copy *copy)
{
	uint64_t bytes = 0;
	char path[PATH_MAX];
	void *shared;

	snprintf(path, sizeof(path), "%s/%d/maps", copy->options.proc_root, copy->options.pid);
	if (maps__each(path, add_size, &bytes) || bytes > MAX_SHARED)
		return;
	bytes += bytes / 8 / copy->page * copy->page + MIN_SPARE;
	if (access__share(bytes, &shared))
		return;
	copy->shared = shared;
	copy->shared_size = bytes;
}

static int by_address(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

int memory_copy__read_maps(struct memory_copy *copy)
{
	struct mapping_walk walk = {.copy = copy, .n_known = copy->n};
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/%d/maps", copy->options.proc_root, copy->options.pid);
	err = maps__each(path, add_mapping, &walk);
	if (copy->n > walk.n_known)
		qsort(copy->regions, copy->n, sizeof(*copy->regions), by_address);
	return err ? err : walk.err;
}

/* --- as a whole ---------------------------------------------------------------------------------- */

static int open_pagemap(const struct memory_copy *copy)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d/pagemap", copy->options.proc_root, copy->options.pid);
	return access__open(path, O_RDONLY);
}

/*
 * Makes the kernel mark the pages that are written from now on. Whether it does so shows in a page
 * of our own.
 */
static bool begin_soft_dirty(const struct memory_copy *copy)
{
	int own __cleanup_close = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	static volatile uint8_t touched[1];
	uint64_t entry;

	if (own < 0)
		return false;
	/* Kernels without soft-dirty never set the bit of a page that has just been written. */
	touched[0]++;
	if (read__at(own, (uintptr_t)touched / copy->page * sizeof(entry), &entry, sizeof(entry)) !=
		    sizeof(entry) ||
	    !(entry & PAGEMAP_SOFT_DIRTY))
		return false;
	return !access__mark_pages(copy->options.pid);
}

static int explain(int err, const struct memory_copy *copy, struct failure *failure)
{
	if (err == -ENOENT || err == -ESRCH)
		return failure__set(failure, -ESRCH, "process %d has ended", copy->options.pid);
	if (err == -EACCES || err == -EPERM)
		return failure__set(failure, -EPERM,
				    "what process %d has mapped may not be read: CAP_SYS_PTRACE is "
				    "missing; run gleakd with sudo",
				    copy->options.pid);
	return failure__set(failure, err, "cannot read what process %d has mapped: %s",
			    copy->options.pid, strerror(-err));
}

static int make_workers(struct memory_copy *copy)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = online < 1 ? 1 : min_of((size_t)online, (size_t)MAX_WORKERS);

	/* One that has no priority would keep waiting one that has it (process_stop.h). */
	if (access__is_one_at_a_time())
		n = 1;
	copy->workers = calloc(n, sizeof(*copy->workers));
	if (!copy->workers)
		return -ENOMEM;
	copy->n_workers = n;
	for (size_t i = 0; i < n; i++) {
		copy->workers[i].copy = copy;
		copy->workers[i].batch.max_bytes = RUN_BYTES;
	}
	return 0;
}

int memory_copy__new(const struct memory_copy_options *options, struct memory_copy **ret_copy,
		     struct failure *failure)
{
	struct memory_copy *copy = calloc(1, sizeof(*copy));
	int err;

	if (!copy)
		return failure__set(failure, -ENOMEM, "out of memory");
	pthread_mutex_init(&copy->pieces.lock, NULL);
	copy->options = *options;
	copy->page = (uint64_t)sysconf(_SC_PAGESIZE);
	copy->pagemap = (struct pagemap){.fd = open_pagemap(copy), .page = copy->page};
	if (copy->pagemap.fd >= 0)
		share(copy);
	err = copy->pagemap.fd < 0 ? copy->pagemap.fd : memory_copy__read_maps(copy);
	if (!err)
		err = make_workers(copy);
	if (err) {
		err = explain(err, copy, failure);
		memory_copy__free(copy);
		return err;
	}
	copy->totals.soft_dirty = begin_soft_dirty(copy);
	*ret_copy = copy;
	return 0;
}

void memory_copy__free(struct memory_copy *copy)
{
	if (!copy)
		return;
	for (size_t i = 0; i < copy->n; i++)
		release(&copy->regions[i]);
	if (copy->pagemap.fd >= 0)
		close(copy->pagemap.fd);
	access__unshare(copy->shared, copy->shared_size);
	remote__free(copy->image);
	pthread_mutex_destroy(&copy->pieces.lock);
	free(copy->workers);
	free(copy->regions);
	free(copy);
}

static void mark_pages(struct memory_copy *copy, uint64_t address, uint64_t size, bool skip)
{
	uint64_t first = (address + copy->page - 1) / copy->page * copy->page;
	uint64_t end = (address + size) / copy->page * copy->page;

	/*
	 * A range that is wanted needs all pages it lies in, also those that it shares with others.
	 */
	if (!skip) {
		first = address / copy->page * copy->page;
		end = (address + size + copy->page - 1) / copy->page * copy->page;
	}
	for (size_t i = find_region(copy, copy->n, first);
	     i < copy->n && copy->regions[i].start < end; i++) {
		struct region *region = &copy->regions[i];
		uint64_t from = max_of(first, region->start), to = min_of(end, region->end);

		for (uint64_t at = from; at < to; at += copy->page) {
			uint64_t page = (at - region->start) / copy->page;

			if (skip)
				set_bit(region->skip, page);
			else
				region->skip[page / 8] &= (uint8_t) ~(1 << page % 8);
		}
	}
}

void memory_copy__skip(struct memory_copy *copy, uint64_t address, uint64_t size)
{
	mark_pages(copy, address, size, true);
}

void memory_copy__want(struct memory_copy *copy, uint64_t address, uint64_t size)
{
	mark_pages(copy, address, size, false);
}

int memory_copy__open(struct memory_copy *copy, struct remote **ret_remote)
{
	struct remote_range *ranges __cleanup_free = calloc(copy->n + 1, sizeof(*ranges));
	struct remote *image;
	int err;

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < copy->n; i++)
		ranges[i] = (struct remote_range){
			.address = copy->regions[i].start,
			.data = copy->regions[i].data,
			.size = copy->regions[i].end - copy->regions[i].start,
		};
	err = remote__open_image(ranges, copy->n, &image);
	if (err)
		return err;
	remote__free(copy->image);
	copy->image = image;
	*ret_remote = image;
	return 0;
}

const struct memory_copy_totals *memory_copy__totals(const struct memory_copy *copy)
{
	return &copy->totals;
}
