/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_RECORDER_H
#define GLEAKD_RECORD_RECORDER_H

/*
 * Writes a recording (docs/recording.md) of what a session watches. What was written is committed once a
 * second, and whole up to there however gleakd ends; others may read it at any time.
 *
 * Memory is bounded by the limits of record/schema.h, and the file by max_bytes: near it short lives are
 * left out first, then all lives, at last the series. What was left out is counted in the recording.
 */
#include "output/report.h"
#include "session/session.h"

struct recorder;

struct recorder_options {
	const char *path;
	uint64_t max_bytes;    /* of the file, with its journal */
	uint64_t long_park_ns; /* shorter parks are not recorded */
};

struct recorder_figures {
	uint64_t lives, parks;
	uint64_t bytes;	   /* of the file and its journal, at the last commit */
	uint64_t left_out; /* lives, parks and points, for want of room */
};

/*
 * recorder__new - make the file, which must not exist or be empty: readable by its owner only. To be
 * called before privileges are given up. Errors in words: -EEXIST, those of open(2), -ENOMEM.
 */
int recorder__new(const struct recorder_options *options, struct recorder **ret_recorder,
		  struct failure *failure) __must_check;

/*
 * recorder__watch - record all runtimes of @session, those that came since the last call as well. What
 * happens before is missing: to be called before the session is drained or takes a census.
 */
int recorder__watch(struct recorder *recorder, struct session *session,
		    struct failure *failure) __must_check;

/* recorder__second - about once a second: clocks, memory of each runtime; commits. Errors in words. */
int recorder__second(struct recorder *recorder, struct session *session, uint64_t now_ns,
		     struct failure *failure) __must_check;

/*
 * recorder__report - a round is complete: sites, verdicts, allocations, and @report, which is of
 * @session. The final one has all that still exists.
 */
int recorder__report(struct recorder *recorder, struct session *session,
		     const struct report *report, uint64_t now_ns,
		     struct failure *failure) __must_check;

/*
 * recorder__finish - nothing follows: one file without a journal. The session must still be there for
 * those it was told of. Errors in words; recorder__free() follows in any case.
 */
int recorder__finish(struct recorder *recorder, struct failure *failure) __must_check;
void recorder__free(struct recorder *recorder);

struct recorder_figures recorder__figures(const struct recorder *recorder);

#endif /* GLEAKD_RECORD_RECORDER_H */
