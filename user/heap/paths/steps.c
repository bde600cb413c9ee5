// SPDX-License-Identifier: Apache-2.0
/*
 * Where a word of an object leads, by what the object is: by its type, or as containers.c tells of the
 * runtime's own structs. Groups and buckets of maps are structs with names for their parts, of which
 * only the way into a key or an element counts.
 */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "heap/paths/private.h"
#include "heap/types/leaf.h"

#define WORD	   8u
#define TINY	   16u	      /* src/runtime/malloc.go maxTinySize: several small values share it */
#define ITAB_TYPE  8u	      /* src/internal/abi/iface.go ITab */
#define ANY_OFFSET UINT64_MAX /* of an object in which places cannot be told apart */

uint64_t path_steps__word(const struct heap_contents *contents, uint64_t address)
{
	if (!contents->data || address < contents->start || contents->size < WORD ||
	    address - contents->start > contents->size - WORD)
		return 0;
	return bytes__u64(contents->data, (size_t)(address - contents->start));
}

/* The type of the values at a node; NULL: it is not known. */
static const struct heap_type *type_of_node(struct heap_paths *paths, uint16_t number)
{
	const struct path_node *node = path_tree__node(paths->tree, number);

	if (!paths->node_types[number] && node->type)
		paths->node_types[number] = heap_types__any(paths->types, node->type);
	return paths->node_types[number];
}

/* --- types that are in memory beside the pointer ------------------------------------------------ */

static bool may_be_itab(const struct heap_paths *paths, uint64_t address)
{
	/* Those that the linker made; others lie in memory that nothing tells apart. */
	const struct heap_module *module = &paths->modules.all[0];
	uint64_t low = min_of(module->text, module->types);
	uint64_t high = max_of(module->etext, module->etypes);

	low = min_of(low, module->data.start);
	high = max_of(high, module->bss.end);
	return address >= low && address < high && address % WORD == 0;
}

/* The type that the itab at @address is for; 0: it is none. */
static uint64_t type_of_itab(struct heap_paths *paths, uint64_t address, bool certain)
{
	struct paths_itab *known = &paths->itabs[(address / WORD) % PATHS_ITABS];
	uint64_t words[2];

	if (!address || address % WORD || (!certain && !may_be_itab(paths, address)))
		return 0;
	if (known->address == address)
		return known->type;
	*known = (struct paths_itab){.address = address};
	if (!remote__read(paths->runtime->remote, address, words, sizeof(words)) &&
	    heap_types__in_module(paths->types, words[0]) &&
	    (certain || heap_types__in_module(paths->types, words[1])))
		known->type = words[ITAB_TYPE / WORD];
	return known->type;
}

/* In an object of no known type two words may be an interface. */
static uint64_t guess_dynamic(struct heap_paths *paths, uint64_t before)
{
	if (heap_types__in_module(paths->types, before))
		return before;
	return type_of_itab(paths, before, false);
}

/* --- steps -------------------------------------------------------------------------------------- */

bool path_steps__is_slots(struct heap_paths *paths, uint64_t type)
{
	const char *name = heap_types__name(paths->types, type);

	/* src/cmd/compile/internal/reflectdata/map.go, map_noswiss.go */
	return !strncmp(name, "map.group[", 10) || !strncmp(name, "map.bucket[", 11) ||
	       !strncmp(name, "noalg.map.", 10);
}

void path_steps__set(struct paths_step *step, enum path_role role, uint64_t type, uint64_t shown)
{
	step->kind = STEP_PLAIN;
	step->role = (uint8_t)role;
	step->type = type;
	step->shown = shown;
}

/* What a value of @type, that one word holds, leads to. */
static void by_direct(struct heap_paths *paths, const struct heap_type *type,
		      struct paths_step *step)
{
	struct heap_leaf leaf;
	char path[PATHS_LABEL];

