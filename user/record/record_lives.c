// SPDX-License-Identifier: Apache-2.0
/* Goroutines one by one, and where they were. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "naming/site_frames.h"
#include "record/recorder_private.h"
#include "report/site_id.h"

/* Near its limit the file has lives that last this long alone. */
#define LONG_LIFE_NS NSEC_PER_SEC

static bool same_place(const struct tracker_place *a, const struct tracker_place *b)
{
	return a->creation_pc == b->creation_pc && a->start_pc == b->start_pc &&
	       a->place == b->place && a->wait_reason == b->wait_reason;
}

/* Which site it is of takes a look at stacks, which is left for later. */
static uint32_t new_place(struct recorded *recorded, const struct tracker_place *at)
{
	struct recorder *recorder = recorded->recorder;

	if (recorder->n_places == RECORD_MAX_PLACES ||
	    !array__reserve(recorder->open_places, recorder->open_capacity,
			    recorder->n_open_places + 1))
		return 0;
	recorder->open_places[recorder->n_open_places++] = (struct open_place){
		.target = recorded->number, .number = ++recorder->n_places, .at = *at};
	return recorder->n_places;
}

uint32_t record_lives__place(struct recorded *recorded, const struct tracker_place *at)
{
	struct numbered_place *place;

	if (at->site >= recorded->n_places) {
		size_t n = max_of(2 * recorded->n_places, (size_t)at->site + 64);
		void *grown = reallocarray(recorded->places, n, sizeof(*place));

		if (!grown)
			return 0;
		recorded->places = grown;
		memset(&recorded->places[recorded->n_places], 0,
		       (n - recorded->n_places) * sizeof(*place));
		recorded->n_places = n;
	}
	place = &recorded->places[at->site];
	if (!place->number || !same_place(&place->at, at))
		*place = (struct numbered_place){.at = *at, .number = new_place(recorded, at)};
	return place->number;
}

/* --- what the tracker tells ---------------------------------------------------------------------- */

static bool is_wanted(const struct recorder *recorder, uint64_t lasted_ns)
{
	enum room room = recorder__room(recorder);

	return room == ROOM_FOR_ALL || (room == ROOM_FOR_LONG_LIVES && lasted_ns >= LONG_LIFE_NS);
}

static void take_life(void *ctx, const struct tracker_life *life)
{
	struct recorded *recorded = ctx;
	struct recorder *recorder = recorded->recorder;
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_GOROUTINE);
	uint64_t lived_ns = life->end_ns ? life->end_ns - life->begin_ns : UINT64_MAX;

	/* Of one that is in there its end costs nothing. */
	if (!life->told && !is_wanted(recorder, lived_ns)) {
		recorded->left_out_lives++;
		return;
	}
	record_bind__count(statement, 1, recorded->number);
	record_bind__count(statement, 2, life->goid);
	record_bind__count(statement, 3, record_lives__place(recorded, &life->at));
	record_bind__count(statement, 4, life->begin_ns);
	sqlite3_bind_int(statement, 5, life->created);
	if (life->end_ns)
		record_bind__count(statement, 6, lived_ns);
	if (life->parked_since_ns)
		record_bind__count(statement, 7, life->parked_since_ns);
	recorder->lives += !life->told;
	recorder__put(recorder, PUT_GOROUTINE);
}

static void take_park(void *ctx, const struct tracker_park *park)
{
	struct recorded *recorded = ctx;
	struct recorder *recorder = recorded->recorder;
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_PARK);

	if (!is_wanted(recorder, park->end_ns - park->begin_ns)) {
		recorded->left_out_parks++;
		return;
	}
	record_bind__count(statement, 1, recorded->number);
	record_bind__count(statement, 2, park->goid);
	record_bind__count(statement, 3, record_lives__place(recorded, &park->at));
	record_bind__count(statement, 4, park->begin_ns);
	record_bind__count(statement, 5, park->end_ns - park->begin_ns);
	recorder->parks++;
	recorder__put(recorder, PUT_PARK);
}

struct tracker_observer record_lives__observer(struct recorded *recorded)
{
	return (struct tracker_observer){
		.life = take_life,
		.park = take_park,
		.long_park_ns = recorded->recorder->options.long_park_ns,
		.ctx = recorded,
	};
}

/* --- which sites they are of --------------------------------------------------------------------- */

static uint32_t site_of(struct recorder *recorder, const struct open_place *place,
			struct site_frames *frames)
{
	const struct target *target = recorder->targets[place->target - 1]->target;
	const struct tracker_place *at = &place->at;
	const struct site_view view = {.wait_reason = at->wait_reason, .stack_id = at->stack_id};
	const char *words = site_id__wait_words(target, &view);
	struct site_name name;
	char id[9];

	site_frames__resolve(target__symbolizer(target), target__stacks(target), at->creation_pc,
			     at->start_pc, at->stack_id, frames);
	site_frames__set_call(frames, target__symbolizer(target), at->call_pc, at->call_pc);
	site_frames__id(frames, words, id);
	name = (struct site_name){
		.id = id,
		.wait_reason = words,
		.start_function = frames->start_function,
		.created_by = &frames->created_by,
		.blocked_at = &frames->blocked_at,
		.stack = frames->stack,
		.n_stack = frames->n_stack,
	};
	return record_names__site(recorder, place->target, &name);
}

void record_lives__settle(struct recorder *recorder)
{
	struct site_frames *frames __cleanup_free = NULL;

	if (!recorder->n_open_places)
		return;
	frames = malloc(sizeof(*frames));
	for (size_t i = 0; i < recorder->n_open_places && frames; i++) {
		const struct open_place *place = &recorder->open_places[i];
		uint32_t site = site_of(recorder, place, frames);
		sqlite3_stmt *statement = recorder__bind(recorder, PUT_PLACE);

		sqlite3_bind_int64(statement, 1, place->number);
		record_bind__count(statement, 2, place->target);
		if (site)
			record_bind__count(statement, 3, site);
		recorder__put(recorder, PUT_PLACE);
	}
	recorder->n_open_places = 0;
}
