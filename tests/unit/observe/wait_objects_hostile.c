// SPDX-License-Identifier: Apache-2.0
/* Targets that change while they are looked at, and targets that are not what they seem. */
#include "observe/wait_objects.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "made_waits.h"

static struct wait_objects look(struct waits *waits, const char *words)
{
	struct wait_objects objects;

	cr_assert_eq(wait_reader__read(waits->reader, wait_class__of(words), words, waits->members,
				       waits->n, &objects),
		     0);
	return objects;
}

/* Two receivers of one channel; returns the g of the second. */
static struct waits *two_receivers(uint64_t *ret_g, uint64_t *ret_channel)
{
	struct waits *waits = waits_new(26);

	*ret_channel = waits_channel(waits, 0, 0);
	waits_case(waits, waits_g(waits, "chan receive"), *ret_channel, false);
	*ret_g = waits_g(waits, "chan receive");
	waits_case(waits, *ret_g, *ret_channel, false);
	cr_assert_eq(look(waits, "chan receive").looked_at, 2);
	return waits;
}

static void one_is_refused(struct waits *waits)
{
	struct wait_objects objects = look(waits, "chan receive");

	cr_assert_eq(objects.looked_at, 1);
	cr_assert_eq(objects.unreadable, 1);
	cr_assert_eq(objects.shared_by, 1);
	waits_free(waits);
}

Test(wait_objects_hostile, another_goroutine_in_the_same_g)
{
	uint64_t g, channel;
	struct waits *waits = two_receivers(&g, &channel);

	waits_put(waits, g + waits->layout->g_goid, 99);
	one_is_refused(waits);
}

Test(wait_objects_hostile, not_waiting_any_more)
{
	uint64_t g, channel;
	struct waits *waits = two_receivers(&g, &channel);

	*waits_at(waits, g + waits->layout->g_atomicstatus) = GO_STATUS_RUNNABLE;
	one_is_refused(waits);
}

Test(wait_objects_hostile, waiting_for_something_else)
{
	uint64_t g, channel;
	struct waits *waits = two_receivers(&g, &channel);

	*waits_at(waits, g + waits->layout->g_waitreason) = 0;
	one_is_refused(waits);
}

Test(wait_objects_hostile, g_that_is_not_there)
{
	uint64_t g, channel;
	struct waits *waits = two_receivers(&g, &channel);

	waits->members[1].address = 0x1000;
	one_is_refused(waits);
}

Test(wait_objects_hostile, sudogs_that_are_none)
{
	const uint64_t garbage[] = {0,
				    8,
				    0x1001,
				    UINT64_MAX,
				    UINT64_MAX - 7,
				    WAITS_BASE + 1,
				    WAITS_BASE,
				    WAITS_BASE + WAITS_SIZE - 8};

	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		uint64_t g, channel;
		struct waits *waits = two_receivers(&g, &channel);

		waits_put(waits, g + waits->layout->g_waiting, garbage[i]);
		one_is_refused(waits);
	}
}

Test(wait_objects_hostile, sudog_of_another)
{
	uint64_t g, channel;
	struct waits *waits = two_receivers(&g, &channel);

	waits_put(waits, g + waits->layout->g_waiting,
		  waits_get(waits, waits->members[0].address + waits->layout->g_waiting));
	one_is_refused(waits);
}

Test(wait_objects_hostile, channels_that_are_none)
{
	const uint64_t garbage[] = {0, 8, 0x1001, UINT64_MAX, UINT64_MAX - 7, WAITS_BASE + 1};

	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		uint64_t g, channel, sudog;
		struct waits *waits = two_receivers(&g, &channel);

		sudog = waits_get(waits, g + waits->layout->g_waiting);
		waits_put(waits, sudog + waits->layout->sudog_c, garbage[i]);
		one_is_refused(waits);
	}
}

static void channel_is_refused(uint32_t offset, uint64_t value)
{
	uint64_t g, channel, other, sudog;
	struct waits *waits = two_receivers(&g, &channel);

	other = waits_channel(waits, 0, 0);
	sudog = waits_get(waits, g + waits->layout->g_waiting);
	waits_put(waits, sudog + waits->layout->sudog_c, other);
	cr_assert_eq(look(waits, "chan receive").looked_at, 2);
	waits_put(waits, other + offset, value);
	one_is_refused(waits);
}

Test(wait_objects_hostile, channels_that_do_not_add_up)
{
	const struct go_layout *layout = go_layout__find(26);

	channel_is_refused(layout->hchan_qcount, 1);
	channel_is_refused(layout->hchan_dataqsiz, UINT64_MAX);
	channel_is_refused(layout->hchan_closed, 2);
}

