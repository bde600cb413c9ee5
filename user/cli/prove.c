// SPDX-License-Identifier: Apache-2.0
#include "cli/prove.h"

#include <errno.h>

#include "base/log.h"
#include "base/number.h"
#include "cli/rounds.h"
#include "session/heap/target_heap.h"

/* Pictures that are taken until one has no root that cannot be read. */
#define ATTEMPTS 3
/* What was expected is off by that much where the machine is busy; beyond, it is no use to try. */
#define WORTH_TRYING 2

static void tell_plan(const struct target *target, const struct heap_picture_figures *figures,
		      uint64_t max_stop_ns)
{
	char copied[NUMBER_BYTES_SIZE], left_out[NUMBER_BYTES_SIZE];

	number__bytes(figures->copy_bytes, copied);
	number__bytes(figures->left_out_bytes, left_out);
	log_info(
		"process %d: %s of memory to copy (%s hold no pointers and are left out), %s; it is "
		"stopped for about %.1f ms, %.0f ms at most",
		target__pid(target), copied, left_out,
		figures->soft_dirty ? "what is written meanwhile once more" : "twice",
		(double)figures->expected_stop_ns / NSEC_PER_MSEC,
		(double)max_stop_ns / NSEC_PER_MSEC);
}

static int refuse_long_stop(const struct target *target, const struct heap_picture_figures *figures,
			    uint64_t max_stop_ns, struct failure *failure)
{
	return failure__set(failure, -ETIME,
			    "process %d would have to be stopped for about %.0f ms, and %.0f are "
			    "allowed; allow more with --max-stop",
			    target__pid(target), (double)figures->expected_stop_ns / NSEC_PER_MSEC,
			    (double)max_stop_ns / NSEC_PER_MSEC);
}

static int attempt(struct target *target, const struct options *options, struct failure *failure)
{
	const struct heap_picture_figures *figures;
	struct heap_picture *picture;
	int err = target_heap__prepare(target, options->max_stop_ns, options->max_memory, &picture,
				       failure);

	if (err)
		return err;
	figures = heap_picture__figures(picture);
	tell_plan(target, figures, options->max_stop_ns);
	if (figures->expected_stop_ns > WORTH_TRYING * options->max_stop_ns)
		err = refuse_long_stop(target, figures, options->max_stop_ns, failure);
	else
		err = target_heap__prove(target, picture, options->max_memory, failure);
	if (figures->stopped_ns)
		log_info("process %d was stopped for %.1f ms", target__pid(target),
			 (double)figures->stopped_ns / NSEC_PER_MSEC);
	heap_picture__free(picture);
	return err;
}

/* In one line, whatever the report shows of it. */
static void tell_proven(const struct target *target)
{
	const struct target_heap_figures *figures = target_heap__figures(target);

	if (figures->proven)
		log_info("process %d: nothing can wake %zu of its %zu goroutine%s that wait%s in "
			 "channels and locks any more",
			 target__pid(target), figures->proven, figures->judged,
			 figures->judged == 1 ? "" : "s", figures->judged == 1 ? "s" : "");
	else if (figures->judged == 1)
		log_info("process %d: none is proven leaked; something leads to what its one "
			 "goroutine that waits in a channel or lock waits on",
			 target__pid(target));
	else
		log_info("process %d: none is proven leaked; something leads to what each of its "
			 "%zu goroutines that wait in channels and locks waits on",
			 target__pid(target), figures->judged);
}

static int prove_target(struct target *target, const struct options *options,
			struct failure *failure)
{
	int err = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && err == -EAGAIN; i++)
		err = attempt(target, options, failure);
	if (!err)
		tell_proven(target);
	return err;
}

/* Whoever named it wants to know of this one. */
static int refuse_gone(const struct target *target, struct failure *failure)
{
	return failure__set(failure, -ESRCH,
			    "process %d has ended or runs another program by now: nothing is "
			    "proven",
			    target__pid(target));
}

/* The census is complete: the sites are there that what is proven belongs to. */
static int on_complete(void *ctx, enum report_end *ret_end)
{
	struct rounds *rounds = ctx;
	int err = 0;

	*ret_end = REPORT_PROOF;
	for (size_t i = 0; i < session__n_targets(rounds->session) && !err; i++) {
		struct target *target = session__target(rounds->session, i);

		if (target__state(target) == TARGET_LIVE)
			err = prove_target(target, rounds->options, &rounds->failure);
		else
			err = refuse_gone(target, &rounds->failure);
	}
	return err;
}

static const struct rounds_ops prove_ops = {
	.complete = on_complete,
};

int command__prove(const struct options *options, const struct named *named)
{
	struct options once = *options;
	struct rounds rounds = {
		.options = &once,
		.ops = &prove_ops,
		.ctx = &rounds,
		.first_second_ns = SESSION_GOVERN_FIRST_NS,
	};
	const struct session_options session = {.patient = true};
	int err;

	once.once = true;
	err = rounds__open(&rounds, &session);
	if (!err)
		rounds__drop_privileges(&rounds);
	for (size_t i = 0; i < named->n && !err; i++) {
		int n = session__add_process(rounds.session, named->pids[i], &rounds.failure);

		err = n < 0 ? n : 0;
	}
	if (!err)
		err = rounds__run(&rounds);
	return rounds__close(&rounds, err);
}
