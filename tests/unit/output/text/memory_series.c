// SPDX-License-Identifier: Apache-2.0
#include "output/text/memory_series.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define POINTS 101u
#define AT(i)  (1000 * NSEC_PER_SEC + (i)*NSEC_PER_SEC)

static const char *shown(struct sample_stream *stream, const struct timeline_memory *memory,
			 size_t n)
{
	const struct timeline_target targets[] = {
		{.pid = 4242, .comm = "shop\033[2J", .memory = memory, .n_memory = n},
		{.pid = 7, .comm = "never looked at"},
	};
	const struct timeline_clock clock = {.monotonic_ns = AT(0), .realtime_ns = SAMPLE_TIME_NS};
	const struct timeline timeline = {
		.clocks = &clock, .n_clocks = 1, .targets = targets, .n_targets = 2};
	const struct screen_options options = {.columns = 100};

	sample__open(stream);
	cr_assert_eq(memory_series__write(stream->file, &timeline, &options), 0);
	return sample__added(stream);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

Test(memory_series, a_few_moments_and_the_first_and_the_last)
{
	struct timeline_memory memory[POINTS];
	struct sample_stream stream;
	const char *text;

	for (size_t i = 0; i < POINTS; i++)
		memory[i] = (struct timeline_memory){
			.time_ns = AT(i),
			.gc_cycles = 1000 + i,
			.rss = 20000000,
			.heap = 1000000 * (i + 1),
			.live = 700000,
			.goal = i ? 1400000 : 0,
			.stacks = 64000,
			.pause_ns = i * NSEC_PER_MSEC,
			.timed = i,
		};
	text = shown(&stream, memory, POINTS);
	cr_expect_eq(count_lines(text), 1 + 1 + 1 + 8, "%s", text);
	cr_expect_not_null(strstr(text, "\n03:04:05      20 MB     1.0 MB     700 kB"
					"                 64 kB        1,000\n"),
			   "%s", text);
	cr_expect_not_null(strstr(text, "\n03:05:45      20 MB     101 MB     700 kB     1.4 MB"
					"      64 kB        1,100     100 ms\n"),
			   "%s", text);
	cr_expect_null(strchr(text, '\033'));
	cr_expect_null(strstr(text, "never looked at"));
	sample__close(&stream);
}

Test(memory_series, one_moment_is_none)
{
	const struct timeline_memory memory[] = {{.time_ns = AT(0), .rss = 1},
						 {.time_ns = AT(1), .rss = 1}};
	struct sample_stream stream;

	cr_expect_eq(count_lines(shown(&stream, memory, 1)), 0);
	sample__close(&stream);
	cr_expect_eq(count_lines(shown(&stream, memory, 2)), 1 + 1 + 1 + 2);
	sample__close(&stream);
}
