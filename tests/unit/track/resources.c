// SPDX-License-Identifier: Apache-2.0
#include "track/resources.h"

#include <criterion/criterion.h>

#define MAX   2048
#define STEP  (10 * NSEC_PER_SEC)
#define PLACE 7

static struct resource_tracker *tracker;
static struct heap_resource all[MAX];
static size_t n;
static uint64_t now, next_object;

static void setup(void)
{
	cr_assert_eq(resource_tracker__new(&tracker), 0);
	n = 0;
	now = 1000 * NSEC_PER_SEC;
	next_object = 0xc000000000;
}

static void teardown(void)
{
	resource_tracker__free(tracker);
}

static void opened(enum resource_kind kind, uint16_t node, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		next_object += 64;
		all[n++] = (struct heap_resource){
			.kind = kind,
			.node = node,
			.held = true,
			.object = next_object,
			.id = next_object,
		};
	}
}

/* The @count oldest. */
static void closed(size_t count)
{
	for (size_t i = count; i < n; i++)
		all[i - count] = all[i];
	n -= count;
}

static void look(void)
{
	cr_assert_eq(resource_tracker__take(tracker, all, n, now), 0);
	now += STEP;
}

static const struct resource_place *place_at(enum resource_kind kind, uint16_t node)
{
	size_t n_places;
	const struct resource_place *places = resource_tracker__places(tracker, &n_places);

	for (size_t i = 0; i < n_places; i++) {
		if (places[i].kind == kind && places[i].nodes[0] == node)
			return &places[i];
	}
	cr_assert_fail("no such place");
	return NULL;
}

TestSuite(resources, .init = setup, .fini = teardown);

Test(resources, what_only_ever_comes_grows)
{
	opened(RESOURCE_FILE, PLACE, 13);
	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		look();
		opened(RESOURCE_FILE, PLACE, 11);
	}
	const struct resource_place *place = place_at(RESOURCE_FILE, PLACE);

	cr_assert_eq(place->verdict, RESOURCE_GROWING);
	cr_assert_eq(place->outstanding, 13 + 44);
	cr_assert_eq(place->opened, 44);
	cr_assert_eq(place->closed, 0);
	cr_assert_eq(place->first, 13);
	cr_assert_eq(place->oldest_ns, 4 * STEP);
	cr_assert_float_eq(place->per_minute, 66, 0.01);
}

Test(resources, fewer_looks_tell_nothing)
{
	for (int i = 0; i < RESOURCE_MIN_LOOKS - 1; i++) {
		opened(RESOURCE_FILE, PLACE, 11);
		look();
	}
	cr_assert_eq(place_at(RESOURCE_FILE, PLACE)->verdict, RESOURCE_NOT_JUDGED);
}

Test(resources, a_pool_that_is_turned_over_does_not_grow)
{
	opened(RESOURCE_SQL_CONN, PLACE, 17);
	for (int i = 0; i < 20; i++) {
		look();
		opened(RESOURCE_SQL_CONN, PLACE, 5);
		closed(5);
	}
	const struct resource_place *place = place_at(RESOURCE_SQL_CONN, PLACE);

	cr_assert_eq(place->verdict, RESOURCE_STEADY);
	cr_assert_eq(place->outstanding, 17);
	cr_assert_eq(place->opened, 95);
	cr_assert_eq(place->closed, 90);
	cr_assert_eq(place->per_minute, 0);
}

Test(resources, more_requests_at_each_look_are_a_load_that_rises)
{
	for (int i = 1; i < 12; i++) {
		closed(n);
		opened(RESOURCE_HTTP_BODY, PLACE, 10 * (size_t)i);
		look();
	}
	cr_assert_eq(place_at(RESOURCE_HTTP_BODY, PLACE)->verdict, RESOURCE_STEADY);
}

Test(resources, what_was_filled_at_the_beginning_does_not_grow)
{
	for (int i = 0; i < 4; i++) {
		opened(RESOURCE_NET_CONN, PLACE, 25);
		look();
	}
	for (int i = 0; i < 4; i++)
		look();
	cr_assert_eq(place_at(RESOURCE_NET_CONN, PLACE)->verdict, RESOURCE_STEADY);
}

Test(resources, what_one_look_has_missed_was_not_closed)
{
	for (int i = 0; i < 8; i++) {
		opened(RESOURCE_CONTEXT, PLACE, 11);
		/* The oldest. */
		size_t missed = i == 4 ? 30 : 0;

		cr_assert_eq(resource_tracker__take(tracker, all + missed, n - missed, now), 0);
		now += STEP;
	}
	const struct resource_place *place = place_at(RESOURCE_CONTEXT, PLACE);

	cr_assert_eq(place->verdict, RESOURCE_GROWING);
	cr_assert_eq(place->outstanding, 88);
	cr_assert_eq(place->closed, 0);
	cr_assert_eq(place->opened, 77);
}

