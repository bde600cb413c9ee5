// SPDX-License-Identifier: Apache-2.0
#include "output/html/page.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "output/html/keeper.h"
#include "occurrences.h"
#include "sample.h"
#include "sample_resources.h"

#define BAD "</script><script>alert(1)</script><!--<b>&\"'"

static char *page_of(const struct report *report, const struct timeline *timeline)
{
	struct sample_stream stream;
	char *text;

	sample__open(&stream);
	cr_assert_eq(html__write(stream.file, report, timeline), 0);
	cr_assert_eq(fflush(stream.file), 0);
	text = strdup(stream.bytes);
	sample__close(&stream);
	return text;
}

#define DATA_BEGIN "<script type=\"application/json\" id=\"data\">"

/* What a browser would hand to the page's script. */
static json_t *data_of(const char *page)
{
	const char *begin = strstr(page, DATA_BEGIN), *end;
	json_error_t error;
	json_t *data;
	char *text;

	cr_assert_not_null(begin);
	begin += strlen(DATA_BEGIN);
	end = strchr(begin, '<');
	cr_assert(end && !strncmp(end, "</script>", 9), "%.80s", end);
	text = strndup(begin, (size_t)(end - begin));
	data = json_loads(text, 0, &error);
	cr_assert_not_null(data, "%s", error.text);
	free(text);
	return data;
}

static json_t *first(json_t *object, const char *name)
{
	json_t *array = json_object_get(object, name);

	cr_assert(json_array_size(array) > 0, "%s", name);
	return json_array_get(array, 0);
}

Test(html, a_page_that_needs_nothing_else)
{
	struct sample sample;
	char *page;

	sample__leaks(&sample);
	page = page_of(&sample.report, NULL);
	cr_expect_eq(strncmp(page, "<!doctype html>\n", 16), 0);
	cr_expect_not_null(strstr(page, "<title>demo-service - gleakd</title>"));
	cr_expect_not_null(strstr(page, "Content-Security-Policy"));
	cr_expect_not_null(strstr(page, "default-src 'none'"));
	cr_expect_eq(occurrences(page, "</script>"), 2);
	cr_expect_eq(occurrences(page, "</style>"), 1);
	cr_expect_null(strstr(page, "src=\""));
	cr_expect_null(strstr(page, "url("));
	cr_expect_null(strstr(page, "@import"));
	cr_expect_null(strstr(page, "innerHTML"));
	free(page);
}

Test(html, its_data_is_the_report)
{
	struct sample sample;
	json_t *data, *target;
	char *page;

	sample__leaks(&sample);
	page = page_of(&sample.report, NULL);
	data = data_of(page);
	target = first(json_object_get(data, "report"), "targets");
	cr_expect_eq(json_integer_value(json_object_get(target, "pid")), 4242);
	cr_expect_eq(json_array_size(json_object_get(target, "sites")), sample.target.n_sites);
	cr_expect(json_is_null(json_object_get(data, "timeline")));
	json_decref(data);
	free(page);
}

static const char *nonce_of(const char *page)
{
	const char *nonce = strstr(page, "<style nonce=\"");

	cr_assert_not_null(nonce);
	return nonce + strlen("<style nonce=\"");
}

Test(html, its_own_script_alone_may_run)
{
	struct sample sample;
	char *one, *other;

	sample__healthy(&sample);
	one = page_of(&sample.report, NULL);
	other = page_of(&sample.report, NULL);
	cr_expect_neq(strncmp(nonce_of(one), nonce_of(other), 32), 0, "the same for two pages");
	cr_expect_eq(strcspn(nonce_of(one), "\""), 32);
	free(one);
	free(other);
}

Test(html, names_cannot_end_what_they_are_in)
{
	struct report_frame frame = {.function = BAD, .file = BAD, .line = 1};
	struct sample sample;
	json_t *data, *target;
	char *page;

	sample__leaks(&sample);
	sample.target.comm = BAD;
	sample.target.exe = BAD;
	sample.sites[0].blocked_at = frame;
	sample.sites[0].wait_reason = BAD;
	page = page_of(&sample.report, NULL);
	cr_expect_eq(occurrences(page, "</script"), 2, "%zu", occurrences(page, "</script"));
	cr_expect_eq(occurrences(page, "<script"), 2);
	cr_expect_null(strstr(page, "<!--"));
	cr_expect_null(strstr(page, "<b>"));
	data = data_of(page);
	target = first(json_object_get(data, "report"), "targets");
	cr_expect_str_eq(json_string_value(json_object_get(target, "comm")), BAD);
	json_decref(data);
	free(page);
}

