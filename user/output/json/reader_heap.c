// SPDX-License-Identifier: Apache-2.0
/* Memory and goroutines one by one, from JSON. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "output/json/reader_private.h"

static const char *alloc_verdict_name(unsigned int verdict)
{
	return alloc_verdict__name((enum alloc_verdict)verdict);
}

static const char *source_name(unsigned int source)
{
	return alloc_source__name((enum alloc_source)source);
}

static const char *by_name(unsigned int by)
{
	return report_alloc_by__name((enum report_alloc_by)by);
}

static const char *root_name(unsigned int kind)
{
	return heap_way_root__name((enum heap_way_root)kind);
}

/* --- what it consists of ------------------------------------------------------------------------- */

static void read_memory(const json_t *json, struct heap_memory *memory)
{
	*memory = (struct heap_memory){
		.rss_bytes = read__count(json, "rss_bytes"),
		.live_bytes = read__count(json, "heap_live_bytes"),
		.dead_bytes = read__count(json, "heap_dead_bytes"),
		.free_bytes = read__count(json, "heap_free_bytes"),
		.stack_bytes = read__count(json, "stack_bytes"),
		.runtime_bytes = read__count(json, "runtime_bytes"),
		.other_bytes = read__count(json, "other_bytes"),
		.absent_bytes = read__count(json, "not_resident_bytes"),
		.objects = read__count(json, "objects"),
		.gc_cycles = read__count(json, "gc_cycles"),
	};
}

static bool is_number(const json_t *json, const char *name)
{
	return json_is_number(json_object_get(json, name));
}

static void read_counters(const json_t *json, struct report_target *target)
{
	target->resident_bytes = read__count(json, "rss_bytes");
	target->counters_known = is_number(json, "heap_in_use_bytes");
	if (!target->counters_known)
		return;
	target->counters = (struct heap_counters){
		.gc_cycles = read__count32(json, "gc_cycles"),
		.heap_bytes = read__count(json, "heap_in_use_bytes"),
		.counted = is_number(json, "allocated_bytes_total"),
		.stack_bytes = read__count(json, "stack_bytes"),
		.runtime_bytes = read__count(json, "runtime_bytes"),
		.total_bytes = read__count(json, "allocated_bytes_total"),
		.total_objects = read__count(json, "allocated_objects_total"),
		.marked = is_number(json, "heap_live_bytes"),
		.live_bytes = read__count(json, "heap_live_bytes"),
		.has_goal = is_number(json, "heap_goal_bytes"),
		.goal_bytes = read__count(json, "heap_goal_bytes"),
		.timed = is_number(json, "gc_pause_seconds_total"),
		.pause_ns = read__seconds(json, "gc_pause_seconds_total"),
		.assisted = is_number(json, "gc_assist_seconds_last"),
		.assist_ns = read__seconds(json, "gc_assist_seconds_last"),
		.returned = is_number(json, "heap_released_bytes"),
		.released_bytes = read__count(json, "heap_released_bytes"),
	};
}

/* Views own their texts; these belong to the tree, and nobody changes or frees them. */
static char *text_of(const json_t *json, const char *name)
{
	return (char *)read__text(json, name);
}

static void read_types(struct report_reader *reader, const json_t *list, struct heap_view *view)
{
	view->n_types = read__array(reader, list, sizeof(*view->types), REPORT_READER_MAX_ITEMS,
				    &view->types);
	for (size_t i = 0; i < view->n_types; i++) {
		const json_t *json = json_array_get(list, i);

		view->types[i] = (struct heap_view_type){
			.name = text_of(json, "type"),
			.known = read__bool(json, "known"),
			.objects = read__count(json, "objects"),
			.bytes = read__count(json, "bytes"),
		};
		view->bytes += view->types[i].bytes;
		view->typed_bytes += view->types[i].known ? view->types[i].bytes : 0;
	}
}

/* The last part of a path: what follows the path that it hangs from. */
static const char *step_of(const struct heap_view *view, size_t i)
{
	const struct heap_view_holder *holder = &view->holders[i];

	for (size_t k = i; k-- > 0;) {
		const char *above = view->holders[k].path;

		if (view->holders[k].depth + 1 != holder->depth)
			continue;
		return strncmp(holder->path, above, strlen(above)) ? holder->path :
								     holder->path + strlen(above);
	}
	return holder->path;
}

