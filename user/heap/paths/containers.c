// SPDX-License-Identifier: Apache-2.0
/*
 * Where a word of the runtime's own structs leads, which are the parts of containers:
 *
 *	maps until 1.23		hmap: buckets, oldbuckets, extra -> buckets (src/runtime/map.go)
 *	maps from 1.24 on	maps.Map: a group, or a directory -> tables -> groups (internal/runtime/maps)
 *	channels		hchan: buf -> elements (src/runtime/chan.go)
 *	sync.Map from 1.24 on	HashTrieMap: indirect -> indirect or entry (internal/sync/hashtriemap.go)
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "heap/mark/private.h"
#include "heap/paths/private.h"
#include "heap/types/leaf.h"

/* src/runtime/map.go hmap, mapextra, until Go 1.23. */
#define HMAP_BUCKETS	16u
#define HMAP_OLDBUCKETS 24u
#define HMAP_EXTRA	40u
#define EXTRA_NEXT	16u
/* src/internal/runtime/maps/map.go Map, table.go table, from Go 1.24 on. */
#define SWISS_DIRECTORY 16u
#define SWISS_LENGTH	24u
#define SWISS_GROUPS	16u
#define SWISS_DEPTH	32u /* uint8 globalDepth, globalShift */
#define FIRST_SWISS	24  /* Go 1.24 */
#define HMAP_FLAGS	8u  /* uint8 flags, B; uint16 noverflow; uint32 hash0 */
#define HMAP_EVACUATED	32u

#define HEAD_SIZE 48u /* of a map's head, before and after */
#define MAX_FLAG  16u /* src/runtime/map.go: iterator, oldIterator, hashWriting, sameSizeGrow */
#define MAX_DEPTH \
	40u /* the binary logarithm of more buckets or tables than any process has room for */
#define LEAST_BUCKET   24u   /* map[uint8]struct{}: tophash, keys, overflow */
#define LARGEST_BUCKET 2600u /* eight keys and values of 128 bytes, and some beside them */
#define TABLE_MAX      896u  /* maxTableCapacity, seven eighths full */

/* internal/sync/hashtriemap.go indirect and entry, of keys and values that are interfaces. */
#define TRIE_NODE_SIZE	160u /* of the size class */
#define TRIE_PARENT	16u
#define TRIE_ENTRY_SIZE 48u
#define ENTRY_OVERFLOW	8u
#define ENTRY_KEY	24u /* the second word of each */
#define ENTRY_VALUE	40u

#define WORD		8u
#define CLOSURE_OFFSETS 23 /* Go 1.23 writes them to DWARF */

static void by_map(struct heap_paths *paths, const struct path_node *node, uint64_t offset,
		   bool small, struct paths_step *step)
{
	const struct heap_type *type = heap_types__any(paths->types, node->type);
	const struct heap_shape *shape = type ? heap_types__shape(paths->types, type) : NULL;

	step->kind = STEP_NOWHERE;
	if (!shape)
		return;
	if (shape->swiss && offset == SWISS_DIRECTORY && !small)
		path_steps__set(step, PATH_MAP_DIRECTORY, node->type, 0);
	else if (shape->swiss ? offset == SWISS_DIRECTORY :
				offset == HMAP_BUCKETS || offset == HMAP_OLDBUCKETS)
		path_steps__set(step, PATH_MAP_SLOTS, shape->slots, 0);
	else if (!shape->swiss && offset == HMAP_EXTRA)
		path_steps__set(step, PATH_MAP_EXTRA, node->type, 0);
}

static void by_map_part(struct heap_paths *paths, const struct path_node *node, uint64_t offset,
			struct paths_step *step)
{
	const struct heap_type *type = heap_types__any(paths->types, node->type);
	const struct heap_shape *shape = type ? heap_types__shape(paths->types, type) : NULL;

	step->kind = STEP_NOWHERE;
	if (!shape)
		return;
	if (node->role == PATH_MAP_DIRECTORY)
		path_steps__set(step, PATH_MAP_TABLE, node->type, 0);
	else if (node->role == PATH_MAP_EXTRA && offset != EXTRA_NEXT)
		path_steps__set(step, PATH_MAP_OVERFLOW, node->type, 0);
	else if (node->role == PATH_MAP_EXTRA || offset == SWISS_GROUPS)
		path_steps__set(step, PATH_MAP_SLOTS, shape->slots, 0);
}

static void by_chan(struct heap_paths *paths, const struct path_node *node, uint64_t offset,
		    struct paths_step *step)
{
	const struct heap_type *type = heap_types__any(paths->types, node->type);
	const struct heap_shape *shape = type ? heap_types__shape(paths->types, type) : NULL;

