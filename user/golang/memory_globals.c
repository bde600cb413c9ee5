// SPDX-License-Identifier: Apache-2.0
/*
 * memstats is recognised by what it has in common with mheap_: the number of collections is half of
 * sweepgen, which each of them raises by two (src/runtime/mgc.go gcSweep), and the pages in use are
 * counted in both. gcController by its heapMinimum, which is 4 MiB times GOGC (mgcpacer.go).
 */
#include "golang/memory_globals.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "golang/code_refs.h"
#include "golang/heap_globals.h"

#define ATTEMPTS     4
#define HEAP_MINIMUM (4ULL << 20) /* src/runtime/mgcpacer.go defaultHeapMinimum */
#define MAX_PERCENT  1000000
/*
 * Between two reads of a running program. Where there was no collection yet, nearly anything has as many: so first
 * comes who agrees as well as one does that has allocated hardly anything in between.
 */
#define SLACK_BYTES (256ULL << 10)
#define CLOSE_BYTES (64ULL << 10)

struct search {
	struct remote *remote;
	const struct go_layout *layout;
	const struct go_module *module;
	uint64_t bias, mheap;
	bool close; /* only who agrees closely */
};

static bool read_u32(struct remote *remote, uint64_t address, uint32_t *ret_value)
{
	return !remote__read(remote, address, ret_value, sizeof(*ret_value));
}

static bool near(uint64_t a, uint64_t b, bool close)
{
	uint64_t larger = max_of(a, b), smaller = min_of(a, b);

	return larger - smaller <= (close ? CLOSE_BYTES : SLACK_BYTES + smaller / 8);
}

static bool heap_in_use(struct remote *remote, const struct go_layout *l, uint64_t mheap,
			uint64_t *ret_bytes)
{
	if (remote__read_u64(remote, mheap + l->mheap_pagesInUse, ret_bytes))
		return false;
	*ret_bytes *= GO_PAGE_SIZE;
	return true;
}

/* The shards are added up: each alone may be negative. */
static bool add_up(struct remote *remote, const struct go_layout *l, uint64_t memstats,
		   uint32_t field, uint64_t *ret_bytes)
{
	*ret_bytes = 0;
	for (size_t i = 0; i < GO_HEAP_STATS; i++) {
		uint64_t at = memstats + l->mstats_heapStats + i * l->heapStats_sizeof, part;

		if (remote__read_u64(remote, at + field, &part))
			return false;
		*ret_bytes += part;
	}
	return true;
}

/* Whole pages, as heap and stacks are counted in. */
static bool is_pages(uint64_t bytes)
{
	return bytes && bytes % GO_PAGE_SIZE == 0 && bytes >> GO_HEAP_BITS == 0;
}

static bool layout_is_complete(const struct go_layout *l)
{
	return l->mheap_pagesInUse != GO_LAYOUT_ABSENT && l->mstats_numgc != GO_LAYOUT_ABSENT &&
	       l->mstats_heapStats != GO_LAYOUT_ABSENT && l->mstats_enablegc != GO_LAYOUT_ABSENT &&
	       l->heapStats_inHeap != GO_LAYOUT_ABSENT &&
	       l->heapStats_inStacks != GO_LAYOUT_ABSENT && l->heapStats_sizeof != GO_LAYOUT_ABSENT;
}

static bool is_memstats(struct remote *remote, const struct go_layout *l, uint64_t mheap,
			uint64_t memstats, bool close)
{
	uint64_t in_use, counted, stacks;
	uint32_t cycles, sweepgen;
	uint8_t enabled;

	if (!layout_is_complete(l) || memstats % sizeof(uint64_t) ||
	    remote__read(remote, memstats + l->mstats_enablegc, &enabled, 1) || enabled != 1)
		return false;
	/* A collection may end between the reads. */
	for (int i = 0; i < ATTEMPTS; i++) {
		if (!read_u32(remote, memstats + l->mstats_numgc, &cycles) ||
		    !read_u32(remote, mheap + l->mheap_sweepgen, &sweepgen) ||
		    !add_up(remote, l, memstats, l->heapStats_inHeap, &counted) ||
		    !add_up(remote, l, memstats, l->heapStats_inStacks, &stacks) ||
		    !heap_in_use(remote, l, mheap, &in_use))
			return false;
		if (is_pages(counted) && is_pages(stacks) && near(in_use, counted, close) &&
		    sweepgen / 2 - cycles <= 1)
			return true;
	}
	return false;
}

bool memory_globals__is_memstats(struct remote *remote, const struct go_layout *l, uint64_t mheap,
				 uint64_t memstats)
{
	return is_memstats(remote, l, mheap, memstats, false);
}

