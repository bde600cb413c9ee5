// SPDX-License-Identifier: Apache-2.0
/*
 * State files with the right checksum and length. The first byte chooses: patches to a valid file, its
 * head among it, or all that follows the head. What is read from them is in order, and the same once
 * written and read again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "state/file_internal.h"
#include "track/ticks.h"

#define NOW 1000000U

static const struct state_boot_id boot = {{0xb0, 0x07}};

/* --- a valid file --------------------------------------------------------------------------------- */

static struct history_sample sample_at(uint64_t ticks, uint32_t n)
{
	return (struct history_sample){ticks, n, n / 2, n, n / 3, 0, 300};
}

static void make_history(struct history *history, struct history_tier *tier)
{
	memset(history, 0, sizeof(*history));
	memset(tier, 0, sizeof(*tier));
	for (uint32_t i = 0; i < 4; i++)
		history->samples[history->count++] = sample_at(5000 + 300ULL * i, 100 + i);
	for (uint32_t i = 0; i < 3; i++)
		tier->samples[tier->count++] = sample_at(100 + i, 7 * i);
	history->tiers[0] = tier;
	history->open[0] = sample_at(5900, 1);
}

static struct state_bytes make_file(void)
{
	struct state_bytes bytes = {0};
	struct history history;
	struct history_tier tier;
	struct saved_process process = {
		.watch_ticks = 5000,
		.saved_ticks = NOW,
		.created = 300,
		.clock = {.n = 3, .points = {{100, 10}, {200, 20}, {300, 30}}},
		.files = &history,
		.allocs = {.n = 2, .ns = {100ULL << TICK_SHIFT, 200ULL << TICK_SHIFT}},
	};
	struct saved_alloc alloc = {.bucket = 0xc000010000, .past = {{300, 400}, {1, 2}}};
	struct saved_site site = {.key = {0x401000, 0x402000, 77, 14}, .history = &history};
	struct runtime_id id = {.process = {.pid = 4242, .start_time = 777}};

	make_history(&history, &tier);
	state_bytes__begin(&bytes);
	state_bytes__put_process(&bytes, &id, &process);
	state_bytes__put_site(&bytes, &site);
	site.history = NULL;
	state_bytes__put_site(&bytes, &site);
	state_bytes__put_alloc(&bytes, &alloc, process.allocs.n);
	id.process.pid = 1;
	id.moduledata = 0x7f0000001000;
	process.files = NULL;
	state_bytes__put_process(&bytes, &id, &process);
	state_bytes__finish(&bytes, &boot);
	fuzz__require(!bytes.err);
	return bytes;
}

/* Behind the checksum, where the fuzzer would hardly get by itself. */
static void seal(uint8_t *data, size_t length)
{
	uint64_t crc;

	for (size_t i = 0; i < 8; i++)
		data[16 + i] = (uint8_t)(length >> 8 * i);
	crc = crc32(crc32(0, NULL, 0), data + 16, (uInt)(length - 16));
	for (size_t i = 0; i < 4; i++)
		data[12 + i] = (uint8_t)(crc >> 8 * i);
}

/* --- what is read from it ------------------------------------------------------------------------- */

static void check_samples(const struct history_sample *samples, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		fuzz__require(samples[i].ticks <= NOW);
		fuzz__require(i == 0 || samples[i].ticks > samples[i - 1].ticks);
	}
}

static void check_history(const struct history *history)
{
	struct history copy;
	struct history_sample points[24];
	struct trend trend;
	size_t n;

	if (!history)
		return;
	fuzz__require(history->count <= HISTORY_SAMPLES);
	check_samples(history->samples, history->count);
	for (size_t t = 0; t < HISTORY_TIERS; t++) {
		if (!history->tiers[t])
			continue;
		fuzz__require(history->tiers[t]->count <= HISTORY_TIER_SAMPLES);
		check_samples(history->tiers[t]->samples, history->tiers[t]->count);
	}
	/* As a tracker uses it. */
	history__copy(&copy, history);
	history__add(&copy, &(struct history_sample){.ticks = NOW + 1, .goroutines = 5});
	history__trend(&copy, 0, &trend);
	n = history__points(&copy, points, ARRAY_SIZE(points));
	fuzz__require(n > 0 && n <= ARRAY_SIZE(points));
	history__clear(&copy);
}

static bool check_site(void *ctx, const struct saved_site *site)
{
	struct state_bytes *again = ctx;

	fuzz__require(site->first_ticks <= NOW && site->left_ticks <= NOW);
	fuzz__require(site->alarm.ticks <= NOW);
	check_history(site->history);
	state_bytes__put_site(again, site);
	return true;
}

