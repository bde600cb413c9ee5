// SPDX-License-Identifier: Apache-2.0
#include "golang/cross_check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fake_go.h"

#define ARRAY_AT (FAKE_DATA + 0x810) /* waitReasonStrings, in data */
#define WORDS_AT (FAKE_DATA + 0xb20)
#define CALL_END (FAKE_ENTRY(FAKE_WORKER) + 0x18)

static struct fake_go fake;
static struct live_reasons reasons;

/* --- a process with wait reasons and call instructions ------------------------------------------ */

/* In memory, and in the file: initialised data is in both. */
static void put_word(uint64_t address, uint64_t value)
{
	fake_go__set(&fake, address, value);
	fake_go__set_file(&fake, address, value);
}

static uint64_t put_words(uint64_t at, const char *words)
{
	uint64_t length = strlen(words);

	for (uint64_t i = 0; i < length; i += 8) {
		uint64_t word = 0;

		memcpy(&word, words + i, (size_t)min_of(length - i, 8ULL));
		put_word(at + i, word);
	}
	return at + ((length + 7) & ~7ULL);
}

static void put_reasons(void)
{
	uint64_t at = WORDS_AT;

	for (size_t i = 0; i < fake.layout->n_wait_reasons; i++) {
		const char *words = fake.layout->wait_reasons[i];

		put_word(ARRAY_AT + 16 * i, *words ? at + fake.options.bias : 0);
		put_word(ARRAY_AT + 16 * i + 8, strlen(words));
		at = put_words(at, words);
	}
	cr_assert_leq(at, FAKE_BSS);
	cr_assert_leq(ARRAY_AT + 16 * fake.layout->n_wait_reasons, WORDS_AT);
}

static uint8_t number_of(const char *words)
{
	for (size_t i = 0; i < fake.layout->n_wait_reasons; i++) {
		if (!strcmp(fake.layout->wait_reasons[i], words))
			return (uint8_t)i;
	}
	cr_assert_fail("no %s", words);
	return 0;
}

static void set_g(uint64_t i, uint32_t offset, uint64_t value)
{
	fake_go__set(&fake, FAKE_G(i) + offset, value);
}

static void set_reason(uint64_t i, uint8_t number)
{
	const struct go_layout *l = fake.layout;
	uint64_t at = FAKE_G(i) + (l->g_waitreason & ~7u), shift = l->g_waitreason % 8 * 8;

	fake_go__set(&fake, at,
		     (fake_go__get(&fake, at) & ~(0xffULL << shift)) | (uint64_t)number << shift);
}

/* Parked by runtime.chanrecv, created after a call. */
static void make(uint64_t bias)
{
	const struct go_layout *l;

	fake_go__make(&fake, &(struct fake_options){.version = "go1.26.8", .bias = bias});
	l = fake.layout;
	put_reasons();
	fake_go__set_file(&fake, CALL_END - 8, 0x11223344e8909090);
	for (uint64_t i = 0; i < FAKE_N_G; i++) {
		set_g(i, l->g_gopc, CALL_END + bias);
		set_g(i, l->g_sched_pc, FAKE_ENTRY(FAKE_GOPARK) + 0x20 + bias);
		set_g(i, l->g_sched_bp, FAKE_STACK(i) + 0x710);
		fake_go__set(&fake, FAKE_STACK(i) + 0x718, FAKE_ENTRY(FAKE_CHANRECV) + 0x30 + bias);
		set_reason(i, number_of("chan receive"));
	}
}

static int check(int (*step)(struct live *live))
{
	struct live live = {.layout = fake.layout, .guess = 27, .version = "go1.28.0"};
	struct remote *remote;
	int err;

	if (!fake.binary)
		cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	cr_assert_eq(remote__open_image(fake.ranges, ARRAY_SIZE(fake.ranges), &remote), 0);
	live.image = go_binary__image(fake.binary);
	live.tab = go_binary__pclntab(fake.binary);
	live.module = *go_binary__module(fake.binary);
	live.bias = fake.options.bias;
	live.remote = remote;
	live.failure = &fake.failure;
	err = step(&live);
	remote__free(remote);
	return err;
}

static int read_reasons(struct live *live)
{
	return live_reasons__read(live, &reasons);
}

static int run_cross_check(struct live *live)
{
	int err = live_reasons__read(live, &reasons);

	return err ? err : cross_check__run(live, go_binary__globals(fake.binary), &reasons);
}

/* --- wait reasons ------------------------------------------------------------------------------- */

static void expect_reasons(void)
{
	cr_assert_eq(check(read_reasons), 0, "%s", fake.failure.text);
	cr_assert_geq(reasons.n, fake.layout->n_wait_reasons);
	for (size_t i = 0; i < fake.layout->n_wait_reasons; i++)
		cr_assert_str_eq(reasons.texts[i], fake.layout->wait_reasons[i]);
	fake_go__release(&fake);
}

