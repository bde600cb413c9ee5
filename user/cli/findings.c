// SPDX-License-Identifier: Apache-2.0
#include "cli/findings.h"

#include <math.h>
#include <stdio.h>

#include "base/duration.h"
#include "base/log.h"
#include "track/reach.h"

/* A list with more unused patterns than that is out of date as a whole. */
#define MAX_UNUSED 20

/* --- found --------------------------------------------------------------------------------------- */

static unsigned int finding_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_LEAKING:
		return FINDING_LEAKING;
	case VERDICT_STUCK:
		return FINDING_STUCK;
	case VERDICT_SUSPECTED:
		return FINDING_SUSPECTED;
	case VERDICT_GROWING:
		return FINDING_GROWING;
	case VERDICT_IDLE:
	case VERDICT_ACTIVE:
		break;
	}
	return 0;
}

/* The history of a process is that of all its places. */
static bool is_judged(const struct report_allocations *allocations)
{
	return allocations && allocations->n_sites &&
	       allocations->sites[0].judgement.verdict != ALLOC_NOT_JUDGED;
}

unsigned int findings__verdicts(unsigned int fail_on)
{
	unsigned int verdicts = 0;

	for (int v = 0; v <= VERDICT_LEAKING; v++) {
		if (finding_of((enum verdict)v) & fail_on)
			verdicts |= 1u << v;
	}
	return verdicts;
}

bool findings__any(const struct report *report, unsigned int fail_on)
{
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		if (fail_on & FINDING_MEMORY && report__count_growing_memory(target))
			return true;
		for (size_t i = 0; i < target->n_sites; i++) {
			const struct report_site *site = &target->sites[i];

			if (!site->suppressed && finding_of(site->view.verdict) & fail_on)
				return true;
		}
	}
	return false;
}

/* --- could have been found ----------------------------------------------------------------------- */

void findings__no_process(const struct options *options, uint64_t refused, struct failure *ret_why)
{
	const char *pattern = options->only.n ? options->only.items[0] : NULL;

	if (refused)
		failure__set(ret_why, 0,
			     "none of %llu Go processes can be watched; 'gleakd list' says why",
			     (unsigned long long)refused);
	else if (pattern)
		failure__set(
			ret_why, 0,
			"no Go process matches --only %.200s%s; 'gleakd list' shows those there "
			"are",
			pattern, options->only.n > 1 ? " or another --only" : "");
	else if (options->exclude.n)
		failure__set(ret_why, 0, "no Go process is left by --exclude");
	else
		failure__set(ret_why, 0, "there is no Go process on this host");
}

/* How exactly the begins of parks are known. */
static uint64_t resolution_ns(const struct options *options, enum probe_mode mode)
{
	return mode == PROBE_MODE_CENSUS ? options->interval_ns : 0;
}

/* The shortest watch that can find something of --fail-on. */
static uint64_t needed_ns(const struct options *options, enum probe_mode mode)
{
	if (!(options->fail_on & FINDING_LEAKING))
		return options->min_age_ns;
	return reach__least_watch_ns(options->min_age_ns, resolution_ns(options, mode));
}

/* With --state, sites are known for longer than they are watched. */
static uint64_t observed_ns(const struct report_target *target)
{
	uint64_t longest = target->observed_ns;

	for (size_t i = 0; i < target->n_sites; i++)
		longest = max_of(longest, target->sites[i].view.evidence.observed_ns);
	return longest;
}

static bool was_too_short(const struct report_target *target, const struct options *options,
			  struct failure *ret_why)
{
	uint64_t observed = observed_ns(target), needed = needed_ns(options, target->mode);
	const char *what = options->fail_on & FINDING_LEAKING ? "a leak takes" : "it takes";
	char watched[DURATION_SIZE], takes[DURATION_SIZE], which[32] = "";

	if (observed >= needed)
		return false;
	if (options->processes.n != 1)
		snprintf(which, sizeof(which), "process %d: ", target->pid);
	/* Short enough for a line below the report. */
	duration__format(observed, watched);
	duration__format(needed, takes);
	failure__set(ret_why, 0, "%s%s is too short, %s %s", which, watched, what, takes);
	return true;
}

/* A process that was named is to be there until the end. */
static bool ended_early(const struct report_target *target, const struct options *options,
			struct failure *ret_why)
{
	char observed[DURATION_SIZE], duration[DURATION_SIZE];

	if (!target->exited_target)
		return false;
	if (options->once && !target->n_sites)
		failure__set(ret_why, 0, "process %d ended before it was looked at", target->pid);
	if (options->once || !options->duration_ns)
		return options->once && !target->n_sites;
	duration__format(target->observed_ns, observed);
	duration__format(options->duration_ns, duration);
	failure__set(ret_why, 0, "process %d ended after %s, before --duration %s was over",
		     target->pid, observed, duration);
	return true;
}

