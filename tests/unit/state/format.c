// SPDX-License-Identifier: Apache-2.0
#include "state/format.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "state/file_internal.h"
#include "track/ticks.h"

#define NOW	 1000000u /* ticks */
#define N_LOOKS	 ALLOC_LOOKS
#define N_ALLOCS 5

static const struct state_boot_id boot = {{0xb0, 0x07}};
static const struct runtime_id first = {.process = {.pid = 4242, .start_time = 777}};
static const struct runtime_id library = {.process = {.pid = 4242, .start_time = 777},
					  .moduledata = 0x7f0012345678};
static const struct runtime_id second = {.process = {.pid = 4242, .start_time = 778}};

/* --- what is remembered ------------------------------------------------------------------------- */

static struct history_sample sample_at(uint64_t ticks, uint32_t n)
{
	return (struct history_sample){ticks, n, n - 1, n + 2, n + 3, n + 4, UINT32_MAX};
}

/* All of it full: the recent samples, two tiers, the open steps. */
static void fill_history(struct history *history, struct history_tier tiers[2])
{
	memset(history, 0, sizeof(*history));
	for (uint32_t i = 0; i < HISTORY_SAMPLES; i++)
		history->samples[i] = sample_at(5000 + 300ULL * i, 100 + i);
	history->count = HISTORY_SAMPLES;
	for (uint32_t t = 0; t < 2; t++) {
		for (uint32_t i = 0; i < HISTORY_TIER_SAMPLES; i++)
			tiers[t].samples[i] = sample_at(100 + i, 7 * i + t);
		tiers[t].count = HISTORY_TIER_SAMPLES - t;
		history->tiers[t] = &tiers[t];
	}
	for (uint32_t t = 0; t < HISTORY_TIERS; t++)
		history->open[t] = sample_at(history->samples[HISTORY_SAMPLES - 1].ticks, t);
}

static struct saved_process make_process(const struct history *files)
{
	struct saved_process process = {
		.watch_ticks = 5000,
		.saved_ticks = NOW,
		.created = UINT64_MAX,
		.exited = 1ULL << 63,
		.lost = 127,
		.repaired = 128,
		.clock = {.n = GOID_CLOCK_POINTS},
		.files = files,
	};

	process.allocs.n = N_LOOKS;
	for (uint64_t i = 0; i < N_LOOKS; i++)
		process.allocs.ns[i] = (5000 + 17 * i) << TICK_SHIFT;
	for (uint64_t i = 0; i < GOID_CLOCK_POINTS; i++) {
		process.clock.points[i].goid = (i + 1) << 50;
		process.clock.points[i].ticks = 3 * i;
	}
	return process;
}

static struct saved_site make_site(uint64_t number, const struct history *history)
{
	struct saved_site site = {
		.key = {.creation_pc = 0x401000 + number,
			.start_pc = 0x402000,
			.place = UINT64_MAX - number,
			.wait_reason = 255},
		.first_ticks = 5001,
		.created = 300 + number,
		.exited = 16384,
		.left_ticks = NOW,
		.alarm = {.ticks = 6000, .growth_ns = 1ULL << 40, .goroutines = 90},
		.history = history,
	};

	for (uint32_t i = 0; i < LENGTH_BINS; i++) {
		site.ended_parks.bins[i] = i;
		site.ended_lives.bins[i] = UINT32_MAX - i;
	}
	return site;
}

static struct saved_alloc make_alloc(uint64_t number)
{
	struct saved_alloc alloc = {.bucket = 0xc000000000 + number};

	for (uint32_t i = 0; i < N_LOOKS; i++) {
		alloc.past.stayed[i] = UINT32_MAX - i;
		alloc.past.freed[i] = i + (uint32_t)number;
	}
	return alloc;
}

