// SPDX-License-Identifier: Apache-2.0
#include "probe/event.h"

static const struct probe_event_info events[PROBE_EVENT_COUNT] = {
	[PROBE_EVENT_CREATE] = {"create", "creations", "gl_create", PROBE_MODE_LIFECYCLE},
	[PROBE_EVENT_EXIT] = {"exit", "exits", "gl_exit", PROBE_MODE_LIFECYCLE},
	[PROBE_EVENT_PARK] = {"park", "parks", "gl_park", PROBE_MODE_FULL},
	[PROBE_EVENT_WAKE] = {"wake", "ends of waits", "gl_wake", PROBE_MODE_WAITS},
};

const struct probe_event_info *probe_event__info(enum probe_event event)
{
	return &events[event];
}

const char *probe_event__name(enum probe_event event)
{
	return event < PROBE_EVENT_COUNT ? events[event].name : "unknown";
}

const char *probe_mode__name(enum probe_mode mode)
{
	switch (mode) {
	case PROBE_MODE_CENSUS:
		return "census";
	case PROBE_MODE_LIFECYCLE:
		return "lifecycle";
	case PROBE_MODE_FULL:
		return "full";
	case PROBE_MODE_WAITS:
		return "waits";
	}
	return "unknown";
}

unsigned int probe_mode__events(enum probe_mode mode)
{
	unsigned int mask = 0;

	for (int event = 0; event < PROBE_EVENT_COUNT; event++) {
		if (mode >= events[event].lowest_mode)
			mask |= 1u << event;
	}
	return mask;
}
