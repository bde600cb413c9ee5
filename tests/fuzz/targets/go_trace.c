// SPDX-License-Identifier: Apache-2.0
/* The input is an execution trace; what was read of it is drawn. */
#include "record/go_trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "output/perfetto/trace.h"

static void check_spans(const struct timeline_trace *trace, const struct timeline_span *spans,
			size_t n, bool states)
{
	for (size_t i = 0; i < n; i++) {
		fuzz__require(spans[i].begin_ns <= spans[i].end_ns);
		fuzz__require(spans[i].end_ns <= trace->end_ns);
		fuzz__require(spans[i].name && spans[i].state <= TIMELINE_WAITING);
		fuzz__require(!states || !i || spans[i - 1].end_ns <= spans[i].begin_ns);
	}
}

static void check(const struct timeline_trace *trace)
{
	const struct timeline_clock clock = {.monotonic_ns = trace->begin_ns};
	const struct timeline_target target = {.pid = 1, .comm = "made"};
	const struct timeline timeline = {.clocks = &clock,
					  .n_clocks = 1,
					  .targets = &target,
					  .n_targets = 1,
					  .trace = trace};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	check_spans(trace, trace->gcs, trace->n_gcs, false);
	check_spans(trace, trace->stops, trace->n_stops, false);
	for (size_t i = 0; i < trace->n_goroutines; i++) {
		check_spans(trace, trace->goroutines[i].states, trace->goroutines[i].n_states,
			    true);
		check_spans(trace, trace->goroutines[i].regions, trace->goroutines[i].n_regions,
			    false);
		fuzz__require(trace->goroutines[i].function);
	}
	fuzz__require(out && !perfetto__write(out, &timeline));
	fclose(out);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure failure = {""};
	struct go_trace *trace;
	int err = go_trace__open_bytes(data, size, "made", 0, &trace, &failure);

	fuzz__require(!err || *failure.text);
	fuzz__require(!err || err == -EPROTO || err == -EOPNOTSUPP || err == -E2BIG ||
		      err == -ENODATA);
	if (err)
		return 0;
	check(go_trace__timeline(trace));
	go_trace__free(trace);
	return 0;
}
