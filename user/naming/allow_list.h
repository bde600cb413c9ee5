/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_ALLOW_LIST_H
#define GLEAKD_NAMING_ALLOW_LIST_H

/*
 * Sites that are known and not to be flagged: they are suppressed, each for a reason that is given.
 * A text file, one pattern a line, blanks, the reason. Empty lines mean nothing, nor does what
 * follows a '#' that begins a line or stands alone:
 *
 *	github.com/acme/shop/jobs.*	one per tenant, there for good (OPS-211)
 *	pump.go:4?			started by tests only
 *
 * A pattern is a glob as in output/site_pattern.h. A pattern without a reason is an error, since
 * the next reader of the file needs it.
 */
#include "base/common.h"
#include "base/failure.h"
#include "output/report.h"

#define ALLOW_LIST_MAX_PATTERNS 4096
#define ALLOW_LIST_MAX_BYTES	(1u << 20)

struct allow_list;

/*
 * allow_list__read - from file @path. Errors name the line: -EINVAL bad line, -E2BIG too long or
 * too many, or as open(2) and read(2).
 */
int allow_list__read(const char *path, struct allow_list **ret_list,
		     struct failure *failure) __must_check;
void allow_list__free(struct allow_list *list);

/*
 * allow_list__match - the reason why @site is suppressed, NULL when it is not. Counts the use. _match_place: the same
 * of a place that allocates.
 */
const char *allow_list__match(struct allow_list *list, const struct report_site *site);
const char *allow_list__match_place(struct allow_list *list, const struct report_alloc_site *place);

/*
 * allow_list__unused - the pattern number @n that never matched, and its line; NULL past the last.
 */
const char *allow_list__unused(const struct allow_list *list, size_t n, unsigned int *ret_line);

#endif /* GLEAKD_NAMING_ALLOW_LIST_H */