static void check_history(const struct history *got, const struct history *wanted)
{
	cr_assert_not_null(got);
	cr_expect_eq(got->count, wanted->count);
	cr_expect_arr_eq(got->samples, wanted->samples, sizeof(got->samples));
	cr_expect_arr_eq(got->open, wanted->open, sizeof(got->open));
	for (size_t t = 0; t < HISTORY_TIERS; t++) {
		cr_assert_eq(!got->tiers[t], !wanted->tiers[t]);
		if (!wanted->tiers[t])
			continue;
		cr_expect_eq(got->tiers[t]->count, wanted->tiers[t]->count);
		cr_expect_arr_eq(got->tiers[t]->samples, wanted->tiers[t]->samples,
				 wanted->tiers[t]->count * sizeof(struct history_sample));
	}
}

static void check_site(const struct saved_site *got, const struct saved_site *wanted)
{
	cr_expect_eq(got->key.creation_pc, wanted->key.creation_pc);
	cr_expect_eq(got->key.start_pc, wanted->key.start_pc);
	cr_expect_eq(got->key.place, wanted->key.place);
	cr_expect_eq(got->key.wait_reason, wanted->key.wait_reason);
	cr_expect_eq(got->first_ticks, wanted->first_ticks);
	cr_expect_eq(got->created, wanted->created);
	cr_expect_eq(got->exited, wanted->exited);
	cr_expect_eq(got->left_ticks, wanted->left_ticks);
	cr_expect_arr_eq(&got->ended_parks, &wanted->ended_parks, sizeof(got->ended_parks));
	cr_expect_arr_eq(&got->ended_lives, &wanted->ended_lives, sizeof(got->ended_lives));
	cr_expect_arr_eq(&got->alarm, &wanted->alarm, sizeof(got->alarm));
}

/* --- files in memory ---------------------------------------------------------------------------- */

static struct state_bytes begin_bytes(void)
{
	struct state_bytes bytes = {0};

	state_bytes__begin(&bytes);
	return bytes;
}

static void add_process(struct state_bytes *bytes, const struct runtime_id *id)
{
	struct saved_process process = make_process(NULL);

	state_bytes__put_process(bytes, id, &process);
}

static void add_site(struct state_bytes *bytes, uint64_t number)
{
	struct saved_site site = make_site(number, NULL);

	state_bytes__put_site(bytes, &site);
}

/* Two processes, the first with two sites. */
static struct state_bytes sample_bytes(void)
{
	struct state_bytes bytes = begin_bytes();
	struct history_tier tiers[2];
	struct history history;
	struct saved_process process = make_process(&history);
	struct saved_site site = make_site(1, &history);

	fill_history(&history, tiers);
	state_bytes__put_process(&bytes, &first, &process);
	state_bytes__put_site(&bytes, &site);
	add_site(&bytes, 2);
	for (uint64_t i = 0; i < N_ALLOCS; i++) {
		struct saved_alloc alloc = make_alloc(i);

		state_bytes__put_alloc(&bytes, &alloc, N_LOOKS);
	}
	add_process(&bytes, &second);
	state_bytes__finish(&bytes, &boot);
	cr_assert_eq(bytes.err, 0);
	return bytes;
}

static void seal(uint8_t *data, size_t length)
{
	uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), data + 16, (uInt)(length - 16));

	for (size_t i = 0; i < 4; i++)
		data[12 + i] = (uint8_t)(crc >> 8 * i);
}

static int parse(const uint8_t *data, size_t length, struct state_file **ret_file,
		 const char **ret_fault)
{
	uint8_t *copy = malloc(length + 1);

	memcpy(copy, data, length);
	return state_file__parse(copy, length, &boot, NOW, ret_file, ret_fault);
}

/* Finishes and releases @bytes, which must be refused in these words. */
static void check_refused(struct state_bytes *bytes, const char *words)
{
	struct state_file *file = NULL;
	const char *fault = "";

	state_bytes__finish(bytes, &boot);
	cr_assert_eq(bytes->err, 0);
	cr_expect_eq(parse(bytes->data, bytes->length, &file, &fault), -EBADMSG, "%s", words);
	cr_expect_str_eq(fault, words);
	cr_expect_null(file);
	free(bytes->data);
}

struct visits {
	size_t n, stop_at;
	const struct saved_site *wanted; /* of the first one */
};

