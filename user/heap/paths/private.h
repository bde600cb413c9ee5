/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_PATHS_PRIVATE_H
#define GLEAKD_HEAP_PATHS_PRIVATE_H

/* What paths.c (objects and their nodes), steps.c (where a word leads) and roots.c share. */
#include "base/index.h"
#include "heap/paths/paths.h"
#include "heap/types/closures.h"
#include "heap/types/index.h"
#include "heap/types/types.h"

#define PATHS_LABEL  256u
#define PATHS_ITABS  4096u /* a power of two */
#define PATHS_STACKS 1024u
#define PATHS_LOCALS 4096u
#define PATHS_RECENT 8192u

enum step_kind {
	STEP_NOWHERE, /* no pointer, as far as the type says */
	STEP_PLAIN,
	STEP_EFACE, /* where it leads depends on the word before */
	STEP_IFACE,
};

/* Where a word of the values at a node leads. */
struct paths_step {
	uint64_t offset, dynamic;
	uint16_t node;
	/* if the object fits, if it does not; PATH_NONE: not asked for yet */
	uint16_t child, unknown;
	uint8_t kind; /* enum step_kind */
	uint8_t role;
	uint64_t type, shown;
	const char *label; /* of the tree's child, once there is one */
};

struct paths_itab {
	uint64_t address, type;
};

struct paths_stack {
	uint64_t first_function, function;
	uint64_t receiver; /* type of what the frame's function is a method of; 0: of nothing */
	uint16_t root, node;
};

/* A variable on stacks of goroutines that began with the same function. */
struct paths_local {
	const struct go_local *local; /* NULL: none */
	uint16_t root, node;
};

/* A value that no variable has, but one leads to. Target's address. */
struct paths_static {
	uint64_t address, size;
	uint64_t type;
	const char *name; /* main.log: of what leads to it, kept by the tree */
	bool array;	  /* of values of the type */
	uint16_t node;	  /* PATH_NONE: none yet */
};

/* What objects at one place are of whose allocation is known. */
struct paths_lesson {
	uint64_t place;
	struct heap_allocation what;
	uint32_t votes, against;
	uint16_t node; /* for others that hang there; PATH_NONE: none yet */
};

struct heap_paths {
	const struct heap_runtime *runtime;
	struct go_variables *variables; /* or NULL */
	struct heap_modules modules;
	struct heap_types *types;
	struct type_index *type_index;
	struct path_tree *tree;
	struct path_members *members; /* not ours; or NULL */
	struct heap_visitor visitor;

	uint16_t *slots;   /* per object of the heap its node; only pages that are touched exist */
	uint64_t *counted; /* per object whether its container's count was added */
	size_t n_slots, max_slots;
	bool failed; /* out of memory */

	struct index *by_step;
	struct paths_step *steps;
	size_t n_steps, steps_capacity;
	/* In front of the tables: nearly all references are like one of the last. */
	uint32_t recent[PATHS_RECENT]; /* a step's number, by its key */
	const struct heap_type *node_types[PATH_MAX_NODES + 1];
	struct paths_itab itabs[PATHS_ITABS];
	struct paths_stack stacks[PATHS_STACKS];
	struct paths_local locals[PATHS_LOCALS];

	struct paths_static *statics; /* by rising address */
	size_t n_statics, statics_capacity;
	struct index *static_index; /* while they are being found */

	/* The variable that was looked at last: its target's address, 0 for a word without a name. */
	uint64_t variable, variable_size;
	uint16_t variable_node;
	/* Of the root that was looked at last: where in it the word is, and whether those beside it are its. */
	uint64_t root_offset;
	bool root_torn;

	struct heap_closures *closures;
	struct heap_allocated *allocated;
	struct heap_known *known;
	size_t n_known;
	struct index *by_object; /* NULL: none are known */
	struct paths_lesson *lessons;
	size_t n_lessons, lessons_capacity;
	struct index *by_place;
	struct heap_known *own; /* of the runtime, by rising address: own.c */
	size_t n_own;
	/* What leads to a timer, and what a timer is a part of. 0: not known. */
	uint64_t timer_pointer, timer, ticker;
	uint64_t timer_period; /* offset in a ticker; 0: it is like a timer */
	size_t n_learned;      /* lessons when all objects were last looked at for them */
	unsigned int rounds;

	/* Where the count goes on. */
	size_t span;
	struct heap_paths_unknown unknown[HEAP_CLASSES];
};

/* paths__header_size - of the object in @span before the values in it. */
uint64_t paths__header_size(const struct heap_paths *paths, const struct heap_span *span);

/* path_roots__receiver - the type of what the first argument of the frame points to, or 0. */
uint64_t path_roots__receiver(struct heap_paths *paths, const struct heap_contents *in);

