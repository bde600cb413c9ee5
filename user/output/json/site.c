// SPDX-License-Identifier: Apache-2.0
/* A site as JSON: where it is, what gleakd thinks of it, and all that this rests on. */
#include "output/json/build.h"
#include "output/json/dump.h"

static json_t *confidence_json(const struct report_site *site)
{
	return site->suspect ? json_dump__real(report__percent(site) / 100.0) : json_null();
}

/* --- evidence ------------------------------------------------------------------------------------- */

static json_t *point_json(const void *item)
{
	const struct report_point *point = item;
	struct json_build object = json_build__begin();

	json_build__put(&object, "seconds_ago", json_dump__real(point->seconds_ago));
	json_build__put(&object, "goroutines", json_build__count(point->goroutines));
	json_build__put(&object, "arrivals", json_build__count(point->arrivals));
	json_build__put(&object, "departures", json_build__count(point->departures));
	return json_build__end(&object);
}

static json_t *cohort_json(const void *item)
{
	const struct report_cohort *cohort = item;
	struct json_build object = json_build__begin();

	json_build__put(&object, "from_seconds_ago", json_dump__real(cohort->from_seconds_ago));
	json_build__put(&object, "to_seconds_ago", json_dump__real(cohort->to_seconds_ago));
	json_build__put(&object, "created", json_build__count(cohort->created));
	json_build__put(&object, "alive", json_build__count(cohort->alive));
	return json_build__end(&object);
}

static json_t *survivors_json(const void *item)
{
	const struct report_age_step *step = item;
	struct json_build object = json_build__begin();

	json_build__put(&object, "at_least_seconds", json_dump__real(step->at_least_seconds));
	json_build__put(&object, "members", json_build__count(step->members));
	return json_build__end(&object);
}

static json_t *weight_json(const void *item)
{
	const struct report_weight *weight = item;
	struct json_build object = json_build__begin();

	json_build__put(&object, "decibans", json_dump__real(weight->decibans));
	json_build__put(&object, "text", json_build__text(weight->text));
	return json_build__end(&object);
}

static json_t *share_left_json(const struct report_evidence *evidence)
{
	/* As doubles: the sum of two counts may not fit in one. */
	double all = (double)evidence->stayed + (double)evidence->left;

	return all > 0 ? json_dump__real((double)evidence->left / all) : json_null();
}

static json_t *evidence_json(const struct report_evidence *evidence)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "observed_seconds", json_dump__real(evidence->observed_seconds));
	json_build__put(&object, "arrivals", json_build__count(evidence->arrivals));
	json_build__put(&object, "departures", json_build__count(evidence->departures));
	json_build__put(&object, "stay_seconds", json_dump__real(evidence->stay_seconds));
	json_build__put(&object, "stayed", json_build__count(evidence->stayed));
	json_build__put(&object, "left", json_build__count(evidence->left));
	json_build__put(&object, "share_left", share_left_json(evidence));
	json_build__put(&object, "population",
			json_build__array(evidence->population, evidence->n_population,
					  sizeof(*evidence->population), point_json));
	json_build__put(&object, "cohorts",
			json_build__array(evidence->cohorts, evidence->n_cohorts,
					  sizeof(*evidence->cohorts), cohort_json));
	json_build__put(&object, "survivors",
			json_build__array(evidence->ages, evidence->n_ages, sizeof(*evidence->ages),
					  survivors_json));
	json_build__put(&object, "weights",
			json_build__array(evidence->weights, evidence->n_weights,
					  sizeof(*evidence->weights), weight_json));
	return json_build__end(&object);
}

/* --- objects -------------------------------------------------------------------------------------- */

static json_t *object_json(const void *item)
{
	const struct report_object *waited_on = item;
	struct json_build object = json_build__begin();

	json_build__put(&object, "kind", json_build__text(waited_on->kind));
	json_build__put(&object, "address", json_build__address(waited_on->address));
	json_build__put(&object, "members", json_build__count(waited_on->members));
	json_build__put(&object, "receivers", json_build__count(waited_on->receivers));
	json_build__put(&object, "senders", json_build__count(waited_on->senders));
	json_build__put(&object, "waiters", json_build__count(waited_on->waiters));
	json_build__put(&object, "more_waiters", json_boolean(waited_on->more_waiters));
	json_build__put(&object, "length", json_build__count(waited_on->length));
	json_build__put(&object, "capacity", json_build__count(waited_on->capacity));
	json_build__put(&object, "closed", json_boolean(waited_on->closed));
	json_build__put(&object, "timer", json_boolean(waited_on->timer));
	return json_build__end(&object);
}

static json_t *objects_json(const struct report_objects *objects)
{
	struct json_build object;

	if (objects->looked_at == 0)
		return json_null();
	object = json_build__begin();
	json_build__put(&object, "looked_at", json_build__count(objects->looked_at));
	json_build__put(&object, "distinct", json_build__count(objects->distinct));
	json_build__put(&object, "items",
			json_build__array(objects->items, objects->n_items, sizeof(*objects->items),
					  object_json));
	return json_build__end(&object);
}

/* --- site ----------------------------------------------------------------------------------------- */

static json_t *why_json(const void *item)
{
	return json_build__text(*(const char *const *)item);
}

static void put_opinion(struct json_build *object, const struct report_site *site)
{
	json_build__put(object, "id", json_build__text(site->id));
	json_build__put(object, "verdict", json_build__text(site->verdict));
	json_build__put(object, "confidence", confidence_json(site));
	json_build__put(object, "silenced",
			site->silenced ? json_build__text(site->silenced_reason) : json_null());
	json_build__put(object, "meaning", json_build__text_or_null(site->meaning));
	json_build__put(object, "why",
			json_build__array(site->why, site->n_why, sizeof(*site->why), why_json));
}

json_t *json_build__site(const struct report_site *site)
{
	struct json_build object = json_build__begin();

	put_opinion(&object, site);
	json_build__put(&object, "goroutines", json_build__count(site->goroutines));
	json_build__put(&object, "parked", json_build__count(site->parked));
	json_build__put(&object, "created", json_build__count(site->created));
	json_build__put(&object, "exited", json_build__count(site->exited));
	json_build__put(&object, "wait_reason", json_build__text(site->wait_reason));
	json_build__put(&object, "created_by", json_build__place(&site->created_by));
	json_build__put(&object, "blocked_at", json_build__place(&site->blocked_at));
	json_build__put(&object, "start_function", json_build__text(site->start_function));
	json_build__put(&object, "stack", json_build__stack(site->stack, site->n_stack));
	json_build__put(&object, "oldest_park_seconds", json_dump__real(site->oldest_park_seconds));
	json_build__put(&object, "oldest_age_seconds", json_dump__real(site->oldest_age_seconds));
	json_build__put(&object, "growth_per_minute", json_dump__real(site->growth_per_minute));
	json_build__put(&object, "evidence", evidence_json(&site->evidence));
	json_build__put(&object, "objects", objects_json(&site->objects));
	return json_build__end(&object);
}