/* A list of cases that comes back to its start: channels do not rise any more. */
Test(wait_objects_hostile, circle_of_cases)
{
	struct waits *waits = waits_new(26);
	uint64_t low = waits_channel(waits, 0, 0), high = waits_channel(waits, 0, 0);
	uint64_t g = waits_g(waits, "select"), first, second;

	first = waits_case(waits, g, low, false);
	second = waits_case(waits, g, high, false);
	cr_assert_eq(look(waits, "select").looked_at, 1);
	waits_put(waits, second + waits->layout->sudog_waitlink, first);
	cr_assert_eq(look(waits, "select").unreadable, 1);
	waits_free(waits);
}

/* One sudog that follows itself has one channel, however often it is looked at. */
Test(wait_objects_hostile, case_that_follows_itself)
{
	struct waits *waits = waits_new(26);
	uint64_t sudog =
		waits_case(waits, waits_g(waits, "select"), waits_channel(waits, 0, 0), false);

	waits_put(waits, sudog + waits->layout->sudog_waitlink, sudog);
	cr_assert_eq(look(waits, "select").unreadable, 1);
	waits_free(waits);
}

Test(wait_objects_hostile, more_cases_than_are_looked_at)
{
	struct waits *waits = waits_new(26);
	uint64_t g = waits_g(waits, "select");
	struct wait_objects objects;

	for (int i = 0; i < WAIT_OBJECTS_MAX_CASES + 9; i++)
		waits_case(waits, g, waits_channel(waits, 0, 0), false);
	objects = look(waits, "select");
	cr_assert_eq(objects.looked_at, 1);
	cr_assert_eq(objects.distinct, WAIT_OBJECTS_MAX_CASES);
	waits_free(waits);
}

Test(wait_objects_hostile, more_members_than_are_looked_at)
{
	struct waits *waits = waits_new(26);
	uint64_t channel = waits_channel(waits, 0, 0);

	for (int i = 0; i < WAIT_OBJECTS_MAX_MEMBERS + 3; i++)
		waits_case(waits, waits_g(waits, "chan receive"), channel, false);
	cr_assert_eq(look(waits, "chan receive").looked_at, WAIT_OBJECTS_MAX_MEMBERS);
	cr_assert_eq(look(waits, "chan receive").top[0].receivers, WAIT_OBJECTS_MAX_MEMBERS + 3);
	waits_free(waits);
}

/* Members for whom there is no room any more are not looked at; they are no failure. */
Test(wait_objects_hostile, more_waits_than_there_is_room_for)
{
	struct waits *waits = waits_new(26);
	uint64_t channels[WAIT_OBJECTS_MAX_CASES];
	struct wait_objects objects;

	for (size_t i = 0; i < WAIT_OBJECTS_MAX_CASES; i++)
		channels[i] = waits_channel(waits, 0, 0);
	for (int i = 0; i < 300; i++) {
		uint64_t g = waits_g(waits, "select");

		for (size_t n = 0; n < WAIT_OBJECTS_MAX_CASES; n++)
			waits_case(waits, g, channels[n], false);
	}
	objects = look(waits, "select");
	cr_assert_eq(objects.looked_at, 16384 / WAIT_OBJECTS_MAX_CASES);
	cr_assert_eq(objects.unreadable, 0);
	cr_assert_eq(objects.distinct, WAIT_OBJECTS_MAX_CASES);
	waits_free(waits);
}

/* --- queues ------------------------------------------------------------------------------------- */

/* @n receivers of whom one is asked about. */
static struct waits *queue_of(int n, uint64_t *ret_channel)
{
	struct waits *waits = waits_new(25);
	uint64_t g = waits_g(waits, "chan receive");

	*ret_channel = waits_channel(waits, 0, 0);
	for (int i = 0; i < n; i++)
		waits_case(waits, g, *ret_channel, false);
	waits_put(waits,
		  waits_get(waits, g + waits->layout->g_waiting) + waits->layout->sudog_waitlink,
		  0);
	return waits;
}

Test(wait_objects_hostile, longest_queue_that_is_counted)
{
	uint64_t channel;
	struct waits *waits = queue_of(WAIT_OBJECTS_MAX_WAITERS, &channel);
	struct wait_objects objects = look(waits, "chan receive");

	cr_assert_eq(objects.top[0].receivers, WAIT_OBJECTS_MAX_WAITERS);
	cr_assert_not(objects.top[0].more_waiters);
	waits_free(waits);
}

Test(wait_objects_hostile, longer_queue)
{
	uint64_t channel;
	struct waits *waits = queue_of(WAIT_OBJECTS_MAX_WAITERS + 1, &channel);
	struct wait_objects objects = look(waits, "chan receive");

	cr_assert_eq(objects.top[0].receivers, WAIT_OBJECTS_MAX_WAITERS);
	cr_assert(objects.top[0].more_waiters);
	waits_free(waits);
}

