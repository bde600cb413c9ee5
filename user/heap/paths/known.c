// SPDX-License-Identifier: Apache-2.0
/*
 * Objects whose allocation is known, and what they tell of others: the runtime samples one object of
 * many, and those that hang from the same place are of the same type. A place is the node of a holder
 * whose type is not known, how large the holder is, and where the reference is in it; or, when all
 * there is has been seen, the node alone. What comes of that is taken for less certain than what
 * follows from types.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/array.h"
#include "heap/mark/private.h"
#include "heap/paths/private.h"

#define MAX_LESSONS   65536u
#define MAX_ROUNDS    3u    /* in which objects are looked at once more */
#define PER_AGAINST   16u   /* as many have to agree for one that does not */
#define MIN_ANYWHERE  2u    /* samples, where nothing tells apart the places below a node */
#define PLACES_WITHIN 1024u /* bytes of a holder whose words are places of their own */
#define ANY	      255u
#define ANYWHERE      (1ULL << 63)

int heap_paths__know(struct heap_paths *paths, const struct heap_known *known, size_t n)
{
	struct heap_known *copy = malloc((n + 1) * sizeof(*copy));
	struct index *by_object = NULL;
	int err = copy ? index__new(max_of(n, (size_t)1), &by_object) : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		copy[i] = known[i];
		err = index__add(by_object, hash__keyed_word(known[i].object), (uint32_t)i);
	}
	if (!err && !paths->by_place)
		err = index__new(MAX_LESSONS, &paths->by_place);
	if (err) {
		index__free(by_object);
		free(copy);
		return err;
	}
	free(paths->known);
	index__free(paths->by_object);
	paths->known = copy;
	paths->n_known = n;
	paths->by_object = by_object;
	return 0;
}

void paths_known__forget(struct heap_paths *paths)
{
	if (paths->by_place)
		index__clear(paths->by_place);
	paths->n_lessons = paths->n_learned = 0;
	paths->rounds = 0;
}

static const struct heap_known *find_known(const struct heap_paths *paths, uint64_t object)
{
	struct index_search search = index__search(paths->by_object, hash__keyed_word(object));

	while (index__next(&search)) {
		if (paths->known[search.number].object == object)
			return &paths->known[search.number];
	}
	return NULL;
}

/* --- nodes -------------------------------------------------------------------------------------- */

static uint64_t part_of(struct heap_paths *paths, const struct heap_allocation *what)
{
	const struct heap_type *type = heap_types__any(paths->types, what->type);
	const struct heap_shape *shape = type ? heap_types__shape(paths->types, type) : NULL;

	if (!shape)
		return 0;
	return what->as == HEAP_ALLOCATED_CHAN_BUFFER ? shape->elem : shape->slots;
}

/* The node beside @number, at the same place; it may be one above, if its values lead there. */
static uint16_t beside(struct heap_paths *paths, uint16_t number, enum path_role role,
		       uint64_t type)
{
	const struct path_node *node = path_tree__node(paths->tree, number);
	const struct path_step step = {
		.label = node->label,
		.role = role,
		.type = type,
		.shown = role == PATH_MAP || role == PATH_CHAN ? type : 0,
	};
	uint16_t parent = node->parent, typed = path_tree__child(paths->tree, parent, &step);

	/* What is above has its type from something better. */
	if (typed && path_tree__node(paths->tree, typed)->parent == parent)
		path_tree__node(paths->tree, typed)->inferred = true;
	return typed;
}

/* Of a part of a container, below one for the container. */
static uint16_t part_node(struct heap_paths *paths, uint16_t number, enum path_role container,
			  enum path_role role, const struct heap_allocation *what)
{
	struct path_step step = {.label = "", .role = role, .type = part_of(paths, what)};
	uint16_t above = step.type ? beside(paths, number, container, what->type) : PATH_NONE;

	return above ? path_tree__child(paths->tree, above, &step) : PATH_NONE;
}

/* Groups or buckets, of a map that was told by what is in it, or below one for the map. */
static uint16_t slots_node(struct heap_paths *paths, uint16_t number,
			   const struct heap_allocation *what)
{
	uint64_t type = part_of(paths, what);
	uint16_t node;

	if (!type || !path_tree__note_slots(paths->tree, number, type))
		return part_node(paths, number, PATH_MAP, PATH_MAP_SLOTS, what);
	node = path_tree__sibling(paths->tree, number, PATH_MAP_SLOTS, type);
	if (node)
		path_tree__node(paths->tree, node)->inferred = true;
	return node;
}