	if (shape && offset == paths->runtime->layout->hchan_buf)
		path_steps__set(step, PATH_CHAN_BUFFER, shape->elem, 0);
	else
		path_steps__set(step, PATH_INTERNAL, 0, 0);
}

/* --- maps of no known type ----------------------------------------------------------------------- */

/* maps.Map.used, seed, dirPtr, dirLen, globalDepth, globalShift, writing. */
static bool is_swiss(const uint8_t *head, const struct heap_span *directory)
{
	uint64_t used = bytes__u64(head, 0), length = bytes__u64(head, SWISS_LENGTH);
	unsigned int depth = head[SWISS_DEPTH], shift = head[SWISS_DEPTH + 1];

	return depth <= MAX_DEPTH && length == 1ULL << depth && shift == 64 - depth &&
	       head[SWISS_DEPTH + 2] <= 1 && used <= length * TABLE_MAX &&
	       directory->elemsize >= length * sizeof(uint64_t) &&
	       directory->elemsize < 2 * length * sizeof(uint64_t) + GO_PAGE_SIZE &&
	       !(directory->flags & HEAP_SPAN_NOSCAN);
}

/* hmap.count, flags, B, noverflow, hash0, buckets, oldbuckets, nevacuate. */
static bool is_hmap(const uint8_t *head, const struct heap_span *buckets)
{
	uint64_t count = bytes__u64(head, 0), n;
	unsigned int depth = head[HMAP_FLAGS + 1];

	if (!depth || depth > MAX_DEPTH || head[HMAP_FLAGS] >= MAX_FLAG)
		return false;
	n = 1ULL << depth;
	/* loadFactorNum / loadFactorDen: 13 entries for two buckets. */
	return count <= 13 * (n / 2) + 1 && bytes__u32(head, HMAP_FLAGS + 4) &&
	       bytes__u64(head, HMAP_EVACUATED) <= n && buckets->elemsize >= n * LEAST_BUCKET &&
	       buckets->elemsize <= n * LARGEST_BUCKET + GO_PAGE_SIZE;
}

bool path_containers__is_some_map(const struct heap_paths *paths,
				  const struct heap_reference *reference)
{
	const struct heap_contents *in = reference->in;
	const struct heap_spans *spans = heap_mark__spans(reference->mark);
	uint32_t number = heap_spans__find(spans, in->object);

	/* Where the buckets are, or the directory: the first pointer of either. */
	if (in->place != HEAP_IN_OBJECT || reference->from != in->object + HMAP_BUCKETS ||
	    reference->value - reference->object != paths__header_size(paths, reference->span) ||
	    in->start != in->object || in->size < HEAD_SIZE || number == HEAP_NO_SPAN ||
	    spans->all[number].elemsize != HEAD_SIZE)
		return false;
	return paths->runtime->layout->minor >= FIRST_SWISS ? is_swiss(in->data, reference->span) :
							      is_hmap(in->data, reference->span);
}

/* The name of its slots begins with "map.group[" or "map.bucket[" (cmd/compile/internal/reflectdata). */
void path_containers__name_some_map(struct heap_paths *paths, const struct path_node *node,
				    char *name, size_t size)
{
	const char *slots = node->slots ? heap_types__name(paths->types, node->slots) : "";
	const char *of = strchr(slots, '[');

	snprintf(name, size, "map%s", !strncmp(slots, "map.", 4) && of ? of : "");
}

/* --- sync.Map ----------------------------------------------------------------------------------- */

bool path_containers__is_trie(struct heap_paths *paths, uint64_t type)
{
	static const char *const names[] = {
		"sync.indirect[interface {},interface {}]",
		"sync.indirect[go.shape.interface {},go.shape.interface {}]",
	};
	const char *name = type ? heap_types__name(paths->types, type) : "";

	return !strcmp(name, names[0]) || !strcmp(name, names[1]);
}

bool path_containers__is_trie_node(const struct heap_span *span, enum path_role role)
{
	return !(span->flags & HEAP_SPAN_NOSCAN) &&
	       span->elemsize == (role == PATH_TRIE ? TRIE_NODE_SIZE : TRIE_ENTRY_SIZE);
}

/* What its children are does not follow from their type, but their sizes differ. */
static void by_trie(const struct path_node *node, uint64_t offset, bool inner,
		    struct paths_step *step)
{
	if (inner || offset == TRIE_PARENT)
		path_steps__set(step, PATH_TRIE, node->type, 0);
	else
		path_steps__set(step, PATH_TRIE_ENTRY, 0, 0);
}