Test(resources, a_burst_is_no_growth)
{
	opened(RESOURCE_FILE, PLACE, 3);
	for (int i = 0; i < 8; i++) {
		opened(RESOURCE_FILE, PLACE, i == 4 ? 101 : 1);
		look();
	}
	cr_assert_eq(place_at(RESOURCE_FILE, PLACE)->verdict, RESOURCE_STEADY);
}

Test(resources, an_address_with_another_descriptor_is_another_file)
{
	opened(RESOURCE_FILE, PLACE, 1);
	look();
	all[0].id = 99;
	look();
	look();
	const struct resource_place *place = place_at(RESOURCE_FILE, PLACE);

	cr_assert_eq(place->opened, 1);
	cr_assert_eq(place->closed, 1);
	cr_assert_eq(place->outstanding, 1);
}

Test(resources, what_is_found_elsewhere_was_neither_opened_nor_closed)
{
	opened(RESOURCE_CONTEXT, PLACE, 19);
	look();
	for (size_t i = 0; i < n; i++)
		all[i].node = PLACE + 1;
	look();
	cr_assert_eq(place_at(RESOURCE_CONTEXT, PLACE + 1)->outstanding, 19);
	cr_assert_eq(place_at(RESOURCE_CONTEXT, PLACE + 1)->opened, 0);
	cr_assert_eq(place_at(RESOURCE_CONTEXT, PLACE + 1)->oldest_ns, STEP);
}

/* At @node from now on, as another look finds them by another way. */
static void found_at(uint16_t node)
{
	for (size_t i = 0; i < n; i++)
		all[i].node = node;
}

Test(resources, what_moves_there_and_back_is_at_one_place)
{
	for (int i = 0; i < 8; i++) {
		opened(RESOURCE_CONTEXT, PLACE, 11);
		found_at(i % 3 == 1 ? PLACE + 1 : PLACE);
		look();
	}
	size_t n_places;
	const struct resource_place *places = resource_tracker__places(tracker, &n_places);

	cr_assert_eq(n_places, 1);
	cr_assert_eq(places[0].verdict, RESOURCE_GROWING);
	cr_assert_eq(places[0].outstanding, 88);
	cr_assert_eq(places[0].opened, 77);
	cr_assert_eq(places[0].n_nodes, 2);
	cr_assert_eq(places[0].nodes[1], PLACE + 1);
}

Test(resources, what_goes_one_way_only_is_at_two)
{
	size_t n_places;

	opened(RESOURCE_NET_CONN, PLACE, 13);
	look();
	found_at(PLACE + 1);
	look();
	opened(RESOURCE_NET_CONN, PLACE, 17);
	look();
	resource_tracker__places(tracker, &n_places);
	cr_assert_eq(n_places, 2);
	cr_assert_eq(place_at(RESOURCE_NET_CONN, PLACE)->outstanding, 17);
	cr_assert_eq(place_at(RESOURCE_NET_CONN, PLACE + 1)->outstanding, 13);
}

Test(resources, what_is_seen_twice_counts_once)
{
	opened(RESOURCE_TIMER, PLACE, 1);
	all[n++] = all[0];
	look();
	cr_assert_eq(place_at(RESOURCE_TIMER, PLACE)->outstanding, 1);
}

Test(resources, a_long_watch_keeps_as_many_looks_as_there_is_room_for)
{
	opened(RESOURCE_FILE, PLACE, 2);
	for (int i = 0; i < 3 * RESOURCE_MAX_LOOKS; i++) {
		opened(RESOURCE_FILE, PLACE, 3);
		look();
	}
	const struct resource_place *place = place_at(RESOURCE_FILE, PLACE);

	cr_assert_eq(resource_tracker__looks(tracker), 3 * RESOURCE_MAX_LOOKS);
	cr_assert_eq(place->verdict, RESOURCE_GROWING);
	cr_assert_eq(place->first, 5);
	cr_assert_eq(place->outstanding, 2 + 9 * RESOURCE_MAX_LOOKS);
}

static void opened_by(uint32_t opener, size_t count)
{
	size_t from = n;

	opened(RESOURCE_FILE, PLACE, count);
	for (size_t i = from; i < n; i++)
		all[i].opener = opener;
}

static void armed(size_t count, uint64_t left_ns)
{
	opened(RESOURCE_TIMER, PLACE, count);
	for (size_t i = n - count; i < n; i++)
		all[i].left_ns = left_ns;
}

