/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_ALLOW_LIST_H
#define GLEAKD_NAMING_ALLOW_LIST_H

/*
 * Known cases, silenced with a reason. A text file, one pattern a line, blanks, the reason; empty
 * lines mean nothing, nor does what follows a '#' that begins a line or stands alone:
 *
 *	github.com/acme/shop/jobs.*	one per tenant, there for good (OPS-211)
 *	pump.go:4?			started by tests only
 *
 * A pattern is a glob as in output/site_pattern.h. One without a reason is an error: whoever reads it
 * next wants to know.
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

/* allow_list__match - the reason that silences @site, NULL when none does. Counts the use. */
const char *allow_list__match(struct allow_list *list, const struct report_site *site);

/* allow_list__unused - the pattern number @n that never matched, and its line; NULL past the last. */
const char *allow_list__unused(const struct allow_list *list, size_t n, unsigned int *ret_line);

#endif /* GLEAKD_NAMING_ALLOW_LIST_H */
