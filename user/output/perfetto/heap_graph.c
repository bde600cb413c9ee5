// SPDX-License-Identifier: Apache-2.0
#include "output/perfetto/heap_graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"

/* perfetto: protos/third_party/android/art/heap_graph.proto, HeapGraphRoot.Type */
enum root_type { ROOT_FRAME = 3, ROOT_VARIABLE = 5, ROOT_RUNTIME = 13 };

typedef Gleakd__Perfetto__HeapGraphObject object_message;
typedef Gleakd__Perfetto__HeapGraphType type_message;
typedef Gleakd__Perfetto__HeapGraphRoot root_message;
typedef Gleakd__Perfetto__InternedString string_message;

#define STACK_ROOT   "stack of "
#define FIELD_SIZE   512
#define SMALL_ONES   "everything smaller"
#define NO_PARENT    SIZE_MAX
#define MAX_DEPTH    256u
#define OWN_OBJECTS  1 /* beside the holders: the small ones */
#define ID_OF(index) ((index) + 1)

/* Objects, types and names of fields have the number of their holder. */
struct graph {
	const struct heap_view *view;
	struct arena arena;
	size_t n; /* objects */
	size_t *parents;
	uint64_t *below; /* bytes that its children keep */
	size_t *children;
	Gleakd__Perfetto__HeapGraph message;
	object_message *objects;
	type_message *types;
	string_message *fields;
	root_message *roots;
	uint64_t *root_ids;
};

static void *take(struct graph *graph, size_t n, size_t size)
{
	return arena__take(&graph->arena, n + 1, size);
}

static bool make_room(struct graph *graph)
{
	size_t n = graph->n;

	graph->parents = take(graph, n, sizeof(*graph->parents));
	graph->below = take(graph, n, sizeof(*graph->below));
	graph->children = take(graph, n, sizeof(*graph->children));
	graph->objects = take(graph, n, sizeof(*graph->objects));
	graph->types = take(graph, n, sizeof(*graph->types));
	graph->fields = take(graph, n, sizeof(*graph->fields));
	graph->roots = take(graph, n, sizeof(*graph->roots));
	graph->root_ids = take(graph, n, sizeof(*graph->root_ids));
	graph->message.objects = take(graph, n, sizeof(void *));
	graph->message.types = take(graph, n, sizeof(void *));
	graph->message.field_names = take(graph, n, sizeof(void *));
	graph->message.roots = take(graph, n, sizeof(void *));
	return !graph->arena.failed;
}

/* --- the tree ----------------------------------------------------------------------------------- */

/* Holders are in the order of the tree, each with its depth. */
static void find_parents(struct graph *graph)
{
	size_t path[MAX_DEPTH], depth = 0;

	for (size_t i = 0; i < graph->view->n_holders; i++) {
		const struct heap_view_holder *holder = &graph->view->holders[i];

		/* One that is foreign may skip levels. */
		depth = min_of(depth, (size_t)holder->depth);
		depth = min_of(depth, (size_t)MAX_DEPTH - 1);
		graph->parents[i] = depth ? path[depth - 1] : NO_PARENT;
		path[depth++] = i;
		if (graph->parents[i] != NO_PARENT) {
			graph->below[graph->parents[i]] += holder->retained_bytes;
			graph->children[graph->parents[i]]++;
		}
	}
}

static uint64_t small_bytes(const struct graph *graph)
{
	uint64_t told = 0;

	for (size_t i = 0; i < graph->view->n_holders; i++) {
		if (graph->parents[i] == NO_PARENT)
			told += graph->view->holders[i].retained_bytes;
	}
	return graph->view->memory.live_bytes - min_of(graph->view->memory.live_bytes, told);
}

/* --- messages ----------------------------------------------------------------------------------- */

/* @text as UTF-8, of the arena. */
static char *clean(struct graph *graph, const char *text)
{
	char *repaired = utf8__repair(report__text(text));
	const char *copy = repaired ? arena__text(&graph->arena, repaired) : NULL;

	if (!copy)
		graph->arena.failed = true;
	free(repaired);
	return (char *)copy;
}

/* The importer takes what is before the first blank for the type. */
static void set_field(struct graph *graph, size_t i, const char *type, const char *step)
{
	string_message *field = &graph->fields[i];
	char text[FIELD_SIZE];
	char *name;

	snprintf(text, sizeof(text), "%.200s", *type ? type : "?");
	for (char *c = text; *c; c++) {
		if (*c == ' ')
			*c = '_';
	}
	snprintf(text + strlen(text), sizeof(text) - strlen(text), " %.300s", step);
	name = clean(graph, text);
	*field = (string_message)GLEAKD__PERFETTO__INTERNED_STRING__INIT;
	field->has_iid = field->has_str = true;
	field->iid = ID_OF(i);
	field->str.data = (uint8_t *)name;
	field->str.len = strlen(report__text(name));
	graph->message.field_names[i] = field;
}

