// SPDX-License-Identifier: Apache-2.0
#include "observe/wait_objects.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "golang/semtable.h"
#include "made_waits.h"

static int versions[] = {18, 22, 23, 25, 26, 27};

#define FOR_ALL_VERSIONS(name)                                                   \
	static void name(int minor);                                             \
	ParameterizedTestParameters(wait_objects, name)                          \
	{                                                                        \
		return cr_make_param_array(int, versions, ARRAY_SIZE(versions)); \
	}                                                                        \
	ParameterizedTest(int *minor, wait_objects, name)                        \
	{                                                                        \
		name(*minor);                                                    \
	}                                                                        \
	static void name(int minor)

static struct wait_objects look(struct waits *waits, const char *words)
{
	struct wait_objects objects;

	cr_assert_eq(wait_reader__read(waits->reader, wait_class__of(words), words, waits->members,
				       waits->n, &objects),
		     0);
	cr_assert_eq(objects.looked_at + objects.unreadable,
		     min_of(waits->n, (size_t)WAIT_OBJECTS_MAX_MEMBERS));
	return objects;
}

/* --- channels ----------------------------------------------------------------------------------- */

FOR_ALL_VERSIONS(receivers_of_one_channel)
{
	struct waits *waits = waits_new(minor);
	uint64_t channel = waits_channel(waits, 0, 0);
	struct wait_objects objects;

	for (int i = 0; i < 7; i++)
		waits_case(waits, waits_g(waits, "chan receive"), channel, false);
	objects = look(waits, "chan receive");
	cr_assert_eq(objects.looked_at, 7);
	cr_assert_eq(objects.distinct, 1);
	cr_assert_eq(objects.shared_by, 7);
	cr_assert_eq(objects.with_timer, 0);
	cr_assert_eq(objects.with_buffer, 0);
	cr_assert_eq(objects.n_top, 1);
	cr_assert_eq(objects.top[0].kind, WAIT_OBJECT_CHANNEL);
	cr_assert_eq(objects.top[0].address, channel);
	cr_assert_eq(objects.top[0].members, 7);
	cr_assert_eq(objects.top[0].receivers, 7);
	cr_assert_eq(objects.top[0].senders, 0);
	cr_assert_eq(objects.top[0].waiters, 0);
	cr_assert_not(objects.top[0].more_waiters);
	cr_assert_not(objects.top[0].closed);
	waits_free(waits);
}

FOR_ALL_VERSIONS(senders_on_a_full_channel_of_which_some_are_members)
{
	struct waits *waits = waits_new(minor);
	uint64_t channel = waits_channel(waits, 3, 3);
	struct wait_objects objects;

	waits_put(waits, channel + waits->layout->hchan_buf + 8, 24);
	for (int i = 0; i < 11; i++)
		waits_case(waits, waits_g(waits, "chan send"), channel, true);
	waits->n = 5;
	objects = look(waits, "chan send");
	cr_assert_eq(objects.with_buffer, 5);
	cr_assert_eq(objects.top[0].members, 5);
	cr_assert_eq(objects.top[0].senders, 11);
	cr_assert_eq(objects.top[0].receivers, 0);
	cr_assert_eq(objects.top[0].length, 3);
	cr_assert_eq(objects.top[0].capacity, 3);
	cr_assert_eq(objects.top[0].value_bytes, 24);
	waits_free(waits);
}

FOR_ALL_VERSIONS(workers_that_share_two_channels)
{
	struct waits *waits = waits_new(minor);
	uint64_t jobs = waits_channel(waits, 0, 31), stop = waits_channel(waits, 0, 0);
	struct wait_objects objects;

	for (int i = 0; i < 19; i++) {
		uint64_t g = waits_g(waits, "select");

		waits_case(waits, g, jobs, false);
		waits_case(waits, g, stop, false);
	}
	objects = look(waits, "select");
	cr_assert_eq(objects.looked_at, 19);
	cr_assert_eq(objects.distinct, 2);
	cr_assert_eq(objects.shared_by, 19);
	cr_assert_eq(objects.with_buffer, 19);
	cr_assert_eq(objects.n_top, 2);
	cr_assert_eq(objects.top[0].address, jobs);
	cr_assert_eq(objects.top[0].capacity, 31);
	cr_assert_eq(objects.top[1].address, stop);
	cr_assert_eq(objects.top[1].receivers, 19);
	waits_free(waits);
}