static void read_holders(struct report_reader *reader, const json_t *list, struct heap_view *view)
{
	view->n_holders = read__array(reader, list, sizeof(*view->holders), REPORT_READER_MAX_ITEMS,
				      &view->holders);
	for (size_t i = 0; i < view->n_holders; i++) {
		const json_t *json = json_array_get(list, i);

		view->holders[i] = (struct heap_view_holder){
			.path = text_of(json, "path"),
			.type = text_of(json, "type"),
			.depth = min_of(read__count32(json, "depth"), 1024u),
			.recursive = read__bool(json, "leads_to_itself"),
			.objects = read__count(json, "objects"),
			.retained_bytes = read__count(json, "retained_bytes"),
		};
		view->holders[i].step = step_of(view, i);
	}
}

static void read_growing(struct report_reader *reader, const json_t *list, struct heap_view *view)
{
	view->n_growing = read__array(reader, list, sizeof(*view->growing), REPORT_READER_MAX_ITEMS,
				      &view->growing);
	for (size_t i = 0; i < view->n_growing; i++) {
		const json_t *json = json_array_get(list, i);

		view->growing[i] = (struct heap_view_growth){
			.path = text_of(json, "path"),
			.type = text_of(json, "type"),
			.counted = json_is_integer(json_object_get(json, "entries_before")),
			.entries_before = read__count(json, "entries_before"),
			.entries_after = read__count(json, "entries_after"),
			.bytes_before = read__count(json, "bytes_before"),
			.bytes_after = read__count(json, "bytes_after"),
			.per_minute = read__real(json, "per_minute"),
		};
	}
	view->growth_known = view->n_growing;
}

static const struct heap_view *read_view(struct report_reader *reader, const json_t *json)
{
	const json_t *memory = json_object_get(json, "memory");
	struct heap_view *view;

	/* Without a look at the heap it is what the runtime counts. */
	if (!json_is_object(memory) || !json_is_array(json_object_get(json, "types")))
		return NULL;
	view = arena__take(&reader->arena, 1, sizeof(*view));
	if (!view)
		return NULL;
	read_memory(memory, &view->memory);
	read_types(reader, json_object_get(json, "types"), view);
	read_holders(reader, json_object_get(json, "holders"), view);
	read_growing(reader, json_object_get(json, "growing"), view);
	return view;
}

/* --- where it is allocated ----------------------------------------------------------------------- */

static void read_judgement(const json_t *json, struct alloc_judgement *judgement)
{
	const json_t *why = json_object_get(json, "why");

	judgement->verdict = (enum alloc_verdict)read__word(json, "verdict", alloc_verdict_name,
							    ALLOC_GROWING + 1);
	judgement->n_why = (unsigned int)min_of(json_array_size(why), (size_t)ALLOC_MAX_WHY);
	for (unsigned int i = 0; i < judgement->n_why; i++)
		snprintf(judgement->why[i], sizeof(judgement->why[i]), "%s",
			 report__text(json_string_value(json_array_get(why, i))));
}

static void read_alloc_site(struct report_reader *reader, const json_t *json,
			    struct report_alloc_site *site)
{
	const json_t *held_by = json_object_get(json, "held_by");