static bool count_visit(void *ctx, const struct saved_site *site)
{
	struct visits *visits = ctx;

	if (visits->wanted && visits->n == 0) {
		check_site(site, visits->wanted);
		check_history(site->history, visits->wanted->history);
	}
	if (visits->wanted && visits->n == 1)
		cr_expect_null(site->history);
	return ++visits->n != visits->stop_at;
}

static bool check_alloc(void *ctx, const struct saved_alloc *alloc)
{
	struct visits *visits = ctx;
	struct saved_alloc wanted = make_alloc(visits->n);

	cr_expect_arr_eq(alloc, &wanted, sizeof(wanted));
	return ++visits->n != visits->stop_at;
}

Test(state_format, everything_comes_back)
{
	struct state_bytes bytes = sample_bytes();
	struct history_tier tiers[2];
	struct history history;
	struct saved_process wanted = make_process(&history);
	struct saved_site site = make_site(1, &history);
	struct visits visits = {.wanted = &site};
	const struct saved_process *got;
	struct state_file *file;
	const char *fault;

	fill_history(&history, tiers);
	cr_assert_eq(parse(bytes.data, bytes.length, &file, &fault), 0);
	got = state_file__find(file, &first, count_visit, &visits);
	cr_assert_not_null(got);
	cr_expect_eq(visits.n, 2);
	cr_expect_eq(got->watch_ticks, wanted.watch_ticks);
	cr_expect_eq(got->saved_ticks, wanted.saved_ticks);
	cr_expect_eq(got->created, wanted.created);
	cr_expect_eq(got->exited, wanted.exited);
	cr_expect_eq(got->lost, wanted.lost);
	cr_expect_eq(got->repaired, wanted.repaired);
	cr_expect_arr_eq(&got->clock, &wanted.clock, sizeof(wanted.clock));
	check_history(got->files, &history);
	cr_expect_arr_eq(&got->allocs, &wanted.allocs, sizeof(wanted.allocs));
	visits = (struct visits){0};
	state_file__each_alloc(file, check_alloc, &visits);
	cr_expect_eq(visits.n, N_ALLOCS);
	visits = (struct visits){.stop_at = 2};
	state_file__each_alloc(file, check_alloc, &visits);
	cr_expect_eq(visits.n, 2);
	/* Those of one process are not those of another. */
	cr_assert_not_null(state_file__find(file, &second, count_visit, &visits));
	visits = (struct visits){0};
	state_file__each_alloc(file, check_alloc, &visits);
	cr_expect_eq(visits.n, 0);
	state_file__close(file);
	free(bytes.data);
}

Test(state_format, a_process_is_its_pid_and_its_start)
{
	struct state_bytes bytes = sample_bytes();
	const struct runtime_id other = {.process = {.pid = 4242, .start_time = 779}};
	const struct runtime_id elsewhere = {.process = {.pid = 1, .start_time = 777}};
	struct visits visits = {0};
	struct state_file *file;
	const char *fault;

	cr_assert_eq(parse(bytes.data, bytes.length, &file, &fault), 0);
	cr_expect_null(state_file__find(file, &other, count_visit, &visits));
	cr_expect_null(state_file__find(file, &elsewhere, count_visit, &visits));
	cr_assert_not_null(state_file__find(file, &second, count_visit, &visits));
	cr_expect_eq(visits.n, 0);
	visits.stop_at = 1;
	cr_assert_not_null(state_file__find(file, &first, count_visit, &visits));
	cr_expect_eq(visits.n, 1, "the visitor said stop");
	state_file__close(file);
	state_file__close(NULL);
	free(bytes.data);
}

/* Two runtimes of one process count their goroutines each for itself. */
Test(state_format, a_process_may_have_several_runtimes)
{
	struct state_bytes bytes = begin_bytes();
	struct visits visits = {0};
	struct state_file *file;
	const char *fault;

	add_process(&bytes, &first);
	add_site(&bytes, 1);
	add_process(&bytes, &library);
	add_site(&bytes, 2);
	add_site(&bytes, 3);
	state_bytes__finish(&bytes, &boot);
	cr_assert_eq(parse(bytes.data, bytes.length, &file, &fault), 0);
	visits.stop_at = 9;
	cr_assert_not_null(state_file__find(file, &library, count_visit, &visits));
	cr_expect_eq(visits.n, 2);
	cr_assert_not_null(state_file__find(file, &first, count_visit, &visits));
	cr_expect_eq(visits.n, 3);
	state_file__close(file);
	free(bytes.data);
}