/* A channel knows its timer from 1.23 on. One that has fired or was stopped has no time. */
FOR_ALL_VERSIONS(timers_of_selects)
{
	struct waits *waits = waits_new(minor);
	struct wait_objects objects;
	bool known = minor >= 23;

	for (int i = 0; i < 5; i++) {
		uint64_t g = waits_g(waits, "select"), own = waits_channel(waits, 0, 0);
		uint64_t timer = waits_channel(waits, 0, 1);

		waits_case(waits, g, own, false);
		waits_case(waits, g, timer, false);
		if (known)
			waits_timer(waits, timer, i < 3 ? 1000 : 0);
	}
	objects = look(waits, "select");
	cr_assert_eq(objects.looked_at, 5);
	cr_assert_eq(objects.distinct, 10);
	cr_assert_eq(objects.shared_by, 1);
	cr_assert_eq(objects.with_timer, known ? 3 : 0);
	cr_assert_eq(objects.n_top, WAIT_OBJECTS_TOP);
	cr_assert_not(objects.top[0].timer);
	cr_assert_eq(objects.top[1].timer, known);
	waits_free(waits);
}

/* Before Go 1.23, and with asynctimerchan=1 until 1.26, only the heaps know. */
Test(wait_objects, timers_that_channels_do_not_know)
{
	static const int minors[] = {18, 22, 23, 26, 27};

	for (size_t i = 0; i < ARRAY_SIZE(minors); i++) {
		struct waits *waits = waits_new(minors[i]);
		bool async = minors[i] < 27;
		struct wait_objects objects;

		for (int k = 0; k < 5; k++) {
			uint64_t channel = waits_channel(waits, 0, 1);

			waits_case(waits, waits_g(waits, "chan receive"), channel, false);
			if (k < 3)
				waits_heap(waits, channel, k < 2 ? 1000 : 0);
		}
		objects = look(waits, "chan receive");
		cr_expect_eq(objects.looked_at, 5);
		cr_expect_eq(objects.with_timer, async ? 2 : 0, "1.%d: %u", minors[i],
			     objects.with_timer);
		waits_free(waits);
	}
}

Test(wait_objects, timer_heaps_that_make_no_sense)
{
	struct waits *waits = waits_new(22);
	uint64_t channel = waits_channel(waits, 0, 1), ps, p;

	waits_case(waits, waits_g(waits, "chan receive"), channel, false);
	waits_heap(waits, channel, 1000);
	ps = waits_get(waits, waits->runtime.allp);
	p = waits_get(waits, ps);
	waits_put(waits, p + waits->layout->p_timers + 8, UINT64_MAX);
	cr_expect_eq(look(waits, "chan receive").with_timer, 1, "what follows is empty memory");
	wait_reader__begin(waits->reader);
	waits_put(waits, p + waits->layout->p_timers, 12345);
	cr_expect_eq(look(waits, "chan receive").with_timer, 0);
	wait_reader__begin(waits->reader);
	waits_put(waits, waits->runtime.allp + 8, UINT64_MAX);
	cr_expect_eq(look(waits, "chan receive").looked_at, 1);
	waits_free(waits);
}

Test(wait_objects, timer_that_cannot_be_read_is_none)
{
	struct waits *waits = waits_new(27);
	uint64_t channel = waits_channel(waits, 0, 1);
	struct wait_objects objects;

	waits_case(waits, waits_g(waits, "chan receive"), channel, false);
	waits_put(waits, channel + waits->layout->hchan_timer, UINT64_MAX - 7);
	objects = look(waits, "chan receive");
	cr_assert_eq(objects.looked_at, 1);
	cr_assert_eq(objects.with_timer, 0);
	waits_free(waits);
}

Test(wait_objects, closed_channel)
{
	struct waits *waits = waits_new(26);
	uint64_t channel = waits_channel(waits, 0, 1);

	waits_case(waits, waits_g(waits, "chan receive"), channel, false);
	*waits_at(waits, channel + waits->layout->hchan_closed) = 1;
	cr_assert(look(waits, "chan receive").top[0].closed);
	waits_free(waits);
}

Test(wait_objects, one_channel_in_two_cases_counts_once)
{
	struct waits *waits = waits_new(26);
	uint64_t channel = waits_channel(waits, 0, 0), g = waits_g(waits, "select");
	struct wait_objects objects;

	waits_case(waits, g, channel, false);
	waits_case(waits, g, channel, true);
	objects = look(waits, "select");
	cr_assert_eq(objects.distinct, 1);
	cr_assert_eq(objects.top[0].members, 1);
	cr_assert_eq(objects.top[0].receivers, 1);
	cr_assert_eq(objects.top[0].senders, 1);
	waits_free(waits);
}

