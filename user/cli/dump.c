// SPDX-License-Identifier: Apache-2.0
#include "cli/dump.h"

#include <errno.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/profile_file.h"
#include "cli/rounds.h"
#include "output/goroutine_filter.h"

static int add_targets(struct rounds *rounds, const struct named *named)
{
	int n = 0;

	for (size_t i = 0; i < named->n && n >= 0; i++)
		n = session__add_process(rounds->session, named->pids[i], &rounds->failure);
	return n < 0 ? n : 0;
}

static int run(const struct options *options, const struct named *named,
	       struct goroutine_filter *filter)
{
	static const struct rounds_ops none;
	struct rounds rounds = {
		.options = options,
		.ops = &none,
		.ctx = &rounds,
		.first_second_ns = SESSION_GOVERN_FIRST_NS,
	};
	const struct session_options session = {
		.patient = true,
		.list_goroutines = true,
		.list_system = options->all,
		.list_wants = goroutine_filter__wants,
		.list_ctx = filter,
	};
	struct output_file *file = NULL;
	int err = rounds__open(&rounds, &session);

	if (!err && options->pprof)
		err = output_file__open("--pprof", options->pprof, &file, &rounds.failure);
	rounds.outputs.wants_profile = file;
	if (!err)
		rounds__drop_privileges(&rounds);
	if (!err)
		err = add_targets(&rounds, named);
	if (!err && file)
		err = profile_file__check(rounds.session, &rounds.failure);
	if (!err)
		err = rounds__run(&rounds);
	if (!err && rounds.outputs.profile)
		err = profile_file__write(file, rounds.outputs.profile, &rounds.failure);
	output_file__close(file);
	return rounds__close(&rounds, err);
}

int command__dump(const struct options *options, const struct named *named)
{
	const struct dump_options *dump = &options->dump;
	const struct goroutine_wanted wanted = {
		.states = dump->states,
		.reason = dump->reason,
		.func = dump->func,
		.min_age_ns = dump->min_age_ns,
		.labels = dump->labels.items,
		.n_labels = dump->labels.n,
		.goids = dump->goids.items,
		.n_goids = dump->goids.n,
	};
	struct options once = *options;
	struct goroutine_filter *filter;
	struct failure failure;
	int code = goroutine_filter__new(&wanted, &filter, &failure);

	if (code == -EINVAL) {
		log_error("%s", failure.text);
		return EXIT_CODE_USAGE;
	}
	if (code)
		return failure__exit_code(code);
	once.once = true;
	once.goroutines = true;
	code = run(&once, named, filter);
	goroutine_filter__free(filter);
	return code;
}