Test(html, any_report_is_a_page)
{
	for (unsigned int seed = 1; seed < 60; seed++) {
		struct sample sample;
		char *page;

		sample__random(&sample, seed);
		page = page_of(&sample.report, NULL);
		json_decref(data_of(page));
		cr_expect_eq(occurrences(page, "</script"), 2);
		sample__random_free(&sample);
		free(page);
	}
	{
		struct report nothing = {.realtime_ns = SAMPLE_TIME_NS};
		char *page = page_of(&nothing, NULL);

		json_decref(data_of(page));
		free(page);
	}
}

/* --- what a watch keeps --------------------------------------------------------------------------- */

static struct timeline const *watch(struct html_keeper *keeper, struct sample *sample,
				    uint64_t rounds)
{
	const struct timeline *timeline;

	for (uint64_t i = 0; i < rounds; i++) {
		sample->sites[0].view.goroutines = 100 + i;
		sample->report.realtime_ns = SAMPLE_TIME_NS + i * NSEC_PER_SEC;
		sample->target.counters_known = i != 1;
		sample->target.counters.gc_cycles = (uint32_t)(5 + i / 2);
		sample->target.counters.heap_bytes = 1000 * (i + 1);
		cr_assert_eq(html_keeper__add(keeper, &sample->report, (1000 + i) * NSEC_PER_SEC),
			     0);
	}
	cr_assert_eq(html_keeper__timeline(keeper, &sample->report, &timeline), 0);
	return timeline;
}

static const struct timeline_site *site_of(const struct timeline *timeline, const char *id)
{
	const struct timeline_target *target = &timeline->targets[0];

	for (size_t i = 0; i < target->n_sites; i++) {
		if (!strcmp(target->sites[i].id, id))
			return &target->sites[i];
	}
	cr_assert(false, "no site %s", id);
	return NULL;
}

Test(html_keeper, each_look_of_a_short_watch)
{
	struct html_keeper *keeper;
	const struct timeline *timeline;
	const struct timeline_site *site;
	const struct timeline_target *target;
	struct sample sample;

	sample__leaks(&sample);
	cr_assert_eq(html_keeper__new(&keeper), 0);
	timeline = watch(keeper, &sample, 7);
	target = &timeline->targets[0];
	cr_assert_eq(timeline->n_targets, 1);
	cr_expect_eq(timeline->begin_ns, 1000 * NSEC_PER_SEC);
	cr_expect_eq(timeline->end_ns, 1006 * NSEC_PER_SEC);
	cr_expect_eq(timeline__realtime_ns(timeline, timeline->begin_ns), SAMPLE_TIME_NS);
	cr_expect_eq(target->target, sample.report.targets);
	site = site_of(timeline, sample.sites[0].id);
	cr_assert_eq(site->n_points, 7);
	for (uint64_t i = 0; i < 7; i++) {
		cr_expect_eq(site->points[i].goroutines, 100 + i);
		cr_expect_eq(site->points[i].time_ns, (1000 + i) * NSEC_PER_SEC);
	}
	/* One look could not read it. */
	cr_assert_eq(target->n_memory, 6);
	cr_expect_eq(target->memory[1].heap, 3000);
	cr_assert_eq(target->n_gcs, 3);
	cr_expect_eq(target->gcs[0].first, 6);
	cr_expect_eq(target->gcs[0].last, 6);
	html_keeper__free(keeper);
}

Test(html_keeper, a_long_watch_takes_no_more_room)
{
	struct html_keeper *keeper;
	const struct timeline *timeline;
	const struct timeline_site *site;
	struct sample sample;

	sample__leaks(&sample);
	cr_assert_eq(html_keeper__new(&keeper), 0);
	timeline = watch(keeper, &sample, 10007);
	site = site_of(timeline, sample.sites[0].id);
	cr_assert(site->n_points <= HTML_KEEPER_MOMENTS &&
		  site->n_points > HTML_KEEPER_MOMENTS / 4);
	cr_expect_eq(site->points[0].goroutines, 100);
	cr_expect_eq(site->points[site->n_points - 1].goroutines, 100 + 10006, "the last is there");
	for (size_t i = 0; i < site->n_points; i++)
		cr_expect_eq(site->points[i].time_ns,
			     (900 + site->points[i].goroutines) * NSEC_PER_SEC, "at %zu", i);
	html_keeper__free(keeper);
}

Test(html_keeper, places_that_come_and_go)
{
	struct html_keeper *keeper;
	const struct timeline *timeline;
	const struct timeline_site *site;
	struct sample sample;
	char id[9];

	sample__leaks(&sample);
	memcpy(id, sample.sites[1].id, sizeof(id));
	cr_assert_eq(html_keeper__new(&keeper), 0);
	cr_assert_eq(html_keeper__add(keeper, &sample.report, NSEC_PER_SEC), 0);
	sample__remove_site(&sample, 1);
	cr_assert_eq(html_keeper__add(keeper, &sample.report, 2 * NSEC_PER_SEC), 0);
	cr_assert_eq(html_keeper__timeline(keeper, &sample.report, &timeline), 0);
	site = site_of(timeline, id);
	cr_assert_eq(site->n_points, 2);
	cr_expect_eq(site->points[0].goroutines, 88);
	cr_expect_eq(site->points[1].goroutines, 0);
	html_keeper__free(keeper);
}