	if (!heap_types__leaf(paths->types, type, 0, &leaf, path, sizeof(path))) {
		path_steps__set(step, PATH_UNKNOWN, 0, type->address);
		return;
	}
	switch (leaf.word) {
	case HEAP_WORD_POINTER:
		path_steps__set(step, leaf.target ? PATH_VALUE : PATH_UNKNOWN, leaf.target,
				type->address);
		break;
	case HEAP_WORD_MAP:
		path_steps__set(step, PATH_MAP, leaf.target, type->address);
		break;
	case HEAP_WORD_CHAN:
		path_steps__set(step, PATH_CHAN, leaf.target, type->address);
		break;
	case HEAP_WORD_FUNC:
		path_steps__set(step, PATH_FUNC, leaf.target, type->address);
		break;
	default:
		path_steps__set(step, PATH_UNKNOWN, 0, type->address);
	}
}

static void by_interface(struct heap_paths *paths, struct paths_step *step)
{
	const struct heap_type *type = heap_types__any(paths->types, step->dynamic);

	if (!type)
		path_steps__set(step, PATH_UNKNOWN, 0, 0);
	else if (type->direct)
		by_direct(paths, type, step);
	else
		path_steps__set(step, PATH_VALUE, type->address, type->address);
}

static void by_leaf(const struct heap_leaf *leaf, struct paths_step *step)
{
	uint64_t shown = leaf->type->address;

	switch (leaf->word) {
	case HEAP_WORD_POINTER:
		path_steps__set(step, leaf->target ? PATH_VALUE : PATH_UNKNOWN, leaf->target,
				shown);
		break;
	case HEAP_WORD_SLICE:
		path_steps__set(step, leaf->target ? PATH_ARRAY : PATH_UNKNOWN, leaf->target,
				shown);
		break;
	case HEAP_WORD_STRING:
		path_steps__set(step, PATH_STRING, shown, shown);
		break;
	case HEAP_WORD_MAP:
		path_steps__set(step, PATH_MAP, leaf->target, shown);
		break;
	case HEAP_WORD_CHAN:
		path_steps__set(step, PATH_CHAN, leaf->target, shown);
		break;
	case HEAP_WORD_FUNC:
		path_steps__set(step, PATH_FUNC, leaf->target, shown);
		break;
	case HEAP_WORD_UNSAFE:
		path_steps__set(step, PATH_UNKNOWN, 0, shown);
		break;
	case HEAP_WORD_EFACE:
		step->kind = STEP_EFACE;
		break;
	case HEAP_WORD_IFACE:
		step->kind = STEP_IFACE;
		break;
	default:
		step->kind = STEP_NOWHERE;
	}
}

/* ".slots[…].elem.name" and ".keys[…].name" are "[…].name". */
static void strip_slots(char *label)
{
	char *rest = strstr(label, HEAP_ELEMENT);

	if (!rest || rest == label)
		return;
	memmove(label, rest, strlen(rest) + 1);
	rest = label + strlen(HEAP_ELEMENT);
	if (!strncmp(rest, ".elem", 5))
		memmove(rest, rest + 5, strlen(rest + 5) + 1);
	else if (!strncmp(rest, ".key", 4))
		memmove(rest, rest + 4, strlen(rest + 4) + 1);
}

static bool is_array(const struct path_node *node)
{
	return node->role == PATH_ARRAY || node->role == PATH_CHAN_BUFFER ||
	       node->role == PATH_VARIABLES;
}

/* A list.List has its elements in both directions from a field that is one itself. */
static bool strip_list(struct heap_paths *paths, const struct paths_step *step, char *label)
{
	static const char *const ends[] = {".root.next", ".root.prev"};
	size_t length = strlen(label);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t end = strlen(ends[i]);

		if (length < end || strcmp(label + length - end, ends[i]) != 0 || !step->type ||
		    strcmp(heap_types__name(paths->types, step->type), "list.Element") != 0)
			continue;
		label[length - end] = '\0';
		return true;
	}
	return false;
}

