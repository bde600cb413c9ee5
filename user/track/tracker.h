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
 * Every goroutine belongs to exactly one site: (creation pc, start pc, wait reason, park place).
 * Before its first sighting in a census it belongs to its origin's site without a place; when a
 * census finds it parked elsewhere it moves. Sites' created and exited count members that were
 * created and that exited since the attach, so over all sites they add up to the totals; a member
 * that moves takes its creation along. Who exits without ever having been seen counts at the site
 * without creation and start pc.
 *
 * Memory: at most 40 bytes a goroutine, the index included; docs/overhead.md has the figure.
 */
#include "base/common.h"
#include "golang/wait_reason.h"
#include "track/site_view.h"

struct tracker;
struct saved_site;
struct saved_process;

struct site_traits {
	enum wait_class wait_class;
	enum site_nature nature;
};

struct tracker_options {
	size_t max_goroutines; /* 0: 8 million */
	size_t max_sites;      /* 0: 65,536; beyond, goroutines go to one "other" site */
	uint64_t attached_ns;  /* monotonic time of the attach */
	uint64_t started_ns;   /* ... of the process' start, to a few seconds */
	bool expect_events;    /* lifecycle events are attached */
	/* Class of this Go version's wait reason number at this stack, and more; once per site. */
	void (*classify)(void *ctx, uint8_t reason, uint64_t creation_pc, uint64_t start_pc,
			 uint32_t stack_id, struct site_traits *ret_traits);
	/* Whether goroutines started at @start_pc are the runtime's own; asked once per origin. */
	bool (*is_system)(void *ctx, uint64_t start_pc);
	void *ctx;
};

int tracker__new(const struct tracker_options *options, struct tracker **ret_tracker) __must_check;
void tracker__free(struct tracker *tracker);

/*
 * tracker__freeze - while @frozen, no more goroutines are kept at a time than there are now; the
 * others count as refused.
 */
void tracker__freeze(struct tracker *tracker, bool frozen);

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

/*
 * tracker__unseen - @lives goroutines were created and ended since the census before without anybody
 * telling, by the count of goids: they join the totals, at the site of the unknown.
 */
void tracker__unseen(struct tracker *tracker, uint64_t lives);

/* One goroutine as a census saw it. */
struct tracker_sighting {
	uint64_t goid;
	uint64_t parent_goid;
	uint64_t creation_pc;
	uint64_t start_pc;
	uint64_t waitsince_ns; /* lower bound of the park's begin by the target's GC; 0: none */
	uint64_t read_at_ns;   /* taken before the read */
	uint64_t place;	       /* names the park place, the same in every run; 0: none known */
	uint32_t stack_id;     /* an example of a stack there; 0: none known */
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

/* Lives that ended are counted by length: up to each of these, and more. */
#define TRACKER_LIFETIMES 8
#define TRACKER_LIFETIME_NS                                                              \
	{                                                                                \
		10000000, 100000000, 1000000000, 10000000000, 60000000000, 600000000000, \
			3600000000000                                                    \
	}

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
	uint64_t lifetimes[TRACKER_LIFETIMES]; /* of goroutines created since the attach */
	double lifetime_seconds;
	bool inexact; /* events were lost since the last complete census */
};

void tracker__totals(const struct tracker *tracker, struct tracker_totals *ret_totals);

struct tracker_policy {
	uint64_t min_age_ns; /* a member counts as staying once parked this long */
};

/*
 * tracker__judge - judge all sites as of @now_ns; the verdicts stand until the next call. Call it
 * once after each census, and once more for the same @now_ns when tracker__note_objects() has added
 * to the evidence: judging the same moment again replaces its first judgement. One pass over all
 * goroutines. -ENOMEM: there are no verdicts.
 */
int tracker__judge(struct tracker *tracker, const struct tracker_policy *policy,
		   uint64_t now_ns) __must_check;

/*
 * tracker__sites - the sites that had members, or had had any since the attach, when they were last
 * judged: worst verdict first, then by size. Owned by the tracker, valid until it judges again.
 */
const struct site_view *tracker__sites(const struct tracker *tracker, size_t *ret_n);

/*
 * tracker__site_of_handle - the site of the goroutine that census_seen() gave @handle for, and its
 * goid; false when it is gone.
 */
bool tracker__site_of_handle(const struct tracker *tracker, uint32_t handle, uint32_t *ret_site,
			     uint64_t *ret_goid);

/* tracker__max_goid - the highest goid seen so far. */
uint64_t tracker__max_goid(const struct tracker *tracker);

/* What members of a site wait on, as far as it matters to the verdict. */
struct site_objects {
	uint32_t looked_at;   /* members whose waits were read; 0: nobody looked */
	uint32_t distinct;    /* objects among those */
	uint32_t shared_by;   /* members that wait on the object which most wait on */
	uint32_t with_timer;  /* members of which one case is the channel of an armed timer */
	uint32_t with_buffer; /* ... a channel with a buffer */
	bool queue;	      /* what most wait on is a channel with a buffer */
};

/* tracker__note_objects - what was found at site @index; the next tracker__judge() uses it. */
void tracker__note_objects(struct tracker *tracker, uint32_t index,
			   const struct site_objects *objects);

/* tracker__note_files - open files (sockets among them) of the process at a census' time. */
void tracker__note_files(struct tracker *tracker, uint64_t files, uint64_t time_ns);

/* Memory across restarts of gleakd, see track/saved.h. */
void tracker__save(const struct tracker *tracker, struct saved_process *ret_process,
		   bool (*visit)(void *ctx, const struct saved_site *site), void *ctx);
/* tracker__recall_* - before the first census only; sites first, then the process. */
int tracker__restore_site(struct tracker *tracker, const struct saved_site *site) __must_check;
void tracker__restore_process(struct tracker *tracker, const struct saved_process *process);

#endif /* GLEAKD_TRACK_TRACKER_H */