Test(html_keeper, when_a_verdict_changes)
{
	struct html_keeper *keeper;
	const struct timeline *timeline;
	const struct timeline_site *site;
	struct sample sample;

	sample__leaks(&sample);
	cr_assert_eq(html_keeper__new(&keeper), 0);
	sample.sites[0].view.verdict = VERDICT_IDLE;
	cr_assert_eq(html_keeper__add(keeper, &sample.report, NSEC_PER_SEC), 0);
	sample.sites[0].view.verdict = VERDICT_GROWING;
	cr_assert_eq(html_keeper__add(keeper, &sample.report, 2 * NSEC_PER_SEC), 0);
	sample.sites[0].view.verdict = VERDICT_LEAKING;
	cr_assert_eq(html_keeper__add(keeper, &sample.report, 3 * NSEC_PER_SEC), 0);
	cr_assert_eq(html_keeper__add(keeper, &sample.report, 4 * NSEC_PER_SEC), 0);
	cr_assert_eq(html_keeper__timeline(keeper, &sample.report, &timeline), 0);
	site = site_of(timeline, sample.sites[0].id);
	cr_assert_eq(site->n_verdicts, 2, "that it is idle is no news");
	cr_expect_eq(site->verdicts[0].verdict, VERDICT_GROWING);
	cr_expect_eq(site->verdicts[0].time_ns, 2 * NSEC_PER_SEC);
	cr_expect_eq(site->verdicts[1].verdict, VERDICT_LEAKING);
	cr_expect_eq(site->verdicts[1].time_ns, 3 * NSEC_PER_SEC);
	cr_expect(*site->verdicts[1].why);
	for (uint64_t i = 5; i < 200; i++) {
		sample.sites[0].view.verdict = i % 2 ? VERDICT_STUCK : VERDICT_LEAKING;
		cr_assert_eq(html_keeper__add(keeper, &sample.report, i * NSEC_PER_SEC), 0);
	}
	cr_assert_eq(html_keeper__timeline(keeper, &sample.report, &timeline), 0);
	site = site_of(timeline, sample.sites[0].id);
	cr_expect_eq(site->n_verdicts, HTML_KEEPER_VERDICTS);
	html_keeper__free(keeper);
}

Test(html_keeper, what_is_open)
{
	struct html_keeper *keeper;
	const struct timeline *timeline;
	const struct timeline_target *target;
	uint64_t files = 0;
	struct sample sample;

	sample__leaks(&sample);
	sample.target.resources = sample_resources();
	cr_assert_eq(html_keeper__new(&keeper), 0);
	cr_assert_eq(html_keeper__add(keeper, &sample.report, NSEC_PER_SEC), 0);
	cr_assert_eq(html_keeper__add(keeper, &sample.report, 2 * NSEC_PER_SEC), 0);
	cr_assert_eq(html_keeper__timeline(keeper, &sample.report, &timeline), 0);
	target = &timeline->targets[0];
	cr_assert_eq(target->n_resources, sample.target.resources->n);
	for (size_t i = 0; i < target->n_resources; i++) {
		cr_assert_eq(target->resources[i].n_points, 2);
		if (target->resources[i].kind == RESOURCE_FILE &&
		    !strcmp(target->resources[i].held_by, "main.logs[...]"))
			files = target->resources[i].points[1].outstanding;
	}
	cr_expect_eq(files, 61);
	html_keeper__free(keeper);
}

Test(html_keeper, its_timeline_in_a_page)
{
	struct html_keeper *keeper;
	struct sample sample;
	json_t *data, *target;
	char *page;

	sample__leaks(&sample);
	sample.target.resources = sample_resources();
	cr_assert_eq(html_keeper__new(&keeper), 0);
	page = page_of(&sample.report, watch(keeper, &sample, 7));
	data = data_of(page);
	target = first(json_object_get(data, "timeline"), "targets");
	cr_expect_eq(json_integer_value(json_object_get(target, "target")), 0);
	cr_expect_eq(json_array_size(json_object_get(first(target, "sites"), "t")), 7);
	cr_expect_eq(json_array_size(json_object_get(json_object_get(target, "memory"), "heap")),
		     6);
	cr_expect_eq(json_array_size(json_object_get(json_object_get(target, "memory"), "goal")),
		     6);
	cr_expect_str_eq(json_string_value(json_object_get(
				 first(first(target, "sites"), "verdicts"), "verdict")),
			 "leaking");
	cr_expect_eq(json_array_size(json_object_get(first(target, "resources"), "n")), 7);
	cr_expect_eq(json_array_size(json_object_get(json_object_get(target, "parks"), "goid")), 0);
	json_decref(data);
	free(page);
	html_keeper__free(keeper);
}