/* A sync.Map from Go 1.24 on, which is a tree below its field m.root. */
static void fold_trie(struct heap_paths *paths, struct paths_step *step, char *label)
{
	static const char root[] = ".m.root";
	size_t length = strlen(label);

	if (!path_containers__is_trie(paths, step->type))
		return;
	step->role = PATH_TRIE;
	step->shown = 0;
	if (length >= strlen(root) && !strcmp(label + length - strlen(root), root))
		label[length - strlen(root)] = '\0';
}

/* A word of values of the node's type, which has been found to be @offset bytes into one. */
static void by_type(struct heap_paths *paths, const struct path_node *node, uint64_t offset,
		    struct paths_step *step, char *label)
{
	const struct heap_type *type =
		node->type ? heap_types__any(paths->types, node->type) : NULL;
	char path[PATHS_LABEL - sizeof(HEAP_ELEMENT)];
	struct heap_leaf leaf;

	if (!type || !heap_types__leaf(paths->types, type, offset, &leaf, path, sizeof(path))) {
		path_steps__set(step, PATH_UNKNOWN, 0, 0);
		return;
	}
	snprintf(label, PATHS_LABEL, "%s%s", is_array(node) ? HEAP_ELEMENT : "", path);
	by_leaf(&leaf, step);
	if (!strip_list(paths, step, label))
		fold_trie(paths, step, label);
	if (node->role == PATH_CAPTURED)
		path_containers__name_captured(paths, node, offset, label);
	if (node->role != PATH_MAP_SLOTS)
		return;
	if (!strcmp(path, ".overflow")) {
		path_steps__set(step, PATH_MAP_SLOTS, node->type, 0);
		*label = '\0';
	}
	strip_slots(label);
}

static void resolve(struct heap_paths *paths, const struct path_node *node, struct paths_step *step,
		    char *label)
{
	*label = '\0';
	switch (node->role) {
	case PATH_VARIABLE:
	case PATH_LOCAL:
	case PATH_VARIABLES:
	case PATH_VALUE:
	case PATH_ARRAY:
	case PATH_MAP_SLOTS:
	case PATH_CHAN_BUFFER:
	case PATH_CAPTURED:
		by_type(paths, node, step->offset, step, label);
		break;
	default:
		path_containers__resolve(paths, node, step, label);
	}
}

/* --- which are known ---------------------------------------------------------------------------- */

static bool is_step(const struct paths_step *step, const struct paths_step *wanted)
{
	return step->node == wanted->node && step->offset == wanted->offset &&
	       step->dynamic == wanted->dynamic;
}

static struct paths_step *find(struct heap_paths *paths, const struct paths_step *wanted,
			       uint64_t hash)
{
	struct index_search search = index__search(paths->by_step, hash);

	while (paths->steps && index__next(&search)) {
		struct paths_step *step = &paths->steps[search.number];

		if (is_step(step, wanted))
			return step;
	}
	return NULL;
}

/*
 * src/runtime/proc.go findRunnable: a thread that looks for work has a copy of allp for as long as it
 * does. What hangs from it has another way, which is there at each look.
 */
static bool is_passing(const char *label)
{
	static const char snapshot[] = ".allpSnapshot";
	size_t length = strlen(label);

	return length >= strlen(snapshot) && !strcmp(label + length - strlen(snapshot), snapshot);
}

