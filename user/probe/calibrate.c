// SPDX-License-Identifier: Apache-2.0
#include "probe/calibrate.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gleakd.skel.h"

#include "base/clock.h"
#include "probe/detacher.h"
#include "probe/libbpf_text.h"
#include "probe/links.h"
#include "probe/own_text.h"
#include "probe/trials.h"

/* As large as gleakd's own by default: a ring that fits into a cache is written faster. */
#define RING_BYTES (2u << 20)

#define RUNS	  9
#define HITS	  1000
#define SLOW_HITS 30 /* single-stepped ones, up to 20 us each */

/*
 * A service pauses and does its own work between two hits; what the kernel needs for the next hit
 * is then out of the caches. On a web server a hit was measured to cost two to four times what it
 * costs in a loop (docs/overhead.md).
 */
#define COLD_HITS 61
#define REST_NS	  100000
#define MESS_SIZE (1u << 20) /* what a processor keeps close to it, today */
#define MESS_STEP 64
/* A larger figure is a disturbance of the measurement. */
#define MAX_COLD_PERCENT 500

/* What the programs read of a g, at the offsets of describe(). */
struct made_up_g {
	uint64_t words[GL_WINDOW_WORDS];
};

struct bench {
	struct gleakd_bpf *skeleton;
	struct ring_buffer *ring;
	bool uprobe_multi;
	struct made_up_g g;
	volatile unsigned char *mess;
};

/* --- the programs -------------------------------------------------------------------------------- */

static int ignore_record(void *ctx, void *data, size_t size)
{
	(void)ctx;
	(void)data;
	(void)size;
	return 0;
}

/* The program that most sites of @kind run: creations are probed at a call. */
static struct bpf_program *program_for(const struct bench *bench, enum calibration_kind kind)
{
	if (kind == CALIBRATION_CALL)
		return bench->skeleton->progs.gl_create;
	return bench->skeleton->progs.gl_exit;
}

/* One slot is enough, and no reader is to be woken. */
static int configure(struct bench *bench)
{
	struct gleakd_bpf *skeleton = bench->skeleton;
	int err = bpf_map__set_max_entries(skeleton->maps.gl_events, RING_BYTES);

	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.gl_targets, 1);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.gl_losses, 1);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.gl_paces, 1);
	for (enum calibration_kind kind = 0;
	     kind < CALIBRATION_KINDS && !err && bench->uprobe_multi; kind++)
		err = bpf_program__set_expected_attach_type(program_for(bench, kind),
							    LINK_UPROBE_MULTI);
	skeleton->rodata->gl_wakeup_bytes = UINT64_MAX;
	bpf_program__set_autoload(skeleton->progs.gl_park, false);
	return err;
}

static int describe(const struct bench *bench)
{
	const struct gl_target target = {
		.gopc_word = 1,
		.startpc_word = 2,
		.tgid = (__u32)getpid(),
	};
	const uint32_t slot = 0;

	return bpf_map_update_elem(bpf_map__fd(bench->skeleton->maps.gl_targets), &slot, &target,
				   BPF_ANY);
}

static int bench__open(struct bench *bench)
{
	int err;

	libbpf_text__capture();
	bench->skeleton = gleakd_bpf__open();
	if (!bench->skeleton)
		return -errno;
	err = configure(bench);
	if (!err)
		err = gleakd_bpf__load(bench->skeleton);
	if (!err)
		err = describe(bench);
	if (err)
		return err;
	bench->ring = ring_buffer__new(bpf_map__fd(bench->skeleton->maps.gl_events), ignore_record,
				       NULL, NULL);
	bench->mess = malloc(MESS_SIZE);
	return bench->ring && bench->mess ? 0 : -ENOMEM;
}

static void bench__close(struct bench *bench)
{
	free((void *)bench->mess);
	ring_buffer__free(bench->ring);
	gleakd_bpf__destroy(bench->skeleton);
}

/* --- measuring ----------------------------------------------------------------------------------- */