	snprintf(site->id, sizeof(site->id), "%s", read__text(json, "id"));
	site->in_use_bytes = read__count(json, "in_use_bytes");
	site->in_use_objects = read__count(json, "in_use_objects");
	site->alloc_bytes = read__count(json, "alloc_bytes");
	site->alloc_objects = read__count(json, "alloc_objects");
	site->relative_error = read__real(json, "relative_error");
	site->alloc_relative_error = read__real(json, "alloc_relative_error");
	site->growth_per_minute = read__real(json, "growth_bytes_per_minute");
	site->rate_known = json_is_number(json_object_get(json, "alloc_bytes_per_second"));
	site->bytes_per_second = read__real(json, "alloc_bytes_per_second");
	read_judgement(json, &site->judgement);
	if (!clock__from_rfc3339(read__text(json, "due"), &site->due_ns))
		site->due_ns = 0;
	site->suppressed = json_is_string(json_object_get(json, "silenced"));
	site->suppressed_reason = read__text(json, "silenced");
	site->type = json_is_string(json_object_get(json, "type")) ? text_of(json, "type") : NULL;
	for (size_t i = 0; i < REPORT_MAX_HELD_BY && i < json_array_size(held_by); i++)
		site->held_by[i] = (char *)json_string_value(json_array_get(held_by, i));
	site->allocated_at = read__frame(json_object_get(json, "allocated_at"));
	site->stack = read__stack(reader, json_object_get(json, "stack"), &site->n_stack);
}

static const struct report_allocations *read_allocations(struct report_reader *reader,
							 const json_t *json)
{
	const json_t *memory = json_object_get(json, "memory");
	const json_t *list = json_object_get(json, "alloc_sites");
	struct report_allocations *allocations;
	struct report_alloc_site *sites = NULL;

	if (!json_is_array(list))
		return NULL;
	allocations = arena__take(&reader->arena, 1, sizeof(*allocations));
	if (!allocations)
		return NULL;
	allocations->missing = read__text(memory, "source_missing");
	allocations->source =
		(enum alloc_source)read__word(memory, "source", source_name, ALLOC_SOURCE_ALL + 1);
	allocations->rate = read__count(memory, "sample_rate_bytes");
	allocations->unseen_bytes = read__count(memory, "unseen_alloc_bytes");
	allocations->n_sites =
		read__array(reader, list, sizeof(*sites), REPORT_READER_MAX_ITEMS, &sites);
	for (size_t i = 0; i < allocations->n_sites; i++) {
		const json_t *site = json_array_get(list, i);

		read_alloc_site(reader, site, &sites[i]);
		allocations->in_use_known |= json_is_integer(json_object_get(site, "in_use_bytes"));
		allocations->growth_known |=
			json_is_number(json_object_get(site, "growth_bytes_per_minute"));
	}
	allocations->sites = sites;
	return allocations;
}

/* --- who allocates it ---------------------------------------------------------------------------- */

static void read_figures(const json_t *json, struct alloc_figures *figures)
{
	figures->source =
		(enum alloc_source)read__word(json, "source", source_name, ALLOC_SOURCE_ALL + 1);
	figures->missing = read__text(json, "missing");
	figures->ended = "";
	figures->rate = read__count(json, "sample_rate_bytes");
	figures->watched_ns = read__seconds(json, "watched_seconds");
	figures->attached_ns = read__seconds(json, "attached_seconds");
	figures->windows = read__count(json, "windows");
	figures->hits = read__count(json, "hits");
	figures->lost = read__count(json, "lost");
	figures->refused = read__count(json, "refused");
	figures->cost_ns = read__seconds(json, "cost_seconds");
}

static struct report_alloc_group read_group(const json_t *json)
{
	return (struct report_alloc_group){
		.name = text_of(json, "name"),
		.goid = read__count(json, "goid"),
		.goroutines = read__count(json, "goroutines"),
		.alloc_bytes = read__count(json, "alloc_bytes"),
		.alloc_objects = read__count(json, "alloc_objects"),
		.bytes_per_second = read__real(json, "alloc_bytes_per_second"),
		.relative_error = read__real(json, "relative_error"),
		.in_use_bytes = read__count(json, "in_use_bytes"),
		.in_use_objects = read__count(json, "in_use_objects"),
		.start_function = read__text(json, "start_function"),
		.created_by = read__frame(json_object_get(json, "created_by")),
		.allocated_at = read__frame(json_object_get(json, "allocated_at")),
	};
}

