// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_cost.h"

#include <errno.h>
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

static int measure(const struct alloc_trial *what, struct bpf_ring *ring, double *ret_ns)
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
	int err = probe_link__attach(&link, what->program, &target, what->uprobe_multi);

	if (err)
		return err;
	probed_ns = median_time(&trial, ring);
	probe_link__detach(&link);
	bpf_ring__consume(ring, ignore_record, NULL);
	if (probed_ns <= bare_ns)
		return -ENODATA;
	*ret_ns = (double)(probed_ns - bare_ns) / HITS;
	return 0;
}

int alloc_cost__measure(const struct alloc_trial *trial, double *ret_ns)
{
	struct bpf_ring *ring;
	int err = bpf_ring__new(trial->ring_fd, trial->ring_bytes, &ring);

	if (err)
		return err;
	err = measure(trial, ring, ret_ns);
	bpf_ring__free(ring);
	return err;
}
