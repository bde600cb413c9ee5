// SPDX-License-Identifier: Apache-2.0
/* What is read of a recording, and what of one that makes no sense. */
#include "record/reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "made_recording.h"

static struct recording *open_made(const char *sql)
{
	struct recording *recording;
	struct failure failure = {""};
	size_t size;
	void *bytes = made_recording__new(sql, &size);

	cr_assert(recording__is(bytes, size));
	cr_assert_eq(recording__open_bytes(bytes, size, &recording, &failure), 0, "%s",
		     failure.text);
	free(bytes);
	return recording;
}

static void expect_refused(const char *sql, int err, const char *says)
{
	struct recording *recording;
	struct failure failure = {""};
	size_t size;
	void *bytes = made_recording__new(sql, &size);

	cr_expect_eq(recording__open_bytes(bytes, size, &recording, &failure), err, "%s: %s", sql,
		     failure.text);
	cr_expect(strstr(failure.text, says), "%s", failure.text);
	free(bytes);
}

Test(recording, what_it_is_of)
{
	struct recording *recording = open_made(NULL);
	const struct timeline *timeline = recording__timeline(recording);
	const struct report *report = recording__report(recording);

	cr_expect_eq(timeline->begin_ns, MADE_BEGIN_NS);
	cr_expect_eq(timeline->end_ns, MADE_END_NS);
	cr_expect(timeline->complete);
	cr_expect_str_eq(timeline->host, "made");
	cr_assert_eq(timeline->n_clocks, 2);
	cr_expect_eq(timeline__realtime_ns(timeline, MADE_BEGIN_NS + 7),
		     1700000000 * NSEC_PER_SEC + 7);
	cr_assert_eq(timeline->n_targets, 1);
	cr_assert_eq(report->n_targets, 1);
	cr_expect_eq(timeline->targets[0].target, &report->targets[0]);
	cr_expect_eq(timeline->targets[0].pid, 4242);
	cr_expect_eq(timeline->targets[0].left_out, 19);
	recording__free(recording);
}

Test(recording, sites_and_their_series)
{
	struct recording *recording = open_made(NULL);
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];
	const struct timeline_site *site = &target->sites[1];

	cr_assert_eq(target->n_sites, 2);
	cr_expect_str_eq(target->sites[0].function, "main.serve");
	cr_expect_str_eq(site->id, "0000bbbb");
	cr_expect_str_eq(site->function, "main.stay");
	cr_expect_eq(site->site, &target->target->sites[0]);
	cr_expect_null(target->sites[0].site);
	cr_assert_eq(site->n_points, 2);
	cr_expect_eq(site->points[1].goroutines, 13);
	cr_assert_eq(site->n_verdicts, 2);
	cr_expect_eq(site->verdicts[1].verdict, VERDICT_LEAKING);
	cr_expect_str_eq(site->verdicts[1].why, "stays");
	cr_assert_eq(target->n_memory, 3);
	cr_expect(target->memory[0].counted && target->memory[0].marked);
	cr_expect_not(target->memory[2].counted || target->memory[2].marked);
	cr_expect_eq(target->memory[0].goal, 6000000);
	cr_expect_eq(target->memory[1].goal, 0, "not known");
	cr_expect(target->memory[1].timed && target->memory[1].pause_ns == 17000);
	cr_expect_not(target->memory[2].timed);
	cr_assert_eq(target->n_gcs, 1);
	cr_expect_eq(target->gcs[0].first, 6);
	cr_expect_eq(target->gcs[0].last, 8);
	cr_assert_eq(target->n_allocs, 1);
	cr_expect_str_eq(target->allocs[0].type, "main.session");
	cr_assert_eq(target->allocs[0].n_points, 2);
	cr_expect_eq(target->allocs[0].points[1].in_use_bytes, 8192);
	recording__free(recording);
}

Test(recording, what_is_open)
{
	struct recording *recording =
		open_made("INSERT INTO resource_points VALUES (1, 77, 1, 1, 1, NULL)");
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];

	cr_assert_eq(target->n_resources, 2, "of kinds that are known");
	cr_expect_eq(target->resources[0].kind, RESOURCE_FILE);
	cr_expect_str_eq(target->resources[0].held_by, "main.logs[…].file");
	cr_assert_eq(target->resources[0].n_points, 2);
	cr_expect_eq(target->resources[0].points[1].outstanding, 19);
	cr_expect_eq(target->resources[0].points[1].opened, 13);
	cr_expect_eq(target->resources[0].points[1].closed, 1);
	cr_expect_str_eq(target->resources[1].calls, "main.tick");
	cr_expect_eq(target->resources[1].n_points, 1);
	recording__free(recording);
}

