// SPDX-License-Identifier: Apache-2.0
#include "report/findings.h"

#include <errno.h>
#include <stdlib.h>

static bool is_found(const struct report_site *site)
{
	return verdict__is_alarm(site->view.verdict) || site->view.verdict == VERDICT_SUSPECTED;
}

/* The lock that both have to do with: they wait for it, or a member of one seems to hold it. */
static const struct report_lock *lock_of_both(const struct report_site *a,
					      const struct report_site *b)
{
	for (size_t i = 0; i < a->n_locks; i++) {
		const struct report_lock *lock = &a->locks[i];

		if ((report__waits_for(a, lock) || report__holds(a, lock)) &&
		    (report__waits_for(b, lock) || report__holds(b, lock)))
			return lock;
	}
	return NULL;
}

static bool is_part(const struct report_site *first, const struct report_site *site)
{
	return is_found(site) && !site->suppressed && !site->finding &&
	       ((site->view.bundle && site->view.bundle == first->view.bundle) ||
		lock_of_both(first, site));
}

/* How much @site says of where the leak is: a line of the program's own most, then a meaning. */
static unsigned int says(const struct report_site *site)
{
	if (site->created_by.own || site->blocked_at.own || site->called_from.own)
		return 3;
	for (size_t i = 0; i < site->n_stack; i++)
		if (site->stack[i].own)
			return 3;
	return *report__text(site->meaning) ? 2 : 1;
}

/* Of those that wait for one lock it is the one whose member seems to hold it. */
static void put_leader_first(const struct report_site **sites, size_t n,
			     const struct report_lock *lock)
{
	const struct report_site *leader;
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (says(sites[i]) > says(sites[best]))
			best = i;
	for (size_t i = 0; lock && i < n; i++)
		if (report__holds(sites[i], lock))
			best = i;
	leader = sites[best];
	/* The others stay in order. */
	for (; best > 0; best--)
		sites[best] = sites[best - 1];
	sites[0] = leader;
}

static void sum_up(struct report_finding *finding)
{
	for (size_t i = 0; i < finding->n_sites; i++) {
		const struct site_view *view = &finding->sites[i]->view;

		finding->verdict = max_of(finding->verdict, view->verdict);
		finding->confidence = max_of(finding->confidence, view->confidence);
		finding->goroutines += view->goroutines;
		if (i && view->goroutines >= finding->units)
			continue;
		finding->units = view->goroutines;
		finding->per_minute = view->growth_per_minute;
	}
	if (!finding->lock)
		return;
	finding->units = 1;
	finding->per_minute = 0;
}

int built_findings__make(struct built_findings *findings, struct report_site *sites, size_t n)
{
	size_t used = 0, n_parts;

	*findings = (struct built_findings){0};
	findings->findings = calloc(max_of(n, (size_t)1), sizeof(*findings->findings));
	findings->sites = calloc(max_of(n, (size_t)1), sizeof(*findings->sites));
	if (!findings->findings || !findings->sites) {
		built_findings__clear(findings);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		struct report_finding *finding = &findings->findings[findings->n];
		const struct report_site **parts = &findings->sites[used];

		if (!is_found(&sites[i]) || sites[i].suppressed || sites[i].finding)
			continue;
		parts[0] = &sites[i];
		n_parts = 1;
		sites[i].finding = finding;
		for (size_t j = i + 1; j < n; j++) {
			if (!is_part(&sites[i], &sites[j]))
				continue;
			parts[n_parts++] = &sites[j];
			sites[j].finding = finding;
		}
		for (size_t j = 1; j < n_parts && !finding->lock; j++)
			finding->lock = lock_of_both(parts[0], parts[j]);
		put_leader_first(parts, n_parts, finding->lock);
		finding->sites = parts;
		finding->n_sites = n_parts;
		sum_up(finding);
		used += n_parts;
		findings->n++;
	}
	return 0;
}

void built_findings__clear(struct built_findings *findings)
{
	free(findings->findings);
	free(findings->sites);
	*findings = (struct built_findings){0};
}
