// SPDX-License-Identifier: Apache-2.0
/* What a report says, by interval: populations, verdicts, allocations, losses. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "output/json/writer.h"
#include "record/recorder_private.h"

/* Places that allocate are recorded by interval, those with most: no more than so many of a runtime. */
#define MAX_ALLOCATIONS 200

/* --- sites --------------------------------------------------------------------------------------- */

static struct written_site *written_of(struct recorder *recorder, uint32_t site)
{
	size_t before = recorder->written_capacity;

	if (site >= before) {
		if (!array__reserve(recorder->written, recorder->written_capacity,
				    (size_t)site + 1))
			return NULL;
		memset(&recorder->written[before], 0,
		       (recorder->written_capacity - before) * sizeof(*recorder->written));
	}
	return &recorder->written[site];
}

/* A site that stays as it is has one point for all that time. */
static void put_population(struct recorder *recorder, uint32_t site, const struct site_view *view,
			   struct written_site *written, uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_POPULATION);

	if (written->judged && written->goroutines == view->goroutines &&
	    written->parked == view->parked && written->created == view->created &&
	    written->exited == view->exited)
		return;
	written->goroutines = view->goroutines;
	written->parked = view->parked;
	written->created = view->created;
	written->exited = view->exited;
	record_bind__count(statement, 1, now_ns);
	record_bind__count(statement, 2, site);
	record_bind__count(statement, 3, view->goroutines);
	record_bind__count(statement, 4, view->parked);
	record_bind__count(statement, 5, view->created);
	record_bind__count(statement, 6, view->exited);
	recorder__put(recorder, PUT_POPULATION);
}

/* The reasons as a JSON array, for the recorder to free; NULL: no memory. */
static char *reasons_of(const struct report_site *site, size_t *ret_size)
{
	char why[REPORT_WHY_SIZE], *text = NULL;
	FILE *stream = open_memstream(&text, ret_size);
	struct json json;
	int err;

	if (!stream)
		return NULL;
	json__begin(&json);
	json__array(&json, NULL);
	for (size_t i = 0; i < site->view.n_why; i++)
		json__text(&json, NULL, report__why(site, i, why));
	json__end_array(&json);
	err = json__finish(&json, stream);
	if (fclose(stream) || err) {
		free(text);
		return NULL;
	}
	*ret_size -= *ret_size > 0; /* the newline */
	return text;
}

static void put_verdict(struct recorder *recorder, uint32_t number, const struct report_site *site,
			struct written_site *written, uint64_t now_ns)
{
	const struct site_view *view = &site->view;
	unsigned int percent = verdict__is_suspect(view->verdict) ? report__percent(site) : 0;
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_VERDICT);
	size_t size = 0;
	char *why;

	if (written->judged && written->verdict == view->verdict && written->percent == percent &&
	    written->silenced == site->suppressed)
		return;
	written->judged = true;
	written->verdict = view->verdict;
	written->percent = percent;
	written->silenced = site->suppressed;
	why = reasons_of(site, &size);
	record_bind__count(statement, 1, now_ns);
	record_bind__count(statement, 2, number);
	record_bind__text(statement, 3, verdict__name(view->verdict));
	if (verdict__is_suspect(view->verdict))
		sqlite3_bind_double(statement, 4, percent / 100.0);
	if (site->suppressed)
		record_bind__text(statement, 5, site->suppressed_reason);
	if (why)
		sqlite3_bind_text64(statement, 6, why, size, free, SQLITE_UTF8);
	else
		sqlite3_bind_text(statement, 6, "[]", -1, SQLITE_STATIC);
	recorder__put(recorder, PUT_VERDICT);
}

/* Which line led to a library's go statement is known when some have come, and may be another one then. */
static void put_call(struct recorder *recorder, uint32_t number, const struct report_site *site,
		     struct written_site *written)
{
	uint32_t frame = record_names__frame(recorder, &site->called_from);
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_SITE_CALL);

	if (!frame || frame == written->called_from)
		return;
	written->called_from = frame;
	record_bind__count(statement, 1, frame);
	record_bind__count(statement, 2, number);
	recorder__put(recorder, PUT_SITE_CALL);
}

