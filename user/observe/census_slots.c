// SPDX-License-Identifier: Apache-2.0
#include "observe/census_slots.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RADIX_BITS 8
#define RADIX	   (1u << RADIX_BITS)

/* Addresses of user space on every 64-bit Linux; a g is at least word aligned. */
#define MAX_USER_ADDRESS (1ULL << 56)

/* sort_pass - stable counting sort by one byte; false when all agree in it and nothing moved. */
static bool sort_pass(const uint64_t *from, uint64_t *to, size_t n, unsigned int shift)
{
	size_t begins[RADIX] = {0};
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		begins[(from[i] >> shift) % RADIX]++;
	if (begins[(from[0] >> shift) % RADIX] == n)
		return false;
	for (size_t digit = 0; digit < RADIX; digit++) {
		size_t count = begins[digit];

		begins[digit] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[begins[(from[i] >> shift) % RADIX]++] = from[i];
	return true;
}

/* sort_addresses - radix sort, least significant byte first. */
static void sort_addresses(uint64_t *values, size_t n, uint64_t *scratch)
{
	uint64_t *from = values, *to = scratch;

	for (unsigned int shift = 0; n && shift < 64; shift += RADIX_BITS) {
		if (sort_pass(from, to, n, shift)) {
			uint64_t *swap = from;

			from = to;
			to = swap;
		}
	}
	if (from != values)
		memcpy(values, from, n * sizeof(*values));
}

static size_t lower_bound(const struct census_slots *slots, uint64_t address)
{
	size_t lo = 0, hi = slots->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slots->addresses[mid] < address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* drop_known - remove doubles and addresses in @slots from the sorted @fresh; returns the rest. */
static size_t drop_known(const struct census_slots *slots, uint64_t *fresh, size_t n)
{
	size_t kept = 0, at = n ? lower_bound(slots, fresh[0]) : 0;

	for (size_t i = 0; i < n; i++) {
		while (at < slots->n && slots->addresses[at] < fresh[i])
			at++;
		if (at < slots->n && slots->addresses[at] == fresh[i])
			continue;
		if (!kept || fresh[kept - 1] != fresh[i])
			fresh[kept++] = fresh[i];
	}
	return kept;
}

static int grow_array(void **array, size_t *mapped, size_t bytes)
{
	void *grown;

	if (bytes <= *mapped)
		return 0;
	if (*array)
		grown = mremap(*array, *mapped, bytes, MREMAP_MAYMOVE);
	else
		grown = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	if (grown == MAP_FAILED)
		return -ENOMEM;
	*array = grown;
	*mapped = bytes;
	return 0;
}

static int grow_arrays(struct census_slots *slots, size_t capacity)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct {
		void *array;
		size_t item;
	} parts[] = {
		{slots->addresses, sizeof(*slots->addresses)},
		{slots->fingerprints, sizeof(*slots->fingerprints)},
		{slots->handles, sizeof(*slots->handles)},
	};
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(parts); i++) {
		size_t bytes = (capacity * parts[i].item + page - 1) / page * page;

		err = grow_array(&parts[i].array, &slots->mapped[i], bytes);
	}
	/* Those that did move stay usable if a later one could not. */
	slots->addresses = parts[0].array;
	slots->fingerprints = parts[1].array;
	slots->handles = parts[2].array;
	if (!err)
		slots->capacity = capacity;
	return err;
}

static int reserve(struct census_slots *slots, size_t n)
{
	if (n <= slots->capacity)
		return 0;
	/* Pages beyond n are address space only, until they are used. */
	if (grow_arrays(slots, n + n / 4) == 0)
		return 0;
	return grow_arrays(slots, n);
}

/*
 * merge - from the back, so that it works in place and ends as soon as all new ones have found
 * theirs: with a heap that grows upwards nearly nothing moves.
 */
static void merge(struct census_slots *slots, const uint64_t *fresh, size_t n)
{
	size_t from = slots->n, to = slots->n + n;

	while (n) {
		to--;
		if (from && slots->addresses[from - 1] > fresh[n - 1]) {
			from--;
			slots->addresses[to] = slots->addresses[from];
			slots->fingerprints[to] = slots->fingerprints[from];
			slots->handles[to] = slots->handles[from];
		} else {
			n--;
			slots->addresses[to] = fresh[n];
			slots->fingerprints[to] = 0;
			slots->handles[to] = 0;
		}
	}
}

size_t census_slots__usable(uint64_t *addresses, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t address = addresses[i];

		if (address && address % sizeof(uint64_t) == 0 && address < MAX_USER_ADDRESS)
			addresses[kept++] = address;
	}
	return kept;
}

int census_slots__add(struct census_slots *slots, uint64_t *fresh, size_t n, uint64_t *scratch)
{
	int err;

	sort_addresses(fresh, n, scratch);
	n = drop_known(slots, fresh, n);
	err = reserve(slots, slots->n + n);
	if (err)
		return err;
	merge(slots, fresh, n);
	slots->n += n;
	return 0;
}

void census_slots__visit(const struct census_slots *slots,
			 bool (*visit)(void *ctx, uint32_t handle, uint64_t address), void *ctx)
{
	for (size_t i = 0; i < slots->n; i++) {
		if (slots->handles[i] && !visit(ctx, slots->handles[i], slots->addresses[i]))
			return;
	}
}

void census_slots__free(struct census_slots *slots)
{
	if (slots->addresses)
		munmap(slots->addresses, slots->mapped[0]);
	if (slots->fingerprints)
		munmap(slots->fingerprints, slots->mapped[1]);
	if (slots->handles)
		munmap(slots->handles, slots->mapped[2]);
	*slots = (struct census_slots){0};
}
