// SPDX-License-Identifier: Apache-2.0
/*
 * The array is one of Go strings, {address, length}, by number (src/runtime/runtime2.go). Number 0
 * is empty and number 1 "GC assist marking" in every version; that pair is searched for where there
 * is no symbol. The array's end is then where no more strings are: a number too many does no harm,
 * as no goroutine has it.
 */
#include "golang/live_reasons.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "golang/wait_reason.h"

#define HEADER_SIZE (2 * sizeof(uint64_t))
#define SCAN_CHUNK  ((size_t)64 * 1024)
#define SCAN_MAX    ((uint64_t)64 * 1024 * 1024) /* of initialised data; kubectl has 2 MiB */

static const char first_text[] = "GC assist marking";

static bool is_plain_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return true;
}

/* Whether there may be such a string as number @number. */
static bool header_fits(const uint8_t *header, size_t number)
{
	uint64_t length = bytes__u64(header, sizeof(uint64_t));

	return length <= LIVE_REASONS_MAX_LENGTH && !length == !number;
}

/* Without these it is another array, or a runtime of which nothing can be said. */
static bool has_the_usual(const struct live_reasons *reasons)
{
	static const enum wait_class usual[] = {
		WAIT_CHAN_RECEIVE, WAIT_CHAN_SEND, WAIT_SELECT, WAIT_IO,
		WAIT_SLEEP,	   WAIT_NIL_CHAN,  WAIT_COND,	WAIT_RUNTIME,
	};
	uint32_t seen = 0;

	for (size_t i = 0; i < reasons->n; i++)
		seen |= 1u << wait_class__of(reasons->texts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		if (!(seen >> usual[i] & 1))
			return false;
	}
	return true;
}

/* Reads the headers of up to @max strings; what is not readable is 0, which is no string but the first. */
static void read_headers(struct live *live, uint64_t target, uint8_t *headers, size_t max)
{
	struct remote_span spans[LIVE_REASONS_MAX];
	int err;

	for (size_t i = 0; i < max; i++)
		spans[i] = (struct remote_span){target + i * HEADER_SIZE, headers + i * HEADER_SIZE,
						HEADER_SIZE, 0};
	err = remote__read_spans(live->remote, spans, max);
	for (size_t i = 0; i < max; i++) {
		if (err || spans[i].result)
			memset(spans[i].buffer, 0, HEADER_SIZE);
	}
}

/* Copies the strings of @headers, from the first on as far as they are some. */
static void read_texts(struct live *live, const uint8_t *headers, size_t max,
		       struct live_reasons *reasons)
{
	struct remote_span spans[LIVE_REASONS_MAX];
	size_t n = 0;

	for (; n < max && header_fits(headers + n * HEADER_SIZE, n); n++) {
		const uint8_t *header = headers + n * HEADER_SIZE;
		uint32_t length = (uint32_t)bytes__u64(header, sizeof(uint64_t));

		spans[n] = (struct remote_span){bytes__u64(header, 0), reasons->text[n], length, 0};
		reasons->text[n][length] = '\0';
	}
	if (remote__read_spans(live->remote, spans, n))
		n = 0;
	while (reasons->n < n && !spans[reasons->n].result &&
	       is_plain_text(reasons->text[reasons->n], spans[reasons->n].size)) {
		reasons->texts[reasons->n] = reasons->text[reasons->n];
		reasons->n++;
	}
}

/* At most @max strings from link-time @address on. */
static int read_array(struct live *live, uint64_t address, size_t max, struct live_reasons *reasons)
{
	uint8_t headers[LIVE_REASONS_MAX * HEADER_SIZE];

	reasons->n = 0;
	max = min_of(max, (size_t)LIVE_REASONS_MAX);
	read_headers(live, address + live->bias, headers, max);
	read_texts(live, headers, max, reasons);
	return has_the_usual(reasons) ? 0 : -ENOENT;
}

static bool is_first_text(struct live *live, uint64_t target)
{
	char text[sizeof(first_text) - 1];

	return !elf_image__read(live->image, target - live->bias, text, sizeof(text)) &&
	       !memcmp(text, first_text, sizeof(text));
}

/* The chunk begins with the header that precedes its first candidate. */
static int scan_chunk(struct live *live, uint64_t address, const uint8_t *chunk, size_t size,
		      struct live_reasons *reasons)
{
	for (size_t i = 0; i + 2 * HEADER_SIZE <= size; i += sizeof(uint64_t)) {
		const uint8_t *first = chunk + i + HEADER_SIZE;

		if (bytes__u64(first, sizeof(uint64_t)) == sizeof(first_text) - 1 &&
		    !bytes__u64(chunk, i + sizeof(uint64_t)) &&
		    is_first_text(live, bytes__u64(first, 0)) &&
		    !read_array(live, address + i, LIVE_REASONS_MAX, reasons))
			return 0;
	}
	return -ENOENT;
}

static int scan(struct live *live, struct live_reasons *reasons)
{
	uint64_t end = min_of(live->module.edata, live->module.data + SCAN_MAX);
	uint8_t *chunk __cleanup_free = malloc(SCAN_CHUNK);

	if (!chunk)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	/* Chunks overlap, so that a pair of headers is whole in one of them. */
	for (uint64_t at = live->module.data; at < end; at += SCAN_CHUNK - 2 * HEADER_SIZE) {
		size_t size = (size_t)min_of(end - at, (uint64_t)SCAN_CHUNK);
		int err = live__read(live, at, chunk, size, "the data segment");

		if (!err)
			err = scan_chunk(live, at, chunk, size, reasons);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

int live_reasons__read(struct live *live, struct live_reasons *ret_reasons)
{
	static const char *const names[] = {"runtime.waitReasonStrings"};
	struct elf_symbol symbol = {0};
	int err;

	if (elf_image__symbols(live->image, names, &symbol, 1) == 1 && symbol.size)
		err = read_array(live, symbol.address, symbol.size / HEADER_SIZE, ret_reasons);
	else
		err = scan(live, ret_reasons);
	if (err == -ENOENT)
		return live__refuse(live, "runtime.waitReasonStrings is not there, or does not "
					  "name what every version waits for");
	return err;
}
