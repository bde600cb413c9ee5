// SPDX-License-Identifier: Apache-2.0
#include "heap/paths/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "heap/mark/private.h"
#include "heap/paths/private.h"

#define MAX_STEPS    (1u << 18)
#define COUNT_SPANS  4096u /* between looks at the clock */
#define CERTAIN	     7
#define FIRST_HEADER 22 /* Go 1.22 */

static void see_contents(void *ctx, const struct heap_contents *contents);
static void see_reference(void *ctx, const struct heap_reference *reference);
static bool settle(void *ctx, struct heap_mark *mark);
static void see_coming(void *ctx, uint64_t slot);

int heap_paths__new(const struct heap_runtime *runtime, struct go_variables *variables,
		    size_t max_slots, struct heap_paths **ret_paths)
{
	struct heap_paths *paths = calloc(1, sizeof(*paths));
	int err;

	if (!paths)
		return -ENOMEM;
	paths->runtime = runtime;
	paths->variables = variables;
	paths->max_slots = max_slots;
	paths->visitor =
		(struct heap_visitor){see_contents, see_reference, paths, settle, see_coming};
	err = heap_modules__read(runtime, &paths->modules);
	if (!err)
		err = heap_types__new(runtime, &paths->types);
	if (!err)
		err = type_index__new(runtime, &paths->modules, &paths->type_index);
	if (!err)
		err = heap_allocated__new(runtime, paths->types, &paths->allocated);
	if (!err)
		err = heap_closures__new(runtime, &paths->modules, paths->types, &paths->closures);
	if (!err)
		err = path_tree__new(0, &paths->tree);
	if (!err)
		err = index__new(MAX_STEPS, &paths->by_step);
	if (err) {
		heap_paths__free(paths);
		return err;
	}
	heap_types__use_modules(paths->types, &paths->modules);
	if (variables)
		heap_types__use_variables(paths->types, variables, runtime->bias);
	path_own__init(paths);
	err = path_statics__find(paths);
	index__free(paths->static_index);
	paths->static_index = NULL;
	if (err) {
		heap_paths__free(paths);
		return err;
	}
	*ret_paths = paths;
	return 0;
}

static void unmap(struct heap_paths *paths)
{
	if (paths->slots)
		munmap(paths->slots, paths->n_slots * sizeof(*paths->slots));
	if (paths->counted)
		munmap(paths->counted, paths->n_slots / 8);
	paths->slots = NULL;
	paths->counted = NULL;
	paths->n_slots = 0;
}

void heap_paths__free(struct heap_paths *paths)
{
	if (!paths)
		return;
	unmap(paths);
	index__free(paths->by_step);
	free(paths->steps);
	free(paths->statics);
	path_tree__free(paths->tree);
	type_index__free(paths->type_index);
	heap_allocated__free(paths->allocated);
	heap_closures__free(paths->closures);
	index__free(paths->by_object);
	index__free(paths->by_place);
	free(paths->known);
	free(paths->own);
	free(paths->lessons);
	heap_types__free(paths->types);
	free(paths);
}

void heap_paths__begin(struct heap_paths *paths)
{
	unmap(paths);
	path_tree__clear(paths->tree);
	paths_known__forget(paths);
	if (paths->members)
		path_members__begin(paths->members);
	memset(paths->unknown, 0, sizeof(paths->unknown));
	paths->span = 0;
	path_own__begin(paths);
}

void heap_paths__draw(struct heap_paths *paths, struct path_members *members)
{
	paths->members = members;
}

struct heap_allocated *heap_paths__allocated(struct heap_paths *paths)
{
	return paths->allocated;
}

const struct heap_visitor *heap_paths__visitor(struct heap_paths *paths)
{
	return &paths->visitor;
}

const struct path_tree *heap_paths__tree(const struct heap_paths *paths)
{
	return paths->tree;
}

uint16_t heap_paths__at(const struct heap_paths *paths, uint64_t slot)
{
	return slot < paths->n_slots ? paths->slots[slot] : PATH_NONE;
}

const struct heap_paths_unknown *heap_paths__unknown(const struct heap_paths *paths)
{
	return paths->unknown;
}

