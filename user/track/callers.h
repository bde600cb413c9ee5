/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_CALLERS_H
#define GLEAKD_TRACK_CALLERS_H

/*
 * Which calls of the program's own led to goroutines that libraries started, of those of which an event told.
 * What is kept for each call at each site is what the site would have if it were one of these alone: so a
 * site can be cut in two later, where its goroutines behave as the call does that they come from.
 *
 * Bounded: of further goroutines and calls nothing is known. Sites are named by a hash of their keys.
 */
#include "base/common.h"
#include "track/histograms.h"

struct callers;

/* Of one site and one call. */
struct call_stat {
	uint64_t site, call_pc;
	uint32_t here;	 /* of an origin: goroutines that exist */
	uint32_t stayed; /* ... of these, for min_age or longer, by the last judgement */
	uint64_t ended;	 /* of an origin: lives, else parks, that have ended ... */
	struct length_histogram lengths; /* ... by their length */
};

/* callers__new - -ENOMEM. */
int callers__new(struct callers **ret_callers) __must_check;
void callers__free(struct callers *callers);

/*
 * callers__note - goroutine @goid, of the go statement of @origin, comes from @call_pc, not 0. False: nothing
 * was noted, there is no room, or it is known already.
 */
bool callers__note(struct callers *callers, uint64_t goid, uint64_t origin, uint64_t call_pc);

/* callers__of - where goroutine @goid comes from; 0: not known. */
uint64_t callers__of(const struct callers *callers, uint64_t goid);

/* callers__park_ended - of a goroutine that comes from @call_pc, at @site, of @length_ns. */
void callers__park_ended(struct callers *callers, uint64_t site, uint64_t call_pc,
			 uint64_t length_ns);

/* callers__exited - goroutine @goid, which lived for @life_ns. */
void callers__exited(struct callers *callers, uint64_t goid, uint64_t life_ns);

/* callers__stat - of @site and @call_pc; NULL: nothing is known. Valid until something is noted. */
struct call_stat *callers__stat(const struct callers *callers, uint64_t site, uint64_t call_pc);

/* callers__stats - all of them, to be read or counted in. */
struct call_stat *callers__stats(struct callers *callers, size_t *ret_n);

/* callers__halve_ended - as site_table__halve_ended(). */
void callers__halve_ended(struct callers *callers);

size_t callers__memory(const struct callers *callers);

/* The calls that most members of a site come from: numbers are right where there are no more than so many. */
#define CALL_COUNTS_MAX 4

struct call_counts {
	uint32_t known; /* members of which it is known */
	struct {
		uint64_t call_pc;
		uint32_t n; /* at least */
	} calls[CALL_COUNTS_MAX];
};

void call_counts__add(struct call_counts *counts, uint64_t call_pc);
/* call_counts__first - the call that most come from, and how many; 0: none is known. */
uint64_t call_counts__first(const struct call_counts *counts, uint32_t *ret_n);

#endif /* GLEAKD_TRACK_CALLERS_H */
