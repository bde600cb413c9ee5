// SPDX-License-Identifier: Apache-2.0
#include "state/format.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/array.h"
#include "state/file.h"
#include "track/ticks.h"

/* The line break and the control character tell when a file was sent as text. */
static const uint8_t magic[8] = {'g', 'l', 'e', 'a', 'k', 'd', '\x1a', '\n'};

#define VERSION 4u

#define AT_VERSION 8
#define AT_CRC	   12
#define AT_LENGTH  16
#define AT_BOOT_ID 24

/* include/linux/threads.h: PID_MAX_LIMIT on 64 bits. */
#define PID_LIMIT (4u << 20)

static void put_fixed(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_fixed(const uint8_t *from, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

/* crc32() takes what fits an uInt, which STATE_MAX_BYTES does. */
static uint32_t checksum(const uint8_t *data, size_t length)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), data + STATE_CRC_FROM,
			       (uInt)(length - STATE_CRC_FROM));
}

/* --- writing ------------------------------------------------------------------------------------ */

#define NUMBER_SIZE 10 /* 64 bits by seven */

static uint8_t *grow_by(struct state_bytes *bytes, size_t size)
{
	if (bytes->err)
		return NULL;
	if (bytes->length + size > STATE_MAX_BYTES) {
		bytes->err = -EFBIG;
		return NULL;
	}
	if (!array__reserve(bytes->data, bytes->capacity, bytes->length + size)) {
		bytes->err = -ENOMEM;
		return NULL;
	}
	bytes->length += size;
	return bytes->data + bytes->length - size;
}

static void put(struct state_bytes *bytes, uint64_t value)
{
	uint8_t packed[NUMBER_SIZE];
	size_t n = 0;
	uint8_t *to;

	for (; value > 0x7f; value >>= 7)
		packed[n++] = (uint8_t)(value | 0x80);
	packed[n++] = (uint8_t)value;
	to = grow_by(bytes, n);
	if (to)
		memcpy(to, packed, n);
}

/* @value, which is at least @step more than the one before: *@before, which it becomes. */
static void put_rising(struct state_bytes *bytes, uint64_t value, uint64_t *before, uint64_t step)
{
	if (value < *before || value - *before < step) {
		if (!bytes->err)
			bytes->err = -EINVAL;
		return;
	}
	put(bytes, value - *before);
	*before = value;
}

static void put_counts(struct state_bytes *bytes, const struct history_sample *sample)
{
	put(bytes, sample->goroutines);
	put(bytes, sample->parked);
	put(bytes, sample->arrivals);
	put(bytes, sample->departures);
	put(bytes, sample->created);
	put(bytes, sample->exited);
}

static void put_samples(struct state_bytes *bytes, const struct history_sample *samples, uint32_t n)
{
	uint64_t ticks = 0;

	put(bytes, n);
	for (uint32_t i = 0; i < n; i++) {
		put_rising(bytes, samples[i].ticks, &ticks, i > 0);
		put_counts(bytes, &samples[i]);
	}
}

static void put_history(struct state_bytes *bytes, const struct history *history)
{
	put(bytes, history != NULL);
	if (!history)
		return;
	put_samples(bytes, history->samples, history->count);
	for (size_t i = 0; i < HISTORY_TIERS; i++) {
		const struct history_tier *tier = history->tiers[i];

		put_samples(bytes, tier ? tier->samples : NULL, tier ? tier->count : 0);
	}
	for (size_t i = 0; i < HISTORY_TIERS; i++) {
		put(bytes, history->open[i].ticks);
		put_counts(bytes, &history->open[i]);
	}
}

static void put_lengths(struct state_bytes *bytes, const struct length_histogram *lengths)
{
	for (size_t i = 0; i < LENGTH_BINS; i++)
		put(bytes, lengths->bins[i]);
}

static void put_clock(struct state_bytes *bytes, const struct goid_clock *clock)
{
	uint64_t goid = 0, ticks = 0;

	put(bytes, clock->n);
	for (uint32_t i = 0; i < clock->n; i++) {
		put_rising(bytes, clock->points[i].goid, &goid, i > 0);
		put_rising(bytes, clock->points[i].ticks, &ticks, i > 0);
	}
}

