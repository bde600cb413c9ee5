// SPDX-License-Identifier: Apache-2.0
#include "fake_heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "heap/spans/spans.h"

#define MHEAP	   0x500000ULL
#define ARENAS	   0x10000000000ULL
#define ARENA	   0x20000000ULL
#define MSPANS	   0x700000ULL
#define ALLOC_BITS 0x710000ULL
#define LIST	   0x720000ULL
#define MODULE	   0x730000ULL
#define GLOBALS	   0x740000ULL
#define BSS	   0x741000ULL
#define MASKS	   0x742000ULL
#define TYPES	   0x750000ULL
#define TYPE_MASKS 0x760000ULL
#define SPECIALS   0x780000ULL
#define MARK_BITS  0x790000ULL
#define BUCKETS	   0x800000ULL
#define STACKS	   0x7f0000000000ULL

#define AMD64_BASE  0xffff800000000000ULL
#define PAGE	    8192u
#define STATUS_RUN  1
#define STATUS_WAIT 4

static void put64(uint8_t *data, uint32_t offset, uint64_t value)
{
	memcpy(data + offset, &value, sizeof(value));
}

static void put32(uint8_t *data, uint32_t offset, uint32_t value)
{
	memcpy(data + offset, &value, sizeof(value));
}

static void put16(uint8_t *data, uint32_t offset, uint16_t value)
{
	memcpy(data + offset, &value, sizeof(value));
}

static bool has_arena_bits(const struct fake_heap *heap)
{
	return heap->layout->minor < 22;
}

/* --- spans -------------------------------------------------------------------------------------- */

static void put_count(struct fake_heap *heap, size_t span, uint32_t field, uint32_t value)
{
	if (heap->layout->minor < 22)
		put64(heap->mspans[span], field, value);
	else
		put16(heap->mspans[span], field, (uint16_t)value);
}

static size_t add_span(struct fake_heap *heap, uint8_t class, uint32_t elemsize, uint32_t npages,
		       uint32_t nelems, bool noscan)
{
	const struct go_layout *l = heap->layout;
	size_t i = heap->n_spans++;
	uint8_t *mspan = heap->mspans[i];

	heap->spans[i] = (struct fake_span){
		.base = FAKE_HEAP_BASE + heap->next_page * PAGE,
		.elemsize = elemsize,
		.npages = npages,
		.nelems = nelems,
		.noscan = noscan,
	};
	put64(mspan, l->mspan_startAddr, heap->spans[i].base);
	put64(mspan, l->mspan_npages, npages);
	put64(mspan, l->mspan_elemsize, elemsize);
	put64(mspan, l->mspan_allocBits, ALLOC_BITS + i * sizeof(heap->alloc_bits[0]));
	put64(mspan, l->mspan_gcmarkBits, MARK_BITS + i * sizeof(heap->mark_bits[0]));
	put32(mspan, l->mspan_sweepgen, FAKE_SWEEPGEN);
	put_count(heap, i, l->mspan_nelems, nelems);
	mspan[l->mspan_spanclass] = (uint8_t)(class << 1 | noscan);
	mspan[l->mspan_state] = 1;
	heap->list[i] = MSPANS + i * sizeof(heap->mspans[0]);
	for (uint32_t p = 0; p < npages; p++)
		put64(heap->arena, l->heapArena_spans + (uint32_t)(heap->next_page + p) * 8,
		      heap->list[i]);
	heap->next_page += npages;
	put64(heap->mheap, l->mheap_allspans, LIST);
	put64(heap->mheap, l->mheap_allspans + 8, heap->n_spans);
	put64(heap->mheap, l->mheap_allspans + 16, FAKE_MAX_SPANS);
	return i;
}