bool memory_globals__is_gc_controller(struct remote *remote, const struct go_layout *l,
				      uint64_t mheap, uint64_t gc_controller)
{
	uint64_t minimum, in_use;
	uint32_t percent;

	if (l->gcController_heapMinimum == GO_LAYOUT_ABSENT ||
	    l->gcController_heapMarked == GO_LAYOUT_ABSENT ||
	    l->mheap_pagesInUse == GO_LAYOUT_ABSENT || gc_controller % sizeof(uint64_t) ||
	    !read_u32(remote, gc_controller, &percent) ||
	    remote__read_u64(remote, gc_controller + l->gcController_heapMinimum, &minimum) ||
	    !heap_in_use(remote, l, mheap, &in_use))
		return false;
	/*
	 * Of a process that has not collected yet nothing is marked. GOGC=off is -1 and leaves the
	 * minimum as it was.
	 */
	if (percent == UINT32_MAX)
		return minimum && minimum % (HEAP_MINIMUM / 100) == 0;
	return percent && percent <= MAX_PERCENT && minimum == HEAP_MINIMUM * percent / 100;
}

static bool from_symbols(const struct search *s, struct elf_image *image,
			 struct memory_globals *globals)
{
	static const char *const names[] = {"runtime.memstats", "runtime.gcController"};
	struct elf_symbol symbols[ARRAY_SIZE(names)] = {0};

	if (elf_image__symbols(image, names, symbols, ARRAY_SIZE(names)) <= 0)
		return false;
	if (symbols[0].address &&
	    memory_globals__is_memstats(s->remote, s->layout, s->mheap + s->bias,
					symbols[0].address + s->bias))
		globals->memstats = symbols[0].address;
	if (symbols[1].address &&
	    memory_globals__is_gc_controller(s->remote, s->layout, s->mheap + s->bias,
					     symbols[1].address + s->bias))
		globals->gc_controller = symbols[1].address;
	return true;
}

static bool is_variable(const struct search *s, uint64_t at)
{
	return at % sizeof(uint64_t) == 0 && at >= s->module->noptrdata &&
	       at < s->module->enoptrbss;
}

/* Each reference stands for one candidate per field that it may be. */
static void from_refs(const struct search *s, const struct code_refs *refs,
		      struct memory_globals *globals)
{
	const struct go_layout *l = s->layout;
	const uint32_t stats[] = {l->mstats_numgc, l->mstats_heapStats, l->mstats_enablegc, 0};
	const uint32_t controller[] = {0, l->gcController_heapMarked, l->gcController_heapMinimum};
	uint64_t mheap = s->mheap + s->bias;

	for (size_t i = 0; i < refs->n; i++) {
		for (size_t f = 0; f < ARRAY_SIZE(stats) && !globals->memstats; f++) {
			uint64_t at = refs->addresses[i] - stats[f];

			if (is_variable(s, at) &&
			    is_memstats(s->remote, l, mheap, at + s->bias, s->close))
				globals->memstats = at;
		}
		for (size_t f = 0; f < ARRAY_SIZE(controller) && !globals->gc_controller; f++) {
			uint64_t at = refs->addresses[i] - controller[f];

			if (is_variable(s, at) &&
			    memory_globals__is_gc_controller(s->remote, l, mheap, at + s->bias))
				globals->gc_controller = at;
		}
	}
}

static void from_code(const struct search *s, struct go_binary *binary,
		      struct memory_globals *globals)
{
	static const char *const names[] = {
		"runtime.gcMarkTermination",
		"runtime.gcStart",
		"runtime.gcenable",
		"runtime.(*mcache).refill",
		"runtime.gcControllerCommit",
		"runtime.gcinit",
		"runtime.bgsweep",
		"runtime.mallocgc",
	};
	struct pclntab_func funcs[ARRAY_SIZE(names)] = {0};
	struct code_refs *refs __cleanup_free = malloc(sizeof(*refs));

	if (!refs || pclntab__find(go_binary__pclntab(binary), names, funcs, ARRAY_SIZE(names)) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (globals->memstats && globals->gc_controller)
			return;
		if (funcs[i].entry && !code_refs__read(go_binary__image(binary), &funcs[i], refs))
			from_refs(s, refs, globals);
	}
}

struct memory_globals memory_globals__find(struct go_binary *binary, struct remote *remote,
					   uint64_t load_bias, uint64_t mheap)
{
	struct search s = {
		.close = true,
		.remote = remote,
		.layout = go_binary__layout(binary),
		.module = go_binary__module(binary),
		.bias = load_bias,
		.mheap = mheap,
	};
	struct memory_globals globals = {0};

	if (from_symbols(&s, go_binary__image(binary), &globals))
		return globals;
	from_code(&s, binary, &globals);
	s.close = false;
	if (!globals.memstats)
		from_code(&s, binary, &globals);
	return globals;
}