/* In ticks, as all times there. */
static void put_looks(struct state_bytes *bytes, const struct alloc_times *times)
{
	uint64_t ticks = 0;

	put(bytes, times->n);
	for (unsigned int i = 0; i < times->n; i++)
		put_rising(bytes, ticks__of(times->ns[i]), &ticks, i > 0);
}

void state_bytes__put_process(struct state_bytes *bytes, const struct runtime_id *id,
			      const struct saved_process *process)
{
	put(bytes, STATE_PROCESS);
	put(bytes, (uint64_t)id->process.pid);
	put(bytes, id->process.start_time);
	put(bytes, id->moduledata);
	put(bytes, process->watch_ticks);
	put(bytes, process->saved_ticks);
	put(bytes, process->created);
	put(bytes, process->exited);
	put(bytes, process->lost);
	put(bytes, process->repaired);
	put_clock(bytes, &process->clock);
	put_history(bytes, process->files);
	put_looks(bytes, &process->allocs);
}

void state_bytes__put_alloc(struct state_bytes *bytes, const struct saved_alloc *alloc,
			    unsigned int looks)
{
	put(bytes, STATE_ALLOC);
	put(bytes, alloc->bucket);
	for (unsigned int i = 0; i < looks; i++) {
		put(bytes, alloc->past.stayed[i]);
		put(bytes, alloc->past.freed[i]);
	}
}

void state_bytes__put_site(struct state_bytes *bytes, const struct saved_site *site)
{
	put(bytes, STATE_SITE);
	put(bytes, site->key.creation_pc);
	put(bytes, site->key.start_pc);
	put(bytes, site->key.place);
	put(bytes, site->key.wait_reason);
	put(bytes, site->first_ticks);
	put(bytes, site->created);
	put(bytes, site->exited);
	put(bytes, site->left_ticks);
	put_lengths(bytes, &site->ended_parks);
	put_lengths(bytes, &site->ended_lives);
	put(bytes, site->alarm.ticks);
	put(bytes, site->alarm.growth_ns);
	put(bytes, site->alarm.goroutines);
	put_history(bytes, site->history);
}

void state_bytes__put_quarantined(struct state_bytes *bytes, const struct quarantine_entry *entry)
{
	put(bytes, STATE_QUARANTINED);
	put(bytes, (uint64_t)entry->id.pid);
	put(bytes, entry->id.start_time);
	put(bytes, entry->owner);
	put(bytes, entry->until_ns / NSEC_PER_SEC);
}

void state_bytes__begin(struct state_bytes *bytes)
{
	uint8_t *head = grow_by(bytes, STATE_HEAD_SIZE);

	if (head)
		memset(head, 0, STATE_HEAD_SIZE);
}

void state_bytes__finish(struct state_bytes *bytes, const struct state_boot_id *boot)
{
	uint8_t *head;

	put(bytes, STATE_END);
	if (bytes->err)
		return;
	head = bytes->data;
	memcpy(head, magic, sizeof(magic));
	put_fixed(head + AT_VERSION, VERSION, 4);
	put_fixed(head + AT_LENGTH, bytes->length, 8);
	memcpy(head + AT_BOOT_ID, boot->bytes, sizeof(boot->bytes));
	put_fixed(head + AT_CRC, checksum(head, bytes->length), 4);
}

/* --- reading ------------------------------------------------------------------------------------ */

int state_head__check(const uint8_t *data, size_t length, const struct state_boot_id *boot,
		      const char **ret_fault)
{
	if (length < sizeof(magic) || memcmp(data, magic, sizeof(magic)) != 0) {
		*ret_fault = "it is no state file of gleakd";
		return -EBADMSG;
	}
	if (length < STATE_HEAD_SIZE) {
		*ret_fault = "it is cut short";
		return -EBADMSG;
	}
	if (get_fixed(data + AT_VERSION, 4) != VERSION) {
		*ret_fault = "another version of gleakd wrote it";
		return -EPROTO;
	}
	if (get_fixed(data + AT_LENGTH, 8) != length) {
		*ret_fault = get_fixed(data + AT_LENGTH, 8) > length ? "it is cut short" :
								       "something follows its end";
		return -EBADMSG;
	}
	if (get_fixed(data + AT_CRC, 4) != checksum(data, length)) {
		*ret_fault = "its checksum does not fit its contents";
		return -EBADMSG;
	}
	if (memcmp(data + AT_BOOT_ID, boot->bytes, sizeof(boot->bytes)) != 0) {
		*ret_fault = "it was written before this host was booted";
		return -ESTALE;
	}
	return 0;
}

