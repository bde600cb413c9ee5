/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SCAN_CONFIRM_H
#define GLEAKD_HEAP_SCAN_CONFIRM_H

/*
 * What several racing scans say together. One of them can be wrong about a goroutine whose channel was
 * on its way from one place to another while the heap was read. A goroutine is *confirmed* when it was
 * unreachable in several scans, an interval apart, has not run and waits on the same in all of them,
 * and has waited for long enough. One scan that is sure and finds it reachable, or finds that it ran,
 * takes everything back. Pure: no clock, no process.
 */
#include "base/common.h"
#include "heap/scan/scan.h"

struct heap_confirm;

struct heap_confirm_options {
	uint32_t scans; /* that have to agree; 0: 3 */
	/* from the beginning of one that counts to that of the next; 0: 1 s */
	uint64_t interval_ns;
	uint64_t min_age_ns; /* how long it must have waited */
	size_t max;	     /* goroutines remembered; 0: 4 million */
};

/* One goroutine that a scan found unreachable. */
struct heap_sighting {
	uint64_t goid;
	uint64_t fingerprint; /* struct heap_goroutine */
	uint64_t waits;	      /* a hash of what it waits on */
	uint64_t since_ns;    /* when it began to wait, monotonic; 0: unknown */
};

/* heap_confirm__new - -ENOMEM. */
int heap_confirm__new(const struct heap_confirm_options *options,
		      struct heap_confirm **ret_confirm) __must_check;
void heap_confirm__free(struct heap_confirm *confirm);

/*
 * heap_confirm__begin - a scan that began at @started_ns. One of which something was unreadable says
 * nothing, and must be left out.
 */
void heap_confirm__begin(struct heap_confirm *confirm, uint64_t started_ns);

/* heap_confirm__see - this one was unreachable. -ENOMEM also beyond the maximum. */
int heap_confirm__see(struct heap_confirm *confirm,
		      const struct heap_sighting *sighting) __must_check;

/* heap_confirm__end - all that were have been told: the others are forgotten. */
void heap_confirm__end(struct heap_confirm *confirm);

/* Since when a goroutine waits, monotonic ns; 0: unknown. */
typedef uint64_t (*heap_since_fn)(void *ctx, const struct heap_goroutine *g);

/*
 * heap_confirm__take - all three, for a @scan that has ended. Nothing if it is not sure. @since may be
 * NULL. Goroutine 1 in select{} is left out: it is how a program waits for its end. -ENOMEM.
 */
int heap_confirm__take(struct heap_confirm *confirm, const struct heap_scan *scan,
		       heap_since_fn since, void *ctx) __must_check;

/* heap_confirm__count - in how many scans that count @goid has been unreachable so far. */
uint32_t heap_confirm__count(const struct heap_confirm *confirm, uint64_t goid);

/* heap_confirm__is_confirmed - by all of them, at @now_ns. */
bool heap_confirm__is_confirmed(const struct heap_confirm *confirm, uint64_t goid, uint64_t now_ns);

/* heap_confirm__waiting - how many are not confirmed yet: whether further scans are worth it. */
size_t heap_confirm__waiting(const struct heap_confirm *confirm, uint64_t now_ns);

#endif /* GLEAKD_HEAP_SCAN_CONFIRM_H */
