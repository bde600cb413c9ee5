// SPDX-License-Identifier: Apache-2.0
/*
 * mheap_ is recognised by what is in it: allspans is a slice of spans, and the page map, which hangs
 * from another field, leads from each span's first page back to it (src/runtime/mheap.go). Functions
 * refer to fields of mheap_ rather than to its start, so each reference stands for one candidate per
 * field that it may be.
 */
#include "golang/heap_globals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "golang/code_refs.h"

#define WORD	  8u
#define MAX_SPANS (1ULL << 32) /* 32 TiB of the smallest */
#define SAMPLES	  64
/* Before the first that is in use, of a peak of a gigabyte. */
#define MAX_DEAD    (1ULL << 17)
#define MSPAN_READ  256 /* an mspan has 168 bytes in the largest version */
#define SPAN_IN_USE 1	/* src/runtime/mheap.go mSpanInUse */

/* --- the page map ------------------------------------------------------------------------------- */

int page_map__open(struct page_map *map, struct remote *remote, const struct go_layout *layout,
		   const struct go_arch *arch, uint64_t mheap)
{
	uint64_t arenas;
	int err = remote__read_u64(remote, mheap + go_arch__mheap_arenas(arch, layout), &arenas);

	if (err)
		return err;
	if (!arenas)
		return -EAGAIN;
	if (arenas % WORD)
		return -EFAULT;
	*map = (struct page_map){
		.remote = remote,
		.arenas = arenas,
		.base_offset = arch->arena_base_offset,
		.spans = layout->heapArena_spans,
	};
	return 0;
}

int page_map__arena(const struct page_map *map, uint64_t address, uint64_t *ret_arena)
{
	uint64_t index = (address - map->base_offset) >> GO_ARENA_SHIFT;

	*ret_arena = 0;
	if (index >= GO_N_ARENAS)
		return 0;
	return remote__read_u64(map->remote, map->arenas + index * WORD, ret_arena);
}

int page_map__span(const struct page_map *map, uint64_t address, uint64_t *ret_mspan)
{
	uint64_t page = address % GO_ARENA_SIZE / GO_PAGE_SIZE, arena;
	int err = page_map__arena(map, address, &arena);

	*ret_mspan = 0;
	if (err || !arena)
		return err;
	return remote__read_u64(map->remote, arena + map->spans + page * WORD, ret_mspan);
}

/* --- mheap_ ------------------------------------------------------------------------------------- */

static bool layout_is_complete(const struct go_layout *l)
{
	const uint32_t needed[] = {
		l->mheap_allspans,  l->mheap_arenas,	 l->mheap_arenas_arm64,
		l->mheap_sweepgen,  l->heapArena_spans,	 l->mspan_startAddr,
		l->mspan_npages,    l->mspan_nelems,	 l->mspan_spanclass,
		l->mspan_state,	    l->mspan_elemsize,	 l->mspan_specials,
		l->mspan_freeindex, l->mspan_allocBits,	 l->mspan_sizeof,
		l->special_next,    l->special_offset,	 l->special_sizeof,
		l->g_sched_ctxt,    l->g_sched_lr,	 l->g_panic,
		l->g_defer,	    l->g_asyncSafePoint, l->defer_fn,
		l->defer_link,	    l->defer_sizeof,	 l->m_p,
		l->m_gsignal,	    l->p_wbBuf_next,	 l->p_wbBuf_buf,
		l->sudog_next,	    l->sudog_prev,	 l->moduledata_rodata,
	};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (needed[i] == GO_LAYOUT_ABSENT)
			return false;
	}
	return l->mspan_sizeof <= MSPAN_READ &&
	       (l->heapArena_bitmap != GO_LAYOUT_ABSENT || l->mspan_largeType != GO_LAYOUT_ABSENT);
}

struct search {
	struct remote *remote;
	const struct go_layout *layout;
	const struct go_arch *arch;
	uint64_t bias;
	const struct go_module *module;
};

/* A word of each of @n addresses at once; of 0, and where nothing can be read, 0. */
static void read_words(const struct search *s, const uint64_t *addresses, size_t n, uint64_t *words)
{
	struct remote_span spans[SAMPLES];
	size_t n_spans = 0;
	int err;

	memset(words, 0, n * sizeof(*words));
	for (size_t i = 0; i < n; i++) {
		if (addresses[i])
			spans[n_spans++] =
				(struct remote_span){addresses[i], &words[i], sizeof(*words), 0};
	}
	err = remote__read_spans(s->remote, spans, n_spans);
	for (size_t i = 0; i < n_spans; i++) {
		if (err || spans[i].result)
			memset(spans[i].buffer, 0, sizeof(*words));
	}
}

