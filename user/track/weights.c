// SPDX-License-Identifier: Apache-2.0
/*
 * How sure. Each item of evidence has a weight in decibans; their sum s makes the confidence
 * 1 / (1 + 10^(-s/10)). The weights are judgements, written down here and in docs/verdicts.md so
 * that they can be argued with, and held against what make eval finds.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "track/verdict.h"

#define LIMIT 10.0 /* of a weight that rises with a number */

static double clamp(double value, double low, double high)
{
	return max_of(low, min_of(value, high));
}

static __printf_fmt(3, 4) void weigh(struct opinion *opinion, double decibans, const char *format,
				     ...)
{
	struct opinion_weight *weight = &opinion->weights[opinion->n_weights];
	va_list args;

	if (opinion->n_weights == SITE_MAX_WEIGHTS)
		return;
	weight->decibans = round(decibans * 10) / 10;
	va_start(args, format);
	vsnprintf(weight->text, sizeof(weight->text), format, args);
	va_end(args);
	opinion->n_weights++;
}

static int compare_weights(const void *a, const void *b)
{
	double x = fabs(((const struct opinion_weight *)a)->decibans);
	double y = fabs(((const struct opinion_weight *)b)->decibans);

	return (x < y) - (x > y);
}

static void conclude(struct opinion *opinion)
{
	double sum = 0;

	for (size_t i = 0; i < opinion->n_weights; i++)
		sum += opinion->weights[i].decibans;
	opinion->confidence = clamp(1 / (1 + pow(10, -sum / 10)), 0.0, VERDICT_MAX_CONFIDENCE);
	qsort(opinion->weights, opinion->n_weights, sizeof(opinion->weights[0]), compare_weights);
}

/* What the kind of wait says by itself. */
static void weigh_wait(const struct evidence *e, struct opinion *opinion)
{
	switch (e->wait_class) {
	case WAIT_NIL_CHAN:
		weigh(opinion, 20, "a nil channel never proceeds");
		break;
	case WAIT_SELECT_NONE:
		weigh(opinion, 10, "a select without cases never proceeds, but may be meant so");
		break;
	case WAIT_CHAN_SEND:
	case WAIT_LOCK:
		weigh(opinion, 4, "seldom waited at for long on purpose");
		break;
	case WAIT_COND:
	case WAIT_SEMAPHORE:
		weigh(opinion, -2, "often waited at for long on purpose");
		break;
	default:
		break;
	}
}

static void weigh_nature(const struct evidence *e, struct opinion *opinion)
{
	if (e->nature == NATURE_ABANDONED)
		weigh(opinion, 6, "exists only while the program has not finished something");
	else if (e->nature == NATURE_CONNECTION)
		weigh(opinion, -3, "there is one of these per connection");
	else if (e->nature == NATURE_SERVICE)
		weigh(opinion, -2, "serves its owner as long as that lives");
}

static void weigh_objects(const struct evidence *e, struct opinion *opinion)
{
	const struct site_objects *objects = &e->objects;

	if (objects->looked_at < 2)
		return;
	if (objects->with_timer * 2 > objects->looked_at)
		weigh(opinion, -6, "a timer will wake most of them up");
	if (e->wait_class == WAIT_LOCK)
		return;
	if (objects->distinct <= 3 && objects->shared_by == objects->looked_at)
		weigh(opinion, -4, "all wait on the same object, as a pool does");
	else if (objects->distinct >= objects->looked_at)
		weigh(opinion, 3, "each waits on an object of its own");
}

static void weigh_losses(const struct evidence *e, struct opinion *opinion)
{
	if (e->inexact)
		weigh(opinion, -3, "events were lost since the last census");
}

void weights__of_leak(const struct evidence *evidence, const struct growth *growth,
		      struct opinion *opinion)
{
	double windows = (double)growth->window_ns / (double)growth->stay_ns;

