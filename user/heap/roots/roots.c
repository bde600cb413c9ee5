// SPDX-License-Identifier: Apache-2.0
#include "heap/roots/roots.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"

#define WORD	     8u
#define CHUNK	     (256u << 10) /* of variables, a multiple of 64 words */
#define MAX_PROCS    65536u
#define WRITE_BUFFER 512u /* src/runtime/mwbbuf.go wbBufEntries; 256 before Go 1.21 */
#define MAX_BLOCKS   65536u
#define BLOCK_MAX    4096u /* src/runtime/mfinal.go finBlockSize */

struct heap_roots {
	const struct heap_runtime *runtime;
	const struct heap_modules *modules;
	struct heap_spans *spans;
	struct heap_mark *mark;
	struct heap_root_totals totals;
	struct heap_specials *specials;
	bool queues_done;
	size_t section; /* of globals: two per module */
	uint64_t at;
	uint64_t *processors; /* addresses */
	size_t n_processors;
	uint8_t data[CHUNK];
	uint8_t bits[CHUNK / WORD / 8];
};

int heap_roots__new(const struct heap_runtime *runtime, const struct heap_modules *modules,
		    struct heap_spans *spans, struct heap_mark *mark, struct heap_roots **ret_roots)
{
	struct heap_roots *roots = calloc(1, sizeof(*roots));

	if (!roots)
		return -ENOMEM;
	roots->runtime = runtime;
	roots->modules = modules;
	roots->spans = spans;
	roots->mark = mark;
	*ret_roots = roots;
	return 0;
}

void heap_roots__free(struct heap_roots *roots)
{
	if (!roots)
		return;
	heap_specials__free(roots->specials);
	free(roots->processors);
	free(roots);
}

const struct heap_root_totals *heap_roots__totals(const struct heap_roots *roots)
{
	return &roots->totals;
}

/* An unreadable part is counted; only what ends the scan is an error. */
static int tolerate(struct heap_roots *roots, int err)
{
	if (err == -EFAULT) {
		roots->totals.unreadable++;
		return 0;
	}
	return err;
}

/* --- variables ---------------------------------------------------------------------------------- */

static const struct heap_section *section_of(const struct heap_roots *roots)
{
	const struct heap_module *module = &roots->modules->all[roots->section / 2];

	return roots->section % 2 ? &module->bss : &module->data;
}

static int scan_chunk(struct heap_roots *roots, const struct heap_section *section, size_t size)
{
	struct heap_contents contents = {.place = HEAP_IN_VARIABLES,
					 .again = heap_mark__is_again(roots->mark)};
	struct remote *remote = roots->runtime->remote;
	uint64_t from = section->start + roots->at;
	size_t n = size / WORD;
	int err = remote__read(remote, from, roots->data, size);

	if (!err)
		err = remote__read(remote, section->bits + roots->at / WORD / 8, roots->bits,
				   (n + 7) / 8);
	if (err)
		return tolerate(roots, err);
	contents.start = from;
	contents.data = roots->data;
	contents.size = size;
	heap_mark__inside(roots->mark, &contents);
	heap_mark__words(roots->mark, from, roots->data, n, roots->bits);
	heap_mark__inside(roots->mark, NULL);
	roots->totals.globals_bytes += size;
	return 0;
}

int heap_roots__globals(struct heap_roots *roots, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;

	while (roots->section < 2 * roots->modules->n) {
		const struct heap_section *section = section_of(roots);
		/* The end of data need not be a multiple of a word: what is left holds no pointer. */
		uint64_t left =
			((section->end - section->start) & ~(uint64_t)(WORD - 1)) - roots->at;
		size_t size = (size_t)min_of(left, (uint64_t)CHUNK);
		int err = size ? scan_chunk(roots, section, size) : 0;

		if (err)
			return err;
		roots->at += size;
		if (size == left) {
			roots->section++;
			roots->at = 0;
		}
		if (budget_ns && clock__monotonic_ns() >= end)
			return 1;
	}
	roots->section = 0;
	return 0;
}

/* --- specials ----------------------------------------------------------------------------------- */

