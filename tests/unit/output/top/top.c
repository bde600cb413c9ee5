// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "output/top/top.h"
#include "sample.h"
#include "sample_resources.h"

/* A host with processes, the last of which is none of those that are shown at first. */
struct host {
	struct sample samples[4];
	struct report_target targets[4];
	struct report_alloc_site allocs[2];
	struct report_allocations allocations;
	struct report report;
	struct top *top;
	struct top_frame frame;
};

static const struct report_frame alloc_stack[] = {
	{.function = "example.org/shop/cart.(*Store).Put",
	 .file = "/src/shop/cart/store.go",
	 .line = 61,
	 .own = true},
	{.function = "example.org/shop.serve",
	 .file = "/src/shop/main.go",
	 .line = 12,
	 .own = true},
};

static void add_allocations(struct host *host)
{
	host->allocs[0] = (struct report_alloc_site){
		.id = "0a1b2c3d",
		.in_use_bytes = 12300000,
		.in_use_objects = 201034,
		.alloc_bytes = 1200000000,
		.alloc_objects = 19000000,
		.relative_error = 0.18,
		.alloc_relative_error = 0.02,
		.growth_per_minute = 2100000,
		.judgement = {.verdict = ALLOC_GROWING,
			      .n_why = 1,
			      .why = {"after each of 6 collections there was more of it"}},
		.type = (char *)"shop/cart.item",
		.held_by = {(char *)"main.carts.m[\xe2\x80\xa6]"},
		.allocated_at = alloc_stack[0],
		.stack = alloc_stack,
		.n_stack = 2,
	};
	host->allocs[1] = (struct report_alloc_site){
		.id = "ffffffff",
		.in_use_bytes = 712,
		.in_use_objects = 3,
		.alloc_bytes = 90000,
		.allocated_at = alloc_stack[1],
	};
	host->allocations = (struct report_allocations){
		.rate = 524288, .growth_known = true, .sites = host->allocs, .n_sites = 2};
	host->targets[0].allocations = &host->allocations;
}

static void gather(struct host *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(host->targets); i++)
		host->targets[i] = host->samples[i].target;
	host->targets[1].pid = 77;
	host->targets[1].comm = "calm";
	host->targets[2].pid = 78;
	host->targets[2].comm = "young";
	host->targets[0].counters_known = true;
	host->targets[0].counters.counted = true;
	host->targets[0].counters.allocated_bytes = 48200000;
	host->targets[0].overhead = 0.004;
	add_allocations(host);
	host->report = (struct report){
		.realtime_ns = SAMPLE_TIME_NS,
		.targets = host->targets,
		.n_targets = ARRAY_SIZE(host->targets) - 1,
	};
}

static void setup(struct host *host, struct top_options options)
{
	*host = (struct host){0};
	sample__leaks(&host->samples[0]);
	sample__healthy(&host->samples[1]);
	sample__empty(&host->samples[2]);
	sample__hostile(&host->samples[3]);
	gather(host);
	if (options.alone)
		host->report.n_targets = 1;
	cr_assert_eq(top__new(&options, &host->top), 0);
	cr_assert_eq(top__draw(host->top, &host->frame, 80, 24), 0);
	cr_assert_eq(top__take(host->top, &host->report), 0);
}

static void teardown(struct host *host)
{
	top__free(host->top);
	top_frame__release(&host->frame);
}

static void press(struct host *host, const char *keys)
{
	for (; *keys; keys++) {
		uint32_t key = (unsigned char)*keys;

		switch (*keys) {
		case '\n':
			key = TOP_KEY_ENTER;
			break;
		case '\t':
			key = TOP_KEY_TAB;
			break;
		case '<':
			key = TOP_KEY_BACK;
			break;
		case 'v':
			key = TOP_KEY_DOWN;
			break;
		case '^':
			key = TOP_KEY_UP;
			break;
		default:
			break;
		}
		top__key(host->top, key);
	}
}

