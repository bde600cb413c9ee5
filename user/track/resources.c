// SPDX-License-Identifier: Apache-2.0
#include "track/resources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/hash.h"
#include "base/index.h"
#include "track/resource_judge.h"

#define MAX_MOVES 65536u

/* One resource, from the look that saw it first on. */
struct member {
	enum resource_kind kind;
	bool stayed;  /* the next look has seen it too */
	bool missing; /* this look has not: a scan of what changes meanwhile may pass by something */
	bool served;
	uint64_t object, id;
	uint64_t first_ns;
	uint64_t since_ns; /* since when it is served, or is not */
	uint32_t place;
	uint32_t opener; /* 0: not known */
};

/* From one place to another, by the first places that they were joined to. */
struct move {
	uint32_t from, to;
};

struct members {
	struct member *all;
	size_t n, capacity;
	struct index *by_object;
};

struct resource_tracker {
	struct members now, before;
	struct resource_place *places;
	size_t n_places, capacity;
	struct index *by_place;
	struct index *by_move; /* of moves: pairs of places between which something has moved */
	struct move *moves;
	size_t n_moves, moves_capacity;
	struct resource_place *sorted;
	struct resource_series series;
	size_t looks;
	uint64_t first_ns, last_ns;
	/* who opens things: by the last look, and by the first */
	uint64_t watched_ns, first_watched_ns;
};

int resource_tracker__new(struct resource_tracker **ret_tracker)
{
	struct resource_tracker *tracker = calloc(1, sizeof(*tracker));
	int err = tracker ? index__new(HEAP_MAX_RESOURCES, &tracker->now.by_object) : -ENOMEM;

	if (!err)
		err = index__new(HEAP_MAX_RESOURCES, &tracker->before.by_object);
	if (!err)
		err = index__new(RESOURCE_MAX_PLACES, &tracker->by_place);
	if (!err)
		err = index__new(MAX_MOVES, &tracker->by_move);
	if (err) {
		resource_tracker__free(tracker);
		return err;
	}
	*ret_tracker = tracker;
	return 0;
}

void resource_tracker__free(struct resource_tracker *tracker)
{
	if (!tracker)
		return;
	index__free(tracker->now.by_object);
	index__free(tracker->before.by_object);
	index__free(tracker->by_place);
	index__free(tracker->by_move);
	free(tracker->moves);
	free(tracker->now.all);
	free(tracker->before.all);
	free(tracker->places);
	free(tracker->sorted);
	free(tracker);
}

size_t resource_tracker__looks(const struct resource_tracker *tracker)
{
	return tracker->looks;
}

uint64_t resource_tracker__elapsed_ns(const struct resource_tracker *tracker)
{
	return tracker->last_ns - tracker->first_ns;
}

/* --- members ------------------------------------------------------------------------------------ */

/* A process stays the same when its os.Process has been collected. */
static uint64_t object_of(const struct heap_resource *resource)
{
	return resource->kind == RESOURCE_PROCESS ? 0 : resource->object;
}

static uint64_t member_hash(const struct heap_resource *resource)
{
	uint64_t hash = hash__keyed_word(object_of(resource));

	return hash__combine(hash__combine(hash, resource->id), (uint64_t)resource->kind);
}

static struct member *find_member(const struct members *members,
				  const struct heap_resource *resource)
{
	struct index_search search = index__search(members->by_object, member_hash(resource));

	while (index__next(&search)) {
		struct member *member = &members->all[search.number];

		if (member->object == object_of(resource) && member->id == resource->id &&
		    member->kind == resource->kind)
			return member;
	}
	return NULL;
}

static int add_member(struct members *members, const struct member *member)
{
	const struct heap_resource key = {
		.kind = member->kind,
		.object = member->object,
		.id = member->id,
	};

	if (members->n == HEAP_MAX_RESOURCES)
		return 0;
	if (!array__reserve(members->all, members->capacity, members->n + 1))
		return -ENOMEM;
	members->all[members->n] = *member;
	return index__add(members->by_object, member_hash(&key), (uint32_t)members->n++);
}

