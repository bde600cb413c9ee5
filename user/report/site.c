// SPDX-License-Identifier: Apache-2.0
#include "report/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A site's evidence in the report's form. There may be many sites: no array is longer than needed. */
struct built_numbers {
	struct report_age_step ages[SITE_AGE_STEPS];
	struct report_cohort *cohorts;
	struct report_weight *weights;
	struct report_point points[]; /* then the arrays above */
};

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NSEC_PER_SEC;
}

static struct built_numbers *alloc_numbers(const struct site_evidence *evidence)
{
	size_t points = evidence->n_points * sizeof(struct report_point);
	size_t cohorts = evidence->n_cohorts * sizeof(struct report_cohort);
	size_t weights = evidence->n_weights * sizeof(struct report_weight);
	struct built_numbers *numbers = calloc(1, sizeof(*numbers) + points + cohorts + weights);
	char *end;

	if (!numbers)
		return NULL;
	end = (char *)numbers->points + points;
	numbers->cohorts = (struct report_cohort *)(void *)end;
	numbers->weights = (struct report_weight *)(void *)(end + cohorts);
	return numbers;
}

static void fill_points(struct built_numbers *numbers, const struct site_evidence *evidence)
{
	for (size_t i = 0; i < evidence->n_points; i++)
		numbers->points[i] = (struct report_point){
			.seconds_ago = seconds(evidence->points[i].ago_ns),
			.goroutines = evidence->points[i].goroutines,
			.arrivals = evidence->points[i].arrivals,
			.departures = evidence->points[i].departures,
		};
	for (size_t i = 0; i < evidence->n_cohorts; i++)
		numbers->cohorts[i] = (struct report_cohort){
			.from_seconds_ago = seconds(evidence->cohorts[i].from_ago_ns),
			.to_seconds_ago = seconds(evidence->cohorts[i].to_ago_ns),
			.created = evidence->cohorts[i].created,
			.alive = evidence->cohorts[i].alive,
		};
}

static void fill_weights(struct built_numbers *numbers, const struct site_evidence *evidence)
{
	for (size_t i = 0; i < evidence->n_weights; i++) {
		numbers->weights[i] = (struct report_weight){
			.decibans = evidence->weights[i].decibans,
			.text = evidence->weights[i].text,
		};
	}
	for (size_t i = 0; i < SITE_AGE_STEPS; i++)
		numbers->ages[i] = (struct report_age_step){
			.at_least_seconds = seconds(tracker__age_step_ns(i)),
			.members = evidence->ages[i],
		};
}

int built_site__init(struct built_site *site, const struct site_view *view)
{
	const struct site_evidence *evidence = &view->evidence;
	struct built_numbers *numbers = alloc_numbers(evidence);

	if (!numbers)
		return -ENOMEM;
	fill_points(numbers, evidence);
	fill_weights(numbers, evidence);
	*site = (struct built_site){.view = *view, .numbers = numbers};
	site->report.evidence = (struct report_evidence){
		.observed_seconds = seconds(evidence->observed_ns),
		.arrivals = evidence->arrivals,
		.departures = evidence->departures,
		.stay_seconds = seconds(evidence->stay_ns),
		.stayed = evidence->stayed,
		.left = evidence->left,
		.population = numbers->points,
		.n_population = evidence->n_points,
		.cohorts = numbers->cohorts,
		.n_cohorts = evidence->n_cohorts,
		.ages = numbers->ages,
		.n_ages = SITE_AGE_STEPS,
		.weights = numbers->weights,
		.n_weights = evidence->n_weights,
	};
	return 0;
}

void built_site__clear(struct built_site *site)
{
	free(site->numbers);
	free(site->stack);
}

void built_site__merge(struct built_site *into, const struct built_site *from)
{
	struct site_view *a = &into->view;
	const struct site_view *b = &from->view;

	a->goroutines += b->goroutines;
	a->parked += b->parked;
	a->created += b->created;
	a->exited += b->exited;
	a->oldest_park_ns = max_of(a->oldest_park_ns, b->oldest_park_ns);
	a->oldest_age_ns = max_of(a->oldest_age_ns, b->oldest_age_ns);
	a->growth_per_minute += b->growth_per_minute;
}

void built_site__set_objects(struct built_site *site, const struct wait_objects *objects)
{
	struct report_objects *report = &site->report.objects;

	report->looked_at = objects->looked_at;
	report->distinct = objects->distinct;
	report->n_items = min_of(objects->n_top, (size_t)WAIT_OBJECTS_TOP);
	for (size_t i = 0; i < report->n_items; i++) {
		const struct wait_object *object = &objects->top[i];

		site->objects[i] = (struct report_object){
			.kind = wait_object_kind__name(object->kind),
			.address = object->address,
			.members = object->members,
			.receivers = object->receivers,
			.senders = object->senders,
			.waiters = object->waiters,
			.more_waiters = object->more_waiters,
			.length = object->length,
			.capacity = object->capacity,
			.closed = object->closed,
			.timer = object->timer,
		};
	}
}

void built_site__finish(struct built_site *site)
{
	const struct site_view *view = &site->view;
	struct report_site *report = &site->report;

	report->verdict = verdict__name(view->verdict);
	report->flagged = verdict__is_alarm(view->verdict);
	report->suspect = verdict__is_suspect(view->verdict);
	report->confidence = view->confidence;
	report->why = view->why;
	report->n_why = view->n_why;
	report->goroutines = view->goroutines;
	report->parked = view->parked;
	report->created = view->created;
	report->exited = view->exited;
	report->stack = site->stack;
	report->objects.items = site->objects;
	report->oldest_park_seconds = seconds(view->oldest_park_ns);
	report->oldest_age_seconds = seconds(view->oldest_age_ns);
	report->growth_per_minute = view->growth_per_minute;
}
