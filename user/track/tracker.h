/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_TRACKER_H
#define GLEAKD_TRACK_TRACKER_H

/*
 * The goroutines of one process: who exists, since when, where each is parked. Fed by events (fast,
 * may be lost) and by censuses (slow, complete); pure: no I/O, no clock, no knowledge of either
 * source. A goroutine is known by its goid. Missing, doubled and reordered input is normal input.
 *
 * Rules of the merge (docs/architecture.md "Two sources"):
 * - A census sighting read before a goroutine's last event does not override that event.
 * - A goroutine which an entire census did not see, and which no event mentions after the census
 *   began, is gone: counted as exited and, if events were expected, as repaired. So a lost exit
 *   never becomes a leak.
 * - A goroutine first seen in a census after the first one was created unseen: counted as created
 *   and repaired. So is one that no census saw and whose exit is told.
 * - A creation or exit that is told after all, later than concluded, is not repaired any more.
 *
 * Every goroutine belongs to exactly one site: (creation pc, start pc, wait reason, park stack).
 * Before its first sighting in a census it belongs to its origin's site without a stack; when a
 * census finds it parked elsewhere it moves. Sites' created and exited count members that were
 * created and that exited since the attach, so over all sites they add up to the totals; a member
 * that moves takes its creation along. Who exits without ever having been seen counts at the site
 * without creation and start pc.
 *
 * Memory: at most 40 bytes a goroutine, the index included; docs/overhead.md has the figure.
 */
#include "base/common.h"
#include "golang/wait_reason.h"

struct tracker;

struct tracker_options {
	size_t max_goroutines; /* 0: 8 million */
	size_t max_sites;      /* 0: 65,536; beyond, goroutines go to one "other" site */
	uint64_t attached_ns;  /* monotonic time of the attach */
	bool expect_events;    /* lifecycle events are attached */
	/* Class of this Go version's wait reason number. */
	enum wait_class (*wait_class)(void *ctx, uint8_t reason);
	/* Whether goroutines started at @start_pc are the runtime's own; asked once per origin. */
	bool (*is_system)(void *ctx, uint64_t start_pc);
	void *ctx;
};

int tracker__new(const struct tracker_options *options, struct tracker **ret_tracker) __must_check;
void tracker__free(struct tracker *tracker);

/* tracker__expect_events - tell that lifecycle events are (not) attached from now on. */
void tracker__expect_events(struct tracker *tracker, bool expected, uint64_t now_ns);

/* Events. Times are monotonic nanoseconds of the event itself. */
void tracker__created(struct tracker *tracker, uint64_t goid, uint64_t parent_goid,
		      uint64_t creation_pc, uint64_t start_pc, uint64_t time_ns);
void tracker__exited(struct tracker *tracker, uint64_t goid, uint64_t time_ns);
void tracker__parked(struct tracker *tracker, uint64_t goid, uint8_t wait_reason, uint64_t time_ns);

/*
 * tracker__lost - @events were lost up to now, @creations of them creations: the next census
 * repairs. Lost creations that neither a census nor a later event accounts for were whole lives:
 * they are added to the created and the exited, at the site of the unknown.
 */
void tracker__lost(struct tracker *tracker, uint64_t events, uint64_t creations);

/* One goroutine as a census saw it. */
struct tracker_sighting {
	uint64_t goid;
	uint64_t parent_goid;
	uint64_t creation_pc;
	uint64_t start_pc;
	uint64_t waitsince_ns; /* lower bound of the park's begin by the target's GC; 0: none */
	uint64_t read_at_ns;   /* taken before the read */
	uint32_t stack_id;     /* 0: none known */
	uint8_t wait_reason;
	bool parked; /* waiting, really off the processor */
	bool in_syscall;
};

/* tracker__census_begin - a census starts at @started_ns. */
void tracker__census_begin(struct tracker *tracker, uint64_t started_ns);
/* tracker__census_seen - returns a handle for tracker__census_unchanged(), 0 when not tracked. */
uint32_t tracker__census_seen(struct tracker *tracker, const struct tracker_sighting *sighting);
/* tracker__census_unchanged - false when @handle no longer stands for @goid. */
bool tracker__census_unchanged(struct tracker *tracker, uint32_t handle, uint64_t goid,
			       uint64_t read_at_ns);
/* tracker__census_end - the census was complete; sweeps and takes one sample of history. */
void tracker__census_end(struct tracker *tracker, uint64_t finished_ns);

struct tracker_totals {
	uint64_t alive;	  /* without the runtime's own goroutines, as runtime.NumGoroutine */
	uint64_t system;  /* the runtime's own */
	uint64_t parked;  /* of alive */
	uint64_t created; /* since the attach, user goroutines */
	uint64_t exited;
	uint64_t lost;	   /* events */
	uint64_t repaired; /* creations and exits which only a census revealed */
	uint64_t refused;  /* goroutines not tracked because a limit was reached */
	size_t sites;
	bool inexact; /* events were lost since the last complete census */
};

void tracker__totals(const struct tracker *tracker, struct tracker_totals *ret_totals);

enum verdict {
	VERDICT_ACTIVE,	 /* comes and goes, or runs */
	VERDICT_IDLE,	 /* waits by nature */
	VERDICT_GROWING, /* rises, too early or too mixed to say more */
	VERDICT_STUCK,	 /* a fixed set parked where nothing can wake it any more */
	VERDICT_LEAKING, /* rises, and its members never leave */
};

const char *verdict__name(enum verdict verdict); /* "leaking", "stuck", ... */

#define SITE_MAX_WHY 4

/* A site as the report needs it. */
struct site_view {
	uint32_t index; /* stable while the tracker lives */
	uint64_t creation_pc, start_pc;
	uint32_t stack_id;
	uint8_t wait_reason;
	enum wait_class wait_class;
	bool system; /* the runtime's own */
	bool other;  /* collects what did not fit the limits */
	uint64_t goroutines, parked, created, exited;
	uint64_t oldest_park_ns; /* longest time a member has been parked without a break */
	uint64_t oldest_age_ns;	 /* longest known lifetime of a member */
	double growth_per_minute;
	enum verdict verdict;
	size_t n_why;
	char why[SITE_MAX_WHY][160]; /* evidence in numbers, most telling first */
};

struct tracker_policy {
	uint64_t min_age_ns; /* a member counts as staying once parked this long */
};

/*
 * tracker__sites - all sites that have members or had any since the attach, worst verdict first,
 * then by size. @visit returns false to stop. One pass over all goroutines.
 */
void tracker__sites(struct tracker *tracker, const struct tracker_policy *policy, uint64_t now_ns,
		    bool (*visit)(void *ctx, const struct site_view *site), void *ctx);

#endif /* GLEAKD_TRACK_TRACKER_H */