Test(resources, timers_that_have_not_had_the_time_to_fire_are_no_leak)
{
	const uint64_t due = 60 * NSEC_PER_SEC;

	for (int i = 0; i < 9; i++) {
		armed(11, due);
		look();
		cr_expect_eq(place_at(RESOURCE_TIMER, PLACE)->verdict,
			     i < RESOURCE_MIN_LOOKS - 1 ? RESOURCE_NOT_JUDGED : RESOURCE_STEADY);
		cr_expect_eq(place_at(RESOURCE_TIMER, PLACE)->left_ns, due);
	}
	cr_expect(place_at(RESOURCE_TIMER, PLACE)->too_soon);
	/* They are armed anew, each time they would be due. */
	armed(11, due);
	look();
	cr_expect_eq(place_at(RESOURCE_TIMER, PLACE)->verdict, RESOURCE_GROWING);
	cr_expect_not(place_at(RESOURCE_TIMER, PLACE)->too_soon);
}

Test(resources, timers_that_fire_go_as_they_come)
{
	for (int i = 0; i < 30; i++) {
		armed(11, 60 * NSEC_PER_SEC);
		look();
		if (i >= 6)
			closed(11);
		cr_expect_neq(place_at(RESOURCE_TIMER, PLACE)->verdict, RESOURCE_GROWING);
	}
}

Test(resources, timers_that_are_due_late_grow)
{
	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		armed(11, RESOURCE_SHORT_TIMER_NS);
		look();
	}
	cr_expect_eq(place_at(RESOURCE_TIMER, PLACE)->verdict, RESOURCE_GROWING);
}

Test(resources, openers_are_told_apart_and_the_first_looks_are_nobodys)
{
	opened_by(0, 5);
	look();
	opened_by(7, 3);
	opened_by(9, 11);
	look();
	/* Who opened something is known once and for all. */
	for (size_t i = 0; i < n; i++)
		all[i].opener = 0;
	closed(6);
	look();
	look();
	const struct resource_place *place = place_at(RESOURCE_FILE, PLACE);

	cr_assert_eq(place->n_openers, 2);
	cr_expect_eq(place->openers[0].number, 9);
	cr_expect_eq(place->openers[0].outstanding, 11);
	cr_expect_eq(place->openers[0].opened, 11);
	cr_expect_eq(place->openers[0].closed, 0);
	cr_expect_eq(place->openers[1].number, 7);
	cr_expect_eq(place->openers[1].outstanding, 2);
	cr_expect_eq(place->openers[1].opened, 3);
	cr_expect_eq(place->openers[1].closed, 1);
}

Test(resources, more_openers_than_fit_are_one)
{
	look();
	for (uint32_t i = 1; i <= RESOURCE_OPENERS + 3; i++)
		opened_by(i, i);
	look();
	const struct resource_place *place = place_at(RESOURCE_FILE, PLACE);
	uint64_t sum = 0;

	cr_assert_eq(place->n_openers, RESOURCE_OPENERS);
	for (size_t i = 0; i < place->n_openers; i++)
		sum += place->openers[i].outstanding;
	cr_assert_eq(sum, place->outstanding);
	cr_assert_eq(place->openers[0].number, 0, "the others are most");
}

Test(resources, openers_are_wanted_until_they_are_known)
{
	opened_by(0, 5);
	look();
	opened_by(0, 2);
	look();
	look();
	cr_expect_not(resource_tracker__wants_openers(tracker), "two more are nothing");
	opened_by(0, 40);
	look();
	cr_expect_not(resource_tracker__wants_openers(tracker), "they may go again");
	opened_by(3, RESOURCE_KNOWN_OPENERS - 1);
	look();
	cr_expect(resource_tracker__wants_openers(tracker));
	opened_by(4, 1);
	look();
	cr_expect_not(resource_tracker__wants_openers(tracker));
}

Test(resources, who_opens_what_is_closed_again_is_not_wanted)
{
	opened_by(0, 5);
	for (int i = 0; i < 4; i++) {
		look();
		closed(5);
		opened_by(0, 7);
		cr_expect_not(resource_tracker__wants_openers(tracker));
		closed(2);
	}
}

Test(resources, what_grows_comes_first)
{
	size_t n_places;

	opened(RESOURCE_NET_CONN, PLACE, 500);
	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		look();
		opened(RESOURCE_FILE, PLACE + 1, 7);
	}
	cr_assert_eq(resource_tracker__places(tracker, &n_places)->kind, RESOURCE_FILE);
	cr_assert_eq(n_places, 2);
}

/* Of clients that are connected: one more connection each. */
static void came(size_t count)
{
	size_t from = n;

	opened(RESOURCE_NET_CONN, PLACE + 1, count);
	for (size_t i = from; i < n; i++)
		all[i].served = true;
}