/* path_statics__find - all there are; -ENOMEM. */
int path_statics__find(struct heap_paths *paths) __must_check;

/* path_statics__at - the one that @address is in, or NULL. */
struct paths_static *path_statics__at(const struct heap_paths *paths, uint64_t address);

/* path_roots__of - the root that @reference starts from; sets root_offset and root_torn. */
uint16_t path_roots__of(struct heap_paths *paths, const struct heap_reference *reference);

/*
 * path_steps__follow - the node for the object that @reference leads to, from @holder, which is @offset
 * bytes into the values there. PATH_NONE: it cannot be told.
 */
uint16_t path_steps__follow(struct heap_paths *paths, uint16_t holder, uint64_t offset,
			    const struct heap_reference *reference);

/* path_steps__word - the word at @address, if it is in @contents; else 0. */
uint64_t path_steps__word(const struct heap_contents *contents, uint64_t address);

/*
 * paths_known__refine - the node for the object that @reference leads to, @offset bytes into a value of
 * its holder, when all that is known of it so far is the node @number, of no known type.
 */
uint16_t paths_known__refine(struct heap_paths *paths, uint16_t number, uint64_t offset,
			     const struct heap_reference *reference);

/*
 * paths_known__node - the node for objects of @what at the place of those at @number, of no known type; PATH_NONE: it
 * has none.
 */
uint16_t paths_known__node(struct heap_paths *paths, uint16_t number,
			   const struct heap_allocation *what);

/* path_own__init - types. path_own__begin - before a scan: the runtime's own objects, where variables have no names. */
void path_own__init(struct heap_paths *paths);
void path_own__begin(struct heap_paths *paths);

/* path_own__find - what the @object is, or NULL. */
const struct heap_allocation *path_own__find(const struct heap_paths *paths, uint64_t object);

/* path_own__around - the node for an object that nothing is known of but that a pointer leads into it, or @number. */
uint16_t path_own__around(struct heap_paths *paths, uint16_t number,
			  const struct heap_contents *contents);

/* path_own__variable - the runtime's variable at the target's @address, where that is known without names; or NULL. */
const char *path_own__variable(const struct heap_paths *paths, uint64_t address);

/* paths_known__settle - of struct heap_visitor. */
bool paths_known__settle(struct heap_paths *paths, struct heap_mark *mark);

/* paths_known__forget - what has been learned in the last scan. */
void paths_known__forget(struct heap_paths *paths);

/* path_steps__set - that is where @step leads. */
void path_steps__set(struct paths_step *step, enum path_role role, uint64_t type, uint64_t shown);

/*
 * path_containers__captured - the node for what the closure that @reference is in has captured, below
 * that of the closure, @holder; PATH_NONE: it is not known.
 */
uint16_t path_containers__captured(struct heap_paths *paths, uint16_t holder,
				   const struct heap_contents *in);

/*
 * path_containers__name_captured - the name of the variable at @offset of what @node, a PATH_CAPTURED, stands
 * for in place of the number that it has in @label; without one, if it is not known.
 */
void path_containers__name_captured(struct heap_paths *paths, const struct path_node *node,
				    uint64_t offset, char *label);

/* path_containers__resolve - where @step leads in a part of a container, and by what @label. */
void path_containers__resolve(struct heap_paths *paths, const struct path_node *node,
			      struct paths_step *step, char *label);

/* path_containers__is_small_map - whether the map @in has one group only, of the maps from Go 1.24 on. */
bool path_containers__is_small_map(const struct heap_contents *in);

/*
 * path_containers__is_some_map - whether what @reference is in, of no known type, is the head of a map: by what is
 * in it, and how large what it leads to is. Only of maps of more than a bucket or group.
 */
bool path_containers__is_some_map(const struct heap_paths *paths,
				  const struct heap_reference *reference);

/* path_containers__name_some_map - "map[int]string" where the type of its groups or buckets is known, or "map". */
void path_containers__name_some_map(struct heap_paths *paths, const struct path_node *node,
				    char *name, size_t size);

/* path_containers__is_trie - whether @type is that of the nodes of a sync.Map, from Go 1.24 on. */
bool path_containers__is_trie(struct heap_paths *paths, uint64_t type);

/* path_containers__is_trie_node - whether objects of @span can be a PATH_TRIE, or a PATH_TRIE_ENTRY. */
bool path_containers__is_trie_node(const struct heap_span *span, enum path_role role);

/* path_steps__is_slots - whether @type is a map's group or bucket. */
bool path_steps__is_slots(struct heap_paths *paths, uint64_t type);

#endif /* GLEAKD_HEAP_PATHS_PRIVATE_H */
