// SPDX-License-Identifier: Apache-2.0
/* A site as JSON: where it is, what gleakd thinks of it, and all that this rests on. */
#include "output/json/site.h"

#include <string.h>

#include "base/clock.h"
#include "output/repair.h"

/* --- places --------------------------------------------------------------------------------------- */

static void put_frame(struct json *json, const char *name, const struct report_frame *frame)
{
	json__object(json, name);
	json__text(json, "function", frame->function);
	json__text(json, "file", frame->file);
	json__count(json, "line", frame->line);
	json__text_or_null(json, "module", frame->module);
	json__end_object(json);
}

void json__frame(struct json *json, const char *name, const struct report_frame *frame)
{
	if (report__frame_known(frame))
		put_frame(json, name, frame);
	else
		json__null(json, name);
}

void json__stack(struct json *json, const char *name, const struct report_frame *stack, size_t n)
{
	json__array(json, name);
	for (size_t i = 0; i < n; i++)
		put_frame(json, NULL, &stack[i]);
	json__end_array(json);
}

/* --- evidence ------------------------------------------------------------------------------------- */

static void put_points(struct json *json, const struct site_evidence *evidence)
{
	json__array(json, "population");
	for (size_t i = 0; i < evidence->n_points; i++) {
		const struct site_point *point = &evidence->points[i];

		json__object(json, NULL);
		json__seconds(json, "seconds_ago", point->ago_ns);
		json__count(json, "goroutines", point->goroutines);
		json__count(json, "arrivals", point->arrivals);
		json__count(json, "departures", point->departures);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_cohorts(struct json *json, const struct site_evidence *evidence)
{
	json__array(json, "cohorts");
	for (size_t i = 0; i < evidence->n_cohorts; i++) {
		const struct site_cohort *cohort = &evidence->cohorts[i];

		json__object(json, NULL);
		json__seconds(json, "from_seconds_ago", cohort->from_ago_ns);
		json__seconds(json, "to_seconds_ago", cohort->to_ago_ns);
		json__count(json, "created", cohort->created);
		json__count(json, "alive", cohort->alive);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_survivors(struct json *json, const struct site_evidence *evidence)
{
	json__array(json, "survivors");
	for (size_t i = 0; i < SITE_AGE_STEPS; i++) {
		json__object(json, NULL);
		json__seconds(json, "at_least_seconds", tracker__age_step_ns(i));
		json__count(json, "members", evidence->ages[i]);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_weights(struct json *json, const struct site_evidence *evidence)
{
	json__array(json, "weights");
	for (size_t i = 0; i < evidence->n_weights; i++) {
		json__object(json, NULL);
		json__real(json, "decibans", evidence->weights[i].decibans);
		json__text(json, "text", evidence->weights[i].text);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_share_left(struct json *json, const struct site_evidence *evidence)
{
	/* As doubles: the sum of two counts may not fit in one. */
	double all = (double)evidence->stayed + (double)evidence->left;

	if (all > 0)
		json__real(json, "share_left", (double)evidence->left / all);
	else
		json__null(json, "share_left");
}

static void put_evidence(struct json *json, const struct site_evidence *evidence)
{
	json__object(json, "evidence");
	json__seconds(json, "observed_seconds", evidence->observed_ns);
	json__count(json, "arrivals", evidence->arrivals);
	json__count(json, "departures", evidence->departures);
	json__seconds(json, "stay_seconds", evidence->stay_ns);
	json__count(json, "stayed", evidence->stayed);
	json__count(json, "left", evidence->left);
	put_share_left(json, evidence);
	put_points(json, evidence);
	put_cohorts(json, evidence);
	put_survivors(json, evidence);
	put_weights(json, evidence);
	json__end_object(json);
}

/* --- objects -------------------------------------------------------------------------------------- */

static void put_ids(struct json *json, const char *name, const char (*ids)[9], size_t n)
{
	json__array(json, name);
	for (size_t i = 0; i < n; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= !strcmp(ids[i], ids[j]);
		if (!again)
			json__text(json, NULL, ids[i]);
	}
	json__end_array(json);
}

/* Of a lock: who waits for it at all, and who seems to hold it. */
static void put_lock(struct json *json, const struct report_lock *lock)
{
	put_ids(json, "sites", lock ? lock->sites : NULL, lock ? lock->n_sites : 0);
	json__array(json, "holders");
	for (size_t i = 0; lock && i < lock->n_holders; i++) {
		json__object(json, NULL);
		json__count(json, "goid", lock->holders[i].goid);
		json__text(json, "site", lock->holders[i].site);
		json__seconds(json, "waiting_seconds", lock->holders[i].waiting_ns);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_holds(struct json *json, const struct report_site *site)
{
	json__array(json, "holds");
	for (size_t i = 0; i < site->n_locks; i++) {
		const struct report_lock *lock = &site->locks[i];

		if (!report__holds(site, lock))
			continue;
		json__object(json, NULL);
		json__text(json, "kind", wait_object_kind__name(lock->kind));
		json__address(json, "address", lock->address);
		json__count(json, "waiters", lock->waiters);
		json__bool(json, "more_waiters", lock->more_waiters);
		put_ids(json, "sites", lock->sites, lock->n_sites);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_object(struct json *json, const struct wait_object *object,
		       const struct report_lock *lock)
{
	json__object(json, NULL);
	json__text(json, "kind", wait_object_kind__name(object->kind));
	json__address(json, "address", object->address);
	json__count(json, "members", object->members);
	json__count(json, "receivers", object->receivers);
	json__count(json, "senders", object->senders);
	json__count(json, "waiters", object->waiters);
	json__bool(json, "more_waiters", object->more_waiters);
	json__count(json, "length", object->length);
	json__count(json, "capacity", object->capacity);
	json__bool(json, "closed", object->closed);
	json__bool(json, "timer", object->timer);
	put_lock(json, lock);
	json__end_object(json);
}

static void put_objects(struct json *json, const struct report_site *site)
{
	const struct wait_objects *objects = site->objects;

	if (!objects || objects->looked_at == 0) {
		json__null(json, "objects");
		return;
	}
	json__object(json, "objects");
	json__count(json, "looked_at", objects->looked_at);
	json__count(json, "distinct", objects->distinct);
	json__array(json, "items");
	for (size_t i = 0; i < objects->n_top; i++)
		put_object(json, &objects->top[i], report__lock_at(site, objects->top[i].address));
	json__end_array(json);
	json__end_object(json);
}

/* --- proof ---------------------------------------------------------------------------------------- */

static void put_proof(struct json *json, const struct site_view *view)
{
	const struct site_proof *proof = &view->proof;

	json__object(json, "proof");
	if (proof->level)
		json__text(json, "level", proof_level__name(proof->level));
	else if (verdict__is_suspect(view->verdict))
		json__text(json, "level", "suspected");
	else
		json__null(json, "level");
	json__count(json, "goroutines", proof->goroutines);
	json__count(json, "retained_heap_bytes", proof->heap_bytes);
	json__count(json, "retained_stack_bytes", proof->stack_bytes);
	json__count(json, "retained_objects", proof->objects);
	json__text_or_null(json, "reachable_by", site_proof__reachable_by(proof));
	json__end_object(json);
}

/* --- site ----------------------------------------------------------------------------------------- */

static void put_library(struct json *json, const struct report_site *site)
{
	if (!site->library) {
		json__null(json, "library");
		return;
	}
	json__object(json, "library");
	json__text(json, "module", site->library->path);
	json__text(json, "version", site->library->version);
	json__end_object(json);
}

static void put_opinion(struct json *json, const struct report_site *site)
{
	const struct site_view *view = &site->view;
	char why[REPORT_WHY_SIZE], due[CLOCK_RFC3339_SIZE] = "";

	json__text(json, "id", site->id);
	json__text(json, "verdict", verdict__name(view->verdict));
	if (verdict__is_suspect(view->verdict))
		json__real(json, "confidence", report__percent(site) / 100.0);
	else
		json__null(json, "confidence");
	if (site->suppressed)
		json__text(json, "silenced", site->suppressed_reason);
	else
		json__null(json, "silenced");
	json__text_or_null(json, "evidence_folder", site->evidence_folder);
	json__text_or_null(json, "meaning", site->meaning);
	json__array(json, "why");
	for (size_t i = 0; i < view->n_why; i++)
		json__text(json, NULL, report__why(site, i, why));
	json__end_array(json);
	if (site->due_ns)
		clock__rfc3339(site->due_ns, due);
	json__text_or_null(json, "due", due);
}

/* What usually mends it, and the lines that it is about. */
static void put_help(struct json *json, const struct report_site *site)
{
	const struct repair *repair = report__repair(site);
	const struct report_source *source = site->source;

	if (repair) {
		json__object(json, "repair");
		json__text(json, "text", repair->text);
		json__text(json, "link", repair->link);
		json__end_object(json);
	} else {
		json__null(json, "repair");
	}
	if (!source) {
		json__null(json, "source");
		return;
	}
	json__object(json, "source");
	json__text(json, "file", source->path);
	json__count(json, "line", source->line);
	json__count(json, "first", source->first);
	json__array(json, "lines");
	for (unsigned int i = 0; i < source->n; i++)
		json__text(json, NULL, source->text[i]);
	json__end_array(json);
	json__end_object(json);
}

void json__site(struct json *json, const struct report_site *site)
{
	const struct site_view *view = &site->view;

	json__object(json, NULL);
	put_opinion(json, site);
	json__count(json, "goroutines", view->goroutines);
	json__count(json, "parked", view->parked);
	json__count(json, "running", view->running);
	json__count(json, "created", view->created);
	json__count(json, "exited", view->exited);
	json__text(json, "wait_reason", site->wait_reason);
	json__frame(json, "created_by", &site->created_by);
	json__frame(json, "called_from", &site->called_from);
	if (report__frame_known(&site->called_from))
		json__count(json, "called_from_goroutines", view->called);
	else
		json__null(json, "called_from_goroutines");
	json__frame(json, "blocked_at", &site->blocked_at);
	put_library(json, site);
	json__text(json, "start_function", site->start_function);
	json__stack(json, "stack", site->stack, site->n_stack);
	json__seconds(json, "oldest_park_seconds", view->oldest_park_ns);
	json__seconds(json, "oldest_age_seconds", view->oldest_age_ns);
	json__real(json, "growth_per_minute", view->growth_per_minute);
	put_evidence(json, &site->view.evidence);
	put_objects(json, site);
	put_holds(json, site);
	put_proof(json, view);
	put_help(json, site);
	json__end_object(json);
}

void json__finding(struct json *json, const struct report_finding *finding)
{
	char what[REPORT_WHAT_SIZE];

	json__object(json, NULL);
	json__text(json, "id", finding->sites[0]->id);
	json__text(json, "verdict", verdict__name(finding->verdict));
	json__real(json, "confidence", report__percent_of(finding->confidence) / 100.0);
	json__text(json, "what", report_finding__what(finding, what));
	json__array(json, "sites");
	for (size_t i = 0; i < finding->n_sites; i++)
		json__text(json, NULL, finding->sites[i]->id);
	json__end_array(json);
	json__count(json, "units", finding->units);
	json__count(json, "goroutines", finding->goroutines);
	json__real(json, "per_minute", finding->per_minute);
	json__end_object(json);
}