/* Words of a cleanup: the function, or from Go 1.27 on a cleanupFn (src/runtime/mheap.go). */
static size_t cleanup_words(int minor)
{
	return minor >= 27 ? 3 : 1;
}

static void mark_special(void *ctx, const struct heap_special *special)
{
	struct heap_roots *roots = ctx;
	size_t n = 1;

	switch (special->kind) {
	case HEAP_SPECIAL_FINALIZER:
		/* All but the object itself: it is handed to the finalizer with what it points to. */
		heap_mark__contents(roots->mark, special->object);
		break;
	case HEAP_SPECIAL_CLEANUP:
		n = cleanup_words(roots->runtime->layout->minor);
		break;
	case HEAP_SPECIAL_WEAK_HANDLE:
		break;
	default:
		return;
	}
	roots->totals.specials++;
	for (size_t i = 0; i < n; i++)
		heap_mark__pointer(roots->mark, 0, bytes__u64(special->payload, i * WORD));
}

/* --- queues ------------------------------------------------------------------------------------- */

/* A block of a queue: what links it to the next of all blocks, how many items are in it, and them. */
struct block_shape {
	uint32_t link, count, items, item_size, max_items;
};

static bool shape_of(const struct go_layout *l, size_t kind, struct block_shape *ret)
{
	/* src/runtime/mfinal.go finblock and finalizer, the same from Go 1.18 to 1.27. */
	static const struct block_shape finalizers = {0, 16, 24, 40, (BLOCK_MAX - 24) / 40};
	uint32_t item = (uint32_t)cleanup_words(l->minor) * WORD;

	*ret = finalizers;
	if (!kind)
		return true;
	if (l->cleanupBlock_cleanups == GO_LAYOUT_ABSENT)
		return false;
	*ret = (struct block_shape){
		.link = l->cleanupBlock_alllink,
		.count = l->cleanupBlock_n,
		.items = l->cleanupBlock_cleanups,
		.item_size = item,
		.max_items = (512 - l->cleanupBlock_cleanups) / item, /* cleanupBlockSize */
	};
	return true;
}

/* Whether what is said to be a queue's item begins with a function, as all of them do. */
static bool is_item(struct heap_roots *roots, uint64_t function)
{
	uint64_t code;

	if (roots->runtime->queues_certain)
		return true;
	if (!function || function % WORD ||
	    remote__read_u64(roots->runtime->remote, function, &code))
		return false;
	for (size_t i = 0; i < roots->modules->n; i++) {
		if (code >= roots->modules->all[i].text && code < roots->modules->all[i].etext)
			return true;
	}
	return false;
}

static void mark_item(struct heap_roots *roots, uint64_t address, const uint8_t *item, size_t size)
{
	if (!is_item(roots, bytes__u64(item, 0)))
		return;
	for (size_t at = 0; at < size; at += WORD)
		heap_mark__pointer(roots->mark, address + at, bytes__u64(item, at));
	roots->totals.queued++;
}

/* Marks the items of one block. -EPROTO: it is none. */
static int scan_block(struct heap_roots *roots, const struct block_shape *shape, uint64_t block,
		      uint64_t *ret_next)
{
	uint8_t head[64], items[BLOCK_MAX];
	uint32_t n;
	int err;

	if (block % WORD || shape->items > sizeof(head))
		return -EPROTO;
	err = remote__read(roots->runtime->remote, block, head, shape->items);
	if (err)
		return err == -EFAULT ? -EPROTO : err;
	n = bytes__u32(head, shape->count);
	*ret_next = bytes__u64(head, shape->link);
	if (n > shape->max_items || *ret_next % WORD || *ret_next >> GO_HEAP_BITS)
		return -EPROTO;
	err = remote__read(roots->runtime->remote, block + shape->items, items,
			   (size_t)n * shape->item_size);
	if (err)
		return err == -EFAULT ? -EPROTO : err;
	for (size_t i = 0; i < (size_t)n * shape->item_size; i += shape->item_size)
		mark_item(roots, block + shape->items + i, items + i, shape->item_size);
	return 0;
}