size_t fake_heap__span(struct fake_heap *heap, uint32_t size, uint32_t npages, bool noscan)
{
	uint32_t elemsize, room;
	uint8_t class = heap_spans__size_class(size, &elemsize);

	npages = npages ? npages : 1;
	room = npages * PAGE;
	if (!noscan && elemsize <= 512 && !has_arena_bits(heap))
		room -= 128 + (heap->inline_marks && elemsize >= 16 ? 128 : 0);
	return add_span(heap, class, elemsize, npages, room / elemsize, noscan);
}

size_t fake_heap__large(struct fake_heap *heap, uint32_t npages, bool noscan)
{
	return add_span(heap, 0, npages * PAGE, npages, 1, noscan);
}

uint64_t fake_heap__alloc(struct fake_heap *heap, size_t span)
{
	struct fake_span *s = &heap->spans[span];
	uint64_t object = s->base + s->used++ * (uint64_t)s->elemsize;

	put_count(heap, span, heap->layout->mspan_freeindex, s->used);
	return object;
}

uint64_t *fake_heap__word(struct fake_heap *heap, uint64_t address)
{
	uint64_t size = sizeof(heap->pages);

	if (address - FAKE_HEAP_BASE < size)
		return (uint64_t *)(void *)(heap->pages + (address - FAKE_HEAP_BASE));
	if (address - GLOBALS < sizeof(heap->globals))
		return &heap->globals[(address - GLOBALS) / 8];
	return NULL;
}

static const struct fake_span *span_of(const struct fake_heap *heap, uint64_t address)
{
	for (size_t i = 0; i < heap->n_spans; i++) {
		if (address - heap->spans[i].base < (uint64_t)heap->spans[i].npages * PAGE)
			return &heap->spans[i];
	}
	return NULL;
}

static void set_bit(uint8_t *bits, size_t i)
{
	bits[i / 8] |= (uint8_t)(1u << i % 8);
}

static void set_pointer_bit(struct fake_heap *heap, uint64_t object, size_t i)
{
	const struct fake_span *span = span_of(heap, object);
	size_t first = (size_t)(object - FAKE_HEAP_BASE) / 8, at = first + i;

	if (heap->layout->minor < 20) {
		heap->arena[at / 4] |= (uint8_t)(1u << at % 4);
		for (size_t w = first; w <= at; w++)
			heap->arena[w / 4] |= (uint8_t)(0x10u << w % 4);
	} else if (has_arena_bits(heap)) {
		set_bit(heap->arena, at);
	} else if (span->elemsize <= 512) {
		uint64_t end = span->base + PAGE - 128 -
			       (heap->inline_marks && span->elemsize >= 16 ? 128 : 0);

		set_bit(heap->pages + (end - FAKE_HEAP_BASE),
			(size_t)(object - span->base) / 8 + i);
	}
}

void fake_heap__point(struct fake_heap *heap, uint64_t object, size_t i, uint64_t value)
{
	*fake_heap__word(heap, object + i * 8) = value;
	if (object - FAKE_HEAP_BASE < sizeof(heap->pages))
		set_pointer_bit(heap, object, i);
}

/* --- types and specials ------------------------------------------------------------------------- */

uint64_t fake_heap__type(struct fake_heap *heap, uint64_t size, uint64_t pointer_size,
			 const uint8_t *mask)
{
	size_t i = heap->n_types++;

	put64(heap->types[i], 0, size);
	put64(heap->types[i], 8, pointer_size);
	heap->types[i][21] = 8; /* alignment */
	put64(heap->types[i], 32, TYPE_MASKS + i * sizeof(heap->type_masks[0]));
	memcpy(heap->type_masks[i], mask, (size_t)(pointer_size / 8 + 7) / 8);
	return TYPES + i * sizeof(heap->types[0]);
}

uint64_t fake_heap__type_at(const struct fake_heap *heap, size_t i)
{
	return TYPES + i * sizeof(heap->types[0]);
}

