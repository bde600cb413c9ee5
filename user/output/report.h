/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_REPORT_H
#define GLEAKD_OUTPUT_REPORT_H

/*
 * What gleakd found, in a form that every renderer reads and none changes. All strings are owned by
 * whoever built the report and may hold any bytes (they come from foreign binaries): a renderer
 * escapes them for its format. What is not known is "" or NULL, which mean the same.
 */
#include <sys/types.h>

#include "base/common.h"

#define REPORT_SCHEMA_VERSION 1

struct report_frame {
	const char *function;
	const char *file;
	uint32_t line;
	bool own; /* code of the service's own module */
	bool inlined;
};

struct report_site {
	char id[9]; /* 8 hex digits, stable across runs of the same build */
	const char *verdict;
	bool flagged; /* leaking or stuck */
	const char *const *why;
	size_t n_why;
	uint64_t goroutines, parked, created, exited;
	const char *wait_reason; /* the runtime's words; "" while running */
	struct report_frame created_by;
	struct report_frame blocked_at;
	const char *start_function;
	const struct report_frame *stack; /* innermost first */
	size_t n_stack;
	double oldest_park_seconds, oldest_age_seconds;
	double growth_per_minute;
};

struct report_target {
	pid_t pid;
	const char *comm;
	const char *exe;
	const char *go_version;
	const char *how;	 /* how the binary was read */
	const char *mode;	 /* "full", "lifecycle", "census" */
	const char *mode_reason; /* why not full; "" */
	double observed_seconds;
	uint64_t alive, created, exited, parked;
	double created_per_second, exited_per_second; /* over the last interval */
	uint64_t lost_events, repaired;
	uint64_t unreadable;		 /* g structs and stacks a census could not read */
	uint64_t refused;		 /* goroutines beyond the limits */
	bool inexact;			 /* losses not yet repaired by a census */
	bool exited_target;		 /* the process ended */
	const struct report_site *sites; /* flagged ones first */
	size_t n_sites;
};

struct report {
	uint64_t realtime_ns;
	bool final;
	const char
		*final_reason; /* "interrupted", "duration over", "target exited", "once"; or "" */
	const struct report_target *targets;
	size_t n_targets;
};

/* report__text - never NULL. */
static inline const char *report__text(const char *text)
{
	return text ? text : "";
}

/* report__frame_known - false: there is no such place, or nobody knows it. */
static inline bool report__frame_known(const struct report_frame *frame)
{
	return frame->function && *frame->function;
}

#endif /* GLEAKD_OUTPUT_REPORT_H */
