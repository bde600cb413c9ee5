// SPDX-License-Identifier: Apache-2.0
#include "cli/trigger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/hash.h"
#include "base/number.h"

#define BLANKS	 " \t"
#define EXAMPLES "'goroutines>50000', 'runnable>100ms for 10s' or 'leaking'"
/* What a word or a value may be long. */
#define MAX_TOKEN 24
/* What has to be so for longer nobody waits for. */
#define MAX_FOR_NS (24 * 3600 * NSEC_PER_SEC)

enum unit {
	UNIT_NONE,
	UNIT_TIME,
	UNIT_COUNT,
	UNIT_BYTES,
};

static const struct subject {
	const char *name;
	enum trigger_subject subject;
	enum unit unit;
	enum verdict verdict;
} subjects[] = {
	{"runnable", TRIGGER_RUNNABLE, UNIT_TIME, VERDICT_ACTIVE},
	{"in_call", TRIGGER_IN_CALL, UNIT_TIME, VERDICT_ACTIVE},
	{"goroutines", TRIGGER_GOROUTINES, UNIT_COUNT, VERDICT_ACTIVE},
	{"threads", TRIGGER_THREADS, UNIT_COUNT, VERDICT_ACTIVE},
	{"heap_live", TRIGGER_HEAP_LIVE, UNIT_BYTES, VERDICT_ACTIVE},
	{"resident", TRIGGER_RESIDENT, UNIT_BYTES, VERDICT_ACTIVE},
	{"leaking", TRIGGER_VERDICT, UNIT_NONE, VERDICT_LEAKING},
	{"stuck", TRIGGER_VERDICT, UNIT_NONE, VERDICT_STUCK},
	{"growing", TRIGGER_VERDICT, UNIT_NONE, VERDICT_GROWING},
};

/* --- what was typed ------------------------------------------------------------------------------ */

/* Up to the next of @ends; false: nothing is there, or too much. */
static bool take(const char **text, const char *ends, char token[MAX_TOKEN])
{
	size_t length = strcspn(*text, ends);

	if (!length || length >= MAX_TOKEN)
		return false;
	memcpy(token, *text, length);
	token[length] = '\0';
	*text += length;
	*text += strspn(*text, BLANKS);
	return true;
}

static const struct subject *find_subject(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (!strcmp(subjects[i].name, name))
			return &subjects[i];
	}
	return NULL;
}

static int refuse_subject(const char *text, struct failure *failure)
{
	char names[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 subjects[i].name);
	return failure__set(failure, -EINVAL,
			    "--trigger: '%.80s' does not begin with one of %s, as in " EXAMPLES,
			    text, names);
}

static int read_limit(const struct subject *subject, const char *value, uint64_t *ret_limit)
{
	switch (subject->unit) {
	case UNIT_TIME:
		return duration__parse(value, ret_limit);
	case UNIT_BYTES:
		return number__parse_size(value, ret_limit);
	case UNIT_COUNT:
		/* A number without one of the units of sizes. */
		return value[strspn(value, "0123456789")] ? -EINVAL :
							    number__parse_size(value, ret_limit);
	case UNIT_NONE:
		break;
	}
	return -EINVAL;
}

static int refuse_limit(const struct subject *subject, const char *text, struct failure *failure)
{
	static const char *const expected[] = {
		[UNIT_NONE] = "",
		[UNIT_TIME] = "a duration, as 100ms or 10s",
		[UNIT_COUNT] = "a whole number, as 50000",
		[UNIT_BYTES] = "a size, as 512M or 2G",
	};

	return failure__set(failure, -EINVAL,
			    "--trigger: '%.80s': behind '%s' has to be '>' and %s", text,
			    subject->name, expected[subject->unit]);
}

/* "for 10s", or nothing. */
static int parse_for(const char *rest, struct trigger *trigger)
{
	size_t used = strlen(trigger->text);
	char word[MAX_TOKEN], value[MAX_TOKEN];

	if (!*rest)
		return 0;
	if (!take(&rest, BLANKS, word) || strcmp(word, "for") != 0 || !take(&rest, BLANKS, value) ||
	    *rest || duration__parse(value, &trigger->for_ns) || !trigger->for_ns ||
	    trigger->for_ns > MAX_FOR_NS)
		return -EINVAL;
	snprintf(trigger->text + used, sizeof(trigger->text) - used, " for %s", value);
	return 0;
}

/* ">50000 for 10s", behind the name. */
static int parse_figure(const struct subject *subject, const char *text, const char *rest,
			struct trigger *trigger, struct failure *failure)
{
	char value[MAX_TOKEN];

