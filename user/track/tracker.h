/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_TRACKER_H
#define GLEAKD_TRACK_TRACKER_H

/*
 * The goroutines of one process: which exist, since when, and where each is parked. The tracker is
 * fed by events (fast, but some may be lost) and by censuses (slow, but complete). It is pure: no
 * I/O, no clock, no knowledge of either source. A goroutine is identified by its goid. Input that
 * is missing, doubled or out of order is normal input.
 *
 * Rules of the merge (docs/architecture.md "Two sources"):
 * - What a census read of a goroutine before that goroutine's last event does not override the
 *   event.
 * - A goroutine that a whole census did not see, and of which no event since the census began
 *   tells, is gone. It counts as exited and, if events were expected, as repaired. So a lost exit
 *   never becomes a leak.
 * - A goroutine that a later census than the first sees for the first time was created without an
 *   event: it counts as created and repaired. So does one that no census saw and whose exit is
 *   told.
 * - When the event comes after all, the creation or exit is not repaired any more.
 *
 * Every goroutine belongs to exactly one site: (creation pc, start pc, wait reason, park place).
 * Until a census has seen it parked, that is the site of its origin, which has no place. When a
 * census finds it parked elsewhere it moves. The created and exited of a site count members that
 * were created and that exited since the attach, so over all sites they add up to the totals; a
 * member that moves takes its creation along. A goroutine that exits without ever having been seen
 * counts at the site without creation and start pc.
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

/* tracker__memory - bytes for goroutines and sites. */
uint64_t tracker__memory(const struct tracker *tracker);

/* tracker__expect_events - tell that lifecycle events are (not) attached from now on. */
void tracker__expect_events(struct tracker *tracker, bool expected, uint64_t now_ns);

/* Events. Times are monotonic nanoseconds of the event itself. */
void tracker__created(struct tracker *tracker, uint64_t goid, uint64_t creation_pc,
		      uint64_t start_pc, uint64_t time_ns);
void tracker__exited(struct tracker *tracker, uint64_t goid, uint64_t time_ns);
void tracker__parked(struct tracker *tracker, uint64_t goid, uint64_t time_ns);

/*
 * Waits of goroutines for each other, each from its park to its wake. tracker__trace_waits says whether both are
 * told of from now on; what was known before is forgotten when that begins. tracker__waits_since is then, monotonic;
 * 0: they are not traced, and what views have of waits is by censuses.
 */
struct tracker_wait {
	uint64_t goid;
	uint64_t creation_pc, start_pc;
	uint64_t place;
	uint32_t stack_id;
	uint8_t wait_reason;
	uint64_t ended_ns; /* monotonic */
};

void tracker__trace_waits(struct tracker *tracker, bool traced, uint64_t now_ns);
void tracker__wait_began(struct tracker *tracker, uint64_t goid, uint64_t time_ns);
void tracker__wait_ended(struct tracker *tracker, const struct tracker_wait *wait);
uint64_t tracker__waits_since(const struct tracker *tracker);
/* tracker__waits_missed - ends of waits of which nobody knows when they began: they are not in the sums. */
uint64_t tracker__waits_missed(const struct tracker *tracker);

/*
 * tracker__note_call - goroutine @goid, which was created a moment ago, comes from the call of the program's own
 * code that returns to @call_pc, which stands for its line.
 * tracker__comes_from - what is known of that of goroutine @goid, 0: nothing; @ret_creation_pc: its go statement.
 */
void tracker__note_call(struct tracker *tracker, uint64_t goid, uint64_t call_pc);
uint64_t tracker__comes_from(const struct tracker *tracker, uint64_t goid,
			     uint64_t *ret_creation_pc);

/*
 * tracker__lost - @events were lost up to now, @creations of them creations. The next census
 * repairs what they left wrong. Goroutines whose creation was lost and of which neither a census
 * nor a later event tells have ended unseen: they are added to the created and the exited, at the
 * site of the unknown.
 */
void tracker__lost(struct tracker *tracker, uint64_t events, uint64_t creations);

/*
 * tracker__unseen - @goroutines were created and ended between two censuses, and no event told of
 * them: the goids that the runtime has handed out say so. They are added to the created and the
 * exited, at the site of the unknown.
 */
void tracker__unseen(struct tracker *tracker, uint64_t goroutines);

/* One goroutine as a census saw it. */
struct tracker_sighting {
	uint64_t goid;
	uint64_t creation_pc;
	uint64_t start_pc;
	/* the end of the GC before the one that found this wait; 0: none has */
	uint64_t waitsince_ns;
	uint64_t read_at_ns; /* taken before the read */
	uint64_t place;	     /* of the code where it waits, the same in every run; 0: not known */
	uint32_t stack_id;   /* an example of a stack there; 0: none known */
	uint8_t wait_reason;
	bool parked; /* waiting, really off the processor */
	bool in_syscall;
};

/* tracker__census_begin - a census starts at @started_ns. */
void tracker__census_begin(struct tracker *tracker, uint64_t started_ns);
/*
 * tracker__census_seen - a census has read @sighting. Returns a handle for
 * tracker__census_unchanged(), 0 when the goroutine has no record.
 */
