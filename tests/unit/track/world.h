/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_TRACK_WORLD_H
#define TESTS_UNIT_TRACK_WORLD_H

/*
 * A make-believe Go process with a virtual clock: goroutines that come, park, wake and go, told to
 * a tracker by events (with losses and lags as a test wants them) and by censuses.
 */
#include "base/common.h"
#include "track/tracker.h"

#define SECOND	    NSEC_PER_SEC
#define MINUTE	    (60 * NSEC_PER_SEC)
#define FOREVER	    UINT64_MAX
#define WORLD_START (1000 * NSEC_PER_SEC)
#define WORLD_STEP  (100 * NSEC_PER_MSEC)

/* Reason numbers of the make-believe Go version are wait classes; this one is a goroutine's own. */
#define SYSTEM_START_PC 0x5a5a

struct actor {
	uint64_t goid;
	uint64_t creation_pc, start_pc;
	uint32_t place; /* stack id where it parks; 0: it runs */
	enum wait_class class;
	uint64_t leaves_at;
	uint64_t waitsince_ns;
	uint32_t handle;
	bool changed; /* since the last census looked */
};

enum event_kind { CREATED, EXITED, PARKED };

struct event {
	enum event_kind kind;
	uint64_t goid, creation_pc, start_pc;
	uint64_t time, due;
};

struct world {
	struct tracker *tracker;
	struct tracker_policy policy;
	uint64_t now;
	/*
	 * When the last collection ended; 0: there was none. Each notes the end of the one before
	 * (src/runtime/mgcmark.go markroot).
	 */
	uint64_t collected;
	uint64_t collections[512]; /* all of them */
	size_t n_collections;
	uint64_t attached;
	uint64_t interval, next_census;
	bool lifecycle, parks;	   /* events attached */
	unsigned int lose_percent; /* of events */
	uint64_t lag;		   /* events are told this late at most, in any order */

	bool tells_sockets; /* who opened the connections is told, and it is this: */
	uint64_t accepted, dialled, hung_up;

	struct event *pending;
	size_t n_pending, pending_allocated;

	struct actor *actors;
	size_t n_actors, allocated;
	uint64_t next_goid, next_visit;
	uint64_t created, exited; /* truth, since the attach */
	uint64_t random;
};

/* What became of the verdicts at one place. */
struct watch {
	uint32_t place;
	uint64_t first_leaking; /* since the attach; 0: never */
	uint64_t last_leaking;
	enum verdict worst, latest;
	struct site_view view; /* numbers only: the tracker may be gone */
	char why[160];	       /* the first of its reasons */
};

/* What is attached. */
struct mode {
	const char *name;
	bool lifecycle, parks;
};

#define WORLD_MODES 3
/* Full, lifecycle, census. */
extern const struct mode world_modes[WORLD_MODES];

/* world__due - whether something that happens once per @period happens in the step that ends @since the attach. */
bool world__due(uint64_t since, uint64_t period);

/* world__new - not attached yet: what is spawned before world__attach() is older. */
void world__new(struct world *world, bool lifecycle, bool parks);
void world__free(struct world *world);
void world__attach(struct world *world);

uint64_t world__random(struct world *world, uint64_t below);
struct actor *world__spawn(struct world *world, uint64_t start_pc, uint32_t place,
			   enum wait_class class, uint64_t stays);
/* world__wake - it runs and parks at the same place again. */
void world__wake(struct world *world, struct actor *actor);
void world__exit(struct world *world, size_t index);
/* world__collect - a run of the garbage collector: it stamps waits that have no time yet. */
void world__collect(struct world *world);
void world__census(struct world *world);
/* world__step - one WORLD_STEP: leavers leave, and a census when it is time. */
void world__step(struct world *world);
/* world__look - verdicts now; updates the @n watches. */
void world__look(struct world *world, struct watch *watches, size_t n);
size_t world__count(const struct world *world, uint32_t place);

/* Shorthands for tests on the tracker itself. */
struct tracker *tracker_for_test(bool expect_events);
struct tracker_totals totals_of(const struct tracker *tracker);
/* judge_for_test - the sites as judged at @now_ns. */
const struct site_view *judge_for_test(struct tracker *tracker, uint64_t min_age_ns,
				       uint64_t now_ns, size_t *ret_n);
/* view_of - the site with members at @stack_id and @start_pc; false when there is none. */
bool view_of(struct tracker *tracker, uint64_t start_pc, uint32_t stack_id, uint64_t now_ns,
	     struct site_view *ret_view);
void classify_for_test(void *ctx, uint8_t reason, uint64_t creation_pc, uint64_t start_pc,
		       uint32_t stack_id, struct site_traits *ret_traits);
bool system_for_test(void *ctx, uint64_t start_pc);

#endif /* TESTS_UNIT_TRACK_WORLD_H */