	if (*rest++ != '>')
		return refuse_limit(subject, text, failure);
	rest += strspn(rest, BLANKS);
	if (!take(&rest, BLANKS, value) || read_limit(subject, value, &trigger->limit))
		return refuse_limit(subject, text, failure);
	snprintf(trigger->text, sizeof(trigger->text), "%s>%s", subject->name, value);
	if (!parse_for(rest, trigger))
		return 0;
	return failure__set(
		failure, -EINVAL,
		"--trigger: '%.80s': behind '%s' only 'for' and a time of 24h at most may "
		"follow, as in " EXAMPLES,
		text, trigger->text);
}

static void set_id(struct trigger *trigger)
{
	uint64_t hash = hash__bytes(HASH_FNV_BASIS, trigger->text, strlen(trigger->text));

	snprintf(trigger->id, sizeof(trigger->id), "%08" PRIx32, (uint32_t)(hash ^ hash >> 32));
}

int trigger__parse(const char *text, struct trigger *ret_trigger, struct failure *failure)
{
	const char *rest = text + strspn(text, BLANKS);
	const struct subject *subject = NULL;
	struct trigger trigger = {0};
	char name[MAX_TOKEN];
	int err = 0;

	if (take(&rest, BLANKS ">", name))
		subject = find_subject(name);
	if (!subject)
		return refuse_subject(text, failure);
	trigger.subject = subject->subject;
	trigger.verdict = subject->verdict;
	if (subject->unit != UNIT_NONE) {
		err = parse_figure(subject, text, rest, &trigger, failure);
	} else if (*rest) {
		err = failure__set(
			failure, -EINVAL,
			"--trigger: '%.80s': nothing may follow '%s': a verdict takes its "
			"time by itself",
			text, name);
	} else {
		snprintf(trigger.text, sizeof(trigger.text), "%s", name);
	}
	if (err)
		return err;
	set_id(&trigger);
	*ret_trigger = trigger;
	return 0;
}

/* --- what is so ---------------------------------------------------------------------------------- */

bool trigger__figure(const struct trigger *trigger, const struct report_target *target,
		     uint64_t *ret_figure)
{
	const struct report_scheduling *scheduling = target->scheduling;
	const struct heap_counters *counters = &target->counters;
	bool known = false;

	switch (trigger->subject) {
	case TRIGGER_RUNNABLE:
		known = scheduling;
		*ret_figure =
			known && scheduling->view.n_late ? scheduling->view.late[0].waiting_ns : 0;
		break;
	case TRIGGER_IN_CALL:
		known = scheduling;
		*ret_figure =
			known && scheduling->view.n_stuck ? scheduling->view.stuck[0].for_ns : 0;
		break;
	case TRIGGER_GOROUTINES:
		known = true;
		*ret_figure = target->totals.alive;
		break;
	case TRIGGER_THREADS:
		known = target->threads;
		*ret_figure = target->threads;
		break;
	case TRIGGER_HEAP_LIVE:
		known = target->counters_known && counters->marked;
		*ret_figure = counters->live_bytes;
		break;
	case TRIGGER_RESIDENT:
		known = target->resident_bytes;
		*ret_figure = target->resident_bytes;
		break;
	case TRIGGER_VERDICT:
		*ret_figure = 0;
		break;
	}
	return known;
}

bool trigger__is_met(const struct trigger *trigger, const struct report_target *target)
{
	uint64_t figure;

	return trigger__figure(trigger, target, &figure) && figure > trigger->limit;
}

bool trigger__wants(const struct trigger *trigger, const struct report_site *site)
{
	return trigger->subject == TRIGGER_VERDICT && site->view.verdict == trigger->verdict &&
	       !site->suppressed;
}

void trigger__figure_text(const struct trigger *trigger, uint64_t figure,
			  char out[TRIGGER_FIGURE_SIZE])
{
	char time[DURATION_SIZE], bytes[NUMBER_BYTES_SIZE], count[NUMBER_COUNT_SIZE];

	switch (trigger->subject) {
	case TRIGGER_RUNNABLE:
	case TRIGGER_IN_CALL:
		duration__format(figure, time);
		snprintf(out, TRIGGER_FIGURE_SIZE, "%s", time);
		break;
	case TRIGGER_HEAP_LIVE:
	case TRIGGER_RESIDENT:
		number__bytes(figure, bytes);
		snprintf(out, TRIGGER_FIGURE_SIZE, "%s", bytes);
		break;
	case TRIGGER_GOROUTINES:
	case TRIGGER_THREADS:
	case TRIGGER_VERDICT:
		number__count(figure, count);
		snprintf(out, TRIGGER_FIGURE_SIZE, "%s", count);
		break;
	}
}
