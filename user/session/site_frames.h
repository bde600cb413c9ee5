/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_SITE_FRAMES_H
#define GLEAKD_SESSION_SITE_FRAMES_H

/*
 * Frames of a site as people read them: inlined calls expanded, what the runtime's own traceback
 * hides hidden, and the line of the service's own code picked out.
 */
#include "golang/symbolize.h"
#include "observe/stack_table.h"
#include "output/report.h"

#define SITE_MAX_FRAMES 256

struct site_frames {
	struct report_frame created_by;
	struct report_frame blocked_at;
	const char *start_function;
	struct report_frame stack[SITE_MAX_FRAMES];
	size_t n_stack;
};

/*
 * site_frames__resolve - for a goroutine created at @creation_pc (0: none), started at @start_pc
 * and parked with @stack_id. Strings belong to @symbolizer. Frames that do not apply have function
 * "".
 */
void site_frames__resolve(struct symbolizer *symbolizer, const struct stack_table *stacks,
			  uint64_t creation_pc, uint64_t start_pc, uint32_t stack_id,
			  struct site_frames *ret_frames);

/*
 * site_frames__id - 8 hex digits that name the place: functions and lines of the creation, the
 * start and the stack, and the wait reason. The same in every run of the same source.
 */
void site_frames__id(const struct site_frames *frames, const char *wait_reason, char id[9]);

#endif /* GLEAKD_SESSION_SITE_FRAMES_H */
