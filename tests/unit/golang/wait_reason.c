// SPDX-License-Identifier: Apache-2.0
#include "golang/layout.h"
#include "golang/wait_reason.h"

#include <criterion/criterion.h>

/* A text of a new Go version must be given a class on purpose; no class is the default. */
Test(wait_reason, every_text_of_every_version_has_a_class)
{
	for (int minor = go_layout__oldest()->minor; minor <= go_layout__newest()->minor; minor++) {
		const struct go_layout *layout = go_layout__find(minor);

		cr_assert_gt(layout->n_wait_reasons, 20);
		cr_assert_str_empty(layout->wait_reasons[0]);
		for (size_t i = 1; i < layout->n_wait_reasons; i++) {
			cr_assert_neq(wait_class__of(layout->wait_reasons[i]), WAIT_NONE,
				      "Go 1.%d: %s", minor, layout->wait_reasons[i]);
		}
	}
}

Test(wait_reason, blocking_for_ever_is_told_from_blocking)
{
	cr_assert_eq(wait_class__of("chan receive"), WAIT_CHAN_RECEIVE);
	cr_assert_eq(wait_class__of("chan send"), WAIT_CHAN_SEND);
	cr_assert_eq(wait_class__of("chan receive (nil chan)"), WAIT_NIL_CHAN);
	cr_assert_eq(wait_class__of("chan send (nil chan)"), WAIT_NIL_CHAN);
	cr_assert_eq(wait_class__of("select"), WAIT_SELECT);
	cr_assert_eq(wait_class__of("select (no cases)"), WAIT_SELECT_NONE);
}

Test(wait_reason, synchronisation)
{
	cr_assert_eq(wait_class__of("sync.Mutex.Lock"), WAIT_LOCK);
	cr_assert_eq(wait_class__of("sync.RWMutex.Lock"), WAIT_LOCK);
	cr_assert_eq(wait_class__of("sync.RWMutex.RLock"), WAIT_LOCK);
	cr_assert_eq(wait_class__of("semacquire"), WAIT_SEMAPHORE);
	cr_assert_eq(wait_class__of("sync.WaitGroup.Wait"), WAIT_WAIT_GROUP);
	cr_assert_eq(wait_class__of("sync.Cond.Wait"), WAIT_COND);
	cr_assert_eq(wait_class__of("IO wait"), WAIT_IO);
	cr_assert_eq(wait_class__of("sleep"), WAIT_SLEEP);
	cr_assert_eq(wait_class__of("coroutine"), WAIT_COROUTINE);
	cr_assert_eq(wait_class__of("GC worker (idle)"), WAIT_RUNTIME);
}

Test(wait_reason, bubbles_wait_like_the_rest)
{
	cr_assert_eq(wait_class__of("chan receive (synctest)"), WAIT_CHAN_RECEIVE);
	cr_assert_eq(wait_class__of("chan send (durable)"), WAIT_CHAN_SEND);
	cr_assert_eq(wait_class__of("select (durable)"), WAIT_SELECT);
	cr_assert_eq(wait_class__of("sync.WaitGroup.Wait (durable)"), WAIT_WAIT_GROUP);
}

Test(wait_reason, unknown_words_have_no_class)
{
	cr_assert_eq(wait_class__of(""), WAIT_NONE);
	cr_assert_eq(wait_class__of("unknown"), WAIT_NONE);
	cr_assert_eq(wait_class__of("chan"), WAIT_NONE);
	cr_assert_eq(wait_class__of("chan receive (soon)"), WAIT_NONE);
	cr_assert_eq(wait_class__of(" (durable)"), WAIT_NONE);
}

Test(wait_reason, durable_without_saying_so)
{
	cr_expect(wait_reason__is_durable("sleep"));
	cr_expect(wait_reason__is_durable("select (no cases)"));
	cr_expect(wait_reason__is_durable("sync.Cond.Wait"));
	cr_expect_not(wait_reason__is_durable("chan receive"));
	cr_expect_not(wait_reason__is_durable("chan receive (durable)"));
	cr_expect_not(wait_reason__is_durable("IO wait"));
	cr_expect_not(wait_reason__is_durable(""));
}

Test(wait_reason, what_a_class_means)
{
	for (enum wait_class class = WAIT_NONE; class < WAIT_CLASSES; class ++) {
		const struct wait_class_facts *facts = wait_class__facts(class);

		cr_expect_not(facts->can_leak && facts->by_nature, "%d", class);
		cr_expect(facts->can_leak || !facts->for_ever, "%d", class);
		cr_expect(facts->can_leak || facts->on == WAIT_ON_NOTHING, "%d", class);
		cr_expect_not(facts->for_ever && facts->on != WAIT_ON_NOTHING, "%d", class);
	}
	cr_expect(wait_class__facts(WAIT_NIL_CHAN)->for_ever);
	cr_expect(wait_class__facts(WAIT_SLEEP)->may_serve_connection);
	cr_expect_eq(wait_class__facts(WAIT_LOCK)->on, WAIT_ON_SEMAPHORE);
	cr_expect_eq(wait_class__facts(WAIT_CLASSES), wait_class__facts(WAIT_NONE));
}

Test(wait_reason, in_a_bubble)
{
	cr_expect(wait_reason__in_bubble("chan receive (durable)"));
	cr_expect(wait_reason__in_bubble("select (synctest)"));
	cr_expect_not(wait_reason__in_bubble("chan receive"));
	cr_expect_not(wait_reason__in_bubble("chan receive (nil chan)"));
	cr_expect_not(wait_reason__in_bubble(" (durable)"), "nothing before it");
	cr_expect_not(wait_reason__in_bubble(""));
}