Test(live_reasons, found_by_their_contents)
{
	make(0);
	expect_reasons();
	make(0x555555000000);
	expect_reasons();
}

Test(live_reasons, another_array_is_not_taken)
{
	make(0);
	/* The first words alone, before the array. */
	put_word(FAKE_DATA + 0x800 + 0x460, 0);
	put_word(ARRAY_AT + 16 * 14 + 8, 4096); /* a length that none has */
	cr_assert_eq(check(read_reasons), -EOPNOTSUPP);
	cr_assert_not_null(strstr(fake.failure.text, "waitReasonStrings"));
	cr_assert_not_null(strstr(fake.failure.text, "go1.28.0"));
}

Test(live_reasons, unreadable_words_end_it)
{
	make(0);
	put_word(ARRAY_AT + 16 * 5, 0xdead0000);
	cr_assert_eq(check(read_reasons), -EOPNOTSUPP);
	put_word(ARRAY_AT + 16, UINT64_MAX - 3);
	cr_assert_eq(check(read_reasons), -EOPNOTSUPP);
}

/* --- cross check ----------------------------------------------------------------------------------- */

Test(cross_check, a_healthy_process)
{
	make(0);
	cr_assert_eq(check(run_cross_check), 0, "%s", fake.failure.text);
	fake_go__release(&fake);
	make(0x555555000000);
	cr_assert_eq(check(run_cross_check), 0, "%s", fake.failure.text);
}

static void refuse(uint64_t address, uint64_t value, const char *words)
{
	uint64_t before;
	int err;

	if (!fake.binary)
		make(0);
	cr_assert_eq(check(run_cross_check), 0, "%s", fake.failure.text);
	before = fake_go__get(&fake, address);
	fake_go__set(&fake, address, value);
	err = check(run_cross_check);
	cr_assert_eq(err, -EOPNOTSUPP, "%s: %d", words, err);
	cr_assert_not_null(strstr(fake.failure.text, words), "%s", fake.failure.text);
	fake_go__set(&fake, address, before);
}

Test(cross_check, contradictions)
{
	const struct go_layout *l = go_layout__find(26);

	refuse(FAKE_G(2) + l->g_gopc, CALL_END + 1, "does not follow a call");
	refuse(FAKE_G(2) + l->g_gopc, FAKE_HEAP, "gopc is not code");
	refuse(FAKE_G(2) + l->g_parentGoid, UINT64_MAX, "parentGoid");
	refuse(FAKE_G(2) + l->g_waitsince, UINT64_MAX, "waitsince");
	refuse(FAKE_G(2) + l->g_goid, 2, "two goroutines have the number 2");
	refuse(FAKE_G(2) + l->g_waiting, FAKE_HEAP, "sudog.g");
	refuse(FAKE_G(2) + l->g_waiting, 0x1234, "sudog.g");
	refuse(FAKE_ALLGS_ARRAY + 16, 0xdead0000, "not readable");
}

Test(cross_check, waitreason_and_stack_disagree)
{
	make(0);
	set_reason(3, number_of("sleep"));
	cr_assert_eq(check(run_cross_check), -EOPNOTSUPP);
	cr_assert_not_null(strstr(fake.failure.text, "not what its stack shows"));
	set_reason(3, 255);
	cr_assert_eq(check(run_cross_check), -EOPNOTSUPP);
	cr_assert_not_null(strstr(fake.failure.text, "waitreason is none"));
	set_reason(3, number_of("chan receive (nil chan)"));
	cr_assert_eq(check(run_cross_check), 0, "%s", fake.failure.text);
}

Test(cross_check, thread_that_runs_another)
{
	const struct go_layout *l;
	const uint64_t m = FAKE_HEAP + 0x100;

	make(0);
	l = fake.layout;
	set_g(4, l->g_atomicstatus, GO_STATUS_RUNNING);
	set_g(4, l->g_m, m);
	fake_go__set(&fake, m + l->m_curg, FAKE_G(4));
	cr_assert_eq(check(run_cross_check), 0, "%s", fake.failure.text);
	fake_go__set(&fake, m + l->m_curg, FAKE_G(5));
	cr_assert_eq(check(run_cross_check), -EOPNOTSUPP);
	cr_assert_not_null(strstr(fake.failure.text, "m.curg"));
}

/* Nothing against it is not enough. */
Test(cross_check, without_any)
{
	make(0);
	for (uint64_t i = 0; i < FAKE_N_G; i++)
		set_g(i, fake.layout->g_sched_bp, 0);
	cr_assert_eq(check(run_cross_check), -EAGAIN);
	for (uint64_t i = 0; i < FAKE_N_G; i++)
		set_g(i, fake.layout->g_atomicstatus, GO_STATUS_DEAD);
	cr_assert_eq(check(run_cross_check), -EAGAIN);
}