/* Rows as lines; "> " before those in reverse; what stands out is told by golden files of its own. */
static char *screen_of(struct host *host, unsigned int columns, unsigned int rows)
{
	struct sample_stream stream;
	char *text;

	sample__open(&stream);
	cr_assert_eq(top__draw(host->top, &host->frame, columns, rows), 0);
	cr_assert(host->frame.columns == columns && host->frame.rows == rows);
	for (unsigned int row = 0; row < rows; row++) {
		char line[4096], run[64];
		unsigned int column = 0;
		size_t n = 0;

		line[0] = '\0';
		while (top_frame__run(&host->frame, row, &column, run, sizeof(run)))
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%s", run);
		cr_assert_eq(utf8__width(line), columns, "row %u: %s", row, line);
		while (n && line[n - 1] == ' ')
			line[--n] = '\0';
		fprintf(stream.file, "%s%s\n",
			top_frame__cell(&host->frame, row, 0)->reverse ? "> " : "  ", line);
	}
	fflush(stream.file);
	text = strdup(stream.bytes);
	sample__close(&stream);
	return text;
}

static void golden(struct host *host, const char *name, unsigned int columns, unsigned int rows)
{
	char *text = screen_of(host, columns, rows);

	sample__golden(name, text);
	free(text);
}

static void expect(struct host *host, const char *text, bool there)
{
	char *screen = screen_of(host, 80, 24);

	cr_expect_eq(strstr(screen, text) != NULL, there, "'%s' is %s in:\n%s", text,
		     there ? "not" : "still", screen);
	free(screen);
}

Test(top, processes)
{
	struct host host;

	setup(&host, (struct top_options){0});
	golden(&host, "top-processes.txt", 80, 24);
	golden(&host, "top-processes-120.txt", 120, 12);
	teardown(&host);
}

Test(top, sites_of_a_process_and_one_of_them)
{
	struct host host;

	setup(&host, (struct top_options){0});
	press(&host, "\n");
	golden(&host, "top-sites.txt", 80, 24);
	golden(&host, "top-sites-120.txt", 120, 16);
	press(&host, "\n");
	golden(&host, "top-site.txt", 80, 24);
	press(&host, "G");
	golden(&host, "top-site-end.txt", 80, 24);
	press(&host, "<");
	expect(&host, "LEAKING", true);
	press(&host, "<");
	expect(&host, "PROCESS", true);
	teardown(&host);
}

Test(top, memory_of_a_process_and_one_place)
{
	struct host host;

	setup(&host, (struct top_options){0});
	press(&host, "\n\t");
	golden(&host, "top-memory.txt", 80, 24);
	golden(&host, "top-memory-140.txt", 140, 12);
	press(&host, "\n");
	golden(&host, "top-memory-place.txt", 80, 24);
	press(&host, "\t\t");
	expect(&host, "WHERE", true);
	teardown(&host);
}

Test(top, what_is_open_and_one_place_of_it)
{
	struct host host;

	setup(&host, (struct top_options){.alone = true});
	press(&host, "\t\t");
	expect(&host, "nothing is known yet of what is open", true);
	host.targets[0].resources = sample_resources();
	cr_assert_eq(top__take(host.top, &host.report), 0);
	golden(&host, "top-resources.txt", 80, 24);
	press(&host, "\n");
	golden(&host, "top-resources-place.txt", 80, 24);
	teardown(&host);
}

Test(top, why_nothing_is_known_of_memory)
{
	struct host host;

	setup(&host, (struct top_options){.alone = true});
	host.allocations = (struct report_allocations){.missing = "no profile is linked"};
	cr_assert_eq(top__take(host.top, &host.report), 0);
	press(&host, "\t");
	expect(&host, "no profile is linked", true);
	teardown(&host);
}

Test(top, one_process_that_was_named_is_open)
{
	struct host host;

	setup(&host, (struct top_options){.alone = true});
	expect(&host, "WHERE", true);
	/* And stays left when its user has left it. */
	press(&host, "<");
	cr_assert_eq(top__take(host.top, &host.report), 0);
	expect(&host, "PROCESS", true);
	teardown(&host);
}