/* As a target uses it, and into the file that is written again. */
struct allocs_sink {
	struct state_bytes *again;
	struct alloc_history *history;
	unsigned int looks;
};

static bool check_alloc(void *ctx, const struct saved_alloc *alloc)
{
	struct allocs_sink *sink = ctx;

	fuzz__require(!alloc_history__restore_past(sink->history, alloc->bucket, &alloc->past));
	state_bytes__put_alloc(sink->again, alloc, sink->looks);
	return true;
}

static void check_allocs(const struct state_file *file, const struct saved_process *process,
			 struct state_bytes *again)
{
	const struct alloc_history_options options = {.max = 1u << 20};
	struct allocs_sink sink = {.again = again, .looks = process->allocs.n};
	struct alloc_object object = {0xc000000000, 0xc000010000};

	fuzz__require(!alloc_history__new(&options, &sink.history));
	fuzz__require(!alloc_history__restore_times(sink.history, &process->allocs));
	state_file__each_alloc(file, check_alloc, &sink);
	for (uint64_t i = 0; i < 2 * ALLOC_LOOKS; i++)
		fuzz__require(
			alloc_history__take(sink.history,
					    ((uint64_t)NOW << TICK_SHIFT) + i * ALLOC_MAX_PERIOD_NS,
					    2 * i, &object, 1) >= 0);
	fuzz__require(alloc_history__times(sink.history)->n <= ALLOC_LOOKS);
	alloc_history__free(sink.history);
}

static bool stop_at_once(void *ctx __maybe_unused, const struct saved_site *site __maybe_unused)
{
	return false;
}

static void check_process(const struct state_file *file, const struct runtime_id *id,
			  struct state_bytes *again)
{
	const struct saved_process *process = state_file__find(file, id, stop_at_once, NULL);

	if (!process)
		return;
	fuzz__require(process->watch_ticks <= NOW && process->saved_ticks <= NOW);
	fuzz__require(process->clock.n <= GOID_CLOCK_POINTS);
	for (uint32_t i = 1; i < process->clock.n; i++) {
		fuzz__require(process->clock.points[i].goid > process->clock.points[i - 1].goid);
		fuzz__require(process->clock.points[i].ticks > process->clock.points[i - 1].ticks);
	}
	check_history(process->files);
	state_bytes__put_process(again, id, process);
	fuzz__require(state_file__find(file, id, check_site, again) == process);
	check_allocs(file, process, again);
}

/* Reads @data, which it frees. */
static struct state_file *parse(uint8_t *data, size_t length)
{
	struct state_file *file = NULL;
	const char *fault = NULL;
	int err = state_file__parse(data, length, &boot, NOW, &file, &fault);

	fuzz__require(!err || err == -EBADMSG || err == -EPROTO || err == -ESTALE);
	fuzz__require(!err == !fault);
	return file;
}

static void check_file(uint8_t *data, size_t length)
{
	static const struct runtime_id ids[] = {
		{{4242, 777}, 0}, {{4242, 777}, 0x5ef400}, {{1, 777}, 0}, {{0, 0}, 0}};
	struct state_file *file = parse(data, length), *same;
	struct state_bytes again = {0};

	if (!file)
		return;
	state_bytes__begin(&again);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		check_process(file, &ids[i], &again);
	state_bytes__finish(&again, &boot);
	fuzz__require(!again.err);
	same = parse(again.data, again.length);
	fuzz__require(same);
	state_file__close(same);
	state_file__close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t choices = fuzz_input__u8(&input);
	struct state_bytes bytes = make_file();
	struct fuzz_region regions[] = {
		{bytes.data + STATE_HEAD_SIZE, bytes.length - STATE_HEAD_SIZE},
		{bytes.data, STATE_HEAD_SIZE},
	};
	uint8_t *made;

	if (!(choices & 1)) {
		fuzz__patch(&input, regions, ARRAY_SIZE(regions));
		if (!(choices & 2))
			seal(bytes.data, bytes.length);
		check_file(bytes.data, bytes.length);
		return 0;
	}
	made = malloc(STATE_HEAD_SIZE + input.left);
	fuzz__require(made);
	memcpy(made, bytes.data, STATE_HEAD_SIZE);
	if (input.left)
		memcpy(made + STATE_HEAD_SIZE, input.data, input.left);
	seal(made, STATE_HEAD_SIZE + input.left);
	check_file(made, STATE_HEAD_SIZE + input.left);
	free(bytes.data);
	return 0;
}
