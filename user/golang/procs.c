// SPDX-License-Identifier: Apache-2.0
/*
 * runtime.procresize (src/runtime/proc.go) refers to allp: three adjacent words; element i of the
 * array is a p whose id is i. runtime.newproc1 refers to sched.goidgen and to sched.ngsys. A p
 * takes goroutine ids in batches from goidgen, so none holds an id which goidgen has not reached.
 */
#include "golang/procs.h"

#include "base/bytes.h"
#include "golang/globals_code.h"

#define WORD	      sizeof(uint64_t)
#define MAX_PROCS     65536 /* of GOMAXPROCS; Linux has at most 8192 CPUs */
#define PROCS_CHECKED 64
#define P_READ_SIZE   512 /* p.goidcacheend is at 392 */
#define P_STATUS_LAST 4	  /* src/runtime/runtime2.go _Pdead */
#define GOID_BATCH    16  /* src/runtime/proc.go _GoidCacheBatch */
#define MAX_GOID      (1ULL << 48)
#define ATTEMPTS      8 /* newproc1 stores goidcache and goidcacheend one after the other */

/* Whether @p in the target is the p number @id; gives the first id after its batch. */
static bool is_p(struct live *live, uint64_t p, uint64_t id, uint64_t *ret_end)
{
	const struct go_layout *l = live->layout;
	uint8_t data[P_READ_SIZE];
	uint64_t head, next, end;

	if (!p || p % WORD || max_of(l->p_goidcache, l->p_goidcacheend) > sizeof(data) - WORD ||
	    remote__read(live->remote, p, data, sizeof(data)))
		return false;
	/* id and status are the int32 and the uint32 of one word in every version. */
	head = bytes__u64(data, l->p_id);
	next = bytes__u64(data, l->p_goidcache);
	end = bytes__u64(data, l->p_goidcacheend);
	if ((uint32_t)head != id || head >> 32 > P_STATUS_LAST || next > end ||
	    end - next > GOID_BATCH || end > MAX_GOID)
		return false;
	*ret_end = end;
	return true;
}

/* Whether @slice is allp; gives the first id after the youngest batch. */
static bool is_allp(struct live *live, const struct slice *slice, uint64_t *ret_end)
{
	uint64_t n = min_of(slice->len, (uint64_t)PROCS_CHECKED);
	uint64_t youngest = 0;

	if (!slice->array || slice->array % WORD || !n || slice->len > slice->cap ||
	    slice->cap > MAX_PROCS)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t p, end;

		if (remote__read_u64(live->remote, slice->array + i * WORD, &p) ||
		    !is_p(live, p, i, &end))
			return false;
		youngest = max_of(youngest, end);
	}
	*ret_end = youngest;
	return youngest != 0; /* goroutine 1 has its id from one of them */
}

static bool verify_allp(struct live *live, uint64_t allp, uint64_t *ret_end)
{
	struct slice slice;

	for (int i = 0; i < ATTEMPTS; i++) {
		if (globals_code__read_slice(live, allp, &slice) && is_allp(live, &slice, ret_end))
			return true;
	}
	return false;
}

/* The batches were read before: goidgen only grows. It is the last id of the youngest batch. */
static bool verify_sched(struct live *live, uint64_t sched, uint64_t end)
{
	uint64_t issued;

	return !remote__read_u64(live->remote, sched + live->layout->sched_goidgen + live->bias,
				 &issued) &&
	       issued + 1 >= end && issued <= MAX_GOID;
}

void procs__verify(struct live *live, struct go_globals *globals)
{
	uint64_t end;

	if (!globals->allp || !verify_allp(live, globals->allp, &end)) {
		globals->allp = 0;
		globals->sched = 0;
	} else if (globals->sched && !verify_sched(live, globals->sched, end)) {
		globals->sched = 0;
	}
}

uint64_t procs__find_allp(struct live *live, const struct code_refs *refs)
{
	uint64_t found = 0, end;

	for (size_t i = 0; i < refs->n; i++) {
		uint64_t at = refs->addresses[i];

		if (!globals_code__is_slice(live, refs, at) || !verify_allp(live, at, &end))
			continue;
		if (found)
			return 0;
		found = at;
	}
	return found;
}

uint64_t procs__find_sched(struct live *live, const struct code_refs *refs, uint64_t allp)
{
	const struct go_layout *l = live->layout;
	uint64_t found = 0, end;

	if (!allp || !verify_allp(live, allp, &end))
		return 0;
	for (size_t i = 0; i < refs->n; i++) {
		uint64_t sched = refs->addresses[i] - l->sched_goidgen;

		if (sched % WORD || sched < live->module.bss || sched >= live->module.ebss ||
		    !code_refs__has(refs, sched + l->sched_ngsys) ||
		    !verify_sched(live, sched, end))
			continue;
		if (found)
			return 0;
		found = sched;
	}
	return found;
}
