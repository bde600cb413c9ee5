/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_REMEMBER_H
#define GLEAKD_SESSION_REMEMBER_H

/* What gleakd knows of its targets, into the state file and back. */
#include "session/places.h"
#include "session/state_file.h"
#include "track/tracker.h"

/*
 * remember__recall - let @tracker, before its first census or event, go on from what @file knows of process
 * @id. Returns whether it knows the process. Sites beyond the tracker's limits are left out.
 */
bool remember__recall(const struct state_file *file, const struct process_id *id,
		      struct places *places, struct tracker *tracker);

/* remember__write - @tracker's part of the file. -ENOMEM, -EFBIG. */
int remember__write(struct state_writer *writer, const struct process_id *id,
		    const struct tracker *tracker) __must_check;

#endif /* GLEAKD_SESSION_REMEMBER_H */
