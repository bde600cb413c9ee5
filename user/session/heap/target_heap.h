/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_HEAP_TARGET_HEAP_H
#define GLEAKD_SESSION_HEAP_TARGET_HEAP_H

/*
 * What the heap of a target shows of its goroutines: which of them wait for what nothing leads to any
 * more, and what they keep from being freed. What is found goes to the target's tracker, whose next
 * judgement uses it.
 */
#include "heap/scan/confirm.h"
#include "heap/view/counters.h"
#include "heap/scan/picture.h"
#include "heap/scan/scan.h"
#include "session/target.h"

/* How the scans of a target's heap went so far. */
struct target_heap_figures {
	uint64_t scans;		    /* that came to an end */
	enum heap_scan_doubt doubt; /* why the last says nothing, if it does */
	uint64_t last_ended_ns;
	size_t to_confirm; /* goroutines of which further scans will tell */
	/* By the last proof: goroutines that wait in channels and locks, and those that nothing can wake. */
	size_t judged, proven;
};

/*
 * target_heap__start - begin a scan while the target runs; what it takes to confirm stays as the first
 * call has it; @max_heap_bytes as in heap/scan/scan.h. target_heap__step goes on with it for about
 * @budget_ns: 1 there is more, 0 the scan has ended. Errors are for this target only, and end the
 * scan: as heap_runtime__init(), heap_scan__step().
 */
int target_heap__start(struct target *target, const struct heap_confirm_options *confirm,
		       uint64_t max_heap_bytes, struct failure *failure) __must_check;
int target_heap__step(struct target *target, uint64_t budget_ns,
		      struct failure *failure) __must_check;

/* target_heap__is_scanning - a scan has begun and not ended. */
bool target_heap__is_scanning(const struct target *target);

/*
 * target_heap__give_up - the scan under way, if there is one: it uses what others are to use now, and begins
 * anew when it is due.
 */
void target_heap__give_up(struct target *target);

/* target_heap__hold_off - no scan of this target is due before @until_ns; _held_off: whether one is not. */
void target_heap__hold_off(struct target *target, uint64_t until_ns);
bool target_heap__held_off(const struct target *target, uint64_t now_ns);

/*
 * target_heap__prepare - a picture of the target for target_heap__prove(), its first copy made.
 * target_heap__prove - stops the target for it, and says what it shows. *@ret_picture belongs to the
 * caller; @max_bytes: of memory, for the copy and for what is found out beside it. Errors: as
 * target_view__names(), heap_picture__prepare(), heap_picture__take() and heap_scan__step(); -EAGAIN the
 * scan is in doubt (the failure says of what).
 */
int target_heap__prepare(struct target *target, uint64_t max_stop_ns, uint64_t max_bytes,
			 struct heap_picture **ret_picture, struct failure *failure) __must_check;
int target_heap__prove(struct target *target, struct heap_picture *picture, uint64_t max_bytes,
		       struct failure *failure) __must_check;

/*
 * target_heap__runtime - where the target's runtime keeps its heap, for as long as the target lives.
 * Errors: as heap_runtime__init().
 */
int target_heap__runtime(struct target *target, const struct heap_runtime **ret_runtime,
			 struct failure *failure) __must_check;

/* A program that is starting has no heap yet, and one of an unknown version never will. */
#define TARGET_COUNTERS_RETRY_NS (60 * NSEC_PER_SEC)

/*
 * target_heap__counters - what the target's runtime counts of its memory, read now, with a few reads.
 * False: it cannot be read, or it has ended; then it is not tried again for a minute, and only what
 * never falls is set, to what it was.
 */
bool target_heap__counters(struct target *target, uint64_t now_ns,
			   struct heap_counters *ret_counters);

/*
 * target_heap__counters_lately - the same, not older than TARGET_COUNTERS_LATELY_NS: for what is decided by them
 * many times between two reports.
 */
#define TARGET_COUNTERS_LATELY_NS (10 * NSEC_PER_SEC)
bool target_heap__counters_lately(struct target *target, uint64_t now_ns,
				  struct heap_counters *ret_counters);

/*
 * target_heap__note_collections - tell the target's tracker when its collections ended; nothing where that
 * cannot be read.
 */
void target_heap__note_collections(struct target *target, uint64_t now_ns);

/* target_heap__figures - NULL: its heap was not looked at. */
const struct target_heap_figures *target_heap__figures(const struct target *target);

/* target_heap__close - part of target__free(). */
void target_heap__close(struct target *target);

#endif /* GLEAKD_SESSION_HEAP_TARGET_HEAP_H */
