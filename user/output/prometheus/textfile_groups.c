// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/prometheus/exposition.h"
#include "base/text.h"
#include "output/shorten.h"
#include "output/prometheus/textfile_parts.h"

#define MAX_LOCATION 100

#define GROUP_LABEL(group)                 \
	{                                  \
		"groupname", (group)->name \
	}

/* --- one number a group ----------------------------------------------------------------------- */

struct group_gauge {
	const char *name, *help;
	size_t offset; /* of a uint64_t */
};

static const struct group_gauge gauges[] = {
	{"gleakd_target_processes", "Processes of the group that are watched.",
	 offsetof(struct metrics_group, processes)},
	{"gleakd_goroutines", "Goroutines that exist.", offsetof(struct metrics_group, goroutines)},
	{"gleakd_leaking_goroutines", "Goroutines at sites whose number grows by those who stay.",
	 offsetof(struct metrics_group, leaking)},
	{"gleakd_stuck_goroutines", "Goroutines that wait for what cannot or does not come.",
	 offsetof(struct metrics_group, stuck)},
	{"gleakd_silenced_goroutines",
	 "Leaking or stuck goroutines at sites that the allow-list silences.",
	 offsetof(struct metrics_group, suppressed)},
	{"gleakd_leak_sites", "Sites that are leaking or stuck.",
	 offsetof(struct metrics_group, sites)},
	{"gleakd_leak_sites_omitted",
	 "Leaking or stuck sites without series of their own: there were more than the limit.",
	 offsetof(struct metrics_group, sites_omitted)},
	{"gleakd_target_info_omitted",
	 "Processes without a series of gleakd_target_info: there were more kinds than the limit.",
	 offsetof(struct metrics_group, infos_omitted)},
};

static void put_gauges(FILE *out, const struct metrics *metrics)
{
	for (size_t i = 0; i < ARRAY_SIZE(gauges); i++) {
		exposition__family(out, gauges[i].name, EXPOSITION_GAUGE, gauges[i].help);
		for (size_t g = 0; g < metrics->n_groups; g++) {
			const struct metrics_group *group = &metrics->groups[g];
			uint64_t value;

			memcpy(&value, (const char *)group + gauges[i].offset, sizeof(value));
			exposition__count(out, gauges[i].name,
					  EXPOSITION_LABELS(GROUP_LABEL(group)), value);
		}
	}
}

struct group_total {
	const char *name, *help;
	enum group_counter counter;
};

static const struct group_total totals[] = {
	{"gleakd_goroutines_created_total", "Goroutines seen to be created.", GROUP_CREATED},
	{"gleakd_goroutines_exited_total", "Goroutines seen to end.", GROUP_EXITED},
	{"gleakd_target_events_lost_total", "Events about the group's goroutines that got lost.",
	 GROUP_LOST},
	{"gleakd_target_repairs_total",
	 "Goroutines that a census found to be other than the events said.", GROUP_REPAIRED},
	{"gleakd_target_unreadable_total", "Goroutines and stacks that a census could not read.",
	 GROUP_UNREADABLE},
	{"gleakd_target_refused_total", "Goroutines and stacks beyond gleakd's limits.",
	 GROUP_REFUSED},
	{"gleakd_target_mode_changes_total", "Steps that the governor took to keep the budget.",
	 GROUP_MODE_CHANGES},
};

static void put_totals(FILE *out, const struct metrics *metrics)
{
	for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
		exposition__family(out, totals[i].name, EXPOSITION_COUNTER, totals[i].help);
		for (size_t g = 0; g < metrics->n_groups; g++) {
			const struct metrics_group *group = &metrics->groups[g];

			exposition__count(out, totals[i].name,
					  EXPOSITION_LABELS(GROUP_LABEL(group)),
					  group->counts.n[totals[i].counter]);
		}
	}
}

static double sum_of_leaks(const struct metrics_group *group)
{
	return (double)group->leaking + (double)group->stuck;
}

static double probe_seconds(const struct metrics_group *group)
{
	return report__seconds(group->counts.n[GROUP_PROBE_NS]);
}

static double overhead(const struct metrics_group *group)
{
	return group->overhead;
}

static double overhead_limit(const struct metrics_group *group)
{
	return group->overhead_max;
}

