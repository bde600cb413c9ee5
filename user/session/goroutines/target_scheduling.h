/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_GOROUTINES_TARGET_SCHEDULING_H
#define GLEAKD_SESSION_GOROUTINES_TARGET_SCHEDULING_H

/*
 * What is held up in a target (track/scheduling.h), by its censuses, a look at its scheduler after each,
 * and what the kernel says of threads that stay in system calls. Nothing is probed.
 */
#include "session/target.h"
#include "track/scheduling.h"

struct target_scheduling;

/* target_scheduling__open - -ENOMEM. close takes NULL. */
int target_scheduling__open(struct target_scheduling **ret_scheduling) __must_check;
void target_scheduling__close(struct target_scheduling *scheduling);

/* A census, from its begin to its end. */
void target_scheduling__begin(struct target_scheduling *scheduling);
void target_scheduling__seen(struct target *target, const struct census_goroutine *g);
void target_scheduling__unchanged(struct target_scheduling *scheduling, uint64_t goid,
				  uint64_t read_at_ns);
/*
 * target_scheduling__look - who has a processor. Right after goroutines were read: whoever ran then and waits for its
 * next turn now is in neither list.
 */
void target_scheduling__look(struct target *target);
/* target_scheduling__rested - in place of a look, at a process that has not run since the census before. */
void target_scheduling__rested(struct target *target, uint64_t now_ns);
void target_scheduling__finish(struct target *target, uint64_t now_ns);

/* target_scheduling__get - by the last census; NULL before the first. */
const struct scheduling_view *target_scheduling__get(const struct target *target);

/* target_scheduling__call - as scheduling__call(). Only where there is a view. */
const struct scheduling_call *target_scheduling__call(const struct target *target, size_t *index);

#define TARGET_CALL_TEXT 320

/*
 * target_scheduling__call_text - "read(3: /run/fifo)", "openat(\"/mnt/x\")", "futex()": the call with what it
 * is about, as far as that can be read now. Any bytes.
 */
void target_scheduling__call_text(const struct target *target, const struct scheduling_call *call,
				  char text[TARGET_CALL_TEXT]);

#endif /* GLEAKD_SESSION_GOROUTINES_TARGET_SCHEDULING_H */