/* page_map__span() of @n addresses; 0 where there is none. */
static void find_spans(const struct search *s, const struct page_map *map,
		       const uint64_t *addresses, size_t n, uint64_t *mspans)
{
	uint64_t at[SAMPLES] = {0}, arenas[SAMPLES];

	for (size_t i = 0; i < n; i++) {
		uint64_t index = (addresses[i] - map->base_offset) >> GO_ARENA_SHIFT;

		if (addresses[i] && index < GO_N_ARENAS)
			at[i] = map->arenas + index * WORD;
	}
	read_words(s, at, n, arenas);
	for (size_t i = 0; i < n; i++) {
		uint64_t page = addresses[i] % GO_ARENA_SIZE / GO_PAGE_SIZE;

		at[i] = arenas[i] ? arenas[i] + map->spans + page * WORD : 0;
	}
	read_words(s, at, n, mspans);
}

enum found {
	FOUND_NO_SPAN,
	FOUND_OTHER, /* none in use, or it changed */
	FOUND_USED,  /* a span in use that the page map knows */
};

/* What the @n @mspans are, SAMPLES at most. */
static void check_spans(const struct search *s, const struct page_map *map, const uint64_t *mspans,
			size_t n, enum found *found)
{
	uint8_t data[SAMPLES][MSPAN_READ];
	struct remote_span spans[SAMPLES];
	uint64_t starts[SAMPLES] = {0}, at_start[SAMPLES];
	int err;

	for (size_t i = 0; i < n; i++)
		spans[i] = (struct remote_span){mspans[i], data[i], s->layout->mspan_sizeof, 0};
	err = remote__read_spans(s->remote, spans, n);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *mspan = data[i];
		uint64_t start;

		found[i] = FOUND_NO_SPAN;
		if (err || !mspans[i] || mspans[i] % WORD || spans[i].result)
			continue;
		start = bytes__u64(mspan, s->layout->mspan_startAddr);
		if (mspan[s->layout->mspan_state] != SPAN_IN_USE)
			found[i] = FOUND_OTHER;
		else if (start % GO_PAGE_SIZE == 0)
			starts[i] = start;
	}
	find_spans(s, map, starts, n, at_start);
	for (size_t i = 0; i < n; i++) {
		if (starts[i])
			found[i] = at_start[i] == mspans[i] ? FOUND_USED : FOUND_OTHER;
	}
}

/*
 * A program that has given back what it needed once has mostly spans that are not in use: they stay in
 * allspans to be used again (src/runtime/mheap.go freeSpanLocked). Those of its start come first.
 */
static bool has_span_in_use(const struct search *s, const struct page_map *map, uint64_t all,
			    uint64_t n)
{
	uint64_t mspans[SAMPLES];
	enum found found[SAMPLES];

	for (uint64_t i = 0; i < min_of(n, MAX_DEAD); i += SAMPLES) {
		size_t count = (size_t)min_of(n - i, (uint64_t)SAMPLES);

		if (remote__read(s->remote, all + i * WORD, mspans, count * WORD))
			return false;
		check_spans(s, map, mspans, count, found);
		for (size_t k = 0; k < count; k++) {
			if (found[k] != FOUND_OTHER)
				return found[k] == FOUND_USED;
		}
	}
	return false;
}

/* Whether the target's address @mheap is mheap_. */
static bool is_mheap(const struct search *s, uint64_t mheap)
{
	uint64_t slice[3], at[SAMPLES] = {0}, mspans[SAMPLES];
	enum found found[SAMPLES];
	bool in_use = false;
	struct page_map map;
	size_t n;

	if (mheap % WORD ||
	    remote__read(s->remote, mheap + s->layout->mheap_allspans, slice, sizeof(slice)) ||
	    !slice[0] || slice[0] % WORD || !slice[1] || slice[1] > slice[2] ||
	    slice[2] > MAX_SPANS || page_map__open(&map, s->remote, s->layout, s->arch, mheap))
		return false;
	n = (size_t)min_of(slice[1], (uint64_t)SAMPLES);
	for (size_t i = 0; i < n; i++)
		at[i] = slice[0] + i * slice[1] / n * WORD;
	read_words(s, at, n, mspans);
	check_spans(s, &map, mspans, n, found);
	for (size_t i = 0; i < n; i++) {
		if (found[i] == FOUND_NO_SPAN)
			return false;
		in_use |= found[i] == FOUND_USED;
	}
	return in_use || has_span_in_use(s, &map, slice[0], slice[1]);
}

