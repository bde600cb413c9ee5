/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_DOCTOR_H
#define GLEAKD_OUTPUT_DOCTOR_H

/*
 * What works here and what does not, in a form that both renderers read and neither changes. Texts
 * may hold any bytes, names from the command line among them.
 */
#include <stdio.h>

#include "base/common.h"
#include "output/text/screen.h"

#define DOCTOR_SCHEMA_VERSION 1

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_WARN, /* works, but not all or not well */
	DOCTOR_FAIL, /* something that gleakd was asked for or is for does not work */
};

const char *doctor_status__name(enum doctor_status status); /* "ok", "warn", "fail" */

#define DOCTOR_TEXT 480

struct doctor_item {
	const char *group; /* "kernel", items of one group in a row */
	const char *name;  /* unique in its group; a contract: docs/doctor.md */
	enum doctor_status status;
	int err; /* of what failed: negative errno, for the exit code; else 0 */
	char found[DOCTOR_TEXT];
	char advice[DOCTOR_TEXT]; /* "" when there is nothing to do */
};

#define DOCTOR_MAX_ITEMS 40
#define DOCTOR_MAX_COSTS 8

/* A kind of instruction and what probing it costs. */
struct doctor_cost {
	const char *kind;
	uint64_t ns; /* 0: this machine has no such thing */
};

struct doctor_report {
	uint64_t realtime_ns;
	const char *version, *revision; /* of gleakd */
	char kernel[65], machine[65];
	struct doctor_item items[DOCTOR_MAX_ITEMS];
	size_t n_items;
	struct doctor_cost costs[DOCTOR_MAX_COSTS];
	size_t n_costs; /* 0: not measured */
	int exit_code;
};

/* doctor__write_text - a line for each item, advice below. -ENOMEM, or -EPIPE and kin. */
int doctor__write_text(FILE *out, const struct doctor_report *report,
		       const struct screen_options *options) __must_check;

/* doctor__write_json - one object on one line (docs/doctor.md), flushed. Errors as above. */
int doctor__write_json(FILE *out, const struct doctor_report *report) __must_check;

#endif /* GLEAKD_OUTPUT_DOCTOR_H */