static bool memory_judged(const struct report_target *target, const struct options *options,
			  struct failure *ret_why)
{
	const struct report_allocations *allocations = target->allocations;
	bool watches = options->command == COMMAND_WATCH || options->command == COMMAND_RUN;
	char age[DURATION_SIZE];

	if (is_judged(allocations))
		return true;
	if (options->no_heap && watches) {
		failure__set(
			ret_why, 0,
			"whether memory of process %d keeps growing is not told with --no-heap",
			target->pid);
	} else if (allocations && *report__text(allocations->missing)) {
		failure__set(ret_why, 0, "where process %d allocates memory is not known: %s",
			     target->pid, allocations->missing);
	} else if (watches) {
		duration__format(options->min_age_ns, age);
		failure__set(
			ret_why, 0,
			"whether memory of process %d keeps growing takes 14 looks, %s (--min-age) "
			"and two collections apart, from six times that after its start on",
			target->pid, age);
	} else {
		failure__set(
			ret_why, 0,
			"whether memory of process %d keeps growing takes samples, eight looks "
			"with 10s and two collections between them: --duration 90s or more",
			target->pid);
	}
	return false;
}

static bool target_judged(const struct report_target *target, const struct options *options,
			  struct failure *ret_why)
{
	if (options->fail_on & FINDING_MEMORY && !memory_judged(target, options, ret_why))
		return false;
	if (options->fail_on == FINDING_MEMORY)
		return true;
	if (options->processes.n && ended_early(target, options, ret_why))
		return false;
	return options->once || !was_too_short(target, options, ret_why);
}

bool findings__judged(const struct report *report, const struct options *options,
		      struct failure *ret_why)
{
	bool all = options->processes.n;
	uint64_t refused = 0;

	for (int state = REPORT_ATTACHED + 1; state < REPORT_TARGET_STATES; state++)
		refused += report->self.targets[state];
	if (!report->n_targets)
		findings__no_process(options, refused, ret_why);
	for (size_t i = 0; i < report->n_targets; i++) {
		/* All of those that were named; of a host's, which come and go, any. */
		if (target_judged(&report->targets[i], options, ret_why) != all)
			return !all;
	}
	return all && report->n_targets;
}

/* "4/s", "2.5 a minute", "1.2 an hour" */
static void format_rate(double per_second, char *out, size_t size)
{
	if (per_second >= 100)
		snprintf(out, size, "%.0f/s", per_second);
	else if (per_second >= 1)
		snprintf(out, size, "%.2g/s", per_second);
	else if (per_second * 60 >= 1)
		snprintf(out, size, "%.2g a minute", per_second * 60);
	else
		snprintf(out, size, "%.2g an hour", per_second * 3600);
}

void findings__tell_reach(const struct options *options)
{
	enum probe_mode mode =
		options->mode == MODE_AUTO ? PROBE_MODE_FULL : (enum probe_mode)options->mode;
	uint64_t resolution = resolution_ns(options, mode), needed;
	double slowest =
		reach__slowest_per_second(options->min_age_ns, resolution, options->duration_ns);
	char duration[DURATION_SIZE], age[DURATION_SIZE], least[DURATION_SIZE], rate[32];

	if (!options->duration_ns || !(options->fail_on & FINDING_LEAKING))
		return;
	needed = reach__least_watch_ns(options->min_age_ns, resolution);
	duration__format(options->duration_ns, duration);
	duration__format(options->min_age_ns, age);
	duration__format(needed, least);
	format_rate(slowest, rate, sizeof(rate));
	if (isinf(slowest))
		log_warn(
			"--duration %s: no leak can be found in that time; with --min-age %s it takes "
			"%s or more",
			duration, age, least);
	else if (options->duration_ns < needed)
		log_warn("--duration %s: nothing slower than %s can be found in that time; with "
			 "--min-age %s a slower leak takes %s or more",
			 duration, rate, age, least);
	else if (options->error_exitcode)
		log_info("--duration %s: no leak slower than %s can be found in that time",
			 duration, rate);
}

/* --- known cases --------------------------------------------------------------------------------- */

void findings__tell_unused(const struct allow_list *allow, const char *path)
{
	const char *pattern;
	unsigned int line;

	for (size_t i = 0; i < MAX_UNUSED; i++) {
		pattern = allow_list__unused(allow, i, &line);
		if (!pattern)
			return;
		log_info("%.300s, line %u: nothing matched %.200s in this run", path, line,
			 pattern);
	}
	if (allow_list__unused(allow, MAX_UNUSED, &line))
		log_info("%.300s: and more patterns that nothing matched", path);
}
