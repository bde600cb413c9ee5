// SPDX-License-Identifier: Apache-2.0
/*
 * How sure a judgement is. Each item of evidence has a weight in decibans; their sum s makes the
 * confidence 1 / (1 + 10^(-s/10)). The weights are judgements of ours, written down in
 * verdict_limits.h and in docs/verdicts.md so that they can be argued with, and held against what
 * make eval finds.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "track/verdict.h"
#include "track/verdict_limits.h"

static double clamp(double value, double low, double high)
{
	return max_of(low, min_of(value, high));
}

static __printf_fmt(3, 4) void add_weight(struct judgement *judgement, double decibans,
					  const char *format, ...)
{
	struct judgement_weight *weight = &judgement->weights[judgement->n_weights];
	va_list args;

	if (judgement->n_weights == SITE_MAX_WEIGHTS)
		return;
	weight->decibans = round(decibans * 10) / 10;
	va_start(args, format);
	vsnprintf(weight->text, sizeof(weight->text), format, args);
	va_end(args);
	judgement->n_weights++;
}

static int compare_weights(const void *a, const void *b)
{
	double x = fabs(((const struct judgement_weight *)a)->decibans);
	double y = fabs(((const struct judgement_weight *)b)->decibans);

	return (x < y) - (x > y);
}

static void conclude(struct judgement *judgement)
{
	double sum = 0;

	for (size_t i = 0; i < judgement->n_weights; i++)
		sum += judgement->weights[i].decibans;
	judgement->confidence = clamp(1 / (1 + pow(10, -sum / 10)), 0.0, CONFIDENCE_MAX);
	qsort(judgement->weights, judgement->n_weights, sizeof(judgement->weights[0]),
	      compare_weights);
}

/* What the kind of wait says by itself. */
static void weigh_wait(const struct evidence *e, struct judgement *judgement)
{
	switch (e->wait_class) {
	case WAIT_NIL_CHAN:
		add_weight(judgement, DECIBANS_NIL_CHANNEL, "a nil channel never proceeds");
		break;
	case WAIT_SELECT_NONE:
		add_weight(judgement, DECIBANS_SELECT_NONE,
			   "a select without cases never proceeds, but may be meant so");
		break;
	case WAIT_CHAN_SEND:
	case WAIT_LOCK:
		add_weight(judgement, DECIBANS_SEND_LOCK, "seldom waited at for long on purpose");
		break;
	case WAIT_COND:
	case WAIT_SEMAPHORE:
		add_weight(judgement, DECIBANS_COND, "often waited at for long on purpose");
		break;
	default:
		break;
	}
}

static void weigh_nature(const struct evidence *e, struct judgement *judgement)
{
	if (e->nature == NATURE_ABANDONED)
		add_weight(judgement, DECIBANS_ABANDONED,
			   "exists only while the program has not finished something");
	else if (e->nature == NATURE_CONNECTION)
		add_weight(judgement, DECIBANS_CONNECTION, "there is one of these per connection");
	else if (e->nature == NATURE_SERVICE)
		add_weight(judgement, DECIBANS_SERVICE, "serves its owner as long as that lives");
}

static void weigh_objects(const struct evidence *e, struct judgement *judgement)
{
	const struct site_objects *objects = &e->objects;

	if (objects->looked_at < 2)
		return;
	if (site_objects__end_by_timer(objects))
		add_weight(judgement, DECIBANS_TIMER, "a timer will wake most of them up");
	if (e->wait_class == WAIT_LOCK)
		return;
	if (site_objects__are_shared(objects))
		add_weight(judgement, DECIBANS_SHARED,
			   "all wait on the same object, as a pool does");
	else if (objects->distinct >= objects->looked_at)
		add_weight(judgement, DECIBANS_OWN, "each waits on an object of its own");
}

static void weigh_losses(const struct evidence *e, struct judgement *judgement)
{
	if (e->inexact)
		add_weight(judgement, DECIBANS_LOSSES, "events were lost since the last census");
}

void weights__of_leak(const struct evidence *evidence, const struct growth *growth,
		      struct judgement *judgement)
{
	double windows = (double)growth->window_ns / (double)growth->stay_ns;

	add_weight(judgement, DECIBANS_LEAK, "most rises that last this long are something else");
	add_weight(judgement, clamp(10 * log10(growth->stayed / 2), 0, DECIBANS_MAX_BY_NUMBER),
		   "%.0f arrived and stayed", growth->stayed);
	add_weight(judgement, clamp(10 * log10(windows), 0, DECIBANS_MAX_BY_NUMBER),
		   "the rise lasts %.1f times what staying takes", windows);
	if (!growth->left)
		add_weight(judgement, DECIBANS_NONE_LEFT, "nobody who stayed ever left");
	else
		add_weight(judgement, -10 * log10(1 + (double)growth->left),
			   growth->of_lives ? "%" PRIu64 " as old have ended" :
					      "%" PRIu64 " waits as long have ended",
			   growth->left);
	if (growth->periods_with == growth->periods)
		add_weight(judgement, DECIBANS_EVERY_PERIOD, "in every one of %u periods",
			   growth->periods);
	if (growth->of_lives)
		add_weight(judgement, DECIBANS_OF_LIVES, "they wake up now and then");
	if (growth->in_step == IN_STEP_OWN)
		add_weight(judgement, DECIBANS_IN_STEP_OWN,
			   "in step with connections or files that it opened itself");
	else if (growth->in_step >= IN_STEP && evidence->nature != NATURE_CONNECTION)
		add_weight(judgement, DECIBANS_IN_STEP, "in step with connections or open files");
	/* What members waited on before says nothing of those that do not wait. */
	if (!growth->of_runs) {
		weigh_wait(evidence, judgement);
		weigh_nature(evidence, judgement);
		weigh_objects(evidence, judgement);
	}
	weigh_losses(evidence, judgement);
	conclude(judgement);
}

