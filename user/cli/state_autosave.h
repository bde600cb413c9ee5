/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_STATE_AUTOSAVE_H
#define GLEAKD_CLI_STATE_AUTOSAVE_H

/*
 * --state FILE during a run: the file is read at the start, saved now and then in the background,
 * and saved once more at the end.
 */
#include "session/session.h"
#include "state/file.h"
#include "state/saver.h"

#define STATE_AUTOSAVE_INTERVAL_NS (60 * NSEC_PER_SEC)

/* At the end, for each of two saves; both fit into the service's TimeoutStopSec= (15 s). */
#define STATE_AUTOSAVE_PATIENCE_NS (5 * NSEC_PER_SEC)

struct state_autosave {
	const char *path;	 /* NULL: no --state was given */
	struct state_file *file; /* of an earlier gleakd; NULL: none that can be used */
	struct state_saver *saver;
	bool due;	 /* save after the next round */
	bool warned;	 /* a warning about the last save was logged: it failed */
	uint64_t errors; /* saves that failed */
};

/*
 * state_autosave__open - read @path, or find out that it can be written. A file that cannot be used
 * (corrupt, of another version) is logged as a warning, and the run starts without it. Errors: the
 * file or its directory cannot be read or written.
 */
int state_autosave__open(struct state_autosave *state, const char *path,
			 struct failure *failure) __must_check;

/*
 * state_autosave__save_due - begin a save if one is due and none is under way. A save that fails does
 * not end the run: one of the next calls logs it, once.
 */
void state_autosave__save_due(struct state_autosave *state, struct session *session);

/*
 * state_autosave__save_last - save and wait for it. Here a failure is the run's: as
 * state_writer__commit(), or -ETIMEDOUT when the disk takes too long. 0 without --state.
 */
int state_autosave__save_last(struct state_autosave *state, struct session *session,
			      struct failure *failure) __must_check;

/* state_autosave__close - waits for a save under way, STATE_AUTOSAVE_PATIENCE_NS at most. */
void state_autosave__close(struct state_autosave *state);

#endif /* GLEAKD_CLI_STATE_AUTOSAVE_H */