static uint64_t time_trial(struct bench *bench, const struct trial *trial, uint64_t hits)
{
	uint64_t begin = clock__thread_cpu_ns();

	trial->run(&bench->g, hits);
	return clock__thread_cpu_ns() - begin;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nanoseconds per @hits; the median, which an interrupt or a neighbour does not move. */
static uint64_t median_time(struct bench *bench, const struct trial *trial, uint64_t hits)
{
	uint64_t times[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		times[i] = time_trial(bench, trial, hits);
		ring_buffer__consume(bench->ring);
	}
	qsort(times, RUNS, sizeof(times[0]), compare);
	return times[RUNS / 2];
}

static void rest_and_work(struct bench *bench)
{
	const struct timespec rest = {.tv_nsec = REST_NS};

	nanosleep(&rest, NULL);
	for (size_t i = 0; i < MESS_SIZE; i += MESS_STEP)
		bench->mess[i]++;
}

/* Nanoseconds of one hit after a pause. */
static uint64_t median_cold_time(struct bench *bench, const struct trial *trial)
{
	uint64_t times[COLD_HITS];

	for (size_t i = 0; i < COLD_HITS; i++) {
		rest_and_work(bench);
		times[i] = time_trial(bench, trial, 1);
	}
	ring_buffer__consume(bench->ring);
	qsort(times, COLD_HITS, sizeof(times[0]), compare);
	return times[COLD_HITS / 2];
}

/* What one kind of instruction is measured with. */
struct run {
	struct trial trial; /* without a function: the machine has no such kind */
	uint64_t hits;
	uint64_t bare_ns, bare_cold_ns; /* without a probe */
	struct probe_link link;
};

static bool measures_cold(enum calibration_kind kind)
{
	return kind == CALIBRATION_CALL;
}

static void measure_bare(struct bench *bench, enum calibration_kind kind, struct run *run)
{
	run->trial = trial__get(kind);
	run->hits = kind == CALIBRATION_SINGLE_STEP ? SLOW_HITS : HITS;
	if (!run->trial.run)
		return;
	run->bare_ns = median_time(bench, &run->trial, run->hits);
	if (measures_cold(kind))
		run->bare_cold_ns = median_cold_time(bench, &run->trial);
}

static int attach(const struct bench *bench, enum calibration_kind kind, struct run *run)
{
	const struct program_place place = {
		.file_offset = own_text__file_offset(run->trial.address),
		.cookie = GL_COOKIE(
			0, GL_G_IN_REG0,
			kind == CALIBRATION_BRANCH ? GL_GUARD_BRANCH_NOT_TAKEN : GL_GUARD_NONE, 0),
	};
	const struct probe_link_target target = {
		.path = "/proc/self/exe", .pid = getpid(), .places = &place, .n = 1};

	return run->trial.run ? probe_link__attach(&run->link, program_for(bench, kind), &target,
						   bench->uprobe_multi) :
				0;
}

static void measure_probed(struct bench *bench, enum calibration_kind kind, const struct run *run,
			   struct calibration *calibration)
{
	uint64_t probed, cold;

	if (!run->trial.run)
		return;
	probed = median_time(bench, &run->trial, run->hits);
	calibration->ns[kind] =
		max_of((probed - min_of(probed, run->bare_ns)) / run->hits, (uint64_t)1);
	if (!measures_cold(kind))
		return;
	cold = median_cold_time(bench, &run->trial);
	cold -= min_of(cold, run->bare_cold_ns);
	calibration->cold_percent =
		(uint32_t)min_of(cold * 100 / calibration->ns[kind], (uint64_t)MAX_COLD_PERCENT);
}

/* All at once, for each would take 30 to 50 ms. */
static void detach_all(struct run runs[CALIBRATION_KINDS])
{
	struct detacher *detacher = NULL;

	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++) {
		struct detachment detachment = {.links[0] = runs[kind].link, .pid = getpid()};

		if (!detacher && detacher__new(&detacher))
			probe_link__detach(&runs[kind].link);
		else
			detacher__take(detacher, &detachment);
	}
	detacher__free(detacher);
}

static int measure_all(struct bench *bench, struct calibration *calibration)
{
	struct run runs[CALIBRATION_KINDS] = {0};
	int err = 0;

	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++)
		measure_bare(bench, kind, &runs[kind]);
	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS && !err; kind++)
		err = attach(bench, kind, &runs[kind]);
	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS && !err; kind++)
		measure_probed(bench, kind, &runs[kind], calibration);
	detach_all(runs);
	return err;
}

int calibrate__run(const struct kernel_features *features, struct calibration *ret_calibration)
{
	struct bench bench = {.uprobe_multi = features->uprobe_multi};
	struct calibration calibration = {.cold_percent = 0};
	int err = bench__open(&bench);

	if (!err)
		err = measure_all(&bench, &calibration);
	bench__close(&bench);
	if (!err)
		*ret_calibration = calibration;
	return err;
}