size_t heap_paths__bytes(const struct heap_paths *paths)
{
	return paths->n_slots * sizeof(*paths->slots) +
	       paths->steps_capacity * sizeof(*paths->steps) +
	       path_tree__count(paths->tree) * sizeof(struct path_node);
}

/* --- slots -------------------------------------------------------------------------------------- */

static void *map(void *old, size_t old_size, size_t size)
{
	void *memory = old ? mremap(old, old_size, size, MREMAP_MAYMOVE) :
			     mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Spans are added while the heap is scanned. */
static bool room_for(struct heap_paths *paths, uint64_t slot)
{
	size_t n = paths->n_slots;
	void *slots, *counted;

	if (slot < n)
		return true;
	if (slot >= paths->max_slots)
		return false;
	n = ((size_t)slot + (size_t)slot / 4 + (1u << 20)) & ~(size_t)63;
	slots = map(paths->slots, paths->n_slots * sizeof(*paths->slots),
		    n * sizeof(*paths->slots));
	if (slots)
		paths->slots = slots;
	counted = slots ? map(paths->counted, paths->n_slots / 8, n / 8) : NULL;
	if (!counted) {
		paths->failed = true;
		return false;
	}
	paths->counted = counted;
	paths->n_slots = n;
	return true;
}

uint64_t paths__header_size(const struct heap_paths *paths, const struct heap_span *span)
{
	return paths->runtime->layout->minor >= FIRST_HEADER && span->size_class &&
			       span->elemsize > HEAP_BITS_IN_SPAN &&
			       !(span->flags & HEAP_SPAN_NOSCAN) ?
		       HEAP_HEADER_SIZE :
		       0;
}

/* --- what is seen ------------------------------------------------------------------------------- */

/*
 * How much is known of an object that stands at a node; the more the better. Any way is better than to have been
 * allocated during the scan, which says nothing of who holds it.
 */
static int rank(const struct heap_paths *paths, uint16_t number)
{
	const struct path_node *node = path_tree__node(paths->tree, number);

	if (!number)
		return -1;
	if (node->young)
		return node->role == PATH_UNKNOWN || node->role == PATH_SOME_MAP ? 0 : 1;
	if (node->role == PATH_UNKNOWN || node->role == PATH_SOME_MAP)
		return node->below_unknown ? 2 : 3;
	if (node->inferred)
		return 4;
	if (node->parent && path_tree__node(paths->tree, node->parent)->role == PATH_OTHER)
		return 5;
	return node->below_unknown ? 6 : CERTAIN;
}

/* Number of entries that the container itself says it has. */
static void count_entries(struct heap_paths *paths, const struct heap_contents *contents,
			  struct path_node *node)
{
	uint64_t bit = 1ULL << contents->slot % 64, *word = &paths->counted[contents->slot / 64];

	/* hchan.qcount, hmap.count and maps.Map.used are their first words (src/runtime/chan.go, map.go). */
	if ((node->role != PATH_MAP && node->role != PATH_SOME_MAP && node->role != PATH_CHAN) ||
	    contents->size < 8 || *word & bit)
		return;
	*word |= bit;
	node->entries += min_of(bytes__u64(contents->data, 0), (uint64_t)UINT32_MAX);
}

/* What the allocator wrote down is beyond doubt, unlike what follows from a reference. */
static uint16_t node_by_header(struct heap_paths *paths, uint16_t number, uint64_t header)
{
	const struct path_node *node = path_tree__node(paths->tree, number);
	enum path_role role = PATH_ARRAY;

	if (!header || node->type == header)
		return number;
	switch (node->role) {
	case PATH_UNKNOWN:
	case PATH_SOME_MAP:
	case PATH_VALUE:
	case PATH_ARRAY:
		break;
	default:
		return number;
	}
	if (!heap_types__any(paths->types, header))
		return number;
	if (path_steps__is_slots(paths, header)) {
		role = PATH_MAP_SLOTS;
		path_tree__note_slots(paths->tree, number, header);
	}
	return path_tree__sibling(paths->tree, number, role, header);
}

static void see_contents(void *ctx, const struct heap_contents *contents)
{
	struct heap_paths *paths = ctx;
	uint16_t number;

	if (contents->place != HEAP_IN_OBJECT || !room_for(paths, contents->slot))
		return;
	number = paths->slots[contents->slot];
	if (!number)
		return;
	number = node_by_header(paths, number, contents->header);
	if (number && path_tree__node(paths->tree, number)->role == PATH_UNKNOWN)
		number = path_own__around(paths, number, contents);
	if (!number)
		return;
	paths->slots[contents->slot] = number;
	count_entries(paths, contents, path_tree__node(paths->tree, number));
}

/* Where the word is in the values of its holder; false: before them. */
static bool offset_of(const struct heap_paths *paths, const struct heap_reference *reference,
		      uint64_t *ret_offset)
{
	const struct heap_contents *in = reference->in;
	const struct heap_span *span;
	uint64_t header = 0;
	uint32_t number;

	if (in->place != HEAP_IN_OBJECT) {
		*ret_offset = paths->root_offset;
		return true;
	}
	number = heap_spans__find(heap_mark__spans(reference->mark), in->object);
	if (number != HEAP_NO_SPAN) {
		span = &heap_mark__spans(reference->mark)->all[number];
		header = paths__header_size(paths, span);
	}
	*ret_offset = reference->from - in->object - header;
	return reference->from >= in->object + header;
}

/* The number of elements of the slice that the word is in, when it is what the node was made for. */
static void count_slice(struct heap_paths *paths, const struct heap_reference *reference,
			uint16_t number)
{
	struct path_node *node = path_tree__node(paths->tree, number);

	if (reference->in->place == HEAP_IN_STACK && paths->root_torn)
		return;
	/* Once more only what was not there, or in a span that was not known yet. */
	if (node->role == PATH_ARRAY && reference->from &&
	    (!reference->in->again || !node->entries))
		node->entries += min_of(path_steps__word(reference->in, reference->from + 8),
					(uint64_t)UINT32_MAX);
}

/* What @number stands for is known by what is in it: from then on by another node, which is returned. */
static uint16_t recognize(struct heap_paths *paths, uint16_t number,
			  const struct heap_reference *reference)
{
	const struct heap_contents *in = reference->in;
	uint16_t map;

	if (!path_containers__is_some_map(paths, reference))
		return number;
	map = path_tree__sibling(paths->tree, number, PATH_SOME_MAP, 0);
	if (!map)
		return number;
	paths->slots[in->slot] = map;
	count_entries(paths, in, path_tree__node(paths->tree, map));
	return map;
}

/* Nothing is known of what leads to the object; of itself there may be. */
static uint16_t refine(struct heap_paths *paths, uint16_t number, uint64_t offset,
		       const struct heap_reference *reference)
{
	const struct heap_allocation *own = path_own__find(paths, reference->object);
	uint16_t node = own ? paths_known__node(paths, number, own) : PATH_NONE;

	if (node)
		return node;
	return paths->by_object ? paths_known__refine(paths, number, offset, reference) : number;
}

static void see_reference(void *ctx, const struct heap_reference *reference)
{
	struct heap_paths *paths = ctx;
	uint16_t holder, number, known;
	uint64_t offset;
	int old;

	if (!room_for(paths, reference->slot))
		return;
	known = paths->slots[reference->slot];
	old = rank(paths, known);
	if (old == CERTAIN)
		return;
	holder = reference->in->place == HEAP_IN_OBJECT && reference->in->slot < paths->n_slots ?
			 paths->slots[reference->in->slot] :
			 path_roots__of(paths, reference);
	if (!holder || !offset_of(paths, reference, &offset))
		return;
	if (path_tree__node(paths->tree, holder)->role == PATH_UNKNOWN)
		holder = recognize(paths, holder, reference);
	number = path_steps__follow(paths, holder, offset, reference);
	if (number && path_tree__node(paths->tree, number)->role == PATH_UNKNOWN)
		number = refine(paths, number, offset, reference);
	if (!number || rank(paths, number) <= old)
		return;
	paths->slots[reference->slot] = number;
	count_slice(paths, reference, number);
	paths->counted[reference->slot / 64] &= ~(1ULL << reference->slot % 64);
	if (known && !reference->first)
		heap_mark__contents(reference->mark, reference->object);
}

static bool settle(void *ctx, struct heap_mark *mark)
{
	return paths_known__settle(ctx, mark);
}

static void see_coming(void *ctx, uint64_t slot)
{
	const struct heap_paths *paths = ctx;

	if (slot < paths->n_slots)
		__builtin_prefetch(&paths->slots[slot], 1);
}

/* --- counts ------------------------------------------------------------------------------------- */

static void count_object(struct heap_paths *paths, const struct heap_span *span, uint16_t number)
{
	struct path_node *node = path_tree__node(paths->tree, number);
	struct heap_paths_unknown *unknown = &paths->unknown[span->size_class % HEAP_CLASSES];

	node->objects++;
	node->bytes += span->elemsize;
	if (node->role == PATH_TRIE_ENTRY)
		path_tree__node(paths->tree, node->parent)->entries++;
	if (number && node->role != PATH_UNKNOWN && node->role != PATH_SOME_MAP)
		return;
	unknown->objects++;
	unknown->bytes += span->elemsize;
}

static void count_span(struct heap_paths *paths, const struct heap_mark *mark,
		       const struct heap_span *span)
{
	for (uint32_t word = 0; word * 64 < span->nelems; word++) {
		uint64_t left = mark->marked.words[span->first_word + word] &
				~mark->hidden.words[span->first_word + word];

		for (; left; left &= left - 1) {
			uint32_t index = word * 64 + (uint32_t)__builtin_ctzll(left);
			uint64_t slot = (uint64_t)span->first_word * 64 + index;
			uint16_t number = slot < paths->n_slots ? paths->slots[slot] : PATH_NONE;

			count_object(paths, span, number);
			if (paths->members)
				path_members__note(paths->members, number,
						   heap_span__object(span, index));
		}
	}
}

int heap_paths__count(struct heap_paths *paths, struct heap_mark *mark, uint64_t budget_ns)
{
	const struct heap_spans *spans = heap_mark__spans(mark);
	uint64_t end = clock__monotonic_ns() + budget_ns;

	if (paths->failed)
		return -ENOMEM;
	for (; paths->span < spans->n; paths->span++) {
		if (budget_ns && paths->span % COUNT_SPANS == COUNT_SPANS - 1 &&
		    clock__monotonic_ns() >= end) {
			count_span(paths, mark, &spans->all[paths->span++]);
			return 1;
		}
		count_span(paths, mark, &spans->all[paths->span]);
	}
	return 0;
}

/* --- names -------------------------------------------------------------------------------------- */

void heap_paths__type_name(struct heap_paths *paths, uint16_t number, char *name, size_t size)
{
	const struct path_tree *tree = paths->tree;
	const struct path_node *node = path_tree__node(tree, number);
	const struct path_node *above = path_tree__node(tree, path_tree__container(tree, number));

	/* Parts of a map that it is not known to be of are told as what they are. */
	if (above->role == PATH_MAP || above->role == PATH_CHAN || above->role == PATH_TRIE)
		node = above;
	switch (node->role) {
	case PATH_UNKNOWN:
		snprintf(name, size, "unknown");
		break;
	case PATH_SOME_MAP:
		path_containers__name_some_map(paths, node, name, size);
		break;
	case PATH_STRING:
		snprintf(name, size, "string");
		break;
	case PATH_TRIE:
		snprintf(name, size, "sync.Map");
		break;
	case PATH_BYTES:
		snprintf(name, size, "[]uint8");
		break;
	case PATH_ARRAY:
		snprintf(name, size, "[]%s", heap_types__name(paths->types, node->type));
		break;
	default:
		snprintf(name, size, "%s",
			 node->type ? heap_types__name(paths->types, node->type) : "");
	}
}

void heap_paths__shown_name(struct heap_paths *paths, uint16_t number, char *name, size_t size)
{
	const struct path_node *node =
		path_tree__node(paths->tree, path_tree__container(paths->tree, number));

	if (node->role == PATH_TRIE)
		snprintf(name, size, "sync.Map");
	else if (node->role == PATH_SOME_MAP)
		path_containers__name_some_map(paths, node, name, size);
	else
		snprintf(name, size, "%s",
			 node->shown ? heap_types__name(paths->types, node->shown) : "");
}