void fake_heap__set_type(struct fake_heap *heap, size_t span, uint64_t object, uint64_t type)
{
	if (has_arena_bits(heap))
		return;
	if (heap->spans[span].nelems == 1)
		put64(heap->mspans[span], heap->layout->mspan_largeType, type);
	else
		*fake_heap__word(heap, object) = type;
}

void fake_heap__special(struct fake_heap *heap, size_t span, uint64_t object, uint8_t kind,
			uint64_t payload)
{
	const struct go_layout *l = heap->layout;
	size_t i = heap->n_specials++;
	uint8_t *special = heap->specials[i];
	bool wide = l->special_sizeof == 24;
	uint64_t offset = object - heap->spans[span].base;

	memcpy(special + l->special_next, heap->mspans[span] + l->mspan_specials, 8);
	if (wide)
		put64(special, l->special_offset, offset);
	else
		put16(special, l->special_offset, (uint16_t)offset);
	special[l->special_offset + (wide ? 8 : 2)] = kind;
	put64(special, l->special_sizeof, payload);
	put64(heap->mspans[span], l->mspan_specials, SPECIALS + i * sizeof(heap->specials[0]));
}

/* --- the memory profile ------------------------------------------------------------------------- */

uint64_t fake_heap__bucket(struct fake_heap *heap, uint64_t size, const uint64_t *pcs, size_t n)
{
	const struct go_layout *l = heap->layout;
	uint8_t *bucket = heap->buckets + heap->buckets_used;
	uint64_t address = BUCKETS + heap->buckets_used;

	put64(bucket, l->bucket_allnext, heap->bss[5]);
	put64(bucket, l->bucket_typ, 1);
	put64(bucket, l->bucket_size, size);
	put64(bucket, l->bucket_nstk, n);
	memcpy(bucket + l->bucket_sizeof, pcs, n * sizeof(*pcs));
	heap->buckets_used += l->bucket_sizeof + n * sizeof(*pcs) + l->memRecord_sizeof;
	heap->bss[5] = address;
	return address;
}

void fake_heap__sampled(struct fake_heap *heap, uint64_t bucket, size_t cycle, uint64_t allocs,
			uint64_t frees)
{
	const struct go_layout *l = heap->layout;
	uint8_t *record = heap->buckets + (bucket - BUCKETS);
	uint32_t at =
		cycle ? l->memRecord_future + (uint32_t)(cycle - 1) * l->memRecordCycle_sizeof :
			l->memRecord_active;
	uint64_t size = bytes__u64(record, l->bucket_size);

	record += l->bucket_sizeof + bytes__u64(record, l->bucket_nstk) * 8 + at;
	put64(record, l->memRecordCycle_allocs,
	      bytes__u64(record, l->memRecordCycle_allocs) + allocs);
	put64(record, l->memRecordCycle_frees, bytes__u64(record, l->memRecordCycle_frees) + frees);
	/* Until Go 1.26 bytes follow. */
	if (l->memRecordCycle_sizeof > 16) {
		put64(record, 16, bytes__u64(record, 16) + allocs * size);
		put64(record, 24, bytes__u64(record, 24) + frees * size);
	}
}

void fake_heap__profile_special(struct fake_heap *heap, size_t span, uint64_t object,
				uint64_t bucket)
{
	int minor = heap->layout->minor;

	fake_heap__special(heap, span, object, minor < 23 ? 2 : minor < 25 ? 3 : 4, bucket);
}

void fake_heap__unswept(struct fake_heap *heap, size_t span)
{
	put32(heap->mspans[span], heap->layout->mspan_sweepgen, FAKE_SWEEPGEN - 2);
}

void fake_heap__mark(struct fake_heap *heap, size_t span, uint64_t object)
{
	const struct fake_span *s = &heap->spans[span];
	size_t i = (size_t)(object - s->base) / s->elemsize;

	if (heap->inline_marks && s->elemsize >= 16 && s->elemsize <= 512)
		set_bit(heap->pages + (s->base - FAKE_HEAP_BASE) + PAGE - 64, i);
	else
		set_bit(heap->mark_bits[span], i);
}