/* The step for @wanted, from the table, or a new one in it. NULL: there is no room. */
static struct paths_step *step_for(struct heap_paths *paths, uint16_t holder, uint64_t offset,
				   uint64_t dynamic, bool is_interface)
{
	struct paths_step wanted = {.node = holder, .offset = offset, .dynamic = dynamic};
	const uint64_t words[] = {holder, offset, dynamic};
	uint32_t *recent =
		&paths->recent[hash__mix64(offset ^ dynamic << 7 ^ (uint64_t)holder << 48) %
			       PATHS_RECENT];
	struct paths_step *step =
		paths->steps && *recent < paths->n_steps ? &paths->steps[*recent] : NULL;
	struct path_step labelled = {0};
	char label[PATHS_LABEL];
	uint64_t hash;

	if (step && is_step(step, &wanted))
		return step;
	hash = hash__keyed(words, sizeof(words));
	step = find(paths, &wanted, hash);
	if (step) {
		*recent = (uint32_t)(step - paths->steps);
		return step;
	}
	if (!array__reserve(paths->steps, paths->steps_capacity, paths->n_steps + 1) ||
	    index__add(paths->by_step, hash, (uint32_t)paths->n_steps))
		return NULL;
	resolve(paths, path_tree__node(paths->tree, holder), &wanted, label);
	if (is_interface)
		by_interface(paths, &wanted);
	labelled.label = label;
	/* A word that should be no pointer leads to something all the same. */
	if (wanted.kind == STEP_NOWHERE)
		path_steps__set(&wanted, PATH_UNKNOWN, 0, 0);
	if (wanted.kind == STEP_PLAIN) {
		labelled.role = wanted.role;
		labelled.type = wanted.type;
		labelled.shown = wanted.shown;
		wanted.child = path_tree__child(paths->tree, holder, &labelled);
		if (wanted.child && is_passing(label))
			path_tree__node(paths->tree, wanted.child)->inferred = true;
	}
	wanted.label = path_tree__intern(paths->tree, label);
	step = &paths->steps[paths->n_steps++];
	*step = wanted;
	return step;
}

/* --- whether it can be -------------------------------------------------------------------------- */

/* Whether values of @type fill an object of @span: one of them, or an array. */
static bool fits_type(struct heap_paths *paths, const struct heap_reference *reference,
		      const struct heap_type *type, bool array)
{
	const struct heap_span *span = reference->span;
	uint64_t inside = reference->value - reference->object, header, size;
	uint32_t class_size;

	if (!type->size)
		return false;
	if (span->flags & HEAP_SPAN_NOSCAN && span->elemsize == TINY && type->size < TINY &&
	    !type->pointer_size)
		return true;
	if ((type->pointer_size != 0) == (span->flags & HEAP_SPAN_NOSCAN))
		return false;
	header = paths__header_size(paths, span);
	if (inside < header)
		return false;
	inside -= header;
	if (array)
		return inside % type->size == 0 && type->size <= span->elemsize - header;
	size = type->size + header;
	if (inside)
		return false;
	if (!span->size_class)
		return size > HEAP_SMALL_MAX - HEAP_HEADER_SIZE &&
		       span->elemsize - size < GO_PAGE_SIZE;
	return heap_spans__size_class(size, &class_size) == span->size_class;
}

static bool fits(struct heap_paths *paths, const struct heap_reference *reference,
		 const struct paths_step *step)
{
	const struct heap_span *span = reference->span;
	const struct heap_type *type = NULL;

	switch (step->role) {
	case PATH_VALUE:
	case PATH_ARRAY:
	case PATH_CHAN_BUFFER:
	case PATH_MAP_SLOTS:
		type = type_of_node(paths, step->child);
		if (!type || type->address != step->type) /* no room for it in the tree */
			type = heap_types__any(paths->types, step->type);
		return type && fits_type(paths, reference, type, step->role != PATH_VALUE);
	case PATH_STRING:
		return span->flags & HEAP_SPAN_NOSCAN;
	case PATH_TRIE:
	case PATH_TRIE_ENTRY:
		return path_containers__is_trie_node(span, step->role) &&
		       reference->value == reference->object;
	case PATH_FUNC:
	case PATH_MAP:
		return reference->value == reference->object;
	default:
		return true;
	}
}

static uint16_t child_of(struct heap_paths *paths, uint16_t holder, struct paths_step *step,
			 const struct heap_reference *reference)
{
	const struct path_step unknown = {.label = step->label ? step->label : "",
					  .role = PATH_UNKNOWN,
					  .shown = step->shown};

	if (step->role == PATH_UNKNOWN || fits(paths, reference, step))
		return step->child;
	if (!step->unknown)
		step->unknown = path_tree__child(paths->tree, holder, &unknown);
	return step->unknown;
}