	weigh(opinion, -6, "most rises that last this long are something else");
	weigh(opinion, clamp(10 * log10(growth->stayed / 2), 0, LIMIT), "%.0f arrived and stayed",
	      growth->stayed);
	weigh(opinion, clamp(10 * log10(windows), 0, LIMIT),
	      "the rise lasts %.1f times what staying takes", windows);
	if (!growth->left)
		weigh(opinion, 4, "nobody who stayed ever left");
	else
		weigh(opinion, -10 * log10(1 + (double)growth->left), "%" PRIu64 " did leave",
		      growth->left);
	if (growth->periods_with == growth->periods)
		weigh(opinion, 2, "in every one of %u periods", growth->periods);
	if (growth->of_lives)
		weigh(opinion, -4, "they wake up now and then");
	if (growth->with_connections && evidence->nature != NATURE_CONNECTION)
		weigh(opinion, -6, "in step with connections or open files");
	weigh_wait(evidence, opinion);
	weigh_nature(evidence, opinion);
	weigh_objects(evidence, opinion);
	weigh_losses(evidence, opinion);
	conclude(opinion);
}

void weights__of_past(const struct evidence *evidence, struct opinion *opinion)
{
	double stay = clamp(10 * log10((double)evidence->alarm_goroutines / 2), 0, LIMIT);

	weigh(opinion, -4, "most rises that end are something else");
	weigh(opinion, stay, "%" PRIu64 " arrived and stayed", evidence->alarm_goroutines);
	weigh(opinion,
	      -10 * log10(1 + (double)evidence->alarm_age_ns /
				      (double)max_of(evidence->alarm_growth_ns, (uint64_t)1)),
	      "it does not go on");
	weigh_wait(evidence, opinion);
	weigh_nature(evidence, opinion);
	weigh_objects(evidence, opinion);
	conclude(opinion);
}

void weights__of_stuck(const struct evidence *evidence, struct opinion *opinion)
{
	char park[DURATION_SIZE];
	double minutes = (double)evidence->oldest_park_ns / (60.0 * NSEC_PER_SEC);
	double quiet = evidence->wait_class == WAIT_CHAN_SEND ? 5 : 1;

	duration__format(evidence->oldest_park_ns / NSEC_PER_SEC * NSEC_PER_SEC, park);
	weigh_wait(evidence, opinion);
	if (evidence->wait_class == WAIT_LOCK || evidence->wait_class == WAIT_CHAN_SEND)
		weigh(opinion, clamp(10 * log10(minutes / quiet), 0, LIMIT),
		      "the oldest has waited for %s", park);
	if (evidence->wait_class == WAIT_CHAN_SEND && evidence->parked == 1)
		weigh(opinion, -4, "a lone sender may be one that is asked seldom");
	if (evidence->parked > 1)
		weigh(opinion, 3, "%" PRIu64 " of them", evidence->parked);
	if (evidence->quiet_ns != UINT64_MAX)
		weigh(opinion, -4, "others did get past here before");
	weigh_nature(evidence, opinion);
	weigh_objects(evidence, opinion);
	conclude(opinion);
}

void weights__of_suspicion(const struct evidence *evidence, struct opinion *opinion)
{
	const struct first_look *look = &evidence->first_look;
	uint64_t left = leavers__since(evidence->leavers, evidence->min_age_ns);

	weigh(opinion, -14, "one look shows who stayed, not who left");
	weigh(opinion, clamp(10 * log10((double)look->arrived / 2), 0, LIMIT),
	      "%" PRIu64 " came one by one and stayed", look->arrived);
	if (look->periods_with == look->periods)
		weigh(opinion, 2, "in every one of %u periods", look->periods);
	if (left)
		weigh(opinion, -10 * log10(1 + (double)left), "%" PRIu64 " did leave", left);
	weigh_wait(evidence, opinion);
	weigh_nature(evidence, opinion);
	weigh_objects(evidence, opinion);
	weigh_losses(evidence, opinion);
	conclude(opinion);
}

void weights__of_rise(const struct evidence *evidence, struct opinion *opinion)
{
	uint64_t left = leavers__since(evidence->leavers, evidence->min_age_ns);

	weigh(opinion, -12, "most rises are something else");
	weigh(opinion, clamp(10 * log10(max_of(evidence->trend.rise, 1.0) / 2), 0, LIMIT),
	      "%.0f more than before", evidence->trend.rise);
	if (left)
		weigh(opinion, -clamp(10 * log10(1 + (double)left), 0, LIMIT),
		      "%" PRIu64 " that had stayed did leave", left);
	weigh_wait(evidence, opinion);
	weigh_nature(evidence, opinion);
	weigh_objects(evidence, opinion);
	weigh_losses(evidence, opinion);
	conclude(opinion);
}