/* --- goroutines --------------------------------------------------------------------------------- */

static uint8_t *g_of(struct fake_heap *heap, size_t g)
{
	return (uint8_t *)fake_heap__word(heap, heap->gs[g]);
}

static uint8_t reason_number(const struct fake_heap *heap, const char *words)
{
	for (size_t i = 0; i < heap->layout->n_wait_reasons; i++) {
		if (!strcmp(heap->layout->wait_reasons[i], words))
			return (uint8_t)i;
	}
	return 0;
}

size_t fake_heap__goroutine(struct fake_heap *heap, const char *reason)
{
	const struct go_layout *l = heap->layout;
	size_t i = heap->n_gs++;
	uint64_t stack = STACKS + i * FAKE_STACK;
	uint8_t *g;

	heap->gs[i] = fake_heap__alloc(heap, heap->g_span);
	fake_heap__point(heap, heap->allgs, i, heap->gs[i]);
	g = g_of(heap, i);
	put64(g, l->g_stack_lo, stack);
	put64(g, l->g_stack_hi, stack + FAKE_STACK);
	put64(g, l->g_sched_sp, stack + FAKE_STACK - 16);
	put64(g, l->g_sched_pc, 0x401000);
	put64(g, l->g_goid, i + 1);
	g[l->g_atomicstatus] = *reason ? STATUS_WAIT : STATUS_RUN;
	g[l->g_waitreason] = reason_number(heap, reason);
	set_pointer_bit(heap, heap->gs[i], l->g_waiting / 8);
	heap->bss[0] = heap->n_gs; /* allglen */
	return i;
}

uint64_t fake_heap__chan(struct fake_heap *heap)
{
	return fake_heap__alloc(heap, heap->chan_span);
}

/* The runtime's words of one case; from Go 1.26 on elem and c have a twin the collector follows. */
void fake_heap__wait(struct fake_heap *heap, size_t g, uint64_t chan)
{
	const struct go_layout *l = heap->layout;
	uint64_t sudog = fake_heap__alloc(heap, heap->sudog_span), next;

	memcpy(&next, g_of(heap, g) + l->g_waiting, sizeof(next));
	fake_heap__point(heap, sudog, l->sudog_g / 8, heap->gs[g]);
	fake_heap__point(heap, sudog, l->sudog_waitlink / 8, next);
	if (l->minor >= 26)
		fake_heap__point(heap, sudog, l->sudog_c / 8 - 1, chan);
	fake_heap__point(heap, sudog, l->sudog_c / 8, chan);
	fake_heap__point(heap, heap->gs[g], l->g_waiting / 8, sudog);
}

void fake_heap__push(struct fake_heap *heap, size_t g, size_t i, uint64_t value)
{
	const struct go_layout *l = heap->layout;
	uint64_t top = STACKS + (g + 1) * FAKE_STACK, sp;

	put64(heap->stacks[g], FAKE_STACK - 8 * (uint32_t)(i + 1), value);
	memcpy(&sp, g_of(heap, g) + l->g_sched_sp, sizeof(sp));
	if (sp > top - 8 * (i + 1))
		put64(g_of(heap, g), l->g_sched_sp, top - 8 * (i + 1));
}

/* ------------------------------------------------------------------------------------------------ */

static void set_up_module(struct fake_heap *heap)
{
	const struct go_layout *l = heap->layout;

	put64(heap->module, l->moduledata_text, 0x401000);
	put64(heap->module, l->moduledata_etext, 0x402000);
	put64(heap->module, l->moduledata_data, GLOBALS);
	put64(heap->module, l->moduledata_edata, GLOBALS + sizeof(heap->globals));
	put64(heap->module, l->moduledata_gcdatamask + 8, MASKS);
	put64(heap->module, l->moduledata_bss, BSS);
	put64(heap->module, l->moduledata_ebss, BSS + sizeof(heap->bss));
	put64(heap->module, l->moduledata_gcbssmask + 8, MASKS + 32);
	memset(heap->masks, 0xff, FAKE_GLOBALS / 8);
	heap->masks[32] = 2; /* allgptr */
}

