/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_DIFF_H
#define GLEAKD_OUTPUT_DIFF_H

/*
 * What is different in a report from what was in an earlier one: which sites appeared, grew, shrank,
 * stopped to grow or are gone, which places that allocate memory have more in use or less, and where more is
 * open or less. Sites and places are the same when their ids are, in programs of the same name; of several
 * processes of one program they add up.
 */
#include <stdio.h>

#include "output/report.h"
#include "output/text/screen.h"

enum diff_kind {
	DIFF_APPEARED,
	DIFF_GREW,
	DIFF_CONVERGED, /* it rose before, and does so no longer */
	DIFF_SHRANK,
	DIFF_GONE,
	DIFF_SAME, /* as far as it matters; not listed */
	DIFF_KINDS,
};

const char *diff_kind__name(enum diff_kind kind); /* "appeared", ... */

/* Less is what comes and goes: more than that many, and more than one in so many of those before. */
#define DIFF_MIN_GOROUTINES 5
#define DIFF_PART	    10
#define DIFF_MIN_BYTES	    (64 << 10)
#define DIFF_MIN_OPEN	    3

struct diff_site {
	enum diff_kind kind;
	bool worse;			      /* flagged now, and was not, or has grown since */
	const char *program;		      /* base name of its executable */
	const struct report_site *old, *site; /* the largest; NULL: it is not there */
	uint64_t before, now;		      /* goroutines */
};

struct diff_place {
	enum diff_kind kind;
	bool worse; /* growing now, and was not before */
	const char *program;
	const struct report_alloc_site *old, *place;
	uint64_t before, now; /* bytes in use */
};

/* What of one kind is open and held at one place. */
struct diff_resource {
	enum diff_kind kind;
	bool worse; /* growing now, and was not before */
	const char *program;
	const struct resource_line *old, *line;
	uint64_t before, now; /* open */
};

struct diff {
	const struct report *old, *report;
	struct diff_site *sites; /* worse ones first, then by kind, then by how much */
	size_t n_sites;
	struct diff_place *places; /* likewise; none unless both reports have them */
	size_t n_places;
	/* likewise; none unless both reports have looked for them */
	struct diff_resource *resources;
	size_t n_resources;
	size_t worse; /* of all */
};

/* diff__make - both reports must outlive @ret_diff. -ENOMEM. */
int diff__make(const struct report *old, const struct report *report,
	       struct diff *ret_diff) __must_check;
void diff__release(struct diff *diff);

/* diff__write_text, diff__write_json - -ENOMEM, or the error of writing. */
int diff__write_text(FILE *out, const struct diff *diff,
		     const struct screen_options *options) __must_check;
int diff__write_json(FILE *out, const struct diff *diff) __must_check;

#endif /* GLEAKD_OUTPUT_DIFF_H */