Test(recording, who_allocates)
{
	struct recording *recording =
		open_made("INSERT INTO allocator_points VALUES (1, 77, 1, 1, NULL)");
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];

	cr_assert_eq(target->n_allocators, 2);
	cr_expect_str_eq(target->allocators[0].name, "tenant=red");
	cr_expect_str_eq(target->allocators[0].by, "label");
	cr_assert_eq(target->allocators[0].n_points, 2);
	cr_expect_eq(target->allocators[0].points[1].bytes, 1024);
	cr_expect_eq(target->allocators[1].goid, 17);
	cr_expect_str_eq(target->allocators[1].start_function, "main.fill");
	cr_expect_eq(target->allocators[1].n_points, 1);
	recording__free(recording);
}

Test(recording, what_does_not_get_on)
{
	struct recording *recording = open_made(NULL);
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];

	cr_assert_eq(target->n_scheduling, 3);
	cr_expect_eq(target->scheduling[1].over_10ms, 16);
	cr_expect_eq(target->scheduling[1].late, 3);
	cr_expect_eq(target->scheduling[1].longest_late_ns, 230 * NSEC_PER_MSEC);
	cr_expect_eq(target->scheduling[1].hogs, 1);
	cr_expect_eq(target->scheduling[1].stuck, 2);
	cr_expect_eq(target->scheduling[2].throttled_ns, 2 * NSEC_PER_SEC, "in all so far");
	cr_expect_eq(target->scheduling[2].run_delay_ns, 8000);
	cr_expect_eq(target->scheduling[2].stolen_ns, 7000);
	cr_expect_eq(target->scheduling[1].in_calls, 5);
	cr_expect_eq(target->scheduling[1].locked, 1);
	cr_assert_eq(target->n_calls, 2);
	cr_expect_str_eq(target->calls[0].call, "nanosleep()", "the longest first");
	cr_expect(target->calls[0].in_c);
	cr_expect_eq(target->calls[1].goid, 7);
	cr_expect_eq(target->calls[1].thread, 4711);
	cr_expect_eq(target->calls[1].end_ns - target->calls[1].begin_ns, 20 * NSEC_PER_SEC);
	recording__free(recording);
}

Test(recording, of_a_gleakd_that_recorded_less)
{
	struct recording *recording =
		open_made("ALTER TABLE memory DROP COLUMN gc_assist_ns;"
			  "ALTER TABLE memory DROP COLUMN released_bytes;"
			  "ALTER TABLE memory DROP COLUMN gc_pause_ns;"
			  "ALTER TABLE memory DROP COLUMN goal_bytes; DROP TABLE resource_points;"
			  "DROP TABLE allocators; DROP TABLE stuck_calls");
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];

	cr_assert_eq(target->n_memory, 3);
	cr_expect_eq(target->memory[0].live, 2000000);
	cr_expect_eq(target->memory[0].goal, 0);
	cr_expect_not(target->memory[0].timed);
	cr_expect_eq(target->n_resources, 0);
	cr_expect_eq(target->n_allocators, 0);
	cr_expect_eq(target->n_scheduling, 0);
	recording__free(recording);
}

Test(recording, of_a_gleakd_that_recorded_a_little_less)
{
	struct recording *recording =
		open_made("ALTER TABLE memory DROP COLUMN gc_assist_ns;"
			  "ALTER TABLE memory DROP COLUMN released_bytes;"
			  "ALTER TABLE scheduling DROP COLUMN stolen_ns;"
			  "ALTER TABLE scheduling DROP COLUMN threads_in_calls;"
			  "ALTER TABLE scheduling DROP COLUMN locked_goroutines");
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];

	cr_assert_eq(target->n_memory, 3);
	cr_expect(target->memory[0].timed);
	cr_expect_not(target->memory[0].assisted || target->memory[0].returned);
	cr_assert_eq(target->n_scheduling, 3);
	cr_expect_eq(target->scheduling[1].late, 3);
	cr_expect_eq(target->scheduling[1].in_calls, 0);
	recording__free(recording);
}

Test(recording, lives_and_parks)
{
	struct recording *recording = open_made(NULL);
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];
	uint64_t ended = 0;

	cr_expect_eq(target->all_lives, MADE_LIVES + MADE_ALIVE);
	cr_assert_eq(target->n_lives, MADE_LIVES + MADE_ALIVE);
	for (size_t i = 0; i < target->n_lives; i++) {
		const struct timeline_life *life = &target->lives[i];

		cr_assert(!i || target->lives[i - 1].begin_ns <= life->begin_ns);
		cr_assert_eq(life->site, life->ended ? 0 : 1);
		cr_assert(life->ended || life->end_ns == MADE_END_NS);
	}
	for (size_t i = 0; i < TRACKER_LIFETIMES; i++)
		ended += target->lifetimes[i];
	cr_expect_eq(ended, MADE_LIVES);
	cr_expect_eq(target->lifetimes[0], 10); /* up to 10 ms */
	cr_expect_eq(target->sites[1].alive, MADE_ALIVE);
	/* One that ended, and those that are parked still. */
	cr_assert_eq(target->n_parks, 1 + MADE_ALIVE);
	cr_expect(target->parks[0].ended);
	cr_expect_eq(target->parks[0].end_ns - target->parks[0].begin_ns, 5 * NSEC_PER_SEC);
	recording__free(recording);
}