Test(top, help_and_before_the_first_report)
{
	struct host host;
	struct top *top;

	setup(&host, (struct top_options){0});
	press(&host, "h");
	golden(&host, "top-help.txt", 80, 24);
	press(&host, "x");
	expect(&host, "PROCESS", true);
	cr_assert_eq(top__new(&(struct top_options){0}, &top), 0);
	top__free(host.top);
	host.top = top;
	press(&host, "v^\n");
	expect(&host, "for the first time", true);
	teardown(&host);
}

Test(top, filter)
{
	struct host host;

	setup(&host, (struct top_options){0});
	expect(&host, "young", true);
	press(&host, "/CALM");
	expect(&host, "calm", true);
	expect(&host, "young", false);
	expect(&host, "filter: CALM_", true);
	/* Typed, q is a letter. */
	press(&host, "q");
	cr_expect_not(top__wants_end(host.top));
	expect(&host, "nothing matches", true);
	top__key(host.top, TOP_KEY_BACKSPACE);
	press(&host, "\n");
	expect(&host, "filter: CALM", true);
	press(&host, "\n");
	expect(&host, "calm (pid 77)", true);
	press(&host, "<<");
	teardown(&host);
}

Test(top, filter_takes_characters_back_whole_and_has_an_end)
{
	struct host host;

	setup(&host, (struct top_options){0});
	press(&host, "/\xc3\xa4");
	expect(&host, "filter: \xc3\xa4_", true);
	top__key(host.top, TOP_KEY_BACKSPACE);
	expect(&host, "filter: _", true);
	for (int i = 0; i < 1000; i++)
		press(&host, "x");
	press(&host, "<");
	expect(&host, "calm", true);
	teardown(&host);
}

/* The row that the bar is on. */
static char *chosen(struct host *host)
{
	char *screen = screen_of(host, 80, 24), *row = strstr(screen, "\n> "), *text;

	cr_assert_not_null(row);
	text = strndup(row + 3, strcspn(row + 3, "\n"));
	free(screen);
	return text;
}

static void expect_chosen(struct host *host, const char *text)
{
	char *row = chosen(host);

	cr_expect_not_null(strstr(row, text), "'%s' is not in '%s'", text, row);
	free(row);
}

Test(top, what_is_chosen_stays_chosen_when_the_order_changes)
{
	struct host host;

	setup(&host, (struct top_options){0});
	press(&host, "sss");
	expect(&host, "by name", true);
	press(&host, "vv^^");
	expect_chosen(&host, "calm");
	press(&host, "r");
	expect(&host, "3 of 3, by name, reversed", true);
	expect_chosen(&host, "calm");
	press(&host, "S");
	expect(&host, "by heap", true);
	teardown(&host);
}

Test(top, paused_it_stays_as_it_is)
{
	struct host host;

	setup(&host, (struct top_options){0});
	press(&host, "p");
	host.report.n_targets = 1;
	cr_assert_eq(top__take(host.top, &host.report), 0);
	expect(&host, "PAUSED, 1 later", true);
	expect(&host, "calm", true);
	press(&host, " ");
	cr_assert_eq(top__take(host.top, &host.report), 0);
	expect(&host, "calm", false);
	teardown(&host);
}

Test(top, what_was_opened_may_go)
{
	struct host host;

	setup(&host, (struct top_options){0});
	press(&host, "/calm\n\n\n");
	host.targets[1].n_sites = 0;
	cr_assert_eq(top__take(host.top, &host.report), 0);
	expect(&host, "has no members any more", true);
	host.targets[1].pid = 79;
	cr_assert_eq(top__take(host.top, &host.report), 0);
	expect(&host, "not watched any more", true);
	expect(&host, "PROCESS", true);
	teardown(&host);
}

Test(top, clicks)
{
	struct host host;

	setup(&host, (struct top_options){0});
	expect_chosen(&host, "demo-service");
	top__click(host.top, 4);
	expect_chosen(&host, "calm");
	top__click(host.top, 0);
	top__click(host.top, 22);
	top__click(host.top, 1000);
	expect(&host, "PROCESS", true);
	top__click(host.top, 4);
	expect(&host, "WHERE", true);
	teardown(&host);
}