uint32_t tracker__census_seen(struct tracker *tracker, const struct tracker_sighting *sighting);
/*
 * tracker__census_unchanged - a census has found goroutine @goid as the census before read it.
 * False when @handle is not its record any more, or an event has told of it since: then it has to
 * be read.
 */
bool tracker__census_unchanged(struct tracker *tracker, uint32_t handle, uint64_t goid,
			       uint64_t read_at_ns);

/*
 * tracker__is_as_censused - whether the last census has seen every goroutine that is known, and no event has told
 * of one since.
 */
bool tracker__is_as_censused(const struct tracker *tracker);

/*
 * tracker__census_all_unchanged - as census_unchanged() of all, for a process of which it is known that it has not run
 * since the last census; @each is told the goid of each. Only if it was as the last census saw it.
 */
void tracker__census_all_unchanged(struct tracker *tracker, void (*each)(void *ctx, uint64_t goid),
				   void *ctx);

/*
 * tracker__census_told - the handle of goroutine @goid when this census has already told of it; 0: it has not.
 * Whoever wants to see each in full need not tell of what is unchanged as if it had run.
 */
uint32_t tracker__census_told(const struct tracker *tracker, uint64_t goid);

/* tracker__collected - a collection of the target ended at @ended_ns, which tells how long waits last. */
void tracker__collected(struct tracker *tracker, uint64_t ended_ns);
/*
 * tracker__census_end - the census has seen every goroutine: those that it did not see are gone,
 * and each site gets a sample of history.
 */
void tracker__census_end(struct tracker *tracker, uint64_t finished_ns);

/*
 * Goroutines that ended are counted by how long they lived: up to each of these bounds, and longer.
 */
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
	uint64_t refused;  /* goroutines without a record because a limit was reached */
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
	uint32_t looked_at;   /* members whose waits were read; 0: they were not looked at */
	uint32_t distinct;    /* objects among those */
	uint32_t shared_by;   /* members that wait on the object which most wait on */
	uint32_t with_timer;  /* members of which one case is the channel of an armed timer */
	uint32_t with_buffer; /* ... a channel with a buffer */
	bool queue;	      /* what most wait on is a channel with a buffer */
	bool values;	      /* ... a channel that carries values, not a mere signal */
};

/* tracker__note_objects - what was found at site @index; the next tracker__judge() uses it. */
void tracker__note_objects(struct tracker *tracker, uint32_t index,
			   const struct site_objects *objects);

/*
 * tracker__find - the site of goroutine @goid, and since when it is parked (monotonic ns, to a tick;
 * 0: it is not). False when there is no such goroutine.
 */
bool tracker__find(const struct tracker *tracker, uint64_t goid, uint32_t *ret_site,
		   uint64_t *ret_parked_since_ns);

/* tracker__waits_in - what members of site @index wait in. */
enum wait_class tracker__waits_in(const struct tracker *tracker, uint32_t index);

/*
 * tracker__note_proof - what the last look at the heap showed at site @index; the next tracker__judge()
 * uses it. tracker__forget_proofs comes first: what the look before showed holds no longer.
 */
void tracker__forget_proofs(struct tracker *tracker);
void tracker__note_proof(struct tracker *tracker, uint32_t index, const struct site_proof *proof);

#define TRACKER_PEER_SIZE 56

/* What was known of sockets longer ago says nothing of now. */
#define TRACKER_SOCKETS_MAX_AGE_NS (60 * NSEC_PER_SEC)

/* Who opened the connections of the process. */
struct tracker_sockets {
	uint64_t accepted;	      /* others did, or may have, and have not hung up */
	uint64_t hung_up;	      /* others did, and have */
	uint64_t dialled;	      /* the process did */
	uint64_t with_itself;	      /* of those: it has both ends */
	uint64_t to_peer;	      /* of those, to the address that most go to ... */
	char peer[TRACKER_PEER_SIZE]; /* ... in words; "" not known */
};

/* tracker__wants_sockets - whether a verdict would be another, or sooner, if that were known. */
bool tracker__wants_sockets(const struct tracker *tracker);
/* tracker__note_sockets - at a census' time; NULL: it cannot be told. */
void tracker__note_sockets(struct tracker *tracker, const struct tracker_sockets *sockets,
			   uint64_t time_ns);

/* tracker__note_files - open files (sockets among them) of the process at a census' time. */
void tracker__note_files(struct tracker *tracker, uint64_t files, uint64_t time_ns);

/*
 * tracker__save - what the next gleakd should know (track/saved.h): of the process in @ret_process,
 * of its sites one by one to @visit, which returns false to stop.
 */
void tracker__save(const struct tracker *tracker, struct saved_process *ret_process,
		   bool (*visit)(void *ctx, const struct saved_site *site), void *ctx);
/* tracker__restore_* - only before the first census; sites first, then the process. */
int tracker__restore_site(struct tracker *tracker, const struct saved_site *site) __must_check;
void tracker__restore_process(struct tracker *tracker, const struct saved_process *process);

#endif /* GLEAKD_TRACK_TRACKER_H */