Test(wait_objects_hostile, queue_that_is_a_circle)
{
	uint64_t channel, first, last;
	struct waits *waits = queue_of(5, &channel);
	struct wait_objects objects;

	first = waits_get(waits, channel + waits->layout->hchan_recvq);
	last = waits_get(waits, channel + waits->layout->hchan_recvq + 8);
	waits_put(waits, last + 8, first);
	objects = look(waits, "chan receive");
	cr_assert_eq(objects.looked_at, 1);
	cr_assert_eq(objects.top[0].receivers, 5);
	cr_assert(objects.top[0].more_waiters);
	waits_free(waits);
}

/* The sudog was released and taken for another channel. */
Test(wait_objects_hostile, queue_that_leads_elsewhere)
{
	uint64_t channel, second;
	struct waits *waits = queue_of(5, &channel);
	struct wait_objects objects;

	second = waits_get(waits, waits_get(waits, channel + waits->layout->hchan_recvq) + 8);
	waits_put(waits, second + waits->layout->sudog_c, WAITS_BASE);
	objects = look(waits, "chan receive");
	cr_assert_eq(objects.top[0].receivers, 1);
	cr_assert(objects.top[0].more_waiters);
	waits_free(waits);
}

/*
 * Before Go 1.26 each word of the stack may be a Cond. Here each is one whose list has no end, in every
 * goroutine: without a limit for all walks together a look takes minutes.
 */
Test(wait_objects_hostile, lists_without_an_end_on_all_stacks)
{
	struct waits *waits = waits_new(25);
	uint64_t list = waits_page(waits), sudog = waits_page(waits);
	struct wait_objects objects;

	waits_put(waits, sudog + waits->layout->sudog_g, WAITS_BASE);
	waits_put(waits, sudog + 8, sudog);
	for (uint64_t at = 0; at < WAITS_PAGE; at += 8)
		waits_put(waits, list + at, sudog);
	for (int i = 0; i < 1000; i++) {
		uint64_t g = waits_g(waits, "sync.Cond.Wait");
		uint64_t sp = waits_get(waits, g + waits->layout->g_sched_sp);

		for (uint64_t at = sp; at < waits_get(waits, g + waits->layout->g_stack_hi);
		     at += 8)
			waits_put(waits, at, list);
	}
	objects = look(waits, "sync.Cond.Wait");
	cr_assert_eq(objects.looked_at, 0);
	cr_assert_lt(objects.unreadable, 50);
	/* The groups that follow in the same look have nothing left; the next look has. */
	waits->n = 0;
	waits_cond(waits, waits_g(waits, "sync.Cond.Wait"), waits_alloc(waits, 64));
	cr_assert_eq(look(waits, "sync.Cond.Wait").looked_at, 0);
	wait_reader__begin(waits->reader);
	cr_assert_eq(look(waits, "sync.Cond.Wait").looked_at, 1);
	waits_free(waits);
}

Test(wait_objects_hostile, treap_and_chain_that_are_circles)
{
	struct waits *waits = waits_new(26);
	uint64_t semaphore = waits_alloc(waits, 64), lower = semaphore - 8 * 251, sudog;
	struct wait_objects objects;

	waits_semaphore(waits, waits_g(waits, "semacquire"), semaphore);
	sudog = waits_get(waits, waits->members[0].address + waits->layout->g_waiting);
	waits_put(waits, sudog + waits->layout->sudog_waitlink, sudog);
	objects = look(waits, "semacquire");
	cr_assert_eq(objects.top[0].waiters, WAIT_OBJECTS_MAX_WAITERS);
	cr_assert(objects.top[0].more_waiters);

	/* Now the one who is asked about is not in the treap, whose only sudog follows itself. */
	waits_put(waits, sudog + waits->layout->sudog_elem, lower);
	waits_put(waits, sudog + 8, sudog);
	waits_put(waits, sudog + 16, sudog);
	waits->n = 0;
	waits_put(waits, waits_g(waits, "semacquire") + waits->layout->g_waiting, 0);
	sudog = waits_alloc(waits, 128);
	waits_put(waits, sudog, waits->members[0].address);
	waits_put(waits, sudog + waits->layout->sudog_elem, semaphore);
	waits_put(waits, waits->members[0].address + waits->layout->g_waiting, sudog);
	objects = look(waits, "semacquire");
	cr_assert_eq(objects.looked_at, 1);
	cr_assert_eq(objects.top[0].waiters, 1);
	cr_assert(objects.top[0].more_waiters);
	waits_free(waits);
}