Test(top, bars_go_on_from_report_to_report)
{
	struct host host;

	setup(&host, (struct top_options){.ascii = true});
	for (int i = 0; i < 40; i++) {
		host.targets[1].totals.alive = (uint64_t)(i % 2 ? 100 : 25);
		cr_assert_eq(top__take(host.top, &host.report), 0);
	}
	expect(&host, ":#:#:#:#:#:#", true);
	teardown(&host);
}

static void show_hostile(struct host *host)
{
	host->report.n_targets = ARRAY_SIZE(host->targets);
	cr_assert_eq(top__take(host->top, &host->report), 0);
}

Test(top, hostile_names)
{
	struct host host;

	setup(&host, (struct top_options){0});
	show_hostile(&host);
	golden(&host, "top-hostile.txt", 80, 12);
	press(&host, "^\n");
	golden(&host, "top-hostile-sites.txt", 120, 12);
	press(&host, "\n");
	expect(&host, "comes with the next look", true);
	show_hostile(&host);
	golden(&host, "top-hostile-site.txt", 80, 24);
	teardown(&host);
}

Test(top, every_size_is_drawn)
{
	static const char keys[] = "\n\tv\n<<vvv\n\n<";
	struct host host;

	setup(&host, (struct top_options){0});
	show_hostile(&host);
	for (size_t i = 0; i < sizeof(keys); i++) {
		for (unsigned int columns = 1; columns < 200; columns += 13) {
			for (unsigned int rows = 1; rows < 40; rows += 3)
				free(screen_of(&host, columns, rows));
		}
		press(&host, (char[]){keys[i], '\0'});
	}
	teardown(&host);
}

Test(top, names_cannot_steer_the_terminal)
{
	struct host host;

	setup(&host, (struct top_options){0});
	show_hostile(&host);
	top__message(host.top, "\033[2Jgone\n\033]0;title\a");
	press(&host, "/pid");
	for (unsigned int row = 0; row < 24; row++) {
		cr_assert_eq(top__draw(host.top, &host.frame, 200, 24), 0);
		for (unsigned int column = 0; column < 200; column++) {
			uint32_t code = top_frame__cell(&host.frame, row, column)->code;

			cr_assert(!code || utf8__printable(code), "%x at %u, %u", code, row,
				  column);
		}
	}
	teardown(&host);
}

Test(top, what_is_urgent_stays_until_a_key_is_pressed)
{
	struct host host;

	setup(&host, (struct top_options){0});
	show_hostile(&host);
	top__message(host.top, "pid 7 watched");
	expect(&host, "pid 7 watched", true);
	top__urgent_message(host.top, "it was ended");
	top__message(host.top, "pid 11 watched");
	expect(&host, "it was ended", true);
	expect(&host, "pid 11 watched", false);
	top__urgent_message(host.top, "it was ended again");
	expect(&host, "it was ended again", true);
	press(&host, "v");
	expect(&host, "it was ended again", false);
	top__message(host.top, "pid 11 watched");
	expect(&host, "pid 11 watched", true);
	teardown(&host);
}

Test(top, random_reports_and_keys)
{
	static const char keys[] = "\n\n\t<<vv^^jkgGsSrhp /x";

	for (unsigned int seed = 1; seed < 60; seed++) {
		struct host host;
		struct sample sample;
		unsigned int next = seed;

		setup(&host, (struct top_options){.ascii = seed % 2});
		sample__random(&sample, seed);
		cr_assert_eq(top__take(host.top, &sample.report), 0);
		sample__random_free(&sample);
		for (int i = 0; i < 60; i++) {
			press(&host,
			      (char[]){keys[(size_t)rand_r(&next) % (sizeof(keys) - 1)], '\0'});
			top__click(host.top, (unsigned int)rand_r(&next) % 30);
			free(screen_of(&host, 1 + (unsigned int)rand_r(&next) % 120,
				       1 + (unsigned int)rand_r(&next) % 30));
		}
		teardown(&host);
	}
}
