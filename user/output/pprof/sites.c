// SPDX-License-Identifier: Apache-2.0
#include "output/pprof/sites.h"

#include <errno.h>
#include <stdlib.h>

static const struct pprof_kind kinds[] = {
	{"goroutines", "count"},
	{"waiting", "nanoseconds"},
};

static uint64_t waiting_of(const struct timeline_target *timeline, const struct report_site *site)
{
	for (size_t i = 0; timeline && i < timeline->n_sites; i++) {
		if (timeline->sites[i].site == site)
			return timeline->sites[i].waiting_ns;
	}
	return 0;
}

/* src/runtime/pprof/pprof.go writes those of a block profile. */
static const struct pprof_kind contention_kinds[] = {
	{"contentions", "count"},
	{"delay", "nanoseconds"},
};

static int add_site(struct pprof *profile, const struct report_site *site, uint64_t count,
		    uint64_t ns)
{
	const int64_t values[] = {
		(int64_t)min_of(count, (uint64_t)INT64_MAX),
		(int64_t)min_of(ns, (uint64_t)INT64_MAX),
	};
	const struct report_frame beginning = {
		.function = site->start_function, .file = "", .module = ""};
	/* Of what runs only the beginning is known. */
	const struct report_frame *stack = site->n_stack ? site->stack : &beginning;
	size_t n = site->n_stack ? site->n_stack : 1;
	struct pprof_frame *frames = calloc(n, sizeof(*frames));
	const struct pprof_label labels[] = {
		{.key = "site", .text = site->id},
		{.key = "verdict", .text = verdict__name(site->view.verdict)},
		{.key = "reason", .text = site->wait_reason},
	};
	int err;

	if (!frames)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		frames[i].frame = stack[i];
	err = pprof__add(profile, values, frames, n, labels,
			 *report__text(site->wait_reason) ? 3 : 2);
	free(frames);
	return err;
}

int sites_profile__make(const struct report_target *target, const struct timeline_target *timeline,
			uint64_t realtime_ns, struct pprof **ret_profile)
{
	const struct pprof_options options = {
		.kinds = kinds,
		.n_kinds = timeline ? 2 : 1,
		.shown = "goroutines",
		.period_kind = kinds[0],
		.period = 1,
		.time_ns = realtime_ns,
		.duration_ns = target->observed_ns,
		.binary = target->exe,
		.build_id = report__text(target->build_id),
	};
	struct pprof *profile;
	int err = pprof__new(&options, &profile);

	if (err)
		return err;
	for (size_t i = 0; i < target->n_sites && !err; i++) {
		const struct report_site *site = &target->sites[i];

		if (site->view.goroutines)
			err = add_site(profile, site, site->view.goroutines,
				       waiting_of(timeline, site));
	}
	if (err)
		pprof__free(profile);
	else
		*ret_profile = profile;
	return err;
}

int contention_profile__make(const struct report_target *target, uint64_t realtime_ns,
			     struct pprof **ret_profile)
{
	const struct pprof_options options = {
		.kinds = contention_kinds,
		.n_kinds = ARRAY_SIZE(contention_kinds),
		.period_kind = contention_kinds[0],
		.period = 1,
		.time_ns = realtime_ns,
		.duration_ns = target->observed_ns,
		.binary = target->exe,
		.build_id = report__text(target->build_id),
	};
	struct pprof *profile;
	int err = pprof__new(&options, &profile);

	if (err)
		return err;
	for (size_t i = 0; i < target->n_sites && !err; i++) {
		const struct report_site *site = &target->sites[i];

		if (report__contended(site))
			err = add_site(profile, site, site->view.parks, site->view.waited_ns);
	}
	if (err)
		pprof__free(profile);
	else
		*ret_profile = profile;
	return err;
}
