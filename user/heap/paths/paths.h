/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_PATHS_PATHS_H
#define GLEAKD_HEAP_PATHS_PATHS_H

/*
 * Of what type the objects of a heap are, and who holds them: a visitor of the mark (mark/mark.h) that gives
 * each object a node of a path tree (tree.h). Types come from where they are known: variables
 * (golang/variables.h), what the allocator wrote down, words of interfaces; from there they follow
 * from the fields of each object to the next. An object that was found by a way on which types were not
 * known is looked at again when a better one leads to it.
 *
 * Memory: two bytes for each slot of the heap, a tree of bounded size, and the types that were seen.
 */
#include "elf/image.h"
#include "golang/variables.h"
#include "heap/mark/mark.h"
#include "heap/paths/members.h"
#include "heap/paths/tree.h"
#include "heap/types/allocated.h"

struct heap_paths;

struct heap_paths_unknown {
	uint64_t objects, bytes;
};

#define HEAP_CLASSES 68u /* size classes; 0: large objects */

/*
 * heap_paths__new - @runtime and @variables (NULL: none are known) must outlive it. @max_slots: of a heap
 * with more, what is beyond is of no known type. Errors: -ENOMEM, as heap_modules__read().
 */
int heap_paths__new(const struct heap_runtime *runtime, struct go_variables *variables,
		    size_t max_slots, struct heap_paths **ret_paths) __must_check;
void heap_paths__free(struct heap_paths *paths);

/* An object, at its first byte, whose allocation is known. */
struct heap_known {
	uint64_t object;
	struct heap_allocation what;
};

/* heap_paths__allocated - tells of what type objects are by where they were allocated. */
struct heap_allocated *heap_paths__allocated(struct heap_paths *paths);

/*
 * heap_paths__know - of these objects the types are known, from the next scan on, and not of those of
 * the call before. They are copied. What is of no known type and hangs from the same place as some of
 * them do is taken to be of the same type, if they agree. -ENOMEM.
 */
int heap_paths__know(struct heap_paths *paths, const struct heap_known *known,
		     size_t n) __must_check;

/* heap_paths__draw - from now on @members are told of all objects that are counted; NULL: nobody is. */
void heap_paths__draw(struct heap_paths *paths, struct path_members *members);

/* heap_paths__begin - for the next scan; what the last one counted is forgotten. */
void heap_paths__begin(struct heap_paths *paths);

/* heap_paths__visitor - to be handed to that scan. */
const struct heap_visitor *heap_paths__visitor(struct heap_paths *paths);

/*
 * heap_paths__count - what the scan has marked, into the nodes; goes on for about @budget_ns (0: to the
 * end). 1: there is more; 0: all counted; -ENOMEM: the scan found more than there was memory for.
 */
int heap_paths__count(struct heap_paths *paths, struct heap_mark *mark,
		      uint64_t budget_ns) __must_check;

const struct path_tree *heap_paths__tree(const struct heap_paths *paths);

/* heap_paths__at - the node that the object at @slot stands at; PATH_NONE. */
uint16_t heap_paths__at(const struct heap_paths *paths, uint64_t slot);

/* heap_paths__unknown - of the last count, objects of no known type by size class: HEAP_CLASSES of them. */
const struct heap_paths_unknown *heap_paths__unknown(const struct heap_paths *paths);

/*
 * heap_paths__type_name - what an object that stands at a node is: "main.session", "[]main.session",
 * "map[int]string", "unknown".
 */
void heap_paths__type_name(struct heap_paths *paths, uint16_t node, char *name, size_t size);

/* heap_paths__shown_name - the type that one reads beside the path, which may be a pointer; "" */
void heap_paths__shown_name(struct heap_paths *paths, uint16_t node, char *name, size_t size);

/* heap_paths__bytes - of memory that it uses itself. */
size_t heap_paths__bytes(const struct heap_paths *paths);

#endif /* GLEAKD_HEAP_PATHS_PATHS_H */
