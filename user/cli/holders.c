// SPDX-License-Identifier: Apache-2.0
#include "cli/holders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/look.h"
#include "output/site_pattern.h"
#include "report/site_id.h"
#include "session/heap/target_holders.h"

/* --- what is asked about ------------------------------------------------------------------------ */

static bool parse(const char *text, int base, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(text, &end, base);
	return !errno && end != text && !*end && *text != '-' && *ret_number;
}

int command__check_holders(const struct options *options)
{
	struct failure failure;
	uint64_t number;

	if (!options->site + !options->goroutine + !options->object + !options->type != 3) {
		log_error("holders of what? Give one of --type T (as main.session), --goroutine G "
			  "(what it waits on), --site ID (what its goroutines wait on), --object "
			  "ADDRESS");
		return EXIT_CODE_USAGE;
	}
	if (options->goroutine && !parse(options->goroutine, 10, &number)) {
		log_error("--goroutine: '%.40s' is no number of a goroutine", options->goroutine);
		return EXIT_CODE_USAGE;
	}
	if (options->object && !parse(options->object, 16, &number)) {
		log_error("--object: '%.40s' is no address, as 0xc000123456", options->object);
		return EXIT_CODE_USAGE;
	}
	if (options->site && site_pattern__check(options->site, &failure)) {
		log_error("--site: %s", failure.text);
		return EXIT_CODE_USAGE;
	}
	return 0;
}

/* --- sites -------------------------------------------------------------------------------------- */

#define MAX_SITES 1024

struct sites {
	uint32_t numbers[MAX_SITES];
	size_t n;
};

/* The one that @pattern means most likely, of those of @target; NULL. */
static const struct report_site *meant_site(const struct report *report,
					    const struct target *target, const char *pattern)
{
	const struct report_site *best = NULL;
	enum site_match best_match = SITE_MATCH_NONE;

	for (size_t i = 0; i < report->n_targets; i++) {
		const struct report_target *t = &report->targets[i];

		for (size_t s = 0; s < t->n_sites && t->pid == target__pid(target); s++) {
			enum site_match match = site_pattern__match(pattern, &t->sites[s]);

			if (match <= best_match)
				continue;
			best = &t->sites[s];
			best_match = match;
		}
	}
	return best;
}

/* Those of the tracker that the report has as one. */
static int find_sites(struct rounds *rounds, const struct target *target, const char *pattern,
		      struct sites *ret_sites)
{
	const struct report_site *meant;
	const struct site_view *views;
	const struct report *report;
	size_t n;
	int err = report_builder__build(rounds->builder, rounds->session, clock__monotonic_ns(),
					clock__realtime_ns(), REPORT_GOES_ON, &report);

	if (err)
		return failure__set(&rounds->failure, err, "out of memory");
	meant = meant_site(report, target, pattern);
	if (!meant)
		return failure__set(&rounds->failure, -EINVAL,
				    "process %d has no site '%.80s'; 'gleakd %d --once --all' "
				    "lists those that it has",
				    target__pid(target), pattern, target__pid(target));
	views = tracker__sites(target__tracker(target), &n);
	ret_sites->n = 0;
	for (size_t i = 0; i < n && ret_sites->n < MAX_SITES; i++) {
		char id[sizeof(meant->id)];

		site_id__of(target, &views[i], id);
		if (!strcmp(id, meant->id))
			ret_sites->numbers[ret_sites->n++] = views[i].index;
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------ */

static int look(struct rounds *rounds, struct target *target,
		const struct target_view_options *options)
{
	const struct options *given = rounds->options;
	struct holders_question question = {.type = given->type};
	struct sites sites = {.n = 0};
	int err = 0;

	if (given->object)
		parse(given->object, 16, &question.object);
	if (given->goroutine)
		parse(given->goroutine, 10, &question.goid);
	if (given->site) {
		err = find_sites(rounds, target, given->site, &sites);
		question.sites = sites.numbers;
		question.n_sites = sites.n;
	}
	return err ? err : target_holders__find(target, &question, options, &rounds->failure);
}

int command__holders(const struct options *options, const struct named *named)
{
	const struct look_ops ops = {.look = look};

	return look__run(options, named, &ops);
}