Test(wait_objects, most_shared_first)
{
	struct waits *waits = waits_new(25);
	struct wait_objects objects;

	for (int channel = 1; channel <= 11; channel++) {
		uint64_t address = waits_channel(waits, 0, (uint64_t)channel);

		for (int i = 0; i < channel; i++)
			waits_case(waits, waits_g(waits, "chan receive"), address, false);
	}
	objects = look(waits, "chan receive");
	cr_assert_eq(objects.looked_at, 66);
	cr_assert_eq(objects.distinct, 11);
	cr_assert_eq(objects.shared_by, 11);
	cr_assert_eq(objects.n_top, WAIT_OBJECTS_TOP);
	for (size_t i = 0; i < WAIT_OBJECTS_TOP; i++) {
		cr_assert_eq(objects.top[i].members, 11 - i);
		cr_assert_eq(objects.top[i].capacity, 11 - i);
	}
	waits_free(waits);
}

/* --- package sync ------------------------------------------------------------------------------- */

static void check_variable(int minor, const char *words, uint32_t offset,
			   enum wait_object_kind kind)
{
	struct waits *waits = waits_new(minor);
	uint64_t variable = waits_alloc(waits, 64), other = waits_alloc(waits, 64);
	struct wait_objects objects;

	/* Others in the same bucket on both sides, and one in another. */
	waits_semaphore(waits, waits_g(waits, words), variable + offset);
	waits->n = 0;
	waits_semaphore(waits, waits_g(waits, words), variable + offset + 8 * SEMTABLE_BUCKETS);
	waits_semaphore(waits, waits_g(waits, words), variable + offset - 8 * SEMTABLE_BUCKETS);
	waits->n = 0;
	for (int i = 0; i < 12; i++)
		waits_semaphore(waits, waits_g(waits, words), variable + offset);
	waits_semaphore(waits, waits_g(waits, words), other + offset);
	objects = look(waits, words);
	cr_assert_eq(objects.looked_at, 13, "%s of 1.%d: %u", words, minor, objects.looked_at);
	cr_assert_eq(objects.distinct, 2);
	cr_assert_eq(objects.shared_by, 12);
	cr_assert_eq(objects.top[0].kind, kind);
	cr_assert_eq(objects.top[0].address,
		     variable + (kind == WAIT_OBJECT_SEMAPHORE ? offset : 0));
	cr_assert_eq(objects.top[0].members, 12);
	cr_assert_eq(objects.top[0].waiters, 13);
	cr_assert_not(objects.top[0].more_waiters);
	cr_assert_eq(objects.top[1].waiters, 1);
	waits_free(waits);
}

FOR_ALL_VERSIONS(semaphores)
{
	check_variable(minor, "semacquire", 12, WAIT_OBJECT_SEMAPHORE);
	if (minor >= 20) {
		check_variable(minor, "sync.Mutex.Lock", 4, WAIT_OBJECT_MUTEX);
		check_variable(minor, "sync.RWMutex.Lock", 8, WAIT_OBJECT_RWMUTEX);
		check_variable(minor, "sync.RWMutex.RLock", 12, WAIT_OBJECT_RWMUTEX);
	}
	if (minor >= 24)
		check_variable(minor, "sync.WaitGroup.Wait", 8, WAIT_OBJECT_WAIT_GROUP);
}

/* The frames of a goroutine may say more than the words for its wait. */
FOR_ALL_VERSIONS(semaphores_of_a_known_class)
{
	static const struct {
		enum wait_class class;
		enum wait_object_kind kind;
		uint32_t offset;
	} known[] = {
		{WAIT_SEMAPHORE, WAIT_OBJECT_SEMAPHORE, 0},
		{WAIT_LOCK, WAIT_OBJECT_SEMAPHORE, 0},
		{WAIT_WAIT_GROUP, WAIT_OBJECT_WAIT_GROUP, 8},
	};
	struct waits *waits = waits_new(minor);
	uint64_t semaphore = waits_alloc(waits, 64) + 8;
	struct wait_objects objects;

	waits_semaphore(waits, waits_g(waits, "semacquire"), semaphore);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		cr_assert_eq(wait_reader__read(waits->reader, known[i].class, "semacquire",
					       waits->members, 1, &objects),
			     0);
		cr_assert_eq(objects.looked_at, 1);
		cr_assert_eq(objects.top[0].kind, known[i].kind);
		cr_assert_eq(objects.top[0].address, semaphore - known[i].offset);
	}
	cr_assert_eq(wait_reader__read(waits->reader, WAIT_COND, "sync.Cond.Wait", waits->members,
				       1, &objects),
		     0);
	cr_assert_eq(objects.unreadable, 1);
	waits_free(waits);
}