void weights__of_past(const struct evidence *evidence, struct judgement *judgement)
{
	double stay = clamp(10 * log10((double)evidence->alarm_goroutines / 2), 0,
			    DECIBANS_MAX_BY_NUMBER);

	add_weight(judgement, DECIBANS_PAST, "most rises that end are something else");
	add_weight(judgement, stay, "%" PRIu64 " arrived and stayed", evidence->alarm_goroutines);
	add_weight(judgement,
		   -10 * log10(1 + (double)evidence->alarm_age_ns /
					   (double)max_of(evidence->alarm_growth_ns, (uint64_t)1)),
		   "it does not go on");
	weigh_wait(evidence, judgement);
	weigh_nature(evidence, judgement);
	weigh_objects(evidence, judgement);
	conclude(judgement);
}

void weights__of_stuck(const struct evidence *evidence, struct judgement *judgement)
{
	char park[DURATION_SIZE];
	bool send = evidence->wait_class == WAIT_CHAN_SEND;
	double times =
		(double)evidence->oldest_park_ns / (double)(send ? STUCK_SEND_NS : STUCK_LOCK_NS);

	duration__format(evidence->oldest_park_ns / NSEC_PER_SEC * NSEC_PER_SEC, park);
	weigh_wait(evidence, judgement);
	if (evidence->wait_class == WAIT_LOCK || evidence->wait_class == WAIT_CHAN_SEND)
		add_weight(judgement, clamp(10 * log10(times), 0, DECIBANS_MAX_BY_NUMBER),
			   "the oldest has waited for %s", park);
	if (evidence->wait_class == WAIT_CHAN_SEND && evidence->parked == 1)
		add_weight(judgement, DECIBANS_LONE_SENDER,
			   "a lone sender may be one that is asked seldom");
	if (evidence->parked > 1)
		add_weight(judgement, DECIBANS_SEVERAL, "%" PRIu64 " of them", evidence->parked);
	if (evidence->quiet_ns != UINT64_MAX)
		add_weight(judgement, DECIBANS_GOT_PAST, "others did get past here before");
	weigh_nature(evidence, judgement);
	weigh_objects(evidence, judgement);
	conclude(judgement);
}

void weights__of_proof(const struct evidence *evidence, struct judgement *judgement)
{
	if (evidence->proof.level == PROOF_PROVEN)
		add_weight(judgement, DECIBANS_PROVEN,
			   "nothing leads to what they wait on: proven by one consistent picture");
	else
		add_weight(judgement, DECIBANS_CONFIRMED,
			   "nothing leads to what they wait on: confirmed by several scans");
	conclude(judgement);
}

void weights__of_companions(const struct evidence *evidence, struct judgement *judgement)
{
	double odds = evidence->companions / (1 - min_of(evidence->companions, CONFIDENCE_MAX));

	add_weight(judgement, 10 * log10(odds), "created together with goroutines that leak");
	conclude(judgement);
}

void weights__of_suspicion(const struct evidence *evidence, struct judgement *judgement)
{
	const struct first_look *look = &evidence->first_look;
	uint64_t left = length_histogram__at_least(evidence->ended_parks, evidence->min_age_ns);

	add_weight(judgement, DECIBANS_SUSPICION, "one look shows what stayed, not what left");
	add_weight(judgement,
		   clamp(10 * log10((double)look->arrived / 2), 0, DECIBANS_MAX_BY_NUMBER),
		   "%" PRIu64 " came one by one and stayed", look->arrived);
	if (look->periods_with == look->periods)
		add_weight(judgement, DECIBANS_EVERY_PERIOD, "in every one of %u periods",
			   look->periods);
	if (left)
		add_weight(judgement, -10 * log10(1 + (double)left),
			   "%" PRIu64 " waits as long have ended", left);
	weigh_wait(evidence, judgement);
	weigh_nature(evidence, judgement);
	weigh_objects(evidence, judgement);
	weigh_losses(evidence, judgement);
	conclude(judgement);
}

void weights__of_rise(const struct evidence *evidence, struct judgement *judgement)
{
	uint64_t left = evidence__left(evidence, evidence->min_age_ns);
	uint64_t waits = length_histogram__at_least(evidence->ended_parks, evidence->min_age_ns);

	add_weight(judgement, DECIBANS_RISE, "most rises are something else");
	add_weight(
		judgement,
		clamp(10 * log10(max_of(evidence->trend.rise, 1.0) / 2), 0, DECIBANS_MAX_BY_NUMBER),
		"%.0f more than before", evidence->trend.rise);
	if (left)
		add_weight(judgement,
			   -clamp(10 * log10(1 + (double)left), 0, DECIBANS_MAX_BY_NUMBER),
			   "%" PRIu64 " have ended that had lived as long", left);
	if (waits > left)
		add_weight(judgement, DECIBANS_OF_LIVES, "they wake up now and then");
	weigh_wait(evidence, judgement);
	weigh_nature(evidence, judgement);
	weigh_objects(evidence, judgement);
	weigh_losses(evidence, judgement);
	conclude(judgement);
}