static bool is_variable(const struct path_node *node)
{
	return node->role == PATH_VARIABLE || node->role == PATH_LOCAL;
}

/* --- all together ------------------------------------------------------------------------------- */

/* What tells apart where a word leads beside its place: the size of a map, a type beside it. */
static uint64_t circumstances(struct heap_paths *paths, const struct path_node *node,
			      const struct heap_reference *reference)
{
	if (node->role == PATH_MAP)
		return path_containers__is_small_map(reference->in);
	if (node->role == PATH_TRIE)
		return path_containers__is_trie_node(reference->span, PATH_TRIE);
	if (node->role == PATH_TRIE_ENTRY)
		return 0;
	if (node->role == PATH_STACK && reference->from == reference->in->arguments) {
		uint64_t receiver = path_roots__receiver(paths, reference->in);

		if (receiver)
			return receiver;
	}
	if (node->role == PATH_SOME_MAP)
		return 0;
	if (node->role == PATH_UNKNOWN || node->role == PATH_FUNC || node->role == PATH_STACK ||
	    node->role == PATH_INTERNAL || (is_variable(node) && !node->type))
		return guess_dynamic(paths,
				     path_steps__word(reference->in, reference->from - WORD));
	return 0;
}

static uint64_t place_in_value(struct heap_paths *paths, uint16_t number, uint64_t offset)
{
	const struct path_node *node = path_tree__node(paths->tree, number);
	const struct heap_type *type;

	switch (node->role) {
	case PATH_ARRAY:
	case PATH_VARIABLES:
	case PATH_MAP_SLOTS:
	case PATH_CHAN_BUFFER:
	case PATH_CAPTURED:
	case PATH_VALUE:
		type = type_of_node(paths, number);
		return type && type->size ? offset % type->size : ANY_OFFSET;
	case PATH_VARIABLE:
	case PATH_LOCAL:
		return node->type ? offset : ANY_OFFSET;
	case PATH_MAP:
	case PATH_MAP_TABLE:
	case PATH_MAP_EXTRA:
	case PATH_CHAN:
	case PATH_TRIE_ENTRY:
		return offset;
	default:
		return ANY_OFFSET;
	}
}

static bool is_guess(const struct path_node *node)
{
	return !node->type && node->role != PATH_MAP && node->role != PATH_TRIE_ENTRY;
}

uint16_t path_steps__follow(struct heap_paths *paths, uint16_t holder, uint64_t offset,
			    const struct heap_reference *reference)
{
	const struct path_node *node = path_tree__node(paths->tree, holder);
	uint16_t captured = node->role == PATH_FUNC ?
				    path_containers__captured(paths, holder, reference->in) :
				    PATH_NONE;
	uint64_t dynamic, place;
	struct paths_step *step;
	uint16_t child;
	bool guess;

	if (captured) {
		holder = captured;
		node = path_tree__node(paths->tree, holder);
	}
	dynamic = circumstances(paths, node, reference);
	place = place_in_value(paths, holder, offset);
	guess = dynamic && is_guess(node);
	step = step_for(paths, holder, place, dynamic, guess);
	if (!step)
		return PATH_NONE;
	if (step->kind == STEP_EFACE || step->kind == STEP_IFACE) {
		dynamic = path_steps__word(reference->in, reference->from - WORD);
		if (step->kind == STEP_IFACE)
			dynamic = type_of_itab(paths, dynamic, true);
		step = step_for(paths, holder, place, dynamic, true);
		if (!step)
			return PATH_NONE;
	}
	child = child_of(paths, holder, step, reference);
	if (!guess || child != step->unknown || !child)
		return child;
	/* It was no interface, then. */
	step = step_for(paths, holder, place, 0, false);
	return step ? step->child : PATH_NONE;
}