bool resource_tracker__knows(const struct resource_tracker *tracker,
			     const struct heap_resource *resource)
{
	return find_member(&tracker->now, resource);
}

/* --- openers ------------------------------------------------------------------------------------ */

/* The last one is for all others when there is no more room. */
static struct resource_opener *opener_of(struct resource_place *place, uint32_t number)
{
	struct resource_opener *opener;

	for (size_t i = 0; i < place->n_openers; i++) {
		if (place->openers[i].number == number)
			return &place->openers[i];
	}
	if (place->n_openers == RESOURCE_OPENERS)
		return &place->openers[RESOURCE_OPENERS - 1];
	opener = &place->openers[place->n_openers++];
	*opener = (struct resource_opener){
		.number = place->n_openers == RESOURCE_OPENERS ? 0 : number,
	};
	return opener;
}

static void note_opened(struct resource_opener *opener, bool is_new, uint64_t age_ns)
{
	opener->outstanding++;
	opener->opened += is_new;
	opener->oldest_ns = max_of(opener->oldest_ns, age_ns);
}

static void join_openers(struct resource_place *place, const struct resource_place *other)
{
	for (size_t i = 0; i < other->n_openers; i++) {
		const struct resource_opener *from = &other->openers[i];
		struct resource_opener *to = opener_of(place, from->number);

		to->outstanding += from->outstanding;
		to->opened += from->opened;
		to->closed += from->closed;
		to->oldest_ns = max_of(to->oldest_ns, from->oldest_ns);
	}
}

static uint64_t seen_opened(const struct resource_place *place)
{
	uint64_t n = 0;

	for (size_t i = 0; i < place->n_openers; i++)
		n += place->openers[i].opened;
	return n;
}

/* A few that come and stay are no reason to attach anything. */
#define STAYS 3

/* Of those that are here, how many came after the first look and were there at the one before this. */
static uint64_t stayed(const struct resource_tracker *tracker, const struct resource_place *place)
{
	return tracker->series.n < 3 ? 0 : place->counts[tracker->series.n - 2] - place->counts[0];
}

bool resource_tracker__wants_openers(const struct resource_tracker *tracker)
{
	for (size_t i = 0; i < tracker->n_places; i++) {
		const struct resource_place *place = &tracker->places[i];
		uint64_t seen = seen_opened(place);

		if (place->kind != RESOURCE_REQUEST && stayed(tracker, place) >= STAYS &&
		    !resource_series__clients(&tracker->series, place) &&
		    place->closed * RESOURCE_MAX_CLOSED_PART <= place->opened &&
		    seen < RESOURCE_KNOWN_OPENERS && 2 * seen < place->opened)
			return true;
	}
	return false;
}

/* --- places ------------------------------------------------------------------------------------- */

static uint32_t first_of(const struct resource_tracker *tracker, uint32_t place)
{
	while (tracker->places[place].joined != place)
		place = tracker->places[place].joined;
	return place;
}

static bool is_at(const struct resource_place *place, const struct heap_resource *resource)
{
	return place->kind == resource->kind && place->nodes[0] == resource->node &&
	       place->held == resource->held && place->function == resource->function;
}

/* There is always room for the first of a kind. */
static bool is_full(const struct resource_tracker *tracker)
{
	return tracker->n_places >= RESOURCE_MAX_PLACES - RESOURCE_REQUEST;
}

