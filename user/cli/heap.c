// SPDX-License-Identifier: Apache-2.0
#include "cli/heap.h"

#include <errno.h>
#include <signal.h>

#include "base/log.h"
#include "base/clock.h"
#include "cli/profile_file.h"
#include "cli/rounds.h"
#include "report/heap_profile.h"
#include "session/target_samples.h"
#include "session/target_view.h"

/* Looks within --duration, the one at its end left out. */
#define LOOKS	     8
#define MIN_PAUSE_NS (2 * NSEC_PER_SEC)

/* Ctrl-C and SIGTERM, which the loop has blocked and reads when this look is over. */
static bool is_interrupted(void *ctx)
{
	sigset_t pending;

	(void)ctx;
	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

/* 1: there is nothing left to look at. Of several that cannot be read the others are still shown. */
static int look(struct rounds *rounds, struct target *target, bool alone)
{
	const struct target_view_options options = {
		.max_memory = rounds->options->max_memory,
		.interrupted = is_interrupted,
	};
	int err = target_samples__take(target, &options, &rounds->failure);

	if (!err)
		err = target_view__take(target, &options, &rounds->failure);
	if (!err || err == -EINTR || err == -ENOMEM || alone)
		return err;
	log_warn("%s", rounds->failure.text);
	return 0;
}

static int on_complete(void *ctx, enum report_end *ret_end)
{
	struct rounds *rounds = ctx;
	size_t n = session__n_targets(rounds->session), live = session__live(rounds->session);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct target *target = session__target(rounds->session, i);

		if (target__state(target) == TARGET_LIVE)
			err = look(rounds, target, n == 1);
	}
	if (err == -EINTR) {
		*ret_end = REPORT_INTERRUPTED;
		return 0;
	}
	if (!live)
		*ret_end = REPORT_TARGET_EXITED;
	return err;
}

static const struct rounds_ops heap_ops = {
	.complete = on_complete,
};

/* --- the profile -------------------------------------------------------------------------------- */

static int write_profile(struct rounds *rounds, FILE *file)
{
	struct failure *failure = &rounds->failure;
	struct pprof *profile;
	int err;

	err = heap_profile__make(session__target(rounds->session, 0), clock__realtime_ns(),
				 &profile, failure);
	if (err)
		return err;
	err = profile_file__write(file, rounds->options->pprof, profile, failure);
	pprof__free(profile);
	return err;
}

/* ------------------------------------------------------------------------------------------------ */

int command__heap(const struct options *options, const struct named *named)
{
	struct options looks = *options;
	struct rounds rounds = {
		.options = &looks,
		.ops = &heap_ops,
		.ctx = &rounds,
		.first_second_ns = SESSION_GOVERN_FIRST_NS,
	};
	const struct session_options session = {.patient = true};
	FILE *profile = NULL;
	int err;

	/* Nothing is attached, and scans are made when they are wanted. */
	looks.mode = PROBE_MODE_CENSUS;
	looks.no_heap = true;
	/* It is not about leaks: that none could be found in this time is no news. */
	looks.fail_on = 0;
	looks.once = !options->duration_ns;
	looks.interval_ns = max_of(options->duration_ns / LOOKS, (uint64_t)MIN_PAUSE_NS);
	err = rounds__open(&rounds, &session);
	if (!err && options->pprof)
		err = profile_file__open(options->pprof, &profile, &rounds.failure);
	if (!err)
		rounds__drop_privileges(&rounds);
	for (size_t i = 0; i < named->n && !err; i++) {
		int n = session__add_process(rounds.session, named->pids[i], &rounds.failure);

		err = n < 0 ? n : 0;
	}
	if (!err && profile)
		err = profile_file__check(rounds.session, &rounds.failure);
	if (!err)
		err = rounds__run(&rounds);
	if (!err && profile)
		err = write_profile(&rounds, profile);
	if (profile)
		fclose(profile);
	return rounds__close(&rounds, err);
}
