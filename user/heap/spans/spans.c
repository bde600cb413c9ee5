// SPDX-License-Identifier: Apache-2.0
/*
 * mspans come from a fixed-size allocator and lie side by side in chunks that are never given back
 * (src/runtime/mfixalloc.go), so their list is read in runs of neighbours. The list itself may move
 * when it grows; it is copied at once.
 */
#include "heap/spans/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "golang/size_classes.h"

#define WORD	      8u
#define SPAN_IN_USE   1 /* src/runtime/mheap.go mSpanInUse */
#define MAX_SPANS     (1u << 27)
#define MAX_BYTES     (1ULL << 40)
#define LIST_ATTEMPTS 4
#define BATCH_SPANS   4096u
#define BATCH_BYTES   (1u << 20)
#define BATCH_RUNS    512u
#define RUN_GAP	      512u /* bytes read in vain rather than begin another range */
#define ADDRESS_END   (1ULL << GO_HEAP_BITS)
#define MAX_NELEMS    1024u /* a page of 8-byte objects */

uint8_t heap_spans__size_class(uint64_t size, uint32_t *ret_size)
{
	for (size_t i = 1; i < GO_SIZE_CLASSES; i++) {
		if (size <= go_class_sizes[i]) {
			*ret_size = go_class_sizes[i];
			return (uint8_t)i;
		}
	}
	*ret_size = 0;
	return 0;
}

uint32_t heap_spans__class_size(uint8_t size_class)
{
	return size_class < GO_SIZE_CLASSES ? go_class_sizes[size_class] : 0;
}

/* --- the table ---------------------------------------------------------------------------------- */

int heap_spans__new(const struct heap_runtime *runtime, const struct heap_span_options *options,
		    struct heap_spans **ret_spans)
{
	struct heap_spans *spans = calloc(1, sizeof(*spans));
	void *arenas;

	if (!spans)
		return -ENOMEM;
	/* Pages of it that are not touched cost nothing. */
	arenas = mmap(NULL, GO_N_ARENAS * sizeof(*spans->arenas), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arenas == MAP_FAILED) {
		free(spans);
		return -ENOMEM;
	}
	spans->arenas = arenas;
	spans->runtime = runtime;
	spans->low = ADDRESS_END;
	spans->high = ADDRESS_END; /* nothing lies between */
	spans->max_pages =
		(options && options->max_bytes ? options->max_bytes : MAX_BYTES) >> GO_PAGE_SHIFT;
	*ret_spans = spans;
	return 0;
}

void heap_spans__free(struct heap_spans *spans)
{
	if (!spans)
		return;
	for (size_t i = spans->low >> GO_ARENA_SHIFT;
	     spans->n_leaves && i <= (spans->high - 1) >> GO_ARENA_SHIFT; i++)
		free(spans->arenas[i]);
	munmap(spans->arenas, GO_N_ARENAS * sizeof(*spans->arenas));
	free(spans->all);
	free(spans->specials);
	free(spans->addresses);
	free(spans);
}

/*
 * Memory for one more of @size bytes in an array that has room for *@capacity. By a quarter each time:
 * twice the size of this table is too much.
 */