/* Places beyond the limit are one with the first of that kind: nothing is lost but where it is. */
static int place_of(struct resource_tracker *tracker, const struct heap_resource *resource,
		    uint32_t *ret_place)
{
	uint64_t hash = hash__combine(hash__keyed_word(resource->function),
				      (uint64_t)resource->kind << 32 |
					      (uint64_t)resource->held << 16 | resource->node);
	struct index_search search = index__search(tracker->by_place, hash);

	while (index__next(&search)) {
		if (is_at(&tracker->places[search.number], resource)) {
			*ret_place = first_of(tracker, search.number);
			return 0;
		}
	}
	for (uint32_t i = 0; i < tracker->n_places && is_full(tracker); i++) {
		if (tracker->places[i].kind == resource->kind) {
			*ret_place = first_of(tracker, i);
			return 0;
		}
	}
	if (!array__reserve(tracker->places, tracker->capacity, tracker->n_places + 1))
		return -ENOMEM;
	*ret_place = (uint32_t)tracker->n_places;
	tracker->places[tracker->n_places] = (struct resource_place){
		.kind = resource->kind,
		.nodes = {resource->node},
		.n_nodes = 1,
		.joined = *ret_place,
		.held = resource->held,
		.function = resource->function,
	};
	return index__add(tracker->by_place, hash, (uint32_t)tracker->n_places++);
}

static void note_example(struct resource_place *place, size_t number)
{
	if (place->n_examples < RESOURCE_EXAMPLES)
		place->examples[place->n_examples++] = number;
}

static bool has_moved(const struct resource_tracker *tracker, uint32_t from, uint32_t to)
{
	struct index_search search =
		index__search(tracker->by_move, hash__combine(hash__keyed_word(from), to));

	while (index__next(&search)) {
		if (tracker->moves[search.number].from == from &&
		    tracker->moves[search.number].to == to)
			return true;
	}
	return false;
}

/* What is at either is at the first from now on. */
static void join(struct resource_tracker *tracker, uint32_t a, uint32_t b)
{
	struct resource_place *first = &tracker->places[min_of(a, b)];
	struct resource_place *other = &tracker->places[max_of(a, b)];

	for (size_t i = 0; i < other->n_nodes && first->n_nodes < RESOURCE_HOLDERS; i++)
		first->nodes[first->n_nodes++] = other->nodes[i];
	for (size_t i = 0; i < other->n_examples; i++)
		note_example(first, other->examples[i]);
	first->held |= other->held;
	join_openers(first, other);
	other->n_openers = 0;
	first->outstanding += other->outstanding;
	first->served += other->served;
	first->missing += other->missing;
	first->opened += other->opened;
	first->closed += other->closed;
	first->first += other->first;
	first->oldest_ns = max_of(first->oldest_ns, other->oldest_ns);
	other->joined = first->joined;
	other->outstanding = other->opened = other->closed = other->first = other->served = 0;
	other->n_examples = 0;
}

/*
 * Who holds them both is found by chance, by the one way or the other: what has moved there and back tells. What
 * goes one way only, from those in use to those that are idle as it may be, is told apart.
 */
static int note_move(struct resource_tracker *tracker, uint32_t from, uint32_t to)
{
	uint64_t hash = hash__combine(hash__keyed_word(from), to);
	int err;

	if (has_moved(tracker, to, from)) {
		join(tracker, from, to);
		return 0;
	}
	if (has_moved(tracker, from, to) || tracker->n_moves == MAX_MOVES)
		return 0;
	if (!array__reserve(tracker->moves, tracker->moves_capacity, tracker->n_moves + 1))
		return -ENOMEM;
	tracker->moves[tracker->n_moves] = (struct move){from, to};
	err = index__add(tracker->by_move, hash, (uint32_t)tracker->n_moves);
	tracker->n_moves += !err;
	return err;
}