Test(wait_objects_hostile, released_sudog_on_the_stack)
{
	struct waits *waits = waits_new(25);
	uint64_t semaphore = waits_alloc(waits, 64), sudog;

	sudog = waits_semaphore(waits, waits_g(waits, "semacquire"), semaphore);
	cr_assert_eq(look(waits, "semacquire").looked_at, 1);
	waits_put(waits, sudog + waits->layout->sudog_elem, 0);
	cr_assert_eq(look(waits, "semacquire").unreadable, 1);
	waits_put(waits, sudog + waits->layout->sudog_elem, semaphore);
	waits_put(waits, sudog + waits->layout->sudog_c, WAITS_BASE);
	cr_assert_eq(look(waits, "semacquire").unreadable, 1);
	waits_free(waits);
}

Test(wait_objects_hostile, stacks_that_are_none)
{
	struct waits *waits = waits_new(25);
	const struct go_layout *l = waits->layout;
	uint64_t g = waits_g(waits, "semacquire"), sp;

	waits_semaphore(waits, g, waits_alloc(waits, 64));
	sp = waits_get(waits, g + l->g_sched_sp);
	for (uint64_t wrong = 0; wrong < 3; wrong++) {
		const uint64_t values[] = {0, sp + 1, waits_get(waits, g + l->g_stack_hi)};

		waits_put(waits, g + l->g_sched_sp, values[wrong]);
		cr_assert_eq(look(waits, "semacquire").unreadable, 1);
	}
	waits_put(waits, g + l->g_sched_sp, sp);
	cr_assert_eq(look(waits, "semacquire").looked_at, 1);
	waits_free(waits);
}

/* --- change while it is looked at --------------------------------------------------------------- */

static struct {
	struct waits *waits;
	uint64_t page, address, value;
	int touched;
} change;

/* The page is read for the first time: now the target goes on. */
static void go_on(int number)
{
	(void)number;
	change.touched++;
	mprotect(waits_at(change.waits, change.page), WAITS_PAGE, PROT_READ | PROT_WRITE);
	waits_put(change.waits, change.address, change.value);
}

/* Two receivers; while their channel is read, a field of the second's g changes. */
static void moves(uint32_t field, uint64_t value)
{
	struct sigaction action = {.sa_handler = go_on}, before;
	struct waits *waits = waits_new(26);
	uint64_t channel = waits_page(waits), g;

	waits_case(waits, waits_g(waits, "chan receive"), channel, false);
	/* g structs and sudogs are elsewhere. */
	g = waits_g(waits, "chan receive");
	waits_case(waits, g, channel, false);
	change.waits = waits;
	change.page = channel;
	change.address = g + field;
	change.value = value ? value : waits_get(waits, change.address) + 1;
	change.touched = 0;
	cr_assert_eq(sigaction(SIGSEGV, &action, &before), 0);
	cr_assert_eq(mprotect(waits_at(waits, channel), WAITS_PAGE, PROT_NONE), 0);
	one_is_refused(waits);
	cr_assert_eq(change.touched, 1);
	cr_assert_eq(sigaction(SIGSEGV, &before, NULL), 0);
}

Test(wait_objects_hostile, member_that_moves_does_not_count)
{
	const struct go_layout *l = go_layout__find(26);

	moves(l->g_goid, 99);
	moves(l->g_atomicstatus, GO_STATUS_RUNNING);
	moves(l->g_waiting, WAITS_BASE + 64);
	moves(l->g_trackingSeq, 0);
}

Test(wait_objects_hostile, nothing_to_wait_on)
{
	const char *const words[] = {
		"sleep",	  "IO wait",  "chan receive (nil chan)", "select (no cases)",
		"finalizer wait", "coroutine"};
	struct waits *waits = waits_new(26);
	struct wait_objects objects;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		cr_assert_eq(wait_reader__read(waits->reader, wait_class__of(words[i]), words[i],
					       waits->members, 0, &objects),
			     -EOPNOTSUPP);
	objects = look(waits, "chan receive");
	cr_assert_eq(objects.looked_at + objects.distinct + objects.shared_by, 0);
	cr_assert_eq(objects.n_top, 0);
	waits_free(waits);
}

Test(wait_objects_hostile, layout_without_a_field)
{
	struct waits *waits = waits_new(26);
	struct go_layout layout = *waits->layout;
	struct wait_objects objects;

	layout.g_waiting = GO_LAYOUT_ABSENT;
	waits->runtime.layout = &layout;
	waits_reader(waits);
	cr_assert_eq(wait_reader__read(waits->reader, WAIT_SELECT, "select", waits->members, 0,
				       &objects),
		     -EOPNOTSUPP);
	layout = *waits->layout;
	layout.sudog_c = layout.sudog_sizeof;
	waits_reader(waits);
	cr_assert_eq(wait_reader__read(waits->reader, WAIT_SELECT, "select", waits->members, 0,
				       &objects),
		     -EOPNOTSUPP);
	waits_free(waits);
}
