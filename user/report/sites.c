// SPDX-License-Identifier: Apache-2.0
#include "report/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "naming/meanings.h"
#include "report/site.h"
#include "report/site_id.h"

void built_sites__clear(struct built_sites *sites)
{
	for (size_t i = 0; i < sites->n; i++)
		built_site__clear(&sites->all[i]);
	free(sites->all);
	*sites = (struct built_sites){0};
}

/* --- collecting the tracker's sites ------------------------------------------------------------- */

static int take_site(struct built_sites *sites, const struct site_view *view)
{
	if (sites->n == REPORT_MAX_SITES) {
		sites->refused += view->goroutines;
		return 0;
	}
	if (!array__reserve(sites->all, sites->capacity, sites->n + 1))
		return -ENOMEM;
	sites->all[sites->n++] = (struct report_site){.view = *view};
	return 0;
}

/* Sites come in the order of their importance. */
static int collect_site(struct built_sites *sites, struct report_site *rest,
			const struct site_view *view)
{
	const struct report_site site = {.view = *view};

	if (view->system)
		return 0;
	if (verdict__is_suspect(view->verdict) || view->other ||
	    sites->n_plain < REPORT_MAX_PLAIN_SITES) {
		sites->n_plain += !verdict__is_suspect(view->verdict);
		return take_site(sites, view);
	}
	sites->folded++;
	built_site__merge(rest, &site);
	return 0;
}

int built_sites__judge(struct built_sites *sites, struct target *target, uint64_t min_age_ns,
		       uint64_t now_ns)
{
	const struct tracker_policy policy = {.min_age_ns = min_age_ns};
	struct tracker *tracker = target__tracker(target);
	struct report_site rest = {.view = {.index = SITE_OTHER, .other = true}};
	const struct site_view *views;
	size_t n;
	int err;

	built_sites__clear(sites);
	err = tracker__judge(tracker, &policy, now_ns);
	views = tracker__sites(tracker, &n);
	for (size_t i = 0; i < n && !err; i++)
		err = collect_site(sites, &rest, &views[i]);
	return err || !sites->folded ? err : take_site(sites, &rest.view);
}

/* --- from numbers to frames --------------------------------------------------------------------- */

static const struct site_frames beyond_limit = {
	.created_by = {.function = "", .file = ""},
	.called_from = {.function = "", .file = ""},
	.blocked_at = {.function = "", .file = ""},
	.start_function = "(beyond the limit of sites)",
};

static int resolve_site(const struct target *target, struct report_site *site,
			struct site_frames *frames)
{
	const struct site_view *view = &site->view;
	const struct meaning *meaning;

	site->wait_reason = site_id__wait_words(target, view);
	if (view->other)
		*frames = beyond_limit;
	else
		site_frames__resolve(target__symbolizer(target), target__stacks(target),
				     view->creation_pc, view->start_pc, view->stack_id, frames);
	site_frames__set_call(frames, target__symbolizer(target), site_view__call(view),
			      view->apart);
	site_frames__id(frames, site->wait_reason, site->id);
	site->library = site_frames__library(frames, target__binary(target));
	meaning = meanings__of(frames, site->wait_reason, site->library);
	site->meaning = meaning ? meaning->text : "";
	site->created_by = frames->created_by;
	site->called_from = frames->called_from;
	site->blocked_at = frames->blocked_at;
	site->start_function = frames->start_function;
	return built_site__set_stack(site, frames->stack, frames->n_stack);
}

static struct report_site *find_site(const struct index *by_id, struct report_site *all,
				     const char *id)
{
	struct index_search search = index__search(by_id, hash__keyed(id, strlen(id)));

	while (index__next(&search)) {
		if (!strcmp(all[search.number].id, id))
			return &all[search.number];
	}
	return NULL;
}

/* Keeps @site at the end of the kept ones, or adds it to the one it equals. */
static int keep_or_merge(struct built_sites *sites, size_t *n_kept, struct index *by_id,
			 struct report_site *site)
{
	struct report_site *equal = find_site(by_id, sites->all, site->id);
	int err;

	if (equal) {
		built_site__merge(equal, site);
		built_site__clear(site);
		return 0;
	}
	err = index__add(by_id, hash__keyed(site->id, strlen(site->id)), (uint32_t)*n_kept);
	if (err) {
		built_site__clear(site);
		return err;
	}
	sites->all[(*n_kept)++] = *site;
	return 0;
}

int built_sites__resolve(struct built_sites *sites, const struct target *target)
{
	struct site_frames *frames = malloc(sizeof(*frames));
	struct index *by_id = NULL;
	size_t kept = 0;
	int err = frames ? index__new(REPORT_MAX_SITES, &by_id) : -ENOMEM;

	for (size_t i = 0; i < sites->n && !err; i++) {
		struct report_site site = sites->all[i];

		err = resolve_site(target, &site, frames);
		if (!err)
			err = keep_or_merge(sites, &kept, by_id, &site);
		/* What was not looked at yet is given up with it. */
		for (; err && i < sites->n; i++)
			built_site__clear(&sites->all[i]);
	}
	sites->n = kept;
	index__free(by_id);
	free(frames);
	return err;
}