static int take_one(struct resource_tracker *tracker, const struct heap_resource *resource,
		    size_t number, uint64_t now_ns)
{
	struct member *old = find_member(&tracker->before, resource);
	uint64_t first_ns = old ? old->first_ns : now_ns;
	uint64_t since_ns = old && old->served == resource->served ? old->since_ns : now_ns;
	uint32_t opener = old ? old->opener : resource->opener;
	struct resource_place *place;
	uint32_t at;
	int err = place_of(tracker, resource, &at);

	/* What moves while lists are read may be seen twice. */
	if (err || find_member(&tracker->now, resource))
		return err;
	if (old && first_of(tracker, old->place) != at)
		err = note_move(tracker, first_of(tracker, old->place), at);
	if (err)
		return err;
	at = first_of(tracker, at);
	place = &tracker->places[at];
	place->outstanding++;
	place->served += resource->served;
	place->left_ns = max_of(place->left_ns, resource->left_ns);
	place->opened += !old && tracker->looks;
	if (opener)
		note_opened(opener_of(place, opener), !old && tracker->looks, now_ns - first_ns);
	place->oldest_ns = max_of(place->oldest_ns, now_ns - first_ns);
	note_example(place, number);
	if (old)
		old->stayed = true;
	return add_member(&tracker->now, &(struct member){
						 .kind = resource->kind,
						 .object = object_of(resource),
						 .id = resource->id,
						 .first_ns = first_ns,
						 .since_ns = since_ns,
						 .place = at,
						 .opener = opener,
						 .served = resource->served,
					 });
}

/* --- looks -------------------------------------------------------------------------------------- */

static uint64_t every_other_bit(uint64_t bits)
{
	uint64_t kept = 0;

	for (size_t i = 0; i < RESOURCE_MAX_LOOKS / 2; i++)
		kept |= (bits >> (2 * i) & 1) << i;
	return kept;
}

static void drop_every_other(struct resource_tracker *tracker)
{
	size_t kept = (tracker->series.n + 1) / 2;

	for (size_t i = 0; i < kept; i++)
		tracker->series.times[i] = tracker->series.times[2 * i];
	tracker->series.n = kept;
	for (size_t i = 0; i < tracker->n_places; i++)
		tracker->places[i].blind = every_other_bit(tracker->places[i].blind);
}

static void begin(struct resource_tracker *tracker)
{
	struct members old = tracker->before;

	tracker->before = tracker->now;
	old.n = 0;
	index__clear(old.by_object);
	tracker->now = old;
	if (tracker->series.n == RESOURCE_MAX_LOOKS)
		drop_every_other(tracker);
	for (size_t i = 0; i < tracker->n_places; i++) {
		tracker->places[i].outstanding = 0;
		tracker->places[i].served = 0;
		tracker->places[i].left_ns = 0;
		tracker->places[i].missing = 0;
		tracker->places[i].oldest_ns = 0;
		tracker->places[i].n_examples = 0;
		for (size_t k = 0; k < tracker->places[i].n_openers; k++) {
			tracker->places[i].openers[k].outstanding = 0;
			tracker->places[i].openers[k].oldest_ns = 0;
		}
	}
}

static void note_closed(struct resource_place *place, const struct member *member)
{
	place->closed++;
	if (member->opener)
		opener_of(place, member->opener)->closed++;
}

/* What is missing for the first time is kept for the next look. */
static int keep_missing(struct resource_tracker *tracker)
{
	int err = 0;

	for (size_t i = 0; i < tracker->before.n && !err; i++) {
		struct member member = tracker->before.all[i];

		if (member.stayed)
			continue;
		if (member.missing) {
			note_closed(&tracker->places[first_of(tracker, member.place)], &member);
			continue;
		}
		member.missing = true;
		tracker->places[first_of(tracker, member.place)].missing++;
		err = add_member(&tracker->now, &member);
	}
	return err;
}

/* The look, of those that are kept, at which something that is so since @since_ns was there. */
static size_t look_of(const struct resource_tracker *tracker, uint64_t since_ns)
{
	return bisect(tracker->series.n - 1, i, tracker->series.times[i] < since_ns);
}

