// SPDX-License-Identifier: Apache-2.0
/*
 * What is known to be in a Go heap is looked for in the table: goroutine descriptors and their list
 * are ordinary objects (src/runtime/proc.go malg, allgadd).
 */
#include <errno.h>
#include <string.h>

#include "heap/spans/spans.h"

#define WORD	  8u
#define SAMPLES	  128u
#define MAX_GS	  (1ULL << 28)
#define TOLERANCE 4 /* one in so many may have changed while a running target is read */

struct check {
	struct heap_spans *spans;
	struct failure *failure;
	bool exact;
	size_t looked_at, wrong;
};

static int refuse(struct check *check, const char *what, uint64_t value)
{
	return failure__set(check->failure, -EOPNOTSUPP,
			    "the heap is not as this gleakd reads it: %s (0x%llx)", what,
			    (unsigned long long)value);
}

/* Whether a span is no longer what was read of it. */
static bool has_changed(const struct heap_spans *spans, const struct heap_span *span)
{
	uint8_t mspan[HEAP_MSPAN_MAX];

	return remote__read(spans->runtime->remote, span->mspan, mspan,
			    spans->runtime->layout->mspan_sizeof) ||
	       !heap_spans__same(spans, span, mspan);
}

static int check_page_map(struct check *check)
{
	struct heap_spans *spans = check->spans;
	size_t n = min_of(spans->n, (size_t)SAMPLES);

	for (size_t i = 0; i < n; i++) {
		const struct heap_span *span = &spans->all[i * spans->n / n];
		uint64_t last = span->base + heap_span__bytes(span) - 1, first_span, last_span;
		int err = page_map__span(&spans->runtime->pages, span->base, &first_span);

		if (!err)
			err = page_map__span(&spans->runtime->pages, last, &last_span);
		if (err == -ESRCH)
			return failure__set(check->failure, err, "the process has ended");
		if (!err && first_span == span->mspan && last_span == span->mspan) {
			check->looked_at++;
			continue;
		}
		/* Of a program that allocates much most spans may be others by now: that says nothing. */
		if (!check->exact && has_changed(spans, span))
			continue;
		check->looked_at++;
		check->wrong++;
	}
	return 0;
}

/* The object that begins at @address must have @size bytes and may hold pointers. */
static bool is_object(struct check *check, uint64_t address, uint64_t size, bool whole_class)
{
	struct heap_spans *spans = check->spans;
	uint32_t number = heap_spans__find(spans, address), index, class_size;
	const struct heap_span *span;
	uint64_t start, header;
	bool is_free;

	if (number == HEAP_NO_SPAN)
		return false;
	span = &spans->all[number];
	index = heap_span__index(span, address);
	start = heap_span__object(span, index);
	/* Objects of more than 512 bytes begin with a header from Go 1.22 on. */
	header = address - start;
	if (index >= span->nelems || span->flags & HEAP_SPAN_NOSCAN ||
	    (header && header != HEAP_HEADER_SIZE) || header + size > span->elemsize)
		return false;
	if (heap_spans__is_free(spans, span, index, &is_free) || is_free)
		return false;
	heap_spans__size_class(size + header, &class_size);
	return !whole_class || span->elemsize == class_size;
}

/* Whether what lies at @address now is in another span than the table has there. */
static bool has_moved(struct check *check, uint64_t address)
{
	const struct heap_spans *spans = check->spans;
	uint32_t number = heap_spans__find(spans, address);
	const struct heap_span *span = &spans->all[number == HEAP_NO_SPAN ? 0 : number];
	uint64_t now;

	if (page_map__span(&spans->runtime->pages, address, &now) || !now)
		return false;
	return number == HEAP_NO_SPAN || now != span->mspan || has_changed(spans, span);
}

/* A running target's list moves whenever it grows: perhaps to where no span was before. */
static int check_list(struct check *check, uint64_t array, uint64_t size)
{
	uint32_t number;
	int err = 0;

	if (is_object(check, array, size, false))
		return 0;
	if (check->exact || !has_moved(check, array))
		return refuse(check, "the list of goroutines is no object of it", array);
	if (heap_spans__find(check->spans, array) == HEAP_NO_SPAN)
		err = heap_spans__look_up(check->spans, array, &number);
	if (!err && is_object(check, array, size, false))
		return 0;
	return failure__set(check->failure, err ? err : -EAGAIN,
			    "the list of goroutines moved while the heap was read");
}

static int check_goroutines(struct check *check)
{
	const struct heap_runtime *runtime = check->spans->runtime;
	uint64_t array, n, count;
	int err = remote__read_u64(runtime->remote, runtime->allglen, &n);

	if (!err)
		err = remote__read_u64(runtime->remote, runtime->allgptr, &array);
	if (err)
		return failure__set(check->failure, err, "the list of goroutines is not readable");
	if (!n || n > MAX_GS)
		return refuse(check, "there are too many goroutines, or none", n);
	err = check_list(check, array, n * WORD);
	if (err)
		return err;
	count = min_of(n, (uint64_t)SAMPLES);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t g;

		err = remote__read_u64(runtime->remote, array + i * n / count * WORD, &g);
		if (err)
			return failure__set(check->failure, err, "allgs is not readable");
		check->looked_at++;
		if (is_object(check, g, runtime->layout->g_sizeof, true))
			continue;
		/* Goroutine 1's is as old as the heap. */
		if (!i && !check->exact && has_moved(check, g))
			return failure__set(check->failure, -EAGAIN,
					    "the span of goroutine 1 was not read as it is");
		if (!i)
			return refuse(check, "goroutine 1 is no object of it", g);
		check->wrong++;
	}
	return 0;
}

int heap_spans__check(struct heap_spans *spans, bool exact, struct failure *failure)
{
	struct check check = {.spans = spans, .failure = failure, .exact = exact};
	int err;

	if (!spans->n)
		return refuse(&check, "it has no spans", spans->runtime->mheap);
	err = check_page_map(&check);
	if (!err)
		err = check_goroutines(&check);
	if (err)
		return err;
	if (exact ? check.wrong : check.wrong * TOLERANCE > check.looked_at)
		return refuse(&check, "too many spans and goroutines are not where they belong",
			      check.wrong);
	return 0;
}
