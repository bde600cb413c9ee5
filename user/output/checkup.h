/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_CHECKUP_H
#define GLEAKD_OUTPUT_CHECKUP_H

/*
 * What works here and what does not, in a form that both renderers read and neither changes. Texts
 * may hold any bytes, names from the command line among them.
 */
#include <stdio.h>

#include "base/common.h"

#define CHECKUP_SCHEMA_VERSION 1

enum checkup_status {
	CHECKUP_OK,
	CHECKUP_WARN, /* works, but not all or not well */
	CHECKUP_FAIL, /* something that gleakd was asked for or is for does not work */
};

const char *checkup_status__name(enum checkup_status status); /* "ok", "warn", "fail" */

struct checkup_item {
	const char *group; /* "kernel", items of one group in a row */
	const char *name;  /* unique in its group; a contract: docs/doctor.md */
	enum checkup_status status;
	int err; /* of what failed: negative errno, for the exit code; else 0 */
	char found[480];
	char advice[480]; /* "" when there is nothing to do */
};

#define CHECKUP_MAX_ITEMS 40
#define CHECKUP_MAX_COSTS 8

/* A kind of instruction and what probing it costs. */
struct checkup_cost {
	const char *kind;
	uint64_t ns; /* 0: this machine has no such thing */
};

struct checkup_report {
	uint64_t realtime_ns;
	const char *version, *revision; /* of gleakd */
	char kernel[65], machine[65];
	struct checkup_item items[CHECKUP_MAX_ITEMS];
	size_t n_items;
	struct checkup_cost costs[CHECKUP_MAX_COSTS];
	size_t n_costs; /* 0: not measured */
	int exit_code;
};

struct checkup_text_options {
	bool color;
	unsigned int columns; /* width to fit; 0: no limit */
};

/* checkup__write_text - a line for each item, advice below. -ENOMEM, or -EPIPE and kin. */
int checkup__write_text(FILE *out, const struct checkup_report *report,
			const struct checkup_text_options *options) __must_check;

/* checkup__write_json - one object on one line (docs/doctor.md), flushed. Errors as above. */
int checkup__write_json(FILE *out, const struct checkup_report *report) __must_check;

#endif /* GLEAKD_OUTPUT_CHECKUP_H */