static void by_trie_entry(uint64_t offset, struct paths_step *step, char *label)
{
	if (offset == ENTRY_OVERFLOW) {
		path_steps__set(step, PATH_TRIE_ENTRY, 0, 0);
		return;
	}
	step->kind = offset == ENTRY_KEY || offset == ENTRY_VALUE ? STEP_EFACE : STEP_NOWHERE;
	snprintf(label, PATHS_LABEL, "%s", HEAP_ELEMENT);
}

/* --- closures ----------------------------------------------------------------------------------- */

/* From Go 1.21 on what is captured has numbers for names (cmd/compile/internal/typecheck/func.go). */
static size_t number_length(const char *label)
{
	size_t digits = !strncmp(label, ".X", 2) ? strspn(label + 2, "0123456789") : 0;
	char behind = digits ? label[2 + digits] : 'X';

	return behind == '.' || behind == '[' || !behind ? 2 + digits : 0;
}

/* The type of the field of the closure at @offset; 0: not known. */
static uint64_t field_type(struct heap_paths *paths, uint64_t type_address, uint64_t offset)
{
	const struct heap_type *type = heap_types__any(paths->types, type_address);
	const struct heap_shape *shape = type ? heap_types__shape(paths->types, type) : NULL;
	uint64_t found = 0;

	for (size_t i = 0; shape && i < shape->n_fields && shape->fields[i].offset <= offset; i++)
		found = shape->fields[i].type;
	return found;
}

static bool is_at(const struct go_captured *captured, uint64_t offset)
{
	return captured->offset &&
	       offset - captured->offset < max_of(captured->size, (uint64_t)WORD);
}

/*
 * The variable at @offset; NULL: it is not known. Without offsets it has to be the only one of its type
 * that can be meant.
 */
static const char *captured_name(struct heap_paths *paths, const struct path_node *node,
				 uint64_t offset)
{
	uint64_t type = field_type(paths, node->type, offset);
	const char *found = NULL;
	size_t n, alike = 0;
	const struct go_captured *all =
		go_variables__captured(paths->variables, node->shown - paths->runtime->bias, &n);

	for (size_t i = 0; i < n; i++) {
		if (is_at(&all[i], offset))
			return all[i].name;
		if (type && heap_types__of_variable(paths->types, all[i].type) == type) {
			found = all[i].name;
			alike++;
		}
	}
	return alike == 1 && paths->runtime->layout->minor < CLOSURE_OFFSETS ? found : NULL;
}

void path_containers__name_captured(struct heap_paths *paths, const struct path_node *node,
				    uint64_t offset, char *label)
{
	size_t length = number_length(label);
	const char *name = length && paths->variables ? captured_name(paths, node, offset) : NULL;
	size_t rest = strlen(label + length), new_length = name ? strlen(name) + 1 : 0;

	if (!length || new_length + rest >= PATHS_LABEL)
		return;
	memmove(label + new_length, label + length, rest + 1);
	if (!name)
		return;
	label[0] = '.';
	memcpy(label + 1, name, new_length - 1);
}

uint16_t path_containers__captured(struct heap_paths *paths, uint16_t holder,
				   const struct heap_contents *in)
{
	struct path_step step = {.label = "", .role = PATH_CAPTURED};
	uint64_t code = path_steps__word(in, in->object);

	step.type = heap_closures__type(paths->closures, code);
	/* Closures with different code may be of the same type. */
	step.shown = code;
	return step.type ? path_tree__child(paths->tree, holder, &step) : PATH_NONE;
}

/* ------------------------------------------------------------------------------------------------ */

bool path_containers__is_small_map(const struct heap_contents *in)
{
	return !path_steps__word(in, in->object + SWISS_LENGTH);
}

void path_containers__resolve(struct heap_paths *paths, const struct path_node *node,
			      struct paths_step *step, char *label)
{
	switch (node->role) {
	case PATH_MAP:
		by_map(paths, node, step->offset, step->dynamic, step);
		break;
	case PATH_MAP_DIRECTORY:
	case PATH_MAP_TABLE:
	case PATH_MAP_EXTRA:
		by_map_part(paths, node, step->offset, step);
		break;
	case PATH_MAP_OVERFLOW: /* *[]*bmap: the slice is an object, and its array */
		path_steps__set(step, PATH_INTERNAL, 0, 0);
		break;
	case PATH_CHAN:
		by_chan(paths, node, step->offset, step);
		break;
	case PATH_TRIE:
		by_trie(node, step->offset, step->dynamic, step);
		break;
	case PATH_TRIE_ENTRY:
		by_trie_entry(step->offset, step, label);
		break;
	default:
		path_steps__set(step, node->role == PATH_INTERNAL ? PATH_INTERNAL : PATH_UNKNOWN, 0,
				0);
	}
}
