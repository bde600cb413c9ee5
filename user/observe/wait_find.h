/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_FIND_H
#define GLEAKD_OBSERVE_WAIT_FIND_H

/* The part of wait_objects.h that leads from a goroutine to what it waits on. */
#include <string.h>

#include "base/bytes.h"
#include "observe/wait_timers.h"
#include "observe/wait_look.h"
#include "observe/wait_private.h"

#define WAIT_NO_SLOT UINT32_MAX

/* Where the runtime stores what a goroutine waits on. */
enum wait_how {
	WAIT_BY_CHANNELS,
	WAIT_BY_SUDOG, /* g.waiting */
	WAIT_BY_STACK,
	WAIT_COND_BY_STACK,
};

struct wait_reader {
	struct go_binary *binary; /* NULL: runtime.semtable is all there is to know */
	uint64_t load_bias;
	struct remote *remote;
	struct wait_runtime runtime;
	uint32_t window, window_size; /* of a g: [g + window, g + window + window_size) */
	bool usable;
	struct wait_budget budget; /* of the look */
	int semtable_attempts;
	struct wait_timers timers; /* owned; read when first asked for */
	/* Bytes from sched.sp to the variable, as last found; WAIT_NO_SLOT. */
	uint32_t sudog_slot, cond_slot;
	uint64_t cond_skip; /* what to add to that variable for the notifyList */
};

/* A call of wait_reader__read(). */
struct wait_visit {
	struct wait_reader *reader;
	struct wait_memory *memory;
	struct wait_look *look;
	enum wait_class class;
	const char *wait_reason;
	enum wait_how how;
	uint32_t counted;
};

/*
 * wait__reason_text - the reason of a member's wait; the given one where the layout has none for
 * its number.
 */
const char *wait__reason_text(const struct wait_visit *visit,
			      const struct wait_look_member *member);

/*
 * wait_find__objects - find what every good member waits on. A member whose waits make no sense is
 * not good any more. When there is no room for more waits, the members end before the first without
 * room.
 */
void wait_find__objects(struct wait_visit *visit);

#endif /* GLEAKD_OBSERVE_WAIT_FIND_H */
