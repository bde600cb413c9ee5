// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_cost.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/bpf_ring.h"
#include "probe/links.h"
#include "probe/own_text.h"
#include "probe/trials.h"

#define RUNS 7
#define HITS 500

static bool ignore_record(void *ctx, const void *data, size_t size)
{
	(void)ctx;
	(void)data;
	(void)size;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median_time(const struct trial *trial, struct bpf_ring *ring)
{
	/* It stands for a g, and its address for the size of an object. */
	static const uint64_t g[GL_WINDOW_WORDS];
	uint64_t times[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		uint64_t begin = clock__thread_cpu_ns();

		trial->run(g, HITS);
		times[i] = clock__thread_cpu_ns() - begin;
		bpf_ring__consume(ring, ignore_record, NULL);
	}
	qsort(times, RUNS, sizeof(times[0]), compare);
	return times[RUNS / 2];
}

static double measure(const struct bpf_program *program, struct bpf_ring *ring, bool uprobe_multi)
{
	const struct trial trial = trial__get(CALIBRATION_JUMP);
	const struct program_place place = {
		.file_offset = own_text__file_offset(trial.address),
		.cookie = GL_ALLOC_COOKIE(0, GL_ALLOC_CALL, GL_GUARD_NONE, 0),
	};
	const struct probe_link_target target = {
		.path = "/proc/self/exe", .pid = getpid(), .places = &place, .n = 1};
	struct probe_link link = {0};
	uint64_t bare_ns = median_time(&trial, ring), probed_ns;

	if (probe_link__attach(&link, program, &target, uprobe_multi))
		return 0;
	probed_ns = median_time(&trial, ring);
	probe_link__detach(&link);
	bpf_ring__consume(ring, ignore_record, NULL);
	return (double)(probed_ns - min_of(bare_ns, probed_ns)) / HITS;
}

double alloc_cost__measure(const struct bpf_program *program, int ring_fd, size_t ring_bytes,
			   bool uprobe_multi)
{
	struct bpf_ring *ring;
	double ns;

	if (bpf_ring__new(ring_fd, ring_bytes, &ring))
		return 0;
	ns = measure(program, ring, uprobe_multi);
	bpf_ring__free(ring);
	return ns;
}