static int make_room(void **array, size_t n, size_t *capacity, size_t size)
{
	size_t more = *capacity ? *capacity + *capacity / 4 : 1024;
	void *grown;

	if (n < *capacity)
		return 0;
	grown = realloc(*array, more * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = more;
	return 0;
}

static int map_pages(struct heap_spans *spans, const struct heap_span *span, uint32_t number)
{
	uint64_t end = span->base + heap_span__bytes(span);

	for (uint64_t at = span->base; at < end; at += GO_PAGE_SIZE) {
		uint32_t **leaf = &spans->arenas[at >> GO_ARENA_SHIFT];

		if (!*leaf) {
			*leaf = calloc(GO_ARENA_PAGES, sizeof(**leaf));
			if (!*leaf)
				return -ENOMEM;
			spans->n_leaves++;
			/* At once: what is freed are the leaves between the bounds. */
			spans->low = min_of(spans->low, at);
			spans->high = spans->n_leaves == 1 ? at + GO_PAGE_SIZE :
							     max_of(spans->high, at + GO_PAGE_SIZE);
		}
		(*leaf)[at % GO_ARENA_SIZE >> GO_PAGE_SHIFT] = number + 1;
	}
	spans->low = min_of(spans->low, span->base);
	spans->high = max_of(spans->high, end);
	return 0;
}

/* --- one span ----------------------------------------------------------------------------------- */

/* nelems and freeindex are uint16 from the version on that has headers and largeType. */
static uint64_t count_at(const struct go_layout *l, const uint8_t *mspan, uint32_t field)
{
	if (l->mspan_largeType == GO_LAYOUT_ABSENT)
		return bytes__u64(mspan, field);
	return bytes__u16(mspan, field);
}

/* False: it makes no sense, or is being set up at this moment. */
static bool decode(const struct go_layout *l, const uint8_t *mspan, struct heap_span *span)
{
	uint64_t npages = bytes__u64(mspan, l->mspan_npages);
	uint64_t nelems = count_at(l, mspan, l->mspan_nelems);
	uint8_t class = mspan[l->mspan_spanclass];

	*span = (struct heap_span){
		.base = bytes__u64(mspan, l->mspan_startAddr),
		.elemsize = bytes__u64(mspan, l->mspan_elemsize),
		.npages = (uint32_t)npages,
		.nelems = (uint32_t)nelems,
		.size_class = class >> 1,
		.flags = class & 1 ? HEAP_SPAN_NOSCAN : 0,
	};
	if (l->mspan_isUserArenaChunk != GO_LAYOUT_ABSENT && mspan[l->mspan_isUserArenaChunk])
		span->flags |= HEAP_SPAN_USER_ARENA;
	if (!span->base || span->base % GO_PAGE_SIZE || span->base >= ADDRESS_END || !npages ||
	    npages > (ADDRESS_END - span->base) >> GO_PAGE_SHIFT || npages > UINT32_MAX ||
	    !nelems || nelems > MAX_NELEMS || span->size_class >= GO_SIZE_CLASSES)
		return false;
	if (!span->size_class)
		return nelems == 1 && span->elemsize && span->elemsize % WORD == 0 &&
		       span->elemsize <= heap_span__bytes(span);
	span->reciprocal = UINT32_MAX / go_class_sizes[span->size_class] + 1;
	return span->elemsize == go_class_sizes[span->size_class] &&
	       npages == go_class_pages[span->size_class] &&
	       nelems * span->elemsize <= heap_span__bytes(span);
}

/* Green Tea's mark bits take room from the objects, which tells by their number in most classes. */
static void vote(struct heap_spans *spans, const struct heap_span *span)
{
	uint64_t bits = GO_PAGE_SIZE / 64, marks = 128; /* sizeof(spanInlineMarkBits) */
	uint64_t without = (GO_PAGE_SIZE - bits) / span->elemsize;
	uint64_t with = (GO_PAGE_SIZE - bits - marks) / span->elemsize;

	if (span->flags & HEAP_SPAN_NOSCAN || span->npages != 1 || span->elemsize < 16 ||
	    span->elemsize > HEAP_BITS_IN_SPAN || with == without)
		return;
	spans->inline_votes += span->nelems == with ? 1 : span->nelems == without ? -1 : 0;
	spans->inline_marks = spans->inline_votes > 0;
}

static int add_special_list(struct heap_spans *spans, const uint8_t *mspan, uint32_t number)
{
	uint64_t first = bytes__u64(mspan, spans->runtime->layout->mspan_specials);
	int err;

	if (!first)
		return 0;
	err = make_room((void **)&spans->specials, spans->n_specials, &spans->specials_capacity,
			sizeof(spans->specials[0]));
	if (!err)
		spans->specials[spans->n_specials++] = (struct heap_special_list){number, first};
	return err;
}

/* Takes up the span @mspan, read from @address, if it is in use. */
static int add(struct heap_spans *spans, uint64_t address, const uint8_t *mspan,
	       uint32_t *ret_number)
{
	struct heap_span span;
	uint64_t words;
	int err;

	*ret_number = HEAP_NO_SPAN;
	if (mspan[spans->runtime->layout->mspan_state] != SPAN_IN_USE)
		return 0;
	words = spans->n_words;
	if (!decode(spans->runtime->layout, mspan, &span) || spans->n >= MAX_SPANS ||
	    span.npages > spans->max_pages - spans->pages || words + MAX_NELEMS / 64 > UINT32_MAX) {
		spans->totals.refused++;
		return 0;
	}
	err = make_room((void **)&spans->all, spans->n, &spans->capacity, sizeof(spans->all[0]));
	if (!err)
		err = map_pages(spans, &span, (uint32_t)spans->n);
	if (!err)
		err = add_special_list(spans, mspan, (uint32_t)spans->n);
	if (err)
		return err;
	span.mspan = address;
	span.first_word = (uint32_t)words;
	spans->n_words += (span.nelems + 63) / 64;
	spans->pages += span.npages;
	spans->totals.bytes += heap_span__bytes(&span);
	spans->totals.objects += span.nelems;
	if (!(span.flags & HEAP_SPAN_NOSCAN))
		spans->totals.scannable_bytes += heap_span__bytes(&span);
	vote(spans, &span);
	*ret_number = (uint32_t)spans->n;
	spans->all[spans->n++] = span;
	return 0;
}

bool heap_spans__same(const struct heap_spans *spans, const struct heap_span *span,
		      const uint8_t *mspan)
{
	struct heap_span now;

	return mspan[spans->runtime->layout->mspan_state] == SPAN_IN_USE &&
	       decode(spans->runtime->layout, mspan, &now) && now.base == span->base &&
	       now.npages == span->npages && now.elemsize == span->elemsize &&
	       now.size_class == span->size_class &&
	       !((now.flags ^ span->flags) & HEAP_SPAN_NOSCAN);
}

/* Collections may follow one another while gleakd waits for a processor. */
#define FREE_ATTEMPTS 4

static int is_free_in(const struct heap_spans *spans, const struct heap_span *span, uint32_t index,
		      const uint8_t *mspan, bool *ret_free)
{
	const struct go_layout *l = spans->runtime->layout;
	uint8_t byte;
	int err;

	*ret_free = false;
	/* What has another size now has no object that this question could be about. */
	if (!heap_spans__same(spans, span, mspan) || index < count_at(l, mspan, l->mspan_freeindex))
		return 0;
	err = remote__read(spans->runtime->remote,
			   bytes__u64(mspan, l->mspan_allocBits) + index / 8, &byte, 1);
	if (!err)
		*ret_free = !(byte >> index % 8 & 1);
	return err;
}

/* Two sweeps later the bits are another span's (src/runtime/mheap.go nextMarkBitArenaEpoch). */
static bool was_swept(const struct go_layout *l, const uint8_t *before, const uint8_t *after)
{
	return bytes__u64(before, l->mspan_allocBits) != bytes__u64(after, l->mspan_allocBits) ||
	       bytes__u32(before, l->mspan_sweepgen) != bytes__u32(after, l->mspan_sweepgen);
}

int heap_spans__is_free(const struct heap_spans *spans, const struct heap_span *span,
			uint32_t index, bool *ret_free)
{
	const struct go_layout *l = spans->runtime->layout;
	uint8_t mspan[HEAP_MSPAN_MAX], after[HEAP_MSPAN_MAX];
	int err = remote__read(spans->runtime->remote, span->mspan, mspan, l->mspan_sizeof);

	for (int i = 0; !err && i < FREE_ATTEMPTS; i++) {
		err = is_free_in(spans, span, index, mspan, ret_free);
		if (err || !*ret_free)
			return err;
		err = remote__read(spans->runtime->remote, span->mspan, after, l->mspan_sizeof);
		if (err || !was_swept(l, mspan, after))
			return err;
		memcpy(mspan, after, l->mspan_sizeof);
	}
	*ret_free = false;
	return err;
}

uint32_t heap_spans__allocated(const struct heap_spans *spans, const struct heap_span *span,
			       const uint8_t *mspan)
{
	const struct go_layout *l = spans->runtime->layout;
	uint64_t before = count_at(l, mspan, l->mspan_freeindex);

	/* src/runtime/mgcsweep.go: where nothing is free freeindex stays 0 after a sweep. */
	if (bytes__u16(mspan, l->mspan_allocCount) >= span->nelems)
		return span->nelems;
	return (uint32_t)min_of(before, (uint64_t)span->nelems);
}

/* --- the list ----------------------------------------------------------------------------------- */

static int copy_list(struct heap_spans *spans)
{
	uint64_t slice[3], after[3];
	uint64_t at = spans->runtime->mheap + spans->runtime->layout->mheap_allspans;
	uint64_t *list;
	int err = remote__read(spans->runtime->remote, at, slice, sizeof(slice));

	if (err)
		return err;
	if (!slice[0] || slice[0] % WORD || slice[1] > slice[2])
		return -EFAULT;
	if (slice[1] > MAX_SPANS)
		return -E2BIG;
	list = malloc(slice[1] * WORD + 1);
	if (!list)
		return -ENOMEM;
	err = remote__read(spans->runtime->remote, slice[0], list, slice[1] * WORD);
	if (!err)
		err = remote__read(spans->runtime->remote, at, after, sizeof(after));
	/* The old array is given back when the list has moved: what was read may be anything. */
	if (!err && after[0] != slice[0])
		err = -EFAULT;
	if (err) {
		free(list);
		return err;
	}
	free(spans->addresses);
	spans->addresses = list;
	spans->n_addresses = slice[1];
	spans->next = 0;
	return 0;
}

int heap_spans__start(struct heap_spans *spans)
{
	int err = -EFAULT;

	for (int i = 0; i < LIST_ATTEMPTS && err == -EFAULT; i++)
		err = copy_list(spans);
	return err;
}

struct batch {
	struct remote_span runs[BATCH_RUNS];
	uint32_t offsets[BATCH_SPANS]; /* in data, of the spans of this batch */
	uint32_t run_of[BATCH_SPANS];
	size_t n, n_runs, bytes;
	uint8_t data[BATCH_BYTES];
};

/* Whether the span at @address fits behind the last run; then it is longer. */
static bool extend_run(struct batch *batch, uint64_t address, uint32_t size)
{
	struct remote_span *run;
	uint64_t gap;

	if (!batch->n_runs)
		return false;
	run = &batch->runs[batch->n_runs - 1];
	if (address < run->address + run->size)
		return false;
	gap = address - (run->address + run->size);
	if (gap > RUN_GAP || batch->bytes + gap + size > BATCH_BYTES)
		return false;
	run->size += (uint32_t)gap + size;
	batch->bytes += gap + size;
	return true;
}

static void fill(struct batch *batch, const struct heap_spans *spans)
{
	uint32_t size = spans->runtime->layout->mspan_sizeof;

	batch->n = batch->n_runs = batch->bytes = 0;
	while (batch->n < BATCH_SPANS && spans->next + batch->n < spans->n_addresses) {
		uint64_t address = spans->addresses[spans->next + batch->n];

		if (!extend_run(batch, address, size)) {
			if (batch->n_runs == BATCH_RUNS || batch->bytes + size > BATCH_BYTES)
				return;
			batch->runs[batch->n_runs++] = (struct remote_span){
				.address = address,
				.buffer = batch->data + batch->bytes,
				.size = size,
			};
			batch->bytes += size;
		}
		batch->offsets[batch->n] = (uint32_t)(batch->bytes - size);
		batch->run_of[batch->n++] = (uint32_t)batch->n_runs - 1;
	}
}

static int read_batch(struct heap_spans *spans, struct batch *batch)
{
	int err;

	fill(batch, spans);
	err = remote__read_spans(spans->runtime->remote, batch->runs, batch->n_runs);
	for (size_t i = 0; i < batch->n && !err; i++) {
		uint32_t number;

		if (batch->runs[batch->run_of[i]].result)
			spans->totals.unreadable++;
		else
			err = add(spans, spans->addresses[spans->next + i],
				  batch->data + batch->offsets[i], &number);
	}
	spans->next += batch->n;
	return err;
}

int heap_spans__step(struct heap_spans *spans, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;
	struct batch *batch = malloc(sizeof(*batch));
	int err = batch ? 0 : -ENOMEM;

	while (!err && spans->next < spans->n_addresses) {
		err = read_batch(spans, batch);
		if (budget_ns && clock__monotonic_ns() >= end)
			break;
	}
	free(batch);
	if (err)
		return err;
	if (spans->next < spans->n_addresses)
		return 1;
	free(spans->addresses);
	spans->addresses = NULL;
	spans->n_addresses = spans->next = 0;
	return 0;
}

int heap_spans__look_up(struct heap_spans *spans, uint64_t address, uint32_t *ret_span)
{
	const struct heap_runtime *runtime = spans->runtime;
	uint8_t mspan[HEAP_MSPAN_MAX];
	uint64_t at;
	int err = page_map__span(&runtime->pages, address, &at);

	*ret_span = HEAP_NO_SPAN;
	if (err || !at)
		return err == -EFAULT ? 0 : err;
	err = remote__read(runtime->remote, at, mspan, runtime->layout->mspan_sizeof);
	if (err)
		return err == -EFAULT ? 0 : err;
	err = add(spans, at, mspan, ret_span);
	if (*ret_span != HEAP_NO_SPAN)
		spans->totals.late++;
	return err;
}
