// SPDX-License-Identifier: Apache-2.0
#include "observe/scheduler.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "observe/census_private.h"

/* src/runtime/runtime2.go: _Prunning. From Go 1.26 on also while its goroutine is in a system call. */
#define P_RUNNING 1

/* From its status on to m: 64 bytes in every version. */
#define P_WINDOW_MAX 256

/*
 * Where 10.49 ms begin in counts of a timeHistogram (src/runtime/histogram.go record): powers of two, each in
 * as many parts. Up to Go 1.19 sixteen, and the first power is 2^4; then four, and the first is 2^8.
 */
#define EDGE_16_PARTS ((24 - 4) * 16 + 4)
#define EDGE_4_PARTS  ((24 - 9 + 1) * 4 + 1)
#define SIZE_16_PARTS ((45 * 16 + 1) * 8)
#define SIZE_4_PARTS  ((40 * 4 + 2) * 8)

struct counts {
	uint64_t words[45 * 16 + 1];
};

/* The last word of the older one counts times below zero; of the newer one those past its end. */
static bool find_edge(const struct go_layout *layout, size_t *ret_first, size_t *ret_end)
{
	switch (layout->timeHistogram_sizeof) {
	case SIZE_16_PARTS:
		*ret_first = EDGE_16_PARTS;
		*ret_end = SIZE_16_PARTS / 8 - 1;
		return true;
	case SIZE_4_PARTS:
		*ret_first = EDGE_4_PARTS;
		*ret_end = SIZE_4_PARTS / 8;
		return true;
	default:
		return false;
	}
}

/* Index 160 of the newer one, between what it counts and what lies past its end: times below zero. */
static bool is_underflow(const struct go_layout *layout, size_t index)
{
	return layout->timeHistogram_sizeof == SIZE_4_PARTS && index == SIZE_4_PARTS / 8 - 2;
}

/* What of it is read; false: it is not known. */
static bool find_latencies(const struct census_runtime *runtime, size_t *ret_first, size_t *ret_end)
{
	const struct go_layout *layout = runtime->layout;

	return runtime->sched && layout->sched_timeToRun != GO_LAYOUT_ABSENT &&
	       layout->timeHistogram_counts == 0 && find_edge(layout, ret_first, ret_end);
}

static uint64_t sum_of(const struct go_layout *layout, const struct counts *counts, size_t first,
		       size_t end)
{
	uint64_t sum = 0;

	for (size_t i = first; i < end; i++)
		sum += is_underflow(layout, i) ? 0 : counts->words[i];
	return sum;
}

/* --- what runs ---------------------------------------------------------------------------------- */

struct p_copy {
	uint64_t m;
	uint64_t since_ns; /* the target's clock; 0: not known */
};

static bool ps_are_readable(const struct census_runtime *runtime)
{
	const struct go_layout *layout = runtime->layout;

	return runtime->allp && layout->p_status < P_WINDOW_MAX - 8 &&
	       layout->p_m < P_WINDOW_MAX - 8 && layout->p_schedtick < P_WINDOW_MAX - 8 &&
	       layout->p_sysmontick_schedtick < P_WINDOW_MAX - 8 &&
	       layout->p_sysmontick_schedwhen < P_WINDOW_MAX - 8 &&
	       layout->m_curg != GO_LAYOUT_ABSENT;
}

/* false: nothing runs on it. */
static bool decode_p(const struct go_layout *layout, const uint8_t *window, struct p_copy *ret_copy)
{
	uint32_t tick = bytes__u32(window, layout->p_schedtick);

	ret_copy->m = bytes__u64(window, layout->p_m);
	/* What the monitor has seen is of this turn. */
	ret_copy->since_ns = bytes__u32(window, layout->p_sysmontick_schedtick) == tick ?
				     bytes__u64(window, layout->p_sysmontick_schedwhen) :
				     0;
	return bytes__u32(window, layout->p_status) == P_RUNNING && ret_copy->m;
}

/* The addresses of its Ps, as they were found by the census that was the last; else now. -errno, or how many. */
static int find_ps(const struct census_runtime *runtime, uint64_t ps[SCHEDULER_MAX_RUNNING])
{
	const struct census_ps *known = &runtime->known_ps;
	uint64_t slice[2];
	int err;

	if (known->slice[2]) {
		memcpy(ps, known->ps, known->slice[1] * sizeof(ps[0]));
		return (int)known->slice[1];
	}
	err = remote__read(runtime->remote, runtime->allp, slice, sizeof(slice));
	if (err)
		return err;
	slice[1] = min_of(slice[1], (uint64_t)SCHEDULER_MAX_RUNNING);
	if (!slice[0] || !slice[1])
		return -EAGAIN;
	err = remote__read(runtime->remote, slice[0], ps, slice[1] * sizeof(ps[0]));
	return err ? err : (int)slice[1];
}

_Static_assert(CENSUS_MAX_PS <= SCHEDULER_MAX_RUNNING, "all that the census knows");

#define FIELDS_MAX 3

