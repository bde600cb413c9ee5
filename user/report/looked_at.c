// SPDX-License-Identifier: Apache-2.0
#include "report/looked_at.h"

#include <errno.h>
#include <stdlib.h>

/* How long what members of a site wait on is taken to stay the same. */
#define OBJECTS_FRESH_NS (30 * NSEC_PER_SEC)

struct site_objects_wanted *looked_at__find(const struct looked_at *looked, uint32_t site,
					    uint64_t *ret_time_ns)
{
	for (size_t i = 0; i < looked->n; i++) {
		if (looked->items[i].site.site != site)
			continue;
		*ret_time_ns = looked->items[i].time_ns;
		return &looked->items[i].site;
	}
	return NULL;
}

/* Those under suspicion; in the last report, which can afford it, all that wait on something. */
static bool wants_look(const struct site_view *view, bool final)
{
	bool on_object = wait_class__facts(view->wait_class)->on != WAIT_ON_NOTHING;

	return on_object && view->parked && !view->other &&
	       (verdict__is_suspect(view->verdict) || final);
}

static void keep_looked_at(struct looked_at *looked, const struct site_objects_wanted *found,
			   size_t n, uint64_t now_ns)
{
	void *items = reallocarray(NULL, max_of(n, (size_t)1), sizeof(*looked->items));

	if (!items)
		return;
	free(looked->items);
	looked->items = items;
	looked->n = n;
	for (size_t i = 0; i < n; i++) {
		looked->items[i].time_ns = now_ns;
		looked->items[i].site = found[i];
	}
}

int looked_at__renew(struct looked_at *looked, struct target *target,
		     const struct report_site *sites, size_t n_sites, uint64_t now_ns, bool final)
{
	struct site_objects_wanted *wanted = calloc(SITE_OBJECTS_MAX_SITES, sizeof(*wanted));
	bool stale = false;
	size_t n = 0;
	int err = 0;

	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < n_sites && n < SITE_OBJECTS_MAX_SITES; i++) {
		const struct site_view *view = &sites[i].view;
		uint64_t time_ns;

		if (!wants_look(view, final))
			continue;
		stale |= !looked_at__find(looked, view->index, &time_ns) ||
			 now_ns - time_ns >= OBJECTS_FRESH_NS;
		wanted[n++] = (struct site_objects_wanted){.site = view->index,
							   .wait_class = view->wait_class,
							   .wait_reason = view->wait_reason};
	}
	if (stale && !looked->locks) {
		looked->locks = calloc(1, sizeof(*looked->locks));
		err = looked->locks ? 0 : -ENOMEM;
	}
	if (stale && !err)
		err = site_objects__look(target, wanted, n);
	if (stale && !err)
		err = built_locks__find(target, wanted, n, now_ns, looked->locks);
	if (stale && !err)
		keep_looked_at(looked, wanted, n, now_ns);
	free(wanted);
	return err ? err : stale;
}

void looked_at__clear(struct looked_at *looked)
{
	free(looked->items);
	free(looked->locks);
	*looked = (struct looked_at){0};
}