static uint64_t mheap_from_refs(const struct search *s, const struct code_refs *refs)
{
	const struct go_layout *l = s->layout;
	const uint32_t fields[] = {
		go_arch__mheap_arenas(s->arch, l),
		l->mheap_sweepgen,
		l->mheap_allspans,
		0,
	};

	for (size_t i = 0; i < refs->n; i++) {
		for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
			uint64_t at = refs->addresses[i] - fields[f];

			if (at >= s->module->noptrdata && at < s->module->enoptrbss &&
			    is_mheap(s, at + s->bias))
				return at;
		}
	}
	return 0;
}

/* --- both ways ---------------------------------------------------------------------------------- */

static bool from_symbols(const struct search *s, struct elf_image *image,
			 struct heap_globals *globals)
{
	static const char *const names[] = {"runtime.mheap_", "runtime.allfin",
					    "runtime.gcCleanups"};
	struct elf_symbol symbols[ARRAY_SIZE(names)] = {0};
	uint32_t all = go_arch__cleanup_queue(s->arch, s->layout);

	if (elf_image__symbols(image, names, symbols, ARRAY_SIZE(names)) <= 0 ||
	    !symbols[0].address || !symbols[1].address)
		return false;
	*globals = (struct heap_globals){
		.mheap = symbols[0].address,
		.n_queues = 1,
		.queues_certain = true,
	};
	globals->queues[0] = symbols[1].address;
	if (symbols[2].address && all != GO_LAYOUT_ABSENT)
		globals->queues[globals->n_queues++] = symbols[2].address + all;
	else if (s->layout->minor >= 25)
		return false;
	return is_mheap(s, globals->mheap + s->bias);
}

/*
 * markroot scans both queues (src/runtime/mgcmark.go) and so refers to both words. What else it
 * refers to is taken along: see struct heap_globals.
 */
static int queues_from_refs(const struct search *s, const struct code_refs *refs,
			    struct heap_globals *globals)
{
	if (refs->refused)
		return -E2BIG;
	for (size_t i = 0; i < refs->n; i++) {
		uint64_t at = refs->addresses[i];

		if (at % WORD || at < s->module->noptrdata || at >= s->module->enoptrbss)
			continue;
		if (globals->n_queues == HEAP_GLOBALS_MAX_QUEUES)
			return -E2BIG;
		globals->queues[globals->n_queues++] = at;
	}
	return globals->n_queues ? 0 : -ENOENT;
}

static int from_code(const struct search *s, struct go_binary *binary, struct heap_globals *globals)
{
	static const char *const names[] = {
		"runtime.markroot",	     "runtime.findObject", "runtime.markrootSpans",
		"runtime.sweepone",	     "runtime.mallocinit", "runtime.gcStart",
		"runtime.gcMarkRootPrepare",
	};
	struct pclntab_func funcs[ARRAY_SIZE(names)] = {0};
	struct code_refs *refs __cleanup_free = malloc(sizeof(*refs));

	if (!refs)
		return -ENOMEM;
	if (pclntab__find(go_binary__pclntab(binary), names, funcs, ARRAY_SIZE(names)) <= 0 ||
	    !funcs[0].entry)
		return -ENOENT;
	*globals = (struct heap_globals){0};
	for (size_t i = 0; i < ARRAY_SIZE(names) && !globals->mheap; i++) {
		if (funcs[i].entry && !code_refs__read(go_binary__image(binary), &funcs[i], refs))
			globals->mheap = mheap_from_refs(s, refs);
	}
	if (!globals->mheap || code_refs__read(go_binary__image(binary), &funcs[0], refs))
		return -ENOENT;
	return queues_from_refs(s, refs, globals);
}

int heap_globals__find(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
		       struct heap_globals *ret_globals, struct failure *failure)
{
	const struct search s = {
		.remote = remote,
		.layout = go_binary__layout(binary),
		.arch = go_arch__of(go_binary__image(binary)),
		.bias = load_bias,
		.module = go_binary__module(binary),
	};
	struct heap_globals globals;
	uint64_t word;
	int err;

	if (!layout_is_complete(s.layout))
		return failure__set(failure, -EOPNOTSUPP,
				    "%s: its heap cannot be read, this gleakd does not know how "
				    "its Go version keeps it; a newer gleakd may",
				    elf_image__name(go_binary__image(binary)));
	if (from_symbols(&s, go_binary__image(binary), &globals)) {
		*ret_globals = globals;
		return 0;
	}
	err = from_code(&s, binary, &globals);
	if (!err) {
		*ret_globals = globals;
		return 0;
	}
	if (remote__read_u64(remote, s.module->data + load_bias, &word) == -ESRCH)
		return failure__set(failure, -ESRCH, "the process has ended");
	return failure__set(failure, err == -ENOMEM ? err : -EOPNOTSUPP,
			    "%s: its heap cannot be read, the runtime's mheap_ was not found in "
			    "the process (no symbol table, and the code does not tell)",
			    elf_image__name(go_binary__image(binary)));
}