static double hit_cost(const struct metrics_group *group)
{
	/* Of a group whose processes have all ended. */
	return max_of(group->dearer, 1.0);
}

struct group_number {
	const char *name, *help;
	enum exposition_type type;
	double (*value)(const struct metrics_group *group);
};

static const struct group_number numbers[] = {
	{"gleakd_suspected_leaked_goroutines", "Goroutines at sites that are leaking or stuck.",
	 EXPOSITION_GAUGE, sum_of_leaks},
	{"gleakd_target_probe_seconds_total",
	 "CPU time that probes took from the group: hits times what each costs.",
	 EXPOSITION_COUNTER, probe_seconds},
	{"gleakd_target_overhead_ratio",
	 "Share of its CPU time that probes took from the process they cost most, of late.",
	 EXPOSITION_GAUGE, overhead},
	{"gleakd_target_overhead_limit_ratio", "What gleakd_target_overhead_ratio may be.",
	 EXPOSITION_GAUGE, overhead_limit},
	{"gleakd_target_hit_cost_ratio",
	 "How many times what was calibrated a probe hit takes, on the process where it is most.",
	 EXPOSITION_GAUGE, hit_cost},
};

static void put_numbers(FILE *out, const struct metrics *metrics)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		exposition__family(out, numbers[i].name, numbers[i].type, numbers[i].help);
		for (size_t g = 0; g < metrics->n_groups; g++) {
			const struct metrics_group *group = &metrics->groups[g];

			exposition__number(out, numbers[i].name,
					   EXPOSITION_LABELS(GROUP_LABEL(group)),
					   numbers[i].value(group));
		}
	}
}

/* --- several a group -------------------------------------------------------------------------- */

static void put_oldest(FILE *out, const struct metrics *metrics, uint64_t realtime_ns)
{
	const char *name = "gleakd_oldest_suspected_goroutine_created_timestamp_seconds";
	double now = report__seconds(realtime_ns);
	bool any = false;

	for (size_t i = 0; i < metrics->n_groups; i++) {
		const struct metrics_group *group = &metrics->groups[i];

		if (!group->oldest_ns)
			continue;
		if (!any)
			exposition__family(
				out, name, EXPOSITION_GAUGE,
				"When the oldest leaking or stuck goroutine was created.");
		any = true;
		/* Ages are not known better than to the second, and a value that trembles is bulky. */
		exposition__number(out, name, EXPOSITION_LABELS(GROUP_LABEL(group)),
				   max_of(round(now - report__seconds(group->oldest_ns)), 0.0));
	}
}

static void put_modes(FILE *out, const struct metrics *metrics)
{
	exposition__family(out, "gleakd_target_mode", EXPOSITION_GAUGE,
			   "Processes of the group that are watched in this mode.");
	for (size_t i = 0; i < metrics->n_groups; i++) {
		const struct metrics_group *group = &metrics->groups[i];

		/* The one that sees most comes first. */
		for (int mode = PROBE_MODE_COUNT - 1; mode >= 0; mode--)
			exposition__count(
				out, "gleakd_target_mode",
				EXPOSITION_LABELS(
					GROUP_LABEL(group),
					{"mode", probe_mode__name((enum probe_mode)mode)}),
				group->modes[mode]);
	}
}

static void put_infos(FILE *out, const struct metrics *metrics)
{
	exposition__family(out, "gleakd_target_info", EXPOSITION_GAUGE,
			   "What the group's processes are, and where they run.");
	for (size_t i = 0; i < metrics->n_groups; i++) {
		const struct metrics_group *group = &metrics->groups[i];

		for (size_t k = 0; k < group->n_infos; k++) {
			const struct metrics_info *info = &group->infos[k];

			exposition__count(
				out, "gleakd_target_info",
				EXPOSITION_LABELS(
					GROUP_LABEL(group), {"exe", info->exe},
					{"library", info->library},
					{"go_version", info->go_version}, {"module", info->module},
					{"module_version", info->module_version},
					{"vcs_revision", info->vcs_revision}, {"unit", info->unit},
					{"container_id", info->container_id},
					{"pod_uid", info->pod_uid}),
				1);
		}
	}
}