void state_cursor__init(struct state_cursor *cursor, const uint8_t *at, const uint8_t *end,
			uint64_t now_ticks)
{
	*cursor = (struct state_cursor){.at = at, .end = end, .now_ticks = now_ticks};
}

static void fail(struct state_cursor *cursor, const char *fault)
{
	if (!cursor->fault)
		cursor->fault = fault;
	cursor->at = cursor->end;
}

/* At most @max; 0 when it is not. */
static uint64_t get(struct state_cursor *cursor, uint64_t max)
{
	uint64_t value = 0;
	unsigned int shift = 0;

	while (cursor->at < cursor->end && shift < 64) {
		uint8_t byte = *cursor->at++;
		uint64_t bits = byte & 0x7f;

		/* The tenth byte has room for one bit. */
		if (shift == 63 && bits > 1)
			break;
		value |= bits << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if (value <= max)
			return value;
		fail(cursor, "a number in it is out of range");
		return 0;
	}
	fail(cursor, "a number in it has no end");
	return 0;
}

static uint32_t get_u32(struct state_cursor *cursor)
{
	return (uint32_t)get(cursor, UINT32_MAX);
}

static uint64_t get_ticks(struct state_cursor *cursor)
{
	return get(cursor, cursor->now_ticks);
}

/* The counterpart of put_rising(): at most @max, and never less than the one before. */
static uint64_t get_rising(struct state_cursor *cursor, uint64_t *before, uint64_t step,
			   uint64_t max)
{
	uint64_t rise = get(cursor, max - *before);

	if (rise < step)
		fail(cursor, "times or numbers in it do not rise");
	*before += rise;
	return *before;
}

static void get_counts(struct state_cursor *cursor, struct history_sample *sample)
{
	sample->goroutines = get_u32(cursor);
	sample->parked = get_u32(cursor);
	sample->arrivals = get_u32(cursor);
	sample->departures = get_u32(cursor);
	sample->created = get_u32(cursor);
	sample->exited = get_u32(cursor);
}

static uint32_t get_samples(struct state_cursor *cursor, struct history_sample *samples,
			    uint32_t max)
{
	uint32_t n = (uint32_t)get(cursor, max);
	uint64_t ticks = 0;

	for (uint32_t i = 0; i < n && !cursor->fault; i++) {
		samples[i].ticks = get_rising(cursor, &ticks, i > 0, cursor->now_ticks);
		get_counts(cursor, &samples[i]);
	}
	return n;
}

/* The step under way lies behind the last one of its tier and ends with the latest sample. */
static void get_open(struct state_cursor *cursor, struct history *history, size_t t)
{
	const struct history_tier *tier = history->tiers[t];
	uint64_t last = history->count ? history->samples[history->count - 1].ticks : 0;
	struct history_sample *open = &history->open[t];

	open->ticks = get_ticks(cursor);
	get_counts(cursor, open);
	if (open->ticks > last || (tier && tier->samples[tier->count - 1].ticks >= open->ticks))
		fail(cursor, "times or numbers in it do not rise");
}

/* Into @cursor's own, NULL when there is none. */
static const struct history *get_history(struct state_cursor *cursor)
{
	struct history *history = &cursor->history;

	if (!get(cursor, 1))
		return NULL;
	memset(history, 0, sizeof(*history));
	history->count = get_samples(cursor, history->samples, HISTORY_SAMPLES);
	for (size_t i = 0; i < HISTORY_TIERS; i++) {
		struct history_tier *tier = &cursor->tiers[i];

		memset(tier, 0, sizeof(*tier));
		tier->count = get_samples(cursor, tier->samples, HISTORY_TIER_SAMPLES);
		history->tiers[i] = tier->count ? tier : NULL;
	}
	for (size_t i = 0; i < HISTORY_TIERS; i++)
		get_open(cursor, history, i);
	return history;
}

static void get_lengths(struct state_cursor *cursor, struct length_histogram *lengths)
{
	for (size_t i = 0; i < LENGTH_BINS; i++)
		lengths->bins[i] = get_u32(cursor);
}