uint16_t paths_known__node(struct heap_paths *paths, uint16_t number,
			   const struct heap_allocation *what)
{
	static const enum path_role roles[] = {
		[HEAP_ALLOCATED_VALUE] = PATH_VALUE,   [HEAP_ALLOCATED_ARRAY] = PATH_ARRAY,
		[HEAP_ALLOCATED_CHAN] = PATH_CHAN,     [HEAP_ALLOCATED_MAP] = PATH_MAP,
		[HEAP_ALLOCATED_STRING] = PATH_STRING, [HEAP_ALLOCATED_BYTES] = PATH_BYTES,
	};

	switch (what->as) {
	case HEAP_ALLOCATED_UNKNOWN:
	case HEAP_ALLOCATED_MAP_PART:
		return PATH_NONE;
	case HEAP_ALLOCATED_MAP_SLOTS:
		return slots_node(paths, number, what);
	case HEAP_ALLOCATED_CHAN_BUFFER:
		return part_node(paths, number, PATH_CHAN, PATH_CHAN_BUFFER, what);
	case HEAP_ALLOCATED_VALUE:
		if (path_containers__is_trie(paths, what->type))
			return beside(paths, number, PATH_TRIE, what->type);
		break;
	default:
		break;
	}
	return beside(paths, number, roles[what->as], what->type);
}

/* --- places ------------------------------------------------------------------------------------- */

static uint64_t class_of(const struct heap_span *span)
{
	return (uint64_t)span->size_class << 1 | (span->flags & HEAP_SPAN_NOSCAN ? 1 : 0);
}

static uint64_t place_of(const struct heap_paths *paths, uint16_t number, uint64_t offset,
			 const struct heap_reference *reference, bool any_size)
{
	const struct heap_contents *in = reference->in;
	uint64_t where = 0xffff, holder = ANY;
	uint32_t span;

	(void)paths;
	if (in->place == HEAP_IN_OBJECT) {
		const struct heap_spans *spans = heap_mark__spans(reference->mark);

		span = heap_spans__find(spans, in->object);
		if (span != HEAP_NO_SPAN) {
			holder = class_of(&spans->all[span]);
			if (spans->all[span].elemsize <= PLACES_WITHIN)
				where = offset / 8;
		}
	}
	return (uint64_t)number | (any_size ? ANY : class_of(reference->span)) << 16 |
	       holder << 24 | where << 32;
}

static uint64_t anywhere(uint16_t number, const struct heap_span *span)
{
	return ANYWHERE | (uint64_t)number | class_of(span) << 16;
}

static struct paths_lesson *find_lesson(const struct heap_paths *paths, uint64_t place)
{
	struct index_search search = index__search(paths->by_place, hash__keyed_word(place));

	while (index__next(&search)) {
		if (paths->lessons[search.number].place == place)
			return &paths->lessons[search.number];
	}
	return NULL;
}

/* One at @place is of @what. Of those that do not agree the first stands until there are more. */
static void learn(struct heap_paths *paths, uint64_t place, const struct heap_allocation *what)
{
	struct paths_lesson *lesson = find_lesson(paths, place);

	if (!lesson) {
		if (!array__reserve(paths->lessons, paths->lessons_capacity,
				    paths->n_lessons + 1) ||
		    index__add(paths->by_place, hash__keyed_word(place),
			       (uint32_t)paths->n_lessons))
			return;
		paths->lessons[paths->n_lessons++] =
			(struct paths_lesson){.place = place, .what = *what, .votes = 1};
		return;
	}
	if (lesson->what.as == what->as && lesson->what.type == what->type) {
		lesson->votes++;
	} else if (++lesson->against > lesson->votes) {
		lesson->what = *what;
		lesson->votes = lesson->against;
		lesson->against = lesson->votes - 1;
		lesson->node = PATH_NONE;
	}
}

