/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_SELECTION_H
#define GLEAKD_DISCOVER_SELECTION_H

/*
 * Which processes a user wants to be followed, by what they are called and where they belong. A
 * process has to match a pattern of every kind that there are patterns of, and none of the excluding
 * ones. Patterns are globs with '*' (any text, '/' too) and '?' (one byte); a user is a name or a
 * number, exactly.
 */
#include "base/common.h"
#include "base/failure.h"
#include "host/cgroup.h"
#include "host/process.h"

struct selection_patterns {
	const char *const *patterns;
	size_t n;
};

struct selection_options {
	struct selection_patterns comm; /* name of the process */
	struct selection_patterns exe;	/* path of the executable */
	/* systemd unit; not one that somebody claims (host/cgroup.h) */
	struct selection_patterns unit;
	/* path of the control group; likewise, but for what it names */
	struct selection_patterns cgroup;
	struct selection_patterns user;
	/* Each "comm:", "exe:", "unit:", "cgroup:" or "user:" and a pattern; without, comm or base of exe. */
	struct selection_patterns exclude, only;
};

#define SELECTION_MAX_PATTERNS 1024 /* of all kinds together */
#define SELECTION_MAX_PATTERN  4096 /* bytes of one */

struct selection;

/* selection__new - @options is copied. -EINVAL in words: an empty pattern, a user that is not known. */
int selection__new(const struct selection_options *options, struct selection **ret_selection,
		   struct failure *failure) __must_check;
void selection__free(struct selection *selection);

bool selection__wants(const struct selection *selection, const struct process_info *process,
		      const struct process_origin *origin);

/* glob__match - in time of pattern times text at worst, whatever they are. */
bool glob__match(const char *pattern, const char *text);

#endif /* GLEAKD_DISCOVER_SELECTION_H */