static void put_site(struct recorded *recorded, const struct report_site *site, uint64_t now_ns)
{
	struct recorder *recorder = recorded->recorder;
	const struct site_name name = {
		.id = site->id,
		.wait_reason = site->wait_reason,
		.start_function = site->start_function,
		.created_by = &site->created_by,
		.blocked_at = &site->blocked_at,
		.stack = site->stack,
		.n_stack = site->n_stack,
	};
	uint32_t number = record_names__site(recorder, recorded->number, &name);
	struct written_site *written = number ? written_of(recorder, number) : NULL;

	if (!written) {
		recorded->left_out_points++;
		return;
	}
	put_population(recorder, number, &site->view, written, now_ns);
	put_verdict(recorder, number, site, written, now_ns);
	put_call(recorder, number, site, written);
}

/* --- allocations --------------------------------------------------------------------------------- */

static void put_allocation_stack(struct recorder *recorder, uint32_t number,
				 const struct report_alloc_site *site)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_ALLOCATION_STACK);

	for (size_t i = 0; i < site->n_stack; i++) {
		uint32_t frame = record_names__frame(recorder, &site->stack[i]);

		if (!frame)
			continue;
		record_bind__count(statement, 1, number);
		record_bind__count(statement, 2, i);
		record_bind__count(statement, 3, frame);
		recorder__put(recorder, PUT_ALLOCATION_STACK);
	}
}

static uint32_t name_allocation(struct recorded *recorded, const struct report_alloc_site *site)
{
	struct recorder *recorder = recorded->recorder;
	uint64_t key = hash__combine(recorded->number, hash__keyed(site->id, strlen(site->id)));
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_ALLOCATION);
	bool is_new;
	uint32_t frame, number = names__number(&recorder->allocs, key, RECORD_MAX_ALLOCS, &is_new);

	if (!is_new)
		return number;
	frame = record_names__frame(recorder, &site->allocated_at);
	record_bind__count(statement, 1, number);
	record_bind__count(statement, 2, recorded->number);
	record_bind__text(statement, 3, site->id);
	if (site->type)
		record_bind__text(statement, 4, site->type);
	if (frame)
		record_bind__count(statement, 5, frame);
	recorder__put(recorder, PUT_ALLOCATION);
	put_allocation_stack(recorder, number, site);
	return number;
}

static void put_allocation(struct recorded *recorded, const struct report_alloc_site *site,
			   uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorded->recorder, PUT_ALLOCATION_POINT);
	uint32_t number = name_allocation(recorded, site);

	if (!number) {
		recorded->left_out_points++;
		return;
	}
	record_bind__count(statement, 1, now_ns);
	record_bind__count(statement, 2, number);
	record_bind__count(statement, 3, site->in_use_bytes);
	record_bind__count(statement, 4, site->in_use_objects);
	record_bind__count(statement, 5, site->alloc_bytes);
	record_bind__count(statement, 6, site->alloc_objects);
	recorder__put(recorded->recorder, PUT_ALLOCATION_POINT);
}

/* --- losses -------------------------------------------------------------------------------------- */

static void put_loss(struct recorded *recorded, const char *kind, uint64_t n)
{
	sqlite3_stmt *statement = recorder__bind(recorded->recorder, PUT_LOSS);

	record_bind__count(statement, 1, recorded->number);
	sqlite3_bind_text(statement, 2, kind, -1, SQLITE_STATIC);
	record_bind__count(statement, 3, n);
	recorder__put(recorded->recorder, PUT_LOSS);
}

static void put_losses(struct recorded *recorded, const struct report_target *target)
{
	put_loss(recorded, "events", target->totals.lost);
	put_loss(recorded, "repaired", target->totals.repaired);
	put_loss(recorded, "unreadable", target->unreadable);
	put_loss(recorded, "refused", target->totals.refused);
	put_loss(recorded, "lives left out", recorded->left_out_lives);
	put_loss(recorded, "parks left out", recorded->left_out_parks);
	put_loss(recorded, "points left out", recorded->left_out_points);
}

void record_sites__write(struct recorded *recorded, const struct report_target *target,
			 uint64_t now_ns)
{
	const struct report_allocations *allocations = target->allocations;
	/* The others are small. */
	size_t n_allocations =
		allocations ? min_of(allocations->n_sites, (size_t)MAX_ALLOCATIONS) : 0;

	if (recorder__room(recorded->recorder) == ROOM_FOR_REPORT) {
		recorded->left_out_points += target->n_sites + n_allocations;
	} else {
		for (size_t i = 0; i < target->n_sites; i++)
			put_site(recorded, &target->sites[i], now_ns);
		for (size_t i = 0; i < n_allocations; i++)
			put_allocation(recorded, &allocations->sites[i], now_ns);
	}
	put_losses(recorded, target);
}