/* Whether an object of @span, which begins @inside bytes before what the reference leads to, can be one. */
static bool can_be(struct heap_paths *paths, const struct heap_allocation *what,
		   const struct heap_span *span, uint64_t inside)
{
	bool noscan = span->flags & HEAP_SPAN_NOSCAN;
	const struct heap_type *type;

	if (what->as == HEAP_ALLOCATED_STRING || what->as == HEAP_ALLOCATED_BYTES)
		return noscan;
	if (what->as != HEAP_ALLOCATED_ARRAY && inside)
		return false;
	if (what->as != HEAP_ALLOCATED_ARRAY && what->as != HEAP_ALLOCATED_VALUE)
		return true;
	type = heap_types__any(paths->types, what->type);
	return type && type->size <= span->elemsize && (type->pointer_size == 0) == noscan;
}

static uint16_t apply(struct heap_paths *paths, struct paths_lesson *lesson, uint16_t number,
		      const struct heap_span *span, uint64_t inside, uint32_t min_votes)
{
	if (!lesson || lesson->votes < min_votes || lesson->against * PER_AGAINST > lesson->votes ||
	    !can_be(paths, &lesson->what, span, inside))
		return PATH_NONE;
	if (!lesson->node)
		lesson->node = paths_known__node(paths, number, &lesson->what);
	return lesson->node;
}

uint16_t paths_known__refine(struct heap_paths *paths, uint16_t number, uint64_t offset,
			     const struct heap_reference *reference)
{
	const struct heap_known *known = find_known(paths, reference->object);
	uint64_t place = place_of(paths, number, offset, reference, false), any_size = 0;
	uint64_t inside =
		reference->value - reference->object - paths__header_size(paths, reference->span);
	uint16_t node;

	if (known) {
		/* Each as often as it is referred to. */
		learn(paths, place, &known->what);
		learn(paths, anywhere(number, reference->span), &known->what);
		if (known->what.as == HEAP_ALLOCATED_ARRAY) {
			any_size = place_of(paths, number, offset, reference, true);
			learn(paths, any_size, &known->what);
		}
		node = paths_known__node(paths, number, &known->what);
		return node ? node : number;
	}
	node = apply(paths, find_lesson(paths, place), number, reference->span, inside, 1);
	if (!node) {
		struct paths_lesson *lesson =
			find_lesson(paths, place_of(paths, number, offset, reference, true));

		node = apply(paths, lesson, number, reference->span, inside, 1);
	}
	return node ? node : number;
}

/* --- once more ---------------------------------------------------------------------------------- */

/* What hangs from an object whose type was not known may be told apart by now. */
static bool look_again(struct heap_paths *paths, struct heap_mark *mark,
		       const struct heap_span *span, uint32_t index)
{
	uint64_t slot = (uint64_t)span->first_word * 64 + index;
	uint16_t number = slot < paths->n_slots ? paths->slots[slot] : PATH_NONE;
	uint16_t node;

	if (!number || (path_tree__node(paths->tree, number)->role != PATH_UNKNOWN &&
			path_tree__node(paths->tree, number)->role != PATH_SOME_MAP))
		return false;
	node = apply(paths, find_lesson(paths, anywhere(number, span)), number, span, 0,
		     MIN_ANYWHERE);
	if (node)
		paths->slots[slot] = node;
	if (span->flags & HEAP_SPAN_NOSCAN)
		return false;
	heap_mark__contents(mark, heap_span__object(span, index));
	return true;
}

bool paths_known__settle(struct heap_paths *paths, struct heap_mark *mark)
{
	const struct heap_spans *spans = heap_mark__spans(mark);
	bool again = false;

	if (!paths->by_object || paths->rounds++ == MAX_ROUNDS ||
	    paths->n_lessons == paths->n_learned)
		return false;
	paths->n_learned = paths->n_lessons;
	for (size_t i = 0; i < spans->n; i++) {
		const struct heap_span *span = &spans->all[i];

		for (uint32_t word = 0; word * 64 < span->nelems; word++) {
			uint64_t left = mark->marked.words[span->first_word + word] &
					~mark->hidden.words[span->first_word + word];

			for (; left; left &= left - 1)
				again |= look_again(paths, mark, span,
						    word * 64 + (uint32_t)__builtin_ctzll(left));
		}
	}
	return again;
}
