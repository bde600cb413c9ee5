// SPDX-License-Identifier: Apache-2.0
#include "discover/selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/access.h"

enum kind {
	KIND_COMM,
	KIND_EXE,
	KIND_UNIT,
	KIND_CGROUP,
	KIND_USER,
	KIND_NAME, /* comm or base name of exe */
	KIND_COUNT,
};

static const char *const kind_names[KIND_COUNT] = {
	"comm", "exe", "unit", "cgroup", "user", "name",
};

struct pattern {
	enum kind kind;
	bool exclude;
	uid_t uid; /* KIND_USER */
	char *text;
};

struct selection {
	struct pattern patterns[SELECTION_MAX_PATTERNS];
	size_t n;
	bool asked[KIND_COUNT]; /* there are patterns of this kind that a process must match */
};

/*
 * Text is foreign, and fnmatch(3) may try every way to spread it over the stars. It never has to go
 * back beyond the last star: whatever the one before takes, the last can take as well.
 */
bool glob__match(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* --- patterns ------------------------------------------------------------------------------------ */

/*
 * Names are looked up once: later, for every process, that could mean asking a directory server.
 * (uid_t)-1 is no user (chown(2)).
 */
static int look_up_user(const char *name, uid_t *ret_uid)
{
	int64_t found;
	unsigned long long uid;
	char *end;

	if (*name >= '0' && *name <= '9') {
		errno = 0;
		uid = strtoull(name, &end, 10);
		if (*end || errno || uid >= (uid_t)-1)
			return -EINVAL;
		*ret_uid = (uid_t)uid;
		return 0;
	}
	found = access__user_id(name);
	if (found < 0)
		return -EINVAL;
	*ret_uid = (uid_t)found;
	return 0;
}

static int add(struct selection *selection, enum kind kind, bool exclude, const char *text,
	       struct failure *failure)
{
	struct pattern *pattern = &selection->patterns[selection->n];

	if (selection->n == SELECTION_MAX_PATTERNS)
		return failure__set(
			failure, -EINVAL,
			"more than %d patterns of processes; use '*' to put some into one",
			SELECTION_MAX_PATTERNS);
	if (!*text || strlen(text) > SELECTION_MAX_PATTERN)
		return failure__set(
			failure, -EINVAL,
			"a pattern for %s must have 1 to %d characters; leave it out to "
			"match every process",
			kind_names[kind], SELECTION_MAX_PATTERN);
	*pattern = (struct pattern){.kind = kind, .exclude = exclude};
	if (kind == KIND_USER && look_up_user(text, &pattern->uid))
		return failure__set(
			failure, -EINVAL,
			"there is no user '%s'; give the name as in 'getent passwd', or "
			"the number",
			text);
	pattern->text = strdup(text);
	if (!pattern->text)
		return failure__set(failure, -ENOMEM, "out of memory");
	selection->n++;
	if (!exclude)
		selection->asked[kind] = true;
	return 0;
}

static int add_all(struct selection *selection, enum kind kind,
		   const struct selection_patterns *patterns, struct failure *failure)
{
	int err = 0;

	for (size_t i = 0; i < patterns->n && !err; i++)
		err = add(selection, kind, false, patterns->patterns[i], failure);
	return err;
}

/* "kind:glob", or a glob of the name. */
static int add_prefixed(struct selection *selection, const char *text, bool exclude,
			struct failure *failure)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	for (int kind = 0; kind < KIND_NAME && colon; kind++) {
		if (length == strlen(kind_names[kind]) && !memcmp(text, kind_names[kind], length))
			return add(selection, (enum kind)kind, exclude, colon + 1, failure);
	}
	return add(selection, KIND_NAME, exclude, text, failure);
}

int selection__new(const struct selection_options *options, struct selection **ret_selection,
		   struct failure *failure)
{
	const struct selection_patterns *const kinds[] = {
		[KIND_COMM] = &options->comm, [KIND_EXE] = &options->exe,
		[KIND_UNIT] = &options->unit, [KIND_CGROUP] = &options->cgroup,
		[KIND_USER] = &options->user,
	};
	struct selection *selection = calloc(1, sizeof(*selection));
	int err = 0;

	if (!selection)
		return failure__set(failure, -ENOMEM, "out of memory");
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds) && !err; kind++)
		err = add_all(selection, (enum kind)kind, kinds[kind], failure);
	for (size_t i = 0; i < options->exclude.n && !err; i++)
		err = add_prefixed(selection, options->exclude.patterns[i], true, failure);
	for (size_t i = 0; i < options->only.n && !err; i++)
		err = add_prefixed(selection, options->only.patterns[i], false, failure);
	if (err) {
		selection__free(selection);
		return err;
	}
	*ret_selection = selection;
	return 0;
}

void selection__free(struct selection *selection)
{
	if (!selection)
		return;
	for (size_t i = 0; i < selection->n; i++)
		free(selection->patterns[i].text);
	free(selection);
}

/* --- matching ------------------------------------------------------------------------------------ */

/*
 * What users make of the groups that were given to them does not make theirs another's: stars and question
 * marks stand for what is trusted, unless the pattern has named all of that literally.
 */
static bool matches_cgroup(const char *glob, const struct process_origin *origin)
{
	size_t trusted = min_of(origin->trusted, sizeof(origin->cgroup) - 1);
	char path[sizeof(origin->cgroup)];

	memcpy(path, origin->cgroup, sizeof(path));
	if (origin->claimant[0] &&
	    (strcspn(glob, "*?") <= trusted || memcmp(glob, path, trusted) != 0))
		path[trusted] = '\0';
	return glob__match(glob, path);
}

static bool matches(const struct pattern *pattern, const struct process_info *process,
		    const struct process_origin *origin)
{
	switch (pattern->kind) {
	case KIND_COMM:
		return glob__match(pattern->text, process->comm);
	case KIND_EXE:
		return glob__match(pattern->text, process->exe);
	case KIND_UNIT:
		return !*cgroup__claimed(origin, origin->unit_at) &&
		       glob__match(pattern->text, origin->unit);
	case KIND_CGROUP:
		return matches_cgroup(pattern->text, origin);
	case KIND_USER:
		return pattern->uid == process->uid;
	default:
		return glob__match(pattern->text, process->comm) ||
		       glob__match(pattern->text, text__base_name(process->exe));
	}
}

bool selection__wants(const struct selection *selection, const struct process_info *process,
		      const struct process_origin *origin)
{
	bool met[KIND_COUNT] = {false};

	for (size_t i = 0; i < selection->n; i++) {
		const struct pattern *pattern = &selection->patterns[i];

		if (!matches(pattern, process, origin))
			continue;
		if (pattern->exclude)
			return false;
		met[pattern->kind] = true;
	}
	for (int kind = 0; kind < KIND_COUNT; kind++)
		if (selection->asked[kind] && !met[kind])
			return false;
	return true;
}
