/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_SITE_PATTERN_H
#define GLEAKD_OUTPUT_SITE_PATTERN_H

/*
 * Which site somebody means. A pattern is a glob (fnmatch(3), '*' matches '/' too) on a function - of
 * the go statement, the start function, or any frame of the park stack - or on a "file:line" of
 * those, whose path may be cut short at any '/'. "[...]" stands for itself, as in the names of
 * generic functions.
 */
#include "base/common.h"
#include "base/failure.h"
#include "output/report.h"

/*
 * POSIX lets fnmatch(3) try every way to spread the text over the stars, which takes time that is
 * exponential in their number: a longer glob, or one with more than 8 of them, is refused.
 */
#define SITE_GLOB_MAX 512

struct site_glob {
	size_t plain; /* bytes at its beginning that stand for themselves */
	/* Every "[...]" takes one more byte. */
	char text[SITE_GLOB_MAX + SITE_GLOB_MAX / 5 + 2];
};

/* site_glob__fault - what is wrong with @pattern apart from its length, in words; NULL: nothing. */
const char *site_glob__fault(const char *pattern, size_t length);

/* site_glob__init - -EINVAL for a pattern that takes too long to match. */
int site_glob__init(struct site_glob *glob, const char *pattern) __must_check;
bool site_glob__matches(const struct site_glob *glob, const char *text);

/* site_texts__visit - every text that a glob can be about; @see returns false to stop. */
typedef bool (*site_text_fn)(void *ctx, const char *text);
void site_texts__visit(const struct report_site *site, site_text_fn see, void *ctx);

/* site_texts__visit_place - the same of a place that allocates: its stack. */
void site_texts__visit_place(const struct report_alloc_site *place, site_text_fn see, void *ctx);

enum site_match {
	SITE_MATCH_NONE,
	SITE_MATCH_PART,  /* it is a part of a function's name, and no glob */
	SITE_MATCH_WHOLE, /* it is the site's id (4 digits of it or more), or a glob as above */
};

/* site_pattern__match - how well @pattern, as somebody typed it, means @site. */
enum site_match site_pattern__match(const char *pattern, const struct report_site *site);

/* site_pattern__check - -EINVAL, in words, for a pattern that could take for ever to match. */
int site_pattern__check(const char *pattern, struct failure *failure) __must_check;

#endif /* GLEAKD_OUTPUT_SITE_PATTERN_H */