Test(recording, of_many_lives_the_longest)
{
	struct recording *recording = open_made(
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20011)"
		" INSERT INTO goroutines SELECT 1, i + 5000, 3, 1000000000000, 1, i, NULL FROM n");
	const struct timeline_target *target = &recording__timeline(recording)->targets[0];

	cr_expect_eq(target->all_lives, MADE_LIVES + MADE_ALIVE + 20011);
	cr_assert_eq(target->n_lives, TIMELINE_MAX_LIVES);
	for (size_t i = 0; i < target->n_lives; i++)
		cr_assert(target->lives[i].end_ns - target->lives[i].begin_ns >
			  20011 + MADE_LIVES + MADE_ALIVE - TIMELINE_MAX_LIVES);
	recording__free(recording);
}

Test(recording, a_long_series_is_thinned_evenly_and_ends_where_it_ended)
{
	struct recording *recording = open_made(
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9973)"
		" INSERT INTO populations SELECT 1010000000000 + i, 1, i, 0, 0, 0 FROM n");
	const struct timeline_site *site = &recording__timeline(recording)->targets[0].sites[0];

	cr_assert_leq(site->n_points, TIMELINE_MAX_POINTS);
	cr_assert_geq(site->n_points, TIMELINE_MAX_POINTS / 2);
	cr_expect_eq(site->points[site->n_points - 1].goroutines, 9973);
	for (size_t i = 2; i + 1 < site->n_points; i++)
		cr_assert_eq(site->points[i].time_ns - site->points[i - 1].time_ns, 8);
	recording__free(recording);
}

Test(recording, what_makes_no_sense_is_left_out)
{
	struct recording *recording = open_made(
		"UPDATE goroutines SET place = 77777777 WHERE goid = 101;"
		"UPDATE goroutines SET begin_ns = -5 WHERE goid = 102;"
		"UPDATE goroutines SET begin_ns = 9000000000000000000 WHERE goid = 103;"
		"UPDATE goroutines SET lived_ns = 9000000000000000000 WHERE goid = 104;"
		"UPDATE goroutines SET lived_ns = 'x' WHERE goid = 105;"
		"INSERT INTO sites VALUES (900000000, 1, 'far', '', '', NULL, NULL, NULL);"
		"INSERT INTO sites VALUES (5, 7, 'nobodys', '', '', NULL, NULL, NULL);"
		"INSERT INTO populations VALUES (1, 99, 1, 1, 1, 1), (1, -1, 1, 1, 1, 1);"
		"INSERT INTO verdicts VALUES (1, 1, 'no verdict', 7, NULL, 'no json');"
		"INSERT INTO allocation_points VALUES (1, 4444, 1, 1, 1, 1);");
	const struct timeline *timeline = recording__timeline(recording);
	const struct timeline_target *target = &timeline->targets[0];

	cr_expect_eq(target->n_sites, 2);
	for (size_t i = 0; i < target->n_lives; i++) {
		cr_assert_leq(target->lives[i].begin_ns, target->lives[i].end_ns);
		cr_assert_leq(target->lives[i].end_ns, timeline->end_ns);
	}
	cr_expect_eq(target->sites[0].verdicts[0].confidence, 0);
	cr_expect_str_eq(target->sites[0].verdicts[0].why, "");
	recording__free(recording);
}

Test(recording, what_is_none_is_refused_in_words)
{
	struct recording *recording;
	struct failure failure = {""};

	expect_refused("PRAGMA user_version = 2", -EOPNOTSUPP, "newer");
	expect_refused("PRAGMA user_version = 0", -EOPNOTSUPP, "version 0");
	expect_refused("PRAGMA application_id = 5", -EPROTO, "no recording");
	expect_refused("DELETE FROM report", -ENODATA, "nothing was recorded yet");
	expect_refused("UPDATE report SET json = '{'", -EPROTO, "no JSON");
	expect_refused("DROP TABLE goroutines", -EIO, "no such table");
	/* A table that is none would run what its maker wants. */
	expect_refused(
		"DROP TABLE goroutines; CREATE VIEW goroutines AS SELECT 1 AS target, 2 AS goid,"
		" 3 AS place, 4 AS begin_ns, 5 AS created, 6 AS lived_ns, 7 AS parked_since_ns",
		-EIO, "prohibited");
	cr_expect_eq(
		recording__open_bytes("no database at all, by its bytes", 32, &recording, &failure),
		-EPROTO, "%s", failure.text);
	cr_expect_eq(recording__open("/nonexistent/file", &recording, &failure), -ENOENT);
}
