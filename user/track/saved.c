// SPDX-License-Identifier: Apache-2.0
/* Saving what a tracker knows, and restoring it. */
#include "track/saved.h"

#include <errno.h>
#include <string.h>

#include "track/tracker_internal.h"

static bool worth_saving(const struct site *site)
{
	return site->goroutines || site->created || site->exited || site->alarm.ticks;
}

/* Which goroutine came by which call, the next gleakd does not know: it begins with all of them at one. */
static void save_site(const struct site *site, struct saved_site *ret_site)
{
	*ret_site = (struct saved_site){
		.key = site->key,
		.first_ticks = site->first_ticks,
		.created = site->created,
		.exited = site->exited,
		.left_ticks = site->left_ticks,
		.ended_parks = site->ended_parks,
		.ended_lives = site->ended_lives,
		.alarm = site->alarm,
		.history = site->key.call_pc ? NULL : site->history,
	};
	ret_site->key.call_pc = 0;
}

void tracker__save(const struct tracker *tracker, struct saved_process *ret_process,
		   bool (*visit)(void *ctx, const struct saved_site *site), void *ctx)
{
	struct saved_site saved;

	*ret_process = (struct saved_process){
		.watch_ticks = tracker->watch_ticks,
		.saved_ticks = tracker->census_ticks,
		.created = tracker->created,
		.exited = tracker->exited,
		.lost = tracker->lost,
		.repaired = tracker->repaired,
		.clock = tracker->clock,
		.files = &tracker->files,
	};
	for (uint32_t i = 1; i < site_table__end(tracker->sites); i++) {
		const struct site *site = site_table__at(tracker->sites, i);

		if (site->system || !worth_saving(site))
			continue;
		save_site(site, &saved);
		if (!visit(ctx, &saved))
			return;
	}
}

int tracker__restore_site(struct tracker *tracker, const struct saved_site *site)
{
	uint32_t index = tracker__site_of(tracker, &site->key, 0);
	struct site *at = site_table__at(tracker->sites, index);
	struct history *history;

	if (index == SITE_OTHER)
		return -ENOSPC;
	at->first_ticks =
		at->first_ticks ? min_of(at->first_ticks, site->first_ticks) : site->first_ticks;
	at->created += site->created;
	at->exited += site->exited;
	at->left_ticks = max_of(at->left_ticks, site->left_ticks);
	length_histogram__add_all(&at->ended_parks, &site->ended_parks);
	length_histogram__add_all(&at->ended_lives, &site->ended_lives);
	if (site->alarm.ticks >= at->alarm.ticks)
		at->alarm = site->alarm;
	history = site->history ? site_table__history(tracker->sites, index) : NULL;
	if (history)
		history__copy(history, site->history);
	return 0;
}

void tracker__restore_process(struct tracker *tracker, const struct saved_process *process)
{
	tracker->restored = true;
	tracker->watch_ticks = process->watch_ticks;
	tracker->created = process->created;
	tracker->exited = process->exited;
	tracker->lost = process->lost;
	tracker->repaired = process->repaired;
	tracker->clock = process->clock;
	if (process->files)
		history__copy(&tracker->files, process->files);
}