static void get_clock(struct state_cursor *cursor, struct goid_clock *clock)
{
	uint64_t goid = 0, ticks = 0;

	clock->n = (uint32_t)get(cursor, GOID_CLOCK_POINTS);
	for (uint32_t i = 0; i < clock->n && !cursor->fault; i++) {
		clock->points[i].goid = get_rising(cursor, &goid, i > 0, UINT64_MAX);
		clock->points[i].ticks = get_rising(cursor, &ticks, i > 0, cursor->now_ticks);
	}
}

static void get_looks(struct state_cursor *cursor, struct alloc_times *times)
{
	uint64_t ticks = 0;

	times->n = (unsigned int)get(cursor, ALLOC_LOOKS);
	for (unsigned int i = 0; i < times->n && !cursor->fault; i++)
		times->ns[i] = get_rising(cursor, &ticks, i > 0, cursor->now_ticks) << TICK_SHIFT;
	cursor->looks = cursor->fault ? 0 : times->n;
}

enum state_record state_cursor__next(struct state_cursor *cursor)
{
	enum state_record record = (enum state_record)get(cursor, STATE_QUARANTINED);

	if (record == STATE_END && cursor->at != cursor->end)
		fail(cursor, "something follows its last process");
	return cursor->fault ? STATE_END : record;
}

void state_cursor__process(struct state_cursor *cursor, struct runtime_id *ret_id,
			   struct saved_process *ret_process)
{
	*ret_process = (struct saved_process){0};
	ret_id->process.pid = (pid_t)get(cursor, PID_LIMIT);
	ret_id->process.start_time = get(cursor, UINT64_MAX);
	ret_id->moduledata = get(cursor, UINT64_MAX);
	ret_process->watch_ticks = get_ticks(cursor);
	ret_process->saved_ticks = get_ticks(cursor);
	ret_process->created = get(cursor, UINT64_MAX);
	ret_process->exited = get(cursor, UINT64_MAX);
	ret_process->lost = get(cursor, UINT64_MAX);
	ret_process->repaired = get(cursor, UINT64_MAX);
	get_clock(cursor, &ret_process->clock);
	ret_process->files = get_history(cursor);
	get_looks(cursor, &ret_process->allocs);
}

void state_cursor__site(struct state_cursor *cursor, struct saved_site *ret_site)
{
	*ret_site = (struct saved_site){0};
	ret_site->key.creation_pc = get(cursor, UINT64_MAX);
	ret_site->key.start_pc = get(cursor, UINT64_MAX);
	ret_site->key.place = get(cursor, UINT64_MAX);
	ret_site->key.wait_reason = (uint8_t)get(cursor, UINT8_MAX);
	ret_site->first_ticks = get_ticks(cursor);
	ret_site->created = get(cursor, UINT64_MAX);
	ret_site->exited = get(cursor, UINT64_MAX);
	ret_site->left_ticks = get_ticks(cursor);
	get_lengths(cursor, &ret_site->ended_parks);
	get_lengths(cursor, &ret_site->ended_lives);
	ret_site->alarm.ticks = get_ticks(cursor);
	ret_site->alarm.growth_ns = get(cursor, UINT64_MAX);
	ret_site->alarm.goroutines = get(cursor, UINT64_MAX);
	ret_site->history = get_history(cursor);
}

void state_cursor__alloc(struct state_cursor *cursor, struct saved_alloc *ret_alloc)
{
	*ret_alloc = (struct saved_alloc){.bucket = get(cursor, UINT64_MAX)};
	for (unsigned int i = 0; i < cursor->looks; i++) {
		ret_alloc->past.stayed[i] = get_u32(cursor);
		ret_alloc->past.freed[i] = get_u32(cursor);
	}
}

void state_cursor__quarantined(struct state_cursor *cursor, struct quarantine_entry *ret_entry)
{
	ret_entry->id.pid = (pid_t)get(cursor, PID_LIMIT);
	ret_entry->id.start_time = get(cursor, UINT64_MAX);
	ret_entry->owner = get_u32(cursor);
	ret_entry->until_ns = get(cursor, UINT64_MAX / NSEC_PER_SEC) * NSEC_PER_SEC;
}