static const struct report_alloc_groups *read_groups(struct report_reader *reader,
						     const json_t *json)
{
	const json_t *list = json_object_get(json, "groups");
	struct report_alloc_group *groups = NULL;
	struct report_alloc_groups *all;

	if (!json_is_object(json))
		return NULL;
	all = arena__take(&reader->arena, 1, sizeof(*all));
	if (!all)
		return NULL;
	all->by = (enum report_alloc_by)read__word(json, "by", by_name, REPORT_ALLOC_BY_LABEL + 1);
	read_figures(json, &all->figures);
	all->n_groups =
		read__array(reader, list, sizeof(*groups), REPORT_READER_MAX_ITEMS, &groups);
	for (size_t i = 0; i < all->n_groups; i++) {
		const json_t *group = json_array_get(list, i);

		groups[i] = read_group(group);
		all->in_use_known |= json_is_integer(json_object_get(group, "in_use_bytes"));
	}
	all->groups = groups;
	return all;
}

/* --- ways to what was asked about ---------------------------------------------------------------- */

static void read_path(struct report_reader *reader, const json_t *json,
		      struct heap_holder_path *path)
{
	const json_t *root = json_object_get(json, "root"), *steps = json_object_get(json, "steps");
	const json_t *contexts = json_object_get(json, "contexts");

	path->kind = (enum heap_way_root)read__word(root, "kind", root_name, HEAP_WAY_ROOTS);
	path->name = text_of(root, "name");
	path->goid = read__count(root, "goid");
	path->left_out = read__count(json, "left_out");
	path->objects = read__count(json, "objects");
	path->n_steps = read__array(reader, steps, sizeof(*path->steps), REPORT_READER_MAX_ITEMS,
				    &path->steps);
	for (size_t i = 0; i < path->n_steps; i++) {
		const json_t *step = json_array_get(steps, i);

		path->steps[i] = (struct heap_holder_step){
			.type = text_of(step, "type"),
			.field = text_of(step, "field"),
			.address = read__address(step, "address"),
			.size = read__count(step, "bytes"),
		};
	}
	path->n_contexts = read__array(reader, contexts, sizeof(*path->contexts), HEAP_MAX_CONTEXTS,
				       &path->contexts);
	for (size_t i = 0; i < path->n_contexts; i++) {
		const json_t *context = json_array_get(contexts, i);

		path->contexts[i] = (struct heap_context){
			.type = read__text(context, "type"),
			.address = read__address(context, "address"),
			.cancels = json_is_integer(json_object_get(context, "children")),
			.children = read__count(context, "children"),
		};
	}
}

static const struct heap_holders *read_ways(struct report_reader *reader, const json_t *json)
{
	const json_t *asked = json_object_get(json, "asked"),
		     *list = json_object_get(json, "paths");
	struct heap_holders *holders;

	if (!json_is_object(asked))
		return NULL;
	holders = arena__take(&reader->arena, 1, sizeof(*holders));
	if (!holders)
		return NULL;
	holders->objects = read__count(asked, "objects");
	holders->held = read__count(asked, "held");
	holders->ways = read__count(asked, "ways");
	holders->apart = read__count(asked, "apart");
	holders->n_paths = read__array(reader, list, sizeof(*holders->paths),
				       REPORT_READER_MAX_ITEMS, &holders->paths);
	for (size_t i = 0; i < holders->n_paths; i++)
		read_path(reader, json_array_get(list, i), &holders->paths[i]);
	return holders;
}

void read__heap(struct report_reader *reader, const json_t *json, struct report_target *target)
{
	read_counters(json_object_get(json, "memory"), target);
	target->heap = read_view(reader, json);
	target->allocations = read_allocations(reader, json);
	target->alloc_groups = read_groups(reader, json_object_get(json, "allocating"));
	target->holders = read_ways(reader, json);
	target->resources = read__resources(reader, json);
}

/* --- goroutines ---------------------------------------------------------------------------------- */

/* Places and labels that were the same before they were written, found by a hash of all of it. */
struct shared {
	struct index *index;
	uint64_t *keys;
	const void **items;
	size_t n;
};

static uint64_t add_json(uint64_t hash, const json_t *json)
{
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_string(json))
		return hash__combine(
			hash, hash__keyed(json_string_value(json), json_string_length(json)));
	if (json_is_integer(json))
		return hash__combine(hash, (uint64_t)json_integer_value(json));
	json_array_foreach((json_t *)json, i, member) hash =
		add_json(hash__combine(hash, i), member);
	json_object_foreach((json_t *)json, name, member) hash =
		add_json(hash__combine(hash, hash__keyed(name, strlen(name))), member);
	return hash;
}

