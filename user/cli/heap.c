// SPDX-License-Identifier: Apache-2.0
#include "cli/heap.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/look.h"
#include "cli/profile_file.h"
#include "report/heap_profile.h"
#include "session/target_samples.h"

static int look(struct rounds *rounds, struct target *target,
		const struct target_view_options *options)
{
	int err = target_samples__take(target, options, &rounds->failure);

	return err ? err : target_view__take(target, options, &rounds->failure);
}

/* --- the profile -------------------------------------------------------------------------------- */

static int open_profile(void *ctx, struct rounds *rounds)
{
	if (!rounds->options->pprof)
		return 0;
	return profile_file__open(rounds->options->pprof, ctx, &rounds->failure);
}

static int check_profile(void *ctx, struct rounds *rounds)
{
	FILE **file = ctx;

	return *file ? profile_file__check(rounds->session, &rounds->failure) : 0;
}

static int write_profile(void *ctx, struct rounds *rounds)
{
	struct failure *failure = &rounds->failure;
	struct pprof *profile;
	FILE **file = ctx;
	int err;

	if (!*file)
		return 0;
	err = heap_profile__make(session__target(rounds->session, 0), clock__realtime_ns(),
				 &profile, failure);
	if (err)
		return err;
	err = profile_file__write(*file, rounds->options->pprof, profile, failure);
	pprof__free(profile);
	return err;
}

/* ------------------------------------------------------------------------------------------------ */

int command__heap(const struct options *options, const struct named *named)
{
	FILE *profile = NULL;
	const struct look_ops ops = {
		.look = look,
		.open = open_profile,
		.ready = check_profile,
		.finish = write_profile,
		.ctx = &profile,
	};
	int code = look__run(options, named, &ops);

	if (profile)
		fclose(profile);
	return code;
}