static int scan_queue(struct heap_roots *roots, const struct block_shape *shape, uint64_t block)
{
	for (size_t i = 0; block; i++) {
		int err = i < MAX_BLOCKS ? scan_block(roots, shape, block, &block) : -EPROTO;

		if (err)
			return err;
	}
	return 0;
}

/*
 * Where the code does not tell which word is which, a word is a queue when what it points to looks like
 * one; where it is known, it has to.
 */
static int scan_queues(struct heap_roots *roots)
{
	const struct heap_runtime *runtime = roots->runtime;

	for (size_t i = 0; i < runtime->n_queues; i++) {
		uint64_t first;
		int err = remote__read_u64(runtime->remote, runtime->queues[i], &first);

		for (size_t kind = 0; kind < 2 && !err && first; kind++) {
			struct block_shape shape;

			if ((runtime->queues_certain && kind != i) ||
			    !shape_of(runtime->layout, kind, &shape))
				continue;
			err = scan_queue(roots, &shape, first);
			if (err == -EPROTO)
				err = runtime->queues_certain ? -EFAULT : 0;
		}
		err = tolerate(roots, err);
		if (err)
			return err;
	}
	return 0;
}

int heap_roots__specials(struct heap_roots *roots, uint64_t budget_ns)
{
	const struct heap_special_totals *totals;
	int err = 0;

	if (!roots->queues_done) {
		err = scan_queues(roots);
		roots->queues_done = true;
	}
	if (!err && !roots->specials)
		err = heap_specials__new(roots->spans, 0, &roots->specials);
	if (err)
		return err;
	err = heap_specials__step(roots->specials, mark_special, roots, budget_ns);
	if (err)
		return err;
	totals = heap_specials__totals(roots->specials);
	roots->totals.unreadable += totals->unreadable + totals->refused;
	return 0;
}

/* --- processors --------------------------------------------------------------------------------- */

static int read_processors(struct heap_roots *roots)
{
	uint64_t slice[3];
	int err = remote__read(roots->runtime->remote, roots->runtime->allp, slice, sizeof(slice));

	if (err)
		return err;
	if (!slice[0] || slice[0] % WORD || slice[1] > MAX_PROCS)
		return -EFAULT;
	roots->processors = malloc(slice[1] * WORD + 1);
	if (!roots->processors)
		return -ENOMEM;
	err = remote__read(roots->runtime->remote, slice[0], roots->processors, slice[1] * WORD);
	if (!err)
		roots->n_processors = slice[1];
	return err;
}

int heap_roots__hide_processors(struct heap_roots *roots)
{
	int err = roots->runtime->allp ? tolerate(roots, read_processors(roots)) : 0;

	for (size_t i = 0; i < roots->n_processors && !err; i++)
		heap_mark__hide(roots->mark, roots->processors[i]);
	return err;
}

const uint64_t *heap_roots__list(const struct heap_roots *roots, size_t *ret_n)
{
	*ret_n = roots->n_processors;
	return roots->processors;
}

/* What the write barrier has taken down: it is about to be marked by the collector. */
static int scan_write_buffer(struct heap_roots *roots, uint64_t p)
{
	const struct go_layout *l = roots->runtime->layout;
	uint64_t buffer = p + l->p_wbBuf_buf, next, words[WRITE_BUFFER];
	int err = remote__read_u64(roots->runtime->remote, p + l->p_wbBuf_next, &next);

	if (err || next <= buffer)
		return err;
	if (next - buffer > sizeof(words) || next % WORD)
		return -EFAULT;
	err = remote__read(roots->runtime->remote, buffer, words, next - buffer);
	for (size_t i = 0; i < (next - buffer) / WORD && !err; i++)
		heap_mark__guess(roots->mark, buffer + i * WORD, words[i]);
	return err;
}

int heap_roots__processors(struct heap_roots *roots)
{
	int err = 0;

	for (size_t i = 0; i < roots->n_processors && !err; i++) {
		heap_mark__reveal(roots->mark, roots->processors[i]);
		err = tolerate(roots, scan_write_buffer(roots, roots->processors[i]));
		roots->totals.processors++;
	}
	return err;
}
