// SPDX-License-Identifier: Apache-2.0
#include "output/goroutine_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/site_pattern.h"

/* Goroutines share places: what was decided of one holds for all that stand there. */
#define REMEMBERED 1024u

struct label_wanted {
	const char *key;
	size_t key_length;
	bool has_value;
	struct site_glob value;
};

struct goid_range {
	uint64_t first, last;
};

struct decision {
	const struct report_place *place; /* NULL: none */
	bool wanted;
};

struct goroutine_filter {
	struct goroutine_wanted wanted;
	struct site_glob reason;
	struct label_wanted *labels;
	struct goid_range *goids;
	struct decision decisions[REMEMBERED];
};

/* --- what was typed ------------------------------------------------------------------------------ */

static int check_glob(const char *option, const char *pattern, struct failure *failure)
{
	struct failure fault;

	if (!site_pattern__check(pattern, &fault))
		return 0;
	return failure__set(failure, -EINVAL, "--%s: '%.80s': %s", option, pattern, fault.text);
}

static int make_glob(struct site_glob *glob, const char *option, const char *pattern,
		     struct failure *failure)
{
	int err = check_glob(option, pattern, failure);

	return err ? err : site_glob__init(glob, pattern);
}

static int read_label(const char *text, struct label_wanted *label, struct failure *failure)
{
	const char *equals = strchr(text, '=');

	label->key = text;
	label->key_length = equals ? (size_t)(equals - text) : strlen(text);
	label->has_value = equals != NULL;
	if (!label->key_length)
		return failure__set(failure, -EINVAL,
				    "--label: '%.80s' has no key; KEY or KEY=VALUE expected", text);
	return equals ? make_glob(&label->value, "label", equals + 1, failure) : 0;
}

/* One number, and where it ends; NULL: there is none. */
static const char *read_number(const char *text, uint64_t *ret_number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return errno ? NULL : end;
}

static int read_goids(const char *text, struct goid_range *range, struct failure *failure)
{
	const char *end = read_number(text, &range->first);

	range->last = range->first;
	if (end && *end == '-')
		end = read_number(end + 1, &range->last);
	if (!end || *end || range->last < range->first)
		return failure__set(failure, -EINVAL,
				    "--goid: '%.40s' is no number of a goroutine; as 17, or 17-20",
				    text);
	return 0;
}

static int read_wanted(struct goroutine_filter *filter, struct failure *failure)
{
	const struct goroutine_wanted *wanted = &filter->wanted;
	int err = 0;

	if (wanted->reason)
		err = make_glob(&filter->reason, "reason", wanted->reason, failure);
	if (!err && wanted->func)
		err = check_glob("func", wanted->func, failure);
	for (size_t i = 0; i < wanted->n_labels && !err; i++)
		err = read_label(wanted->labels[i], &filter->labels[i], failure);
	for (size_t i = 0; i < wanted->n_goids && !err; i++)
		err = read_goids(wanted->goids[i], &filter->goids[i], failure);
	return err;
}

int goroutine_filter__new(const struct goroutine_wanted *wanted,
			  struct goroutine_filter **ret_filter, struct failure *failure)
{
	struct goroutine_filter *filter = calloc(1, sizeof(*filter));
	int err = -ENOMEM;

	if (filter) {
		filter->wanted = *wanted;
		filter->labels = calloc(wanted->n_labels + 1, sizeof(*filter->labels));
		filter->goids = calloc(wanted->n_goids + 1, sizeof(*filter->goids));
		if (filter->labels && filter->goids)
			err = read_wanted(filter, failure);
	}
	if (err) {
		goroutine_filter__free(filter);
		return err;
	}
	*ret_filter = filter;
	return 0;
}

void goroutine_filter__free(struct goroutine_filter *filter)
{
	if (!filter)
		return;
	free(filter->labels);
	free(filter->goids);
	free(filter);
}

/* --- goroutines ---------------------------------------------------------------------------------- */

enum goroutine_state goroutine_state__of(const struct report_goroutine *goroutine)
{
	const char *state = report__text(goroutine->state);

	if (!strcmp(state, "running"))
		return GOROUTINE_RUNNING;
	if (!strcmp(state, "syscall"))
		return GOROUTINE_SYSCALL;
	/* Preempted ones wait for nothing but their turn. */
	if (goroutine->parked || strcmp(state, "runnable") != 0)
		return strcmp(state, "preempted") != 0 ? GOROUTINE_WAITING : GOROUTINE_RUNNABLE;
	return GOROUTINE_RUNNABLE;
}

const char *goroutine_state__name(enum goroutine_state state)
{
	switch (state) {
	case GOROUTINE_WAITING:
		return "waiting";
	case GOROUTINE_RUNNING:
		return "running";
	case GOROUTINE_RUNNABLE:
		return "runnable";
	case GOROUTINE_SYSCALL:
		return "syscall";
	}
	return "";
}

static bool has_reason(const struct goroutine_filter *filter,
		       const struct report_goroutine *goroutine)
{
	const char *state = report__text(goroutine->state);

	return !filter->wanted.reason || strstr(state, filter->wanted.reason) ||
	       site_glob__matches(&filter->reason, state);
}

static bool has_goid(const struct goroutine_filter *filter, uint64_t goid)
{
	for (size_t i = 0; i < filter->wanted.n_goids; i++) {
		if (goid >= filter->goids[i].first && goid <= filter->goids[i].last)
			return true;
	}
	return !filter->wanted.n_goids;
}

static bool has_label(const struct label_wanted *label, const struct report_labels *labels)
{
	for (size_t i = 0; labels && i < labels->n; i++) {
		const char *key = labels->items[i].key;

		if (strlen(key) == label->key_length && !memcmp(key, label->key, label->key_length))
			return !label->has_value ||
			       site_glob__matches(&label->value, labels->items[i].value);
	}
	return false;
}

static bool has_labels(const struct goroutine_filter *filter,
		       const struct report_goroutine *goroutine)
{
	for (size_t i = 0; i < filter->wanted.n_labels; i++) {
		if (!has_label(&filter->labels[i], goroutine->labels))
			return false;
	}
	return true;
}

static bool place_matches(const char *pattern, const struct report_place *place)
{
	struct report_site site = {
		.created_by = place->created_by,
		.start_function = place->start_function,
		.stack = place->stack,
		.n_stack = place->n_stack,
	};

	memcpy(site.id, place->site, sizeof(site.id));
	return site_pattern__match(pattern, &site) != SITE_MATCH_NONE;
}

static bool is_at(struct goroutine_filter *filter, const struct report_place *place)
{
	struct decision *decision =
		&filter->decisions[(uintptr_t)place / sizeof(*place) % REMEMBERED];

	if (!filter->wanted.func)
		return true;
	if (decision->place != place)
		*decision = (struct decision){place, place_matches(filter->wanted.func, place)};
	return decision->wanted;
}

bool goroutine_filter__wants(void *ctx, const struct report_goroutine *goroutine)
{
	struct goroutine_filter *filter = ctx;
	const struct goroutine_wanted *wanted = &filter->wanted;

	return (!wanted->states || wanted->states & 1u << goroutine_state__of(goroutine)) &&
	       has_reason(filter, goroutine) && goroutine->waiting_ns >= wanted->min_age_ns &&
	       has_goid(filter, goroutine->goid) && has_labels(filter, goroutine) &&
	       is_at(filter, goroutine->place);
}
