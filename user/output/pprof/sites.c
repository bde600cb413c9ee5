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

/* What is told of a site; 0 and 0: nothing. */
struct figures {
	uint64_t count, ns;
};

typedef struct figures (*figures_fn)(const struct report_site *site,
				     const struct timeline_target *timeline);

static struct figures goroutines_of(const struct report_site *site,
				    const struct timeline_target *timeline)
{
	return (struct figures){site->view.goroutines,
				site->view.goroutines ? waiting_of(timeline, site) : 0};
}

static struct figures contention_of(const struct report_site *site,
				    const struct timeline_target *timeline __maybe_unused)
{
	return report__contended(site) ? (struct figures){site->view.parks, site->view.waited_ns} :
					 (struct figures){0, 0};
}

static int make(const struct report_target *target, const struct timeline_target *timeline,
		const struct pprof_options *options, figures_fn figures_of,
		struct pprof **ret_profile)
{
	struct pprof *profile;
	int err = pprof__new(options, &profile);

	if (err)
		return err;
	for (size_t i = 0; i < target->n_sites && !err; i++) {
		struct figures figures = figures_of(&target->sites[i], timeline);

		if (figures.count || figures.ns)
			err = add_site(profile, &target->sites[i], figures.count, figures.ns);
	}
	if (err)
		pprof__free(profile);
	else
		*ret_profile = profile;
	return err;
}

static struct pprof_options options_of(const struct report_target *target, uint64_t realtime_ns,
				       const struct pprof_kind *of, size_t n_kinds)
{
	return (struct pprof_options){
		.kinds = of,
		.n_kinds = n_kinds,
		.period_kind = of[0],
		.period = 1,
		.time_ns = realtime_ns,
		.duration_ns = target->observed_ns,
		.binary = target->exe,
		.build_id = report__text(target->build_id),
	};
}

int sites_profile__make(const struct report_target *target, const struct timeline_target *timeline,
			uint64_t realtime_ns, struct pprof **ret_profile)
{
	struct pprof_options options = options_of(target, realtime_ns, kinds, timeline ? 2 : 1);

	options.shown = "goroutines";
	return make(target, timeline, &options, goroutines_of, ret_profile);
}

int contention_profile__make(const struct report_target *target, uint64_t realtime_ns,
			     struct pprof **ret_profile)
{
	const struct pprof_options options =
		options_of(target, realtime_ns, contention_kinds, ARRAY_SIZE(contention_kinds));

	return make(target, NULL, &options, contention_of, ret_profile);
}