static int open_image(struct fake_heap *heap)
{
	uint64_t first = (FAKE_HEAP_BASE - AMD64_BASE) >> 26;
	const struct remote_range ranges[] = {
		{FAKE_HEAP_BASE, heap->pages, sizeof(heap->pages)},
		{MSPANS, heap->mspans, sizeof(heap->mspans)},
		{STACKS, heap->stacks, sizeof(heap->stacks)},
		{ALLOC_BITS, heap->alloc_bits, sizeof(heap->alloc_bits)},
		{MHEAP, heap->mheap, sizeof(heap->mheap)},
		{ARENAS + first * 8, heap->arenas, sizeof(heap->arenas)},
		{ARENA, heap->arena, heap->arena_size},
		{LIST, heap->list, sizeof(heap->list)},
		{MODULE, heap->module, sizeof(heap->module)},
		{GLOBALS, heap->globals, sizeof(heap->globals)},
		{BSS, heap->bss, sizeof(heap->bss)},
		{MASKS, heap->masks, sizeof(heap->masks)},
		{TYPES, heap->types, sizeof(heap->types)},
		{TYPE_MASKS, heap->type_masks, sizeof(heap->type_masks)},
		{SPECIALS, heap->specials, sizeof(heap->specials)},
		{MARK_BITS, heap->mark_bits, sizeof(heap->mark_bits)},
		{BUCKETS, heap->buckets, sizeof(heap->buckets)},
	};

	return remote__open_image(ranges, ARRAY_SIZE(ranges), &heap->remote);
}

static int set_up(struct fake_heap *heap, int minor)
{
	const struct go_layout *l = go_layout__find(minor);

	heap->layout = l;
	heap->inline_marks = minor >= 26;
	heap->arena_size = l->heapArena_spans + GO_ARENA_PAGES * 8;
	heap->arena = calloc(1, heap->arena_size);
	if (!heap->arena || open_image(heap))
		return -1;
	heap->arenas[0] = ARENA;
	put64(heap->mheap, l->mheap_arenas, ARENAS);
	put32(heap->mheap, l->mheap_sweepgen, FAKE_SWEEPGEN);
	heap->bss[6] = FAKE_RATE;
	heap->runtime = (struct heap_runtime){
		.layout = l,
		.arch = &go_arch_amd64,
		.remote = heap->remote,
		.mheap = MHEAP,
		.allglen = BSS,
		.allgptr = BSS + 8,
		.moduledata = MODULE,
		.queues_certain = true,
	};
	if (page_map__open(&heap->runtime.pages, heap->remote, l, &go_arch_amd64, MHEAP))
		return -1;
	set_up_module(heap);
	heap->g_span = fake_heap__span(heap, l->g_sizeof, 1, false);
	heap->sudog_span = fake_heap__span(heap, l->sudog_sizeof, 1, false);
	heap->chan_span = fake_heap__span(heap, l->hchan_sizeof, 1, false);
	heap->allgs = fake_heap__alloc(heap, fake_heap__span(heap, FAKE_GOROUTINES * 8, 1, false));
	heap->bss[1] = heap->allgs;
	fake_heap__goroutine(heap, "sleep");
	return 0;
}

struct fake_heap *fake_heap__new(int minor)
{
	struct fake_heap *heap = calloc(1, sizeof(*heap));

	if (heap && set_up(heap, minor)) {
		fake_heap__free(heap);
		return NULL;
	}
	return heap;
}

void fake_heap__free(struct fake_heap *heap)
{
	if (!heap)
		return;
	remote__free(heap->remote);
	free(heap->arena);
	free(heap);
}
