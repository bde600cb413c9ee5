// SPDX-License-Identifier: Apache-2.0
/* Strings, stacks and clocks of one generation of an execution trace. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/varint.h"
#include "record/go_trace_private.h"

/* Ids count up from 1 on in each generation (src/runtime/tracestring.go, tracestack.go). */
#define MAX_TEXTS   ((size_t)1 << 20)
#define MAX_STACKS  ((size_t)1 << 20)
#define MAX_BATCHES ((size_t)1 << 20)
/* src/internal/trace/tracev2/events.go: MaxFramesPerStack, MaxEventTrailerDataSize. */
#define MAX_FRAMES 128
#define MAX_TEXT   1024

/* --- bytes --------------------------------------------------------------------------------------- */

uint8_t bytes_left__u8(struct bytes_left *left)
{
	if (left->at < left->end)
		return *left->at++;
	left->bad = true;
	return 0;
}

uint64_t bytes_left__varint(struct bytes_left *left)
{
	struct varint varint = {0};

	while (varint.shift < VARINT_BITS_64) {
		if (varint__add(&varint, bytes_left__u8(left)))
			return varint.value;
	}
	left->bad = true;
	return 0;
}

const uint8_t *bytes_left__take(struct bytes_left *left, uint64_t n)
{
	const uint8_t *bytes = left->at;

	if (n > (uint64_t)(left->end - left->at)) {
		left->bad = true;
		return NULL;
	}
	left->at += n;
	return bytes;
}

/* --- tables -------------------------------------------------------------------------------------- */

static int add_text(struct generation *generation, uint64_t id, const uint8_t *bytes, uint64_t size)
{
	if (id >= MAX_TEXTS)
		return -E2BIG;
	if (!array__reserve(generation->texts, generation->texts_capacity, id + 1))
		return -ENOMEM;
	while (generation->n_texts <= id)
		generation->texts[generation->n_texts++] = (struct text_ref){0};
	generation->texts[id] = (struct text_ref){.bytes = bytes, .size = (uint32_t)size};
	return 0;
}

static int read_texts(struct generation *generation, struct bytes_left *left)
{
	int err = 0;

	while (bytes_left__any(left) && !err) {
		uint64_t id, size;
		const uint8_t *bytes;

		if (bytes_left__u8(left) != GO_EV_STRING)
			return -EPROTO;
		id = bytes_left__varint(left);
		size = bytes_left__varint(left);
		bytes = size <= MAX_TEXT ? bytes_left__take(left, size) : NULL;
		err = bytes ? add_text(generation, id, bytes, size) : -EPROTO;
	}
	return err;
}

static int add_function(struct generation *generation, uint64_t id, uint64_t text)
{
	if (id >= MAX_STACKS)
		return -E2BIG;
	if (!array__reserve(generation->functions, generation->functions_capacity, id + 1))
		return -ENOMEM;
	while (generation->n_functions <= id)
		generation->functions[generation->n_functions++] = 0;
	generation->functions[id] = (uint32_t)min_of(text, (uint64_t)MAX_TEXTS);
	return 0;
}

static int read_stacks(struct generation *generation, struct bytes_left *left)
{
	int err = 0;

	while (bytes_left__any(left) && !err) {
		uint64_t id, n, first = 0;

		if (bytes_left__u8(left) != GO_EV_STACK)
			return -EPROTO;
		id = bytes_left__varint(left);
		n = bytes_left__varint(left);
		if (n > MAX_FRAMES)
			return -EPROTO;
		/* Each is a pc, the texts of function and file, a line. */
		for (uint64_t i = 0; i < 4 * n; i++) {
			uint64_t value = bytes_left__varint(left);

			first = i == 1 ? value : first;
		}
		err = left->bad ? -EPROTO : add_function(generation, id, first);
	}
	return err;
}

/* Of the several that a trace with many processors may have, any will do. */
static int read_clock(struct generation *generation, uint64_t time, struct bytes_left *left)
{
	uint64_t seconds, ns;

	if (bytes_left__u8(left) != GO_EV_FREQUENCY)
		return -EPROTO;
	generation->frequency = bytes_left__varint(left);
	if (!bytes_left__any(left))
		return left->bad ? -EPROTO : 0;
	if (bytes_left__u8(left) != GO_EV_CLOCK_SNAPSHOT)
		return -EPROTO;
	generation->at = time + bytes_left__varint(left);
	generation->monotonic_ns = bytes_left__varint(left);
	seconds = bytes_left__varint(left);
	ns = bytes_left__varint(left);
	if (left->bad || !generation->frequency || generation->frequency > NSEC_PER_SEC ||
	    seconds > UINT64_MAX / NSEC_PER_SEC / 2 || ns >= NSEC_PER_SEC ||
	    generation->monotonic_ns > INT64_MAX)
		return -EPROTO;
	generation->realtime_ns = seconds * NSEC_PER_SEC + ns;
	generation->has_clock = true;
	return 0;
}

static int add_events(struct generation *generation, const struct batch *batch)
{
	if (generation->n_batches == MAX_BATCHES)
		return -E2BIG;
	if (!array__reserve(generation->batches, generation->batches_capacity,
			    generation->n_batches + 1))
		return -ENOMEM;
	generation->batches[generation->n_batches++] = *batch;
	return 0;
}

int generation__add(struct generation *generation, const struct batch *batch)
{
	struct bytes_left left = {.at = batch->data, .end = batch->data + batch->size};

	if (!batch->size)
		return 0;
	switch (*batch->data) {
	case GO_EV_STRINGS:
		left.at++;
		return read_texts(generation, &left);
	case GO_EV_STACKS:
		left.at++;
		return read_stacks(generation, &left);
	case GO_EV_SYNC:
		left.at++;
		return read_clock(generation, batch->time, &left);
	case GO_EV_CPU_SAMPLES:
		return 0;
	default:
		return add_events(generation, batch);
	}
}

void generation__clear(struct generation *generation)
{
	generation->n_batches = generation->n_texts = generation->n_functions = 0;
	generation->has_clock = false;
	generation->frequency = 0;
}

void generation__free(struct generation *generation)
{
	free(generation->batches);
	free(generation->texts);
	free(generation->functions);
}

/* --- what they say ------------------------------------------------------------------------------- */

const char *generation__text(struct generation *generation, struct arena *arena, uint64_t id)
{
	struct text_ref *ref = id < generation->n_texts ? &generation->texts[id] : NULL;
	char *copy;

	if (!ref || !ref->size)
		return "";
	if (ref->text)
		return ref->text;
	copy = arena__take(arena, ref->size + (size_t)1, 1);
	if (!copy)
		return "";
	memcpy(copy, ref->bytes, ref->size);
	return ref->text = copy;
}

const char *generation__function(struct generation *generation, struct arena *arena, uint64_t stack)
{
	if (stack >= generation->n_functions)
		return "";
	return generation__text(generation, arena, generation->functions[stack]);
}

uint64_t generation__ns(const struct generation *generation, uint64_t time)
{
	__int128 units = (__int128)time - (__int128)generation->at;
	__int128 ns = (__int128)generation->monotonic_ns +
		      units * NSEC_PER_SEC / (__int128)generation->frequency;

	return ns < 0 ? 0 : (uint64_t)min_of(ns, (__int128)INT64_MAX);
}
