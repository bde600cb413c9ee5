// SPDX-License-Identifier: Apache-2.0
/*
 * A table at the wrong address would have to hold, in each bucket that is not empty, a pointer to
 * something that points to a parked goroutine and holds an address with that very bucket's number.
 */
#include "golang/semtable.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "golang/arch.h"
#include "golang/code_refs.h"

#define WORD	    sizeof(uint64_t)
#define ATTEMPTS    4 /* waiters come and go while the table is read */
#define MAX_STRIDE  128
#define G_READ_SIZE 512 /* a g has 456 bytes in the largest version */
#define SUDOG_READ  128 /* a sudog has 104 */
#define MAX_GOID    (1ULL << 48)
#define MAX_WAITERS (1u << 28)

/* Off its thread for now: waiting, or just woken up. */
static bool is_parked_g(struct live *live, uint64_t g)
{
	const struct go_layout *l = live->layout;
	uint8_t data[G_READ_SIZE];
	struct pclntab_func func;
	uint64_t low, high, sp, goid, startpc;
	uint32_t status;

	if (!g || g % WORD || l->g_sizeof > sizeof(data) ||
	    remote__read(live->remote, g, data, l->g_sizeof))
		return false;
	status = go_status__of(bytes__u32(data, l->g_atomicstatus));
	low = bytes__u64(data, l->g_stack_lo);
	high = bytes__u64(data, l->g_stack_hi);
	sp = bytes__u64(data, l->g_sched_sp);
	goid = bytes__u64(data, l->g_goid);
	startpc = bytes__u64(data, l->g_startpc) - live->bias;
	return go_status__waits(status) && goid && goid <= MAX_GOID && sp > low && sp < high &&
	       (live->other_modules ||
		(!pclntab__lookup(live->tab, startpc, &func) && func.entry == startpc));
}

static bool is_root_of(struct live *live, uint64_t sudog, size_t bucket)
{
	const struct go_layout *l = live->layout;
	uint8_t data[SUDOG_READ];
	uint64_t semaphore;

	if (sudog % WORD || l->sudog_sizeof > sizeof(data) ||
	    remote__read(live->remote, sudog, data, l->sudog_sizeof))
		return false;
	semaphore = bytes__u64(data, l->sudog_elem);
	return semaphore && semaphore % sizeof(uint32_t) == 0 &&
	       semtable__bucket(semaphore) == bucket && !bytes__u64(data, l->sudog_c) &&
	       is_parked_g(live, bytes__u64(data, l->sudog_g));
}

/* Whether @table, as read, has waiters and nothing else. */
static bool is_table(struct live *live, const uint8_t *table, size_t stride)
{
	bool waiters = false;

	for (size_t bucket = 0; bucket < SEMTABLE_BUCKETS; bucket++) {
		const uint8_t *root = table + bucket * stride;
		uint64_t treap = bytes__u64(root, SEMTABLE_TREAP);
		uint32_t nwait = bytes__u32(root, SEMTABLE_NWAIT);

		if (!treap) {
			/* A goroutine that is about to queue up is counted before it is in there. */
			if (nwait > MAX_WAITERS)
				return false;
			continue;
		}
		if (!nwait || nwait > MAX_WAITERS || !is_root_of(live, treap, bucket))
			return false;
		waiters = true;
	}
	return waiters;
}

static bool verify(struct live *live, uint64_t address, uint8_t *table, size_t stride)
{
	size_t size = stride * SEMTABLE_BUCKETS;

	if (address % WORD || address < live->module.bss || address >= live->module.ebss ||
	    live->module.ebss - address < size)
		return false;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (remote__read(live->remote, address + live->bias, table, size))
			return false;
		if (is_table(live, table, stride))
			return true;
	}
	return false;
}

/* The one address among @refs that is the table; 0 when there is none, or more than one. */
static uint64_t find_among(struct live *live, const struct code_refs *refs, uint8_t *table,
			   size_t stride)
{
	uint64_t found = 0;

	for (size_t i = 0; i < refs->n; i++) {
		if (!verify(live, refs->addresses[i], table, stride))
			continue;
		if (found)
			return 0;
		found = refs->addresses[i];
	}
	return found;
}

uint64_t semtable__find(struct live *live)
{
	static const char *const names[] = {"runtime.semacquire1", "runtime.semrelease1"};
	struct pclntab_func funcs[ARRAY_SIZE(names)] = {0};
	struct code_refs *refs __cleanup_free = malloc(sizeof(*refs));
	uint8_t *table __cleanup_free = malloc((size_t)MAX_STRIDE * SEMTABLE_BUCKETS);
	size_t stride = go_arch__of(live->image)->cache_line(live->layout->minor);
	uint64_t found = 0;

	if (!refs || !table || pclntab__find(live->tab, names, funcs, ARRAY_SIZE(names)) <= 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names) && !found; i++) {
		*refs = (struct code_refs){0};
		if (funcs[i].entry && !code_refs__read(live->image, &funcs[i], refs))
			found = find_among(live, refs, table, stride);
	}
	return found;
}
