// SPDX-License-Identifier: Apache-2.0
/* How many connections and open files the process has had, and who opened them. */
#include "track/tracker_internal.h"

static void add_number(struct history *history, uint64_t number, uint64_t ticks)
{
	const struct history_sample sample = {
		.ticks = ticks,
		.goroutines = (uint32_t)min_of(number, (uint64_t)UINT32_MAX),
	};

	history__add(history, &sample);
}

void tracker__note_files(struct tracker *tracker, uint64_t files, uint64_t time_ns)
{
	add_number(&tracker->files, files, ticks__of(time_ns));
}

bool tracker__wants_sockets(const struct tracker *tracker)
{
	return tracker->wants_sockets;
}

void tracker__note_sockets(struct tracker *tracker, const struct tracker_sockets *sockets,
			   uint64_t time_ns)
{
	const struct history_sample *before = history__latest(&tracker->accepted);
	uint64_t ticks = ticks__of(time_ns);

	tracker->sockets_known = sockets != NULL;
	/* What went on where nobody looked is not known. */
	if (!sockets ||
	    (before && ticks__age_ns(before->ticks, ticks) > TRACKER_SOCKETS_MAX_AGE_NS))
		history__clear(&tracker->accepted);
	if (!sockets)
		return;
	tracker->sockets = *sockets;
	add_number(&tracker->accepted, sockets->accepted, ticks);
}
