// SPDX-License-Identifier: Apache-2.0
#include "output/text/scheduling_series.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define AT(s) ((1000 + (s)) * NSEC_PER_SEC)

static const char *shown(struct sample_stream *stream, const struct timeline_target *target)
{
	const struct timeline_clock clock = {.monotonic_ns = AT(0), .realtime_ns = SAMPLE_TIME_NS};
	const struct timeline timeline = {
		.clocks = &clock, .n_clocks = 1, .targets = target, .n_targets = 1};
	const struct screen_options options = {.columns = 100};

	sample__open(stream);
	cr_assert_eq(scheduling_series__write(stream->file, &timeline, &options), 0);
	return sample__added(stream);
}

Test(scheduling_series, what_was_wrong_and_when)
{
	static const struct timeline_scheduling scheduling[] = {
		{.time_ns = AT(0), .latencies_known = true, .over_10ms = 5},
		{.time_ns = AT(2),
		 .latencies_known = true,
		 .over_10ms = 16,
		 .late = 3,
		 .longest_late_ns = 230 * NSEC_PER_MSEC},
		{.time_ns = AT(4),
		 .latencies_known = true,
		 .over_10ms = 18,
		 .throttled_ns = 2 * NSEC_PER_SEC,
		 .run_delay_ns = 7 * NSEC_PER_MSEC},
	};
	static const struct timeline_call call = {.begin_ns = AT(1),
						  .end_ns = AT(73),
						  .goid = 7,
						  .thread = 4711,
						  .call = "read(3: \x1b[2J/run/fifo)"};
	const struct timeline_target target = {.pid = 4242,
					       .comm = "shop",
					       .scheduling = scheduling,
					       .n_scheduling = ARRAY_SIZE(scheduling),
					       .calls = &call,
					       .n_calls = 1};
	struct sample_stream stream;
	const char *text = shown(&stream, &target);

	cr_expect(strstr(text, "scheduling of shop (pid 4242)\n"), "%s", text);
	cr_expect(strstr(text, "13 waits of more than 10 ms for a processor, in 1 of 3 censuses "
			       "some waited, the longest for 230ms\n"),
		  "%s", text);
	cr_expect(strstr(text, "throttled for 2s, threads without a processor for 7ms\n"), "%s",
		  text);
	cr_expect(strstr(text, "/run/fifo) for 1m12s, goroutine 7, thread 4711\n"), "%s", text);
	cr_expect_null(strchr(text, '\x1b'), "%s", text);
	sample__close(&stream);
}

Test(scheduling_series, nothing_where_nothing_was_wrong)
{
	static const struct timeline_scheduling scheduling[] = {
		{.time_ns = AT(0), .latencies_known = true, .over_10ms = 5},
		{.time_ns = AT(2), .latencies_known = true, .over_10ms = 5},
	};
	const struct timeline_target target = {.scheduling = scheduling,
					       .n_scheduling = ARRAY_SIZE(scheduling)};
	struct sample_stream stream;

	cr_expect_str_eq(shown(&stream, &target), "");
	sample__close(&stream);
}
