/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_GOROUTINES_TARGET_CALLS_H
#define GLEAKD_SESSION_GOROUTINES_TARGET_CALLS_H

/* Which call of the program's own code led to a goroutine that a library started. */
#include "observe/events.h"
#include "session/target.h"

/*
 * target_calls__note - tell the tracker, which knows of the goroutine already: the innermost line of the
 * program's own that the stack of its creator has. Where that has none, the creator may have been started by a
 * library, too: then it is the line that led to that one.
 */
void target_calls__note(struct target *target, const struct gl_event *head,
			const struct gl_event_create *create, const struct gl_creator *creator);

#endif /* GLEAKD_SESSION_GOROUTINES_TARGET_CALLS_H */