Test(resources, clients_that_stay_are_no_leak)
{
	came(13);
	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		look();
		came(11);
		opened(RESOURCE_CONTEXT, PLACE, 11 * RESOURCE_PER_CLIENT);
		opened(RESOURCE_DEFER, PLACE, 11);
		cr_expect_not(resource_tracker__wants_openers(tracker) && !i);
	}
	cr_expect_eq(place_at(RESOURCE_NET_CONN, PLACE + 1)->verdict, RESOURCE_STEADY);
	cr_expect_eq(place_at(RESOURCE_NET_CONN, PLACE + 1)->served, 13 + 4 * 11);
	cr_expect_eq(place_at(RESOURCE_CONTEXT, PLACE)->verdict, RESOURCE_STEADY);
	cr_expect_eq(place_at(RESOURCE_CONTEXT, PLACE)->clients, 4 * 11);
	cr_expect_eq(place_at(RESOURCE_DEFER, PLACE)->verdict, RESOURCE_GROWING, "by one call");
}

Test(resources, more_than_clients_have_is_a_leak)
{
	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		came(11);
		opened(RESOURCE_CONTEXT, PLACE, 11 * RESOURCE_PER_CLIENT + 1);
		look();
	}
	cr_expect_eq(place_at(RESOURCE_CONTEXT, PLACE)->verdict, RESOURCE_GROWING);
}

/* What holds them is copied while a look is made, which finds none of them. */
Test(resources, a_look_that_passes_by_all_is_none)
{
	size_t had;

	opened(RESOURCE_FILE, PLACE, 13);
	for (int i = 0; i < 2 * RESOURCE_MIN_LOOKS; i++) {
		look();
		opened(RESOURCE_FILE, PLACE, 11);
		if (i != 4)
			continue;
		had = n;
		n = 0;
		look();
		n = had;
		cr_expect_eq(place_at(RESOURCE_FILE, PLACE)->verdict, RESOURCE_GROWING);
		opened(RESOURCE_FILE, PLACE, 11);
	}
	cr_expect_eq(place_at(RESOURCE_FILE, PLACE)->verdict, RESOURCE_GROWING);
	cr_expect_eq(place_at(RESOURCE_FILE, PLACE)->closed, 0);
}

Test(resources, requests_are_not_shown)
{
	size_t n_places;

	opened(RESOURCE_REQUEST, PLACE, 3);
	look();
	resource_tracker__places(tracker, &n_places);
	cr_expect_eq(n_places, 0);
}

/* Their clients have gone (CLOSE_WAIT), and they stay. */
Test(resources, connections_without_a_client_leak)
{
	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		came(11);
		for (size_t k = 0; k < n - 11; k++)
			all[k].served = false;
		look();
	}
	cr_expect_eq(place_at(RESOURCE_NET_CONN, PLACE + 1)->verdict, RESOURCE_GROWING);
}

Test(resources, an_opener_has_its_part_of_the_growth)
{
	const struct resource_place *place;

	opened(RESOURCE_FILE, PLACE, 5);
	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		look();
		opened_by(3, 9);
		opened_by(4, 3);
	}
	place = place_at(RESOURCE_FILE, PLACE);
	cr_assert_eq(place->n_openers, 2);
	cr_expect_eq(place->openers[0].number, 3);
	cr_expect_float_eq(place->openers[0].per_minute, place->per_minute * 9 / 12, 1e-6);
	cr_expect_eq(place->openers[0].verdict, RESOURCE_GROWING);
	cr_expect_eq(place->openers[0].oldest_ns, 3 * STEP);
}

/* Nobody watched but from the third look to the fourth: 9 came by one line, and 4 by others. */
Test(resources, growth_by_an_opener_is_measured_while_that_was_watched)
{
	const struct resource_place *place;

	for (int i = 0; i < RESOURCE_MIN_LOOKS; i++) {
		resource_tracker__set_watched(tracker, (i > 2 ? 2 : 1) * STEP);
		look();
		if (i == 2)
			opened_by(3, 9);
		opened(RESOURCE_FILE, PLACE, i == 2 ? 4 : 13);
	}
	place = place_at(RESOURCE_FILE, PLACE);
	cr_assert_eq(place->n_openers, 1);
	cr_expect_float_eq(place->openers[0].per_minute, 9 / (STEP / 60e9), 1e-6);
	cr_expect_float_eq(place->per_minute, 13 / (STEP / 60e9), 1e-6);
}

Test(resources, names_are_found_again)
{
	for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++)
		cr_assert_eq(resource_kind__find(resource_kind__name(kind)), kind);
	cr_assert_eq(resource_kind__find("no such kind"), RESOURCE_KINDS);
	cr_assert_eq(resource_verdict__find("growing"), RESOURCE_GROWING);
	cr_assert_eq(resource_verdict__find("steady"), RESOURCE_STEADY);
	cr_assert_eq(resource_verdict__find("reuse lost"), RESOURCE_REUSE_LOST);
	cr_assert_eq(resource_verdict__find(""), RESOURCE_NOT_JUDGED);
}