Test(state_format, of_another_boot_or_version)
{
	static const struct state_boot_id other = {{0xb0, 0x08}};
	struct state_bytes bytes = sample_bytes();
	struct state_file *file;
	const char *fault;
	uint8_t *copy = malloc(bytes.length);

	memcpy(copy, bytes.data, bytes.length);
	cr_expect_eq(state_file__parse(copy, bytes.length, &other, NOW, &file, &fault), -ESTALE);
	cr_expect_str_eq(fault, "it was written before this host was booted");
	bytes.data[8]++;
	cr_expect_eq(parse(bytes.data, bytes.length, &file, &fault), -EPROTO);
	cr_expect_str_eq(fault, "another version of gleakd wrote it");
	free(bytes.data);
}

Test(state_format, every_flipped_bit_is_noticed)
{
	struct state_bytes bytes = sample_bytes();
	struct state_file *file;
	const char *fault;

	for (size_t i = 0; i < bytes.length; i++) {
		uint8_t flip = (uint8_t)(1u << i % 8);

		bytes.data[i] ^= flip;
		cr_assert_lt(parse(bytes.data, bytes.length, &file, &fault), 0, "byte %zu", i);
		bytes.data[i] ^= flip;
	}
	free(bytes.data);
}

Test(state_format, every_missing_end_is_noticed)
{
	struct state_bytes bytes = sample_bytes();
	struct state_file *file;
	const char *fault;

	for (size_t length = 0; length < bytes.length; length++)
		cr_assert_eq(parse(bytes.data, length, &file, &fault), -EBADMSG, "%zu", length);
	cr_expect_str_eq(fault, "it is cut short");
	cr_expect_eq(parse((const uint8_t *)"{\"json\": 1}", 11, &file, &fault), -EBADMSG);
	cr_expect_str_eq(fault, "it is no state file of gleakd");
	free(bytes.data);
}

/* As written by somebody who knows how to compute the checksum. */
Test(state_format, every_missing_end_behind_the_checksum)
{
	struct state_bytes bytes = sample_bytes();
	struct state_file *file;
	const char *fault;

	for (size_t length = STATE_HEAD_SIZE; length < bytes.length; length++) {
		uint8_t *copy = malloc(length);

		memcpy(copy, bytes.data, length);
		for (size_t i = 0; i < 8; i++)
			copy[16 + i] = (uint8_t)(length >> 8 * i);
		seal(copy, length);
		cr_assert_eq(parse(copy, length, &file, &fault), -EBADMSG, "%zu", length);
		cr_assert_str_eq(fault, "a number in it has no end");
		free(copy);
	}
	free(bytes.data);
}

Test(state_format, something_behind_the_end)
{
	struct state_bytes bytes = begin_bytes();

	state_bytes__finish(&bytes, &boot);
	add_process(&bytes, &first);
	check_refused(&bytes, "something follows its last process");
}

Test(state_format, sites_without_a_process)
{
	struct state_bytes bytes = begin_bytes();

	add_site(&bytes, 1);
	check_refused(&bytes, "it has sites too many");
}

Test(state_format, more_sites_than_a_tracker_has)
{
	struct state_bytes bytes = begin_bytes();

	add_process(&bytes, &first);
	for (uint64_t i = 0; i <= STATE_MAX_SITES; i++)
		add_site(&bytes, i);
	check_refused(&bytes, "it has sites too many");
}

Test(state_format, pids_out_of_range)
{
	struct state_bytes bytes = begin_bytes();
	const struct runtime_id id = {.process = {.pid = (4 << 20) + 1}};

	add_process(&bytes, &id);
	check_refused(&bytes, "a number in it is out of range");
}

