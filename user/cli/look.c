// SPDX-License-Identifier: Apache-2.0
#include "cli/look.h"

#include <errno.h>

#include "base/log.h"

/* Looks within --duration, the one at its end left out. */
#define LOOKS	     8
#define MIN_PAUSE_NS (2 * NSEC_PER_SEC)

/* Of a heap that changes while it is read. */
#define ATTEMPTS 3

struct look {
	struct rounds rounds;
	struct options options;
	const struct look_ops *ops;
};

static bool is_interrupted(void *ctx)
{
	const struct look *look = ctx;

	if (look->ops->idle)
		look->ops->idle(look->ops->ctx);
	return rounds__end_is_pending();
}

static int look_at(struct look *look, struct target *target, bool alone)
{
	const struct target_view_options options = {
		.max_memory = look->options.max_memory,
		.interrupted = is_interrupted,
		.ctx = look,
	};
	int err = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && err == -EAGAIN; i++)
		err = look->ops->look(&look->rounds, target, &options);
	if (!err || err == -EINTR || err == -ENOMEM || alone)
		return err;
	log_warn("%s", look->rounds.failure.text);
	return 0;
}

static int on_complete(void *ctx, enum report_end *ret_end)
{
	struct look *look = ctx;
	struct session *session = look->rounds.session;
	size_t n = session__n_targets(session);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct target *target = session__target(session, i);

		if (target__state(target) == TARGET_LIVE)
			err = look_at(look, target, n == 1);
	}
	if (err == -EINTR) {
		*ret_end = REPORT_INTERRUPTED;
		return 0;
	}
	if (!session__live(session))
		*ret_end = REPORT_TARGET_EXITED;
	return err;
}

static void on_begin(void *ctx, uint64_t now_ns __maybe_unused)
{
	const struct look *look = ctx;

	if (look->ops->begin)
		look->ops->begin(look->ops->ctx);
}

static const struct rounds_ops look_ops = {
	.begin = on_begin,
	.complete = on_complete,
};

int look__run(const struct options *options, const struct named *named, const struct look_ops *ops)
{
	struct look look = {
		.rounds = {.ops = &look_ops, .first_second_ns = SESSION_GOVERN_FIRST_NS},
		.options = *options,
		.ops = ops,
	};
	const struct session_options session = {.patient = true};
	struct rounds *rounds = &look.rounds;
	int err;

	rounds->ctx = &look;
	rounds->options = &look.options;
	look.options.mode = PROBE_MODE_CENSUS;
	look.options.no_heap = true;
	/* It is not about goroutines: that no leak could be found in this time is no news. */
	look.options.fail_on = FINDING_MEMORY;
	look.options.once = !options->duration_ns;
	look.options.interval_ns = max_of(options->duration_ns / LOOKS, (uint64_t)MIN_PAUSE_NS);
	err = rounds__open(rounds, &session);
	if (!err && ops->open)
		err = ops->open(ops->ctx, rounds);
	if (!err)
		rounds__drop_privileges(rounds);
	for (size_t i = 0; i < named->n && !err; i++) {
		int n = session__add_process(rounds->session, named->pids[i], &rounds->failure);

		err = n < 0 ? n : 0;
	}
	if (!err && ops->ready)
		err = ops->ready(ops->ctx, rounds);
	if (!err)
		err = rounds__run(rounds);
	if (!err && ops->finish)
		err = ops->finish(ops->ctx, rounds);
	return rounds__close(rounds, err);
}
