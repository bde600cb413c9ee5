/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PPROF_PROFILE_H
#define GLEAKD_OUTPUT_PPROF_PROFILE_H

/*
 * A profile as `go tool pprof` reads it: samples, each a stack with values, of whatever kind. Samples
 * are added one by one; what they have in common is kept once. Names of functions and files are in the
 * profile itself: nobody needs the program to read it.
 */
#include <stdio.h>

#include "output/report.h"

struct pprof;

/* What a value is and its unit: "inuse_space", "bytes". */
struct pprof_kind {
	const char *type, *unit;
};

/* Where something was sampled; inlined calls lie before the one that they are inlined into. */
struct pprof_frame {
	struct report_frame frame;
	uint64_t address; /* link-time, of the instruction; 0: not known */
};

/* A text, or where that is NULL a number. */
struct pprof_label {
	const char *key;
	const char *text;
	int64_t number;
	const char *unit;
};

#define PPROF_MAX_VALUES 8

struct pprof_options {
	const struct pprof_kind *kinds; /* of the values of each sample */
	size_t n_kinds;			/* at most PPROF_MAX_VALUES */
	const char *shown;		/* type of the kind that is shown first; NULL: the last */
	struct pprof_kind period_kind;	/* of what lies between two samples; NULLs: nothing */
	int64_t period;
	uint64_t time_ns; /* since 1970 */
	uint64_t duration_ns;
	const char *binary;   /* file of the program */
	const char *build_id; /* of that; "": it has none */
	const char *comment;  /* NULL: none */
};

/* pprof__new - empty. Strings are copied. -ENOMEM. */
int pprof__new(const struct pprof_options *options, struct pprof **ret_profile) __must_check;
void pprof__free(struct pprof *profile);

/* pprof__add - one sample, its @stack innermost first. Errors: -ENOMEM, -E2BIG more than 2^28 parts. */
int pprof__add(struct pprof *profile, const int64_t *values, const struct pprof_frame *stack,
	       size_t n, const struct pprof_label *labels, size_t n_labels) __must_check;

/* pprof__write - compressed, as files of profiles are. -ENOMEM, or the error of writing to @out. */
int pprof__write(const struct pprof *profile, FILE *out) __must_check;

#endif /* GLEAKD_OUTPUT_PPROF_PROFILE_H */