/* Of those that are here, how many had been seen by each look. */
static void count_cohorts(struct resource_tracker *tracker)
{
	memset(tracker->series.clients, 0, sizeof(tracker->series.clients));
	for (size_t p = 0; p < tracker->n_places; p++)
		memset(tracker->places[p].counts, 0, sizeof(tracker->places[p].counts));
	for (size_t i = 0; i < tracker->now.n; i++) {
		const struct member *member = &tracker->now.all[i];

		struct resource_place *place = &tracker->places[first_of(tracker, member->place)];
		size_t look = look_of(tracker, member->since_ns);

		if (!member->missing)
			++*(member->served ? &tracker->series.clients[look] : &place->counts[look]);
	}
	for (size_t i = 1; i < tracker->series.n; i++)
		tracker->series.clients[i] += tracker->series.clients[i - 1];
	for (size_t p = 0; p < tracker->n_places; p++) {
		for (size_t i = 1; i < tracker->series.n; i++)
			tracker->places[p].counts[i] += tracker->places[p].counts[i - 1];
	}
}

static int end(struct resource_tracker *tracker, uint64_t now_ns)
{
	struct resource_times times;
	int err = keep_missing(tracker);

	if (!tracker->looks++) {
		tracker->first_ns = now_ns;
		tracker->first_watched_ns = tracker->watched_ns;
	}
	tracker->last_ns = now_ns;
	tracker->series.times[tracker->series.n++] = now_ns;
	count_cohorts(tracker);
	times = (struct resource_times){
		.looks = tracker->looks,
		.elapsed_ns = resource_tracker__elapsed_ns(tracker),
		.watched_ns = tracker->watched_ns - tracker->first_watched_ns,
	};
	for (size_t i = 0; i < tracker->n_places; i++) {
		if (tracker->looks == 1)
			tracker->places[i].first = tracker->places[i].outstanding;
		if (tracker->places[i].missing > tracker->places[i].outstanding)
			tracker->places[i].blind |= 1ULL << (tracker->series.n - 1);
		resource_place__judge(&tracker->places[i], &tracker->series, &times);
	}
	return err;
}

void resource_tracker__set_watched(struct resource_tracker *tracker, uint64_t watched_ns)
{
	tracker->watched_ns = watched_ns;
}

int resource_tracker__take(struct resource_tracker *tracker, const struct heap_resource *resources,
			   size_t n, uint64_t now_ns)
{
	int err = 0;

	begin(tracker);
	for (size_t i = 0; i < n && !err; i++)
		err = take_one(tracker, &resources[i], i, now_ns);
	return err ? err : end(tracker, now_ns);
}

/* --- shown -------------------------------------------------------------------------------------- */

static int worst_first(const void *a, const void *b)
{
	const struct resource_place *x = a, *y = b;
	bool grows_x = x->verdict == RESOURCE_GROWING, grows_y = y->verdict == RESOURCE_GROWING;

	if (grows_x != grows_y)
		return grows_x ? -1 : 1;
	if (x->outstanding != y->outstanding)
		return x->outstanding > y->outstanding ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->nodes[0] != y->nodes[0])
		return x->nodes[0] < y->nodes[0] ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static int most_first(const void *a, const void *b)
{
	const struct resource_opener *x = a, *y = b;

	if (x->outstanding != y->outstanding)
		return x->outstanding > y->outstanding ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

const struct resource_place *resource_tracker__places(struct resource_tracker *tracker,
						      size_t *ret_n)
{
	struct resource_place *sorted =
		realloc(tracker->sorted, (tracker->n_places + 1) * sizeof(*sorted));

	*ret_n = 0;
	if (!sorted)
		return tracker->sorted;
	tracker->sorted = sorted;
	for (size_t i = 0; i < tracker->n_places; i++) {
		const struct resource_place *place = &tracker->places[i];

		if ((!place->outstanding && !place->opened && !place->closed) ||
		    place->kind == RESOURCE_REQUEST)
			continue;
		sorted[*ret_n] = *place;
		qsort(sorted[*ret_n].openers, place->n_openers, sizeof(place->openers[0]),
		      most_first);
		++*ret_n;
	}
	if (*ret_n)
		qsort(sorted, *ret_n, sizeof(*sorted), worst_first);
	return sorted;
}
