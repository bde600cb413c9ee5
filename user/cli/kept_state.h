/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_KEPT_STATE_H
#define GLEAKD_CLI_KEPT_STATE_H

/*
 * --state FILE over a run: read at its start, saved now and then in the background, and at its end.
 */
#include "session/session.h"
#include "state/file.h"
#include "state/saver.h"

#define KEPT_STATE_INTERVAL_NS (60 * NSEC_PER_SEC)

/* At the end, for each of two saves; both fit into the service's TimeoutStopSec= (15 s). */
#define KEPT_STATE_PATIENCE_NS (5 * NSEC_PER_SEC)

struct kept_state {
	const char *path;	 /* NULL: nothing is kept */
	struct state_file *file; /* of an earlier gleakd; NULL: none that can be used */
	struct state_saver *saver;
	bool due;	 /* to be saved after the next census */
	bool warned;	 /* that the last save failed */
	uint64_t errors; /* saves that failed */
};

/*
 * kept_state__open - read @path, or find out that it can be written. What it holds but cannot be used
 * is told with a warning, and the run starts afresh. Errors: the file or its directory is unusable.
 */
int kept_state__open(struct kept_state *state, const char *path,
		     struct failure *failure) __must_check;

/*
 * kept_state__save_due - begin a save if it is due and none is under way. A failure is told once, by
 * one of the next calls, and is none of the run's.
 */
void kept_state__save_due(struct kept_state *state, struct session *session);

/*
 * kept_state__save - at the end, waiting for it: a failure is one of the run's, -ETIMEDOUT if the disk
 * takes too long. 0 when nothing is kept.
 */
int kept_state__save(struct kept_state *state, struct session *session,
		     struct failure *failure) __must_check;

/* kept_state__close - waits for a save that is under way, but not for ever. */
void kept_state__close(struct kept_state *state);

#endif /* GLEAKD_CLI_KEPT_STATE_H */