static void put_lifetime(FILE *out, const struct metrics_group *group)
{
	static const uint64_t bounds_ns[] = TRACKER_LIFETIME_NS;
	uint64_t below = 0;

	for (size_t i = 0; i < TRACKER_LIFETIMES; i++) {
		char bound[32] = "+Inf";

		if (__builtin_add_overflow(below, group->counts.n[GROUP_LIFETIMES + i], &below))
			below = UINT64_MAX;
		if (i < ARRAY_SIZE(bounds_ns))
			snprintf(bound, sizeof(bound), "%g", report__seconds(bounds_ns[i]));
		exposition__count(out, "gleakd_goroutine_lifetime_seconds_bucket",
				  EXPOSITION_LABELS(GROUP_LABEL(group), {"le", bound}), below);
	}
	exposition__number(out, "gleakd_goroutine_lifetime_seconds_sum",
			   EXPOSITION_LABELS(GROUP_LABEL(group)), group->counts.lifetime_seconds);
	exposition__count(out, "gleakd_goroutine_lifetime_seconds_count",
			  EXPOSITION_LABELS(GROUP_LABEL(group)), below);
}

static void put_lifetimes(FILE *out, const struct metrics *metrics)
{
	exposition__family(out, "gleakd_goroutine_lifetime_seconds", EXPOSITION_HISTOGRAM,
			   "How long goroutines had existed when they ended.");
	for (size_t i = 0; i < metrics->n_groups; i++)
		put_lifetime(out, &metrics->groups[i]);
}

void textfile_part__groups(FILE *out, const struct metrics *metrics, uint64_t realtime_ns)
{
	exposition__family(out, "gleakd_groups_omitted", EXPOSITION_GAUGE,
			   "Groups without series of their own: there were more than the limit.");
	exposition__count(out, "gleakd_groups_omitted", NULL, 0, metrics->groups_omitted);
	if (metrics->n_groups == 0)
		return;
	put_gauges(out, metrics);
	put_numbers(out, metrics);
	put_oldest(out, metrics, realtime_ns);
	put_totals(out, metrics);
	put_lifetimes(out, metrics);
	put_modes(out, metrics);
	put_infos(out, metrics);
}

/* --- sites ------------------------------------------------------------------------------------ */

char *textfile_part__location(const struct report_frame *frame)
{
	const char *file = report__text(frame->file);

	if (!*file)
		return strdup("");
	return shorten__location(text__base_name(file), frame->line, MAX_LOCATION);
}

static int put_site(FILE *out, const struct metrics_site *site)
{
	char *function =
		shorten__function(report__text(site->site->start_function), TEXTFILE_MAX_FUNCTION);
	char *created_at = textfile_part__location(&site->site->created_by);
	char *blocked_at = textfile_part__location(&site->site->blocked_at);
	int err = function && created_at && blocked_at ? 0 : -ENOMEM;

	if (!err)
		exposition__count(
			out, "gleakd_leak_site_goroutines",
			EXPOSITION_LABELS(GROUP_LABEL(site->group), {"site", site->site->id},
					  {"verdict", verdict__name(site->verdict)},
					  {"function", function}, {"created_at", created_at},
					  {"blocked_at", blocked_at}),
			site->goroutines);
	free(blocked_at);
	free(created_at);
	free(function);
	return err;
}

int textfile_part__sites(FILE *out, const struct metrics *metrics)
{
	int err = 0;

	if (metrics->n_sites == 0)
		return 0;
	exposition__family(out, "gleakd_leak_site_goroutines", EXPOSITION_GAUGE,
			   "Goroutines of a leaking or stuck site, by the function they run.");
	for (size_t i = 0; i < metrics->n_sites && !err; i++)
		err = put_site(out, &metrics->sites[i]);
	exposition__family(out, "gleakd_leak_site_confidence_ratio", EXPOSITION_GAUGE,
			   "How sure gleakd is that the goroutines of the site are leaked.");
	for (size_t i = 0; i < metrics->n_sites && !err; i++) {
		const struct metrics_site *site = &metrics->sites[i];

		exposition__number(out, "gleakd_leak_site_confidence_ratio",
				   EXPOSITION_LABELS(GROUP_LABEL(site->group),
						     {"site", site->site->id},
						     {"verdict", verdict__name(site->verdict)}),
				   site->confidence);
	}
	return err;
}