static void set_type(struct graph *graph, size_t i, const char *name)
{
	type_message *type = &graph->types[i];

	*type = (type_message)GLEAKD__PERFETTO__HEAP_GRAPH_TYPE__INIT;
	type->has_id = true;
	type->id = ID_OF(i);
	type->class_name = clean(graph, *name ? name : "unknown");
	graph->message.types[i] = type;
}

static void set_object(struct graph *graph, size_t i, uint64_t bytes)
{
	object_message *object = &graph->objects[i];
	size_t n = graph->children[i];

	*object = (object_message)GLEAKD__PERFETTO__HEAP_GRAPH_OBJECT__INIT;
	object->has_id = object->has_type_id = object->has_self_size = true;
	object->id = object->type_id = ID_OF(i);
	object->self_size = bytes;
	object->reference_object_id = take(graph, n, sizeof(uint64_t));
	object->reference_field_id = take(graph, n, sizeof(uint64_t));
	graph->message.objects[i] = object;
}

static void set_root(struct graph *graph, size_t i, enum root_type type)
{
	size_t at = graph->message.n_roots++;
	root_message *root = &graph->roots[at];

	*root = (root_message)GLEAKD__PERFETTO__HEAP_GRAPH_ROOT__INIT;
	graph->root_ids[at] = ID_OF(i);
	root->object_ids = &graph->root_ids[at];
	root->n_object_ids = 1;
	root->has_root_type = true;
	root->root_type = type;
	graph->message.roots[at] = root;
}

/* After its parent's, which comes before it. */
static void refer(struct graph *graph, size_t i)
{
	object_message *parent = &graph->objects[graph->parents[i]];

	if (graph->arena.failed)
		return;
	parent->reference_object_id[parent->n_reference_object_id++] = ID_OF(i);
	parent->reference_field_id[parent->n_reference_field_id++] = ID_OF(i);
}

static void fill(struct graph *graph)
{
	size_t n = graph->view->n_holders;

	for (size_t i = 0; i < n; i++) {
		const struct heap_view_holder *holder = &graph->view->holders[i];
		const char *step = report__text(holder->step), *type = report__text(holder->type);

		set_field(graph, i, type, step);
		set_type(graph, i, type);
		set_object(graph, i,
			   holder->retained_bytes -
				   min_of(holder->retained_bytes, graph->below[i]));
		if (graph->parents[i] != NO_PARENT)
			refer(graph, i);
		else
			set_root(graph, i,
				 strncmp(step, STACK_ROOT, strlen(STACK_ROOT)) ? ROOT_VARIABLE :
										 ROOT_FRAME);
	}
	set_field(graph, n, "", SMALL_ONES);
	set_type(graph, n, SMALL_ONES);
	set_object(graph, n, small_bytes(graph));
	set_root(graph, n, ROOT_RUNTIME);
	graph->message.n_objects = graph->message.n_types = graph->message.n_field_names = graph->n;
}

void perfetto_heap_graph__put(struct packets *packets, const struct report_target *target,
			      uint32_t number, uint64_t time_ns)
{
	Gleakd__Perfetto__TracePacket packet = GLEAKD__PERFETTO__TRACE_PACKET__INIT;
	struct graph graph = {
		.view = target->heap,
		.message = GLEAKD__PERFETTO__HEAP_GRAPH__INIT,
	};

	if (!target->heap || !target->heap->n_holders)
		return;
	graph.n = target->heap->n_holders + OWN_OBJECTS;
	if (make_room(&graph)) {
		find_parents(&graph);
		fill(&graph);
	}
	if (graph.arena.failed) {
		packets->err = -ENOMEM;
		arena__release(&graph.arena);
		return;
	}
	graph.message.has_pid = graph.message.has_index = graph.message.has_continued = true;
	graph.message.pid = target->pid;
	graph.message.has_heap_bytes_allocated = true;
	graph.message.heap_bytes_allocated =
		(int64_t)min_of(target->heap->memory.live_bytes, (uint64_t)INT64_MAX);
	packet.heap_graph = &graph.message;
	packet.has_timestamp = packet.has_trusted_packet_sequence_id = true;
	packet.timestamp = time_ns;
	packet.trusted_packet_sequence_id = PACKET_HEAP_SEQUENCE + number;
	packet.has_sequence_flags = true;
	packet.sequence_flags = PACKET_CLEARED;
	packets__put(packets, &packet);
	arena__release(&graph.arena);
}