Test(state_format, times_of_the_future)
{
	struct state_bytes bytes = begin_bytes();
	struct saved_site site = make_site(1, NULL);

	add_process(&bytes, &first);
	site.alarm.ticks = NOW + 1;
	state_bytes__put_site(&bytes, &site);
	check_refused(&bytes, "a number in it is out of range");
}

static struct state_bytes with_history(const struct history *history)
{
	struct state_bytes bytes = begin_bytes();
	struct saved_site site = make_site(1, history);

	add_process(&bytes, &first);
	state_bytes__put_site(&bytes, &site);
	return bytes;
}

Test(state_format, histories_of_the_future)
{
	struct history history = {.count = 2, .samples = {{.ticks = NOW}, {.ticks = NOW + 1}}};
	struct state_bytes bytes = with_history(&history);

	check_refused(&bytes, "a number in it is out of range");
	history.samples[1].ticks = NOW - 1;
	bytes = with_history(&history);
	cr_expect_eq(bytes.err, -EINVAL, "times that fall are not written");
	free(bytes.data);
	history.samples[1].ticks = NOW;
	bytes = with_history(&history);
	cr_expect_eq(bytes.err, -EINVAL, "nor are times that stand still");
	free(bytes.data);
}

Test(state_format, open_steps_fit_what_is_over)
{
	struct history_tier tier = {.count = 1, .samples = {{.ticks = 50}}};
	struct history history = {.count = 1, .samples = {{.ticks = 60}}, .tiers = {&tier}};
	struct state_bytes bytes;

	history.open[0].ticks = 50;
	bytes = with_history(&history);
	check_refused(&bytes, "times or numbers in it do not rise");
	history.open[0].ticks = 60;
	history.open[2].ticks = 61;
	bytes = with_history(&history);
	check_refused(&bytes, "times or numbers in it do not rise");
}

Test(state_format, what_allocates_comes_last)
{
	struct saved_alloc alloc = make_alloc(1);
	struct state_bytes bytes = begin_bytes();

	state_bytes__put_alloc(&bytes, &alloc, 0);
	check_refused(&bytes, "it has places that allocate too many");
	bytes = begin_bytes();
	add_process(&bytes, &first);
	state_bytes__put_alloc(&bytes, &alloc, N_LOOKS);
	add_site(&bytes, 1);
	check_refused(&bytes, "it has sites too many");
	bytes = begin_bytes();
	add_process(&bytes, &first);
	state_bytes__put_alloc(&bytes, &alloc, N_LOOKS - 1);
	check_refused(&bytes, "a number in it has no end");
}

Test(state_format, looks_of_the_future)
{
	struct saved_process process = make_process(NULL);
	struct state_bytes bytes = begin_bytes();

	process.allocs.ns[N_LOOKS - 1] = (NOW + 1ULL) << TICK_SHIFT;
	state_bytes__put_process(&bytes, &first, &process);
	check_refused(&bytes, "a number in it is out of range");
}

/* @packed in place of the number of a process' goid clock points, which is its last but two. */
static void check_clock_refused(const char *packed, size_t n, const char *words)
{
	struct state_bytes bytes = begin_bytes();
	struct saved_process process = {0};

	state_bytes__put_process(&bytes, &first, &process);
	bytes.length -= 3;
	bytes.capacity = max_of(bytes.capacity, bytes.length + n);
	bytes.data = realloc(bytes.data, bytes.capacity);
	cr_assert_not_null(bytes.data);
	memcpy(bytes.data + bytes.length, packed, n);
	bytes.length += n;
	check_refused(&bytes, words);
}

Test(state_format, goid_clocks)
{
	check_clock_refused("\x81\x01", 2, "a number in it is out of range"); /* 129 points */
	check_clock_refused("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02\x00", 11,
			    "a number in it has no end"); /* 2^64 */
	check_clock_refused("\x02\x05\x05\x00\x01", 5, "times or numbers in it do not rise");
	check_clock_refused("\x02\x05\x05\x01\x00", 5, "times or numbers in it do not rise");
	check_clock_refused("\x02\x05\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13,
			    "a number in it is out of range"); /* the sum is beyond 64 bits */
}