static const void *find_shared(const struct shared *shared, uint64_t key)
{
	struct index_search search = index__search(shared->index, key);

	while (index__next(&search)) {
		if (shared->keys[search.number] == key)
			return shared->items[search.number];
	}
	return NULL;
}

static void share(struct shared *shared, uint64_t key, const void *item)
{
	if (!item || index__add(shared->index, key, (uint32_t)shared->n))
		return;
	shared->keys[shared->n] = key;
	shared->items[shared->n++] = item;
}

static const struct report_place *read_place(struct report_reader *reader, const json_t *json,
					     struct shared *shared)
{
	const json_t *stack = json_object_get(json, "stack");
	uint64_t key = add_json(add_json(1, json_object_get(json, "site")), stack);
	struct report_place *place;

	key = add_json(key, json_object_get(json, "created_by"));
	place = (struct report_place *)find_shared(shared, key);
	if (place)
		return place;
	place = arena__take(&reader->arena, 1, sizeof(*place));
	if (!place)
		return NULL;
	snprintf(place->site, sizeof(place->site), "%s", read__text(json, "site"));
	place->created_by = read__frame(json_object_get(json, "created_by"));
	place->creator = place->created_by.function;
	place->start_function = read__text(json, "start_function");
	place->stack = read__stack(reader, stack, &place->n_stack);
	share(shared, key, place);
	return place;
}

static const struct report_labels *read_labels(struct report_reader *reader, json_t *json,
					       struct shared *shared)
{
	size_t n = min_of(json_object_size(json), (size_t)REPORT_READER_MAX_ITEMS);
	uint64_t key = add_json(2, json);
	struct report_labels *labels;
	const char *name;
	json_t *value;

	if (!n)
		return NULL;
	labels = (struct report_labels *)find_shared(shared, key);
	if (labels)
		return labels;
	labels = arena__take(&reader->arena, 1, sizeof(*labels) + n * sizeof(labels->items[0]));
	if (!labels)
		return NULL;
	json_object_foreach(json, name, value)
	{
		if (labels->n == n)
			break;
		labels->items[labels->n++] =
			(struct report_label){name, report__text(json_string_value(value))};
	}
	share(shared, key, labels);
	return labels;
}

static void read_goroutine(struct report_reader *reader, const json_t *json, struct shared *shared,
			   struct report_goroutine *goroutine)
{
	*goroutine = (struct report_goroutine){
		.goid = read__count(json, "goid"),
		.parent_goid = read__count(json, "parent_goid"),
		.state = read__text(json, "state"),
		.parked = read__bool(json, "parked"),
		.locked_to_thread = read__bool(json, "locked_to_thread"),
		.in_bubble = read__bool(json, "in_bubble"),
		.waiting_ns = read__seconds(json, "waiting_seconds"),
		.labels = read_labels(reader, json_object_get(json, "labels"), shared),
		.place = read_place(reader, json, shared),
	};
}

void read__goroutines(struct report_reader *reader, const json_t *list,
		      struct report_target *target)
{
	struct report_goroutine *all = NULL;
	struct shared shared = {0};
	size_t n;

	if (!json_is_array(list))
		return;
	target->goroutines_listed = true;
	n = read__array(reader, list, sizeof(*all), REPORT_READER_MAX_GOROUTINES, &all);
	shared.keys = arena__take(&reader->arena, 2 * n + 1, sizeof(*shared.keys));
	shared.items = arena__take(&reader->arena, 2 * n + 1, sizeof(*shared.items));
	if (!shared.keys || !shared.items || index__new(2 * n + 1, &shared.index)) {
		reader->arena.failed = true;
		return;
	}
	for (size_t i = 0; i < n && !reader->arena.failed; i++)
		read_goroutine(reader, json_array_get(list, i), &shared, &all[i]);
	index__free(shared.index);
	target->goroutine_list = all;
	target->n_goroutine_list = n;
}
