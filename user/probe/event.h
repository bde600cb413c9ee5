/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_EVENT_H
#define GLEAKD_PROBE_EVENT_H

/* The events that probes tell of (enum probe_event), and the modes that have them. */
#include "base/common.h"
#include "probe/abi.h"

/* Each mode has the events of the modes before it, and more. */
enum probe_mode {
	PROBE_MODE_CENSUS,    /* nothing attached */
	PROBE_MODE_LIFECYCLE, /* create, exit */
	PROBE_MODE_FULL,      /* create, exit, park */
	PROBE_MODE_WAITS,     /* create, exit, park, wake */
};

#define PROBE_MODE_COUNT (PROBE_MODE_WAITS + 1)

const char *probe_mode__name(enum probe_mode mode); /* "census", "lifecycle", "full", "waits" */

/* probe_mode__events - what is attached in @mode, a mask of 1 << enum probe_event. */
unsigned int probe_mode__events(enum probe_mode mode);

struct probe_event_info {
	const char *name, *plural;   /* in every output: "create", "creations" */
	const char *program;	     /* in bpf/gleakd.bpf.c */
	enum probe_mode lowest_mode; /* the first mode that has it */
};

/* probe_event__info - what is known of @event, which is below PROBE_EVENT_COUNT. */
const struct probe_event_info *probe_event__info(enum probe_event event);

const char *probe_event__name(enum probe_event event); /* "unknown" for any other number */

#endif /* GLEAKD_PROBE_EVENT_H */