/* Of each of @n the words at these offsets, all at once, those at addresses of 0 not; -errno. */
static int read_words(const struct census_runtime *runtime, const uint64_t *bases, size_t n,
		      const uint32_t *offsets, size_t n_fields,
		      uint64_t words[][SCHEDULER_MAX_RUNNING])
{
	struct remote_span spans[FIELDS_MAX * SCHEDULER_MAX_RUNNING];
	size_t n_spans = 0;
	int err;

	memset(words, 0, n_fields * sizeof(words[0]));
	for (size_t i = 0; i < n * n_fields; i++) {
		uint64_t *word = &words[i % n_fields][i / n_fields];
		uint64_t base = bases[i / n_fields];

		if (base)
			spans[n_spans++] = (struct remote_span){base + offsets[i % n_fields], word,
								sizeof(*word), 0};
	}
	err = n_spans ? remote__read_spans(runtime->remote, spans, n_spans) : 0;
	for (size_t i = 0; !err && i < n_spans; i++) {
		if (spans[i].result)
			memset(spans[i].buffer, 0, sizeof(words[0][0]));
	}
	return err;
}

/* Of the goroutines at @gs: only who runs is told, not who is in a system call. */
static int read_running(const struct census_runtime *runtime, const uint64_t *gs,
			const struct p_copy *copies, size_t n, int64_t clock_offset,
			struct scheduler_look *look)
{
	const struct go_layout *layout = runtime->layout;
	const uint32_t offsets[] = {layout->g_goid, layout->g_atomicstatus, layout->g_startpc};
	uint64_t words[ARRAY_SIZE(offsets)][SCHEDULER_MAX_RUNNING];
	int err = read_words(runtime, gs, n, offsets, ARRAY_SIZE(offsets), words);

	for (size_t i = 0; !err && i < n; i++) {
		uint64_t since = copies[i].since_ns;

		if (!words[0][i] || go_status__of((uint32_t)words[1][i]) != GO_STATUS_RUNNING)
			continue;
		look->running[look->n_running++] = (struct scheduler_running){
			.goid = words[0][i],
			.m = copies[i].m,
			.start_pc = module_map__pc(runtime->modules, words[2][i]),
			.since_ns = since ? since - (uint64_t)clock_offset : 0,
		};
	}
	return err;
}

/* Of @n Ps these are copies. */
static void look_at_ps(const struct census_runtime *runtime, const struct remote_span *spans,
		       size_t n, struct scheduler_look *look)
{
	static const uint8_t none[P_WINDOW_MAX];
	const struct go_layout *layout = runtime->layout;
	struct p_copy copies[SCHEDULER_MAX_RUNNING];
	uint64_t ms[SCHEDULER_MAX_RUNNING] = {0}, gs[1][SCHEDULER_MAX_RUNNING];
	size_t running = 0;

	for (size_t i = 0; i < n; i++)
		running += decode_p(layout, spans[i].result ? none : spans[i].buffer,
				    &copies[running]);
	for (size_t i = 0; i < running; i++)
		ms[i] = copies[i].m;
	look->n_ps = n;
	look->running_known =
		!read_words(runtime, ms, running, &layout->m_curg, 1, gs) &&
		!read_running(runtime, gs[0], copies, running, runtime->clock_offset, look);
}

void scheduler__look(const struct census *census, bool running, struct scheduler_look *ret_look)
{
	const struct census_runtime *runtime = census__runtime(census);
	struct remote_span spans[1 + SCHEDULER_MAX_RUNNING];
	uint8_t windows[SCHEDULER_MAX_RUNNING][P_WINDOW_MAX];
	uint64_t ps[SCHEDULER_MAX_RUNNING];
	size_t first = 0, end = 0, n_ps, n = 0;
	struct counts counts;
	bool latencies = find_latencies(runtime, &first, &end);
	int found = running && ps_are_readable(runtime) ? find_ps(runtime, ps) : 0;

	memset(ret_look, 0, sizeof(*ret_look));
	n_ps = (size_t)max_of(found, 0);
	if (latencies)
		spans[n++] = (struct remote_span){runtime->sched + runtime->layout->sched_timeToRun,
						  counts.words,
						  (uint32_t)(end * sizeof(counts.words[0])), 0};
	for (size_t i = 0; i < n_ps; i++)
		spans[n++] = (struct remote_span){ps[i], windows[i], P_WINDOW_MAX, 0};
	if (n && !remote__read_spans(runtime->remote, spans, n)) {
		ret_look->latencies_known = latencies && !spans[0].result;
		if (ret_look->latencies_known)
			ret_look->over_10ms = sum_of(runtime->layout, &counts, first, end);
		if (n_ps)
			look_at_ps(runtime, spans + latencies, n_ps, ret_look);
	}
	ret_look->read_at_ns = clock__monotonic_ns();
}

int scheduler__thread(const struct census *census, uint64_t m, uint64_t *ret_tid, bool *ret_in_c)
{
	const struct census_runtime *runtime = census__runtime(census);
	const struct go_layout *layout = runtime->layout;
	uint8_t in_c = 0;
	struct remote_span spans[] = {
		{m + layout->m_procid, ret_tid, sizeof(*ret_tid), 0},
		{m + layout->m_incgo, &in_c, sizeof(in_c), 0},
	};
	int err;

	if (!m || layout->m_procid == GO_LAYOUT_ABSENT || layout->m_incgo == GO_LAYOUT_ABSENT)
		return -EOPNOTSUPP;
	err = remote__read_spans(runtime->remote, spans, ARRAY_SIZE(spans));
	for (size_t i = 0; !err && i < ARRAY_SIZE(spans); i++)
		err = spans[i].result;
	*ret_in_c = in_c != 0;
	return err;
}