FOR_ALL_VERSIONS(waiters_without_the_table)
{
	struct waits *waits = waits_new(minor);
	uint64_t semaphore = waits_alloc(waits, 64);
	struct wait_objects objects;

	for (int i = 0; i < 3; i++)
		waits_semaphore(waits, waits_g(waits, "semacquire"), semaphore);
	waits->runtime.semtable = 0;
	waits_reader(waits);
	objects = look(waits, "semacquire");
	cr_assert_eq(objects.looked_at, 3);
	cr_assert_eq(objects.top[0].address, semaphore);
	cr_assert_eq(objects.top[0].waiters, 3);
	cr_assert(objects.top[0].more_waiters);
	waits_free(waits);
}

FOR_ALL_VERSIONS(conds)
{
	struct waits *waits = waits_new(minor);
	uint64_t one = waits_alloc(waits, 64), two = waits_alloc(waits, 64);
	struct wait_objects objects;

	for (int i = 0; i < 17; i++)
		waits_cond(waits, waits_g(waits, "sync.Cond.Wait"), one);
	waits_cond(waits, waits_g(waits, "sync.Cond.Wait"), two);
	waits->members[0] = waits->members[17];
	waits->n = 17;
	objects = look(waits, "sync.Cond.Wait");
	cr_assert_eq(objects.looked_at, 17);
	cr_assert_eq(objects.distinct, 2);
	cr_assert_eq(objects.top[0].kind, WAIT_OBJECT_COND);
	cr_assert_eq(objects.top[0].address, one);
	cr_assert_eq(objects.top[0].members, 16);
	cr_assert_eq(objects.top[0].waiters, 17);
	cr_assert_eq(objects.top[1].address, two);
	cr_assert_eq(objects.top[1].waiters, 1);
	waits_free(waits);
}

/* The variable moves with the compiler; a frame may hold a pointer to the list instead. */
Test(wait_objects, variables_elsewhere_in_the_frame)
{
	struct waits *waits = waits_new(22);
	uint64_t cond = waits_alloc(waits, 64), g;
	uint64_t sp;

	waits_cond(waits, waits_g(waits, "sync.Cond.Wait"), cond);
	waits->stack_slot = 512;
	waits_cond(waits, waits_g(waits, "sync.Cond.Wait"), cond);
	waits->stack_slot = 1016;
	g = waits_g(waits, "sync.Cond.Wait");
	waits_cond(waits, g, cond);
	sp = waits_get(waits, g + waits->layout->g_sched_sp);
	waits_put(waits, sp + 1016, 0);
	waits_put(waits, sp + 8, cond + 16);
	cr_assert_eq(look(waits, "sync.Cond.Wait").looked_at, 3);
	waits_put(waits, sp + 8, 0);
	cr_assert_eq(look(waits, "sync.Cond.Wait").unreadable, 1);
	waits_free(waits);
}

/* A Cond that somebody else waits for, left on the stack: its list does not have this goroutine. */
Test(wait_objects, cond_of_others)
{
	struct waits *waits = waits_new(22);
	uint64_t cond = waits_alloc(waits, 64), g;

	waits_cond(waits, waits_g(waits, "sync.Cond.Wait"), cond);
	waits->n = 0;
	g = waits_g(waits, "sync.Cond.Wait");
	waits_put(waits, waits_get(waits, g + waits->layout->g_sched_sp) + 64, cond);
	cr_assert_eq(look(waits, "sync.Cond.Wait").unreadable, 1);
	waits_free(waits);
}

Test(wait_objects, names)
{
	cr_assert_str_eq(wait_object_kind__name(WAIT_OBJECT_CHANNEL), "channel");
	cr_assert_str_eq(wait_object_kind__name(WAIT_OBJECT_SEMAPHORE), "semaphore");
	cr_assert_str_eq(wait_object_kind__name((enum wait_object_kind)99), "unknown");
}
