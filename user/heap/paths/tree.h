/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_PATHS_TREE_H
#define GLEAKD_HEAP_PATHS_TREE_H

/*
 * Who holds the objects of a heap, folded to a size that does not depend on how many there are: a tree
 * of ways from roots (variables, stacks) through fields, elements of maps, slices and arrays. All
 * elements of a container are one node, and so are all values of a type that lead to each other: a list
 * is one node that leads to itself. What one node stands for is counted in each scan; nodes stay, so
 * that two scans can be compared.
 *
 * Pure: types are numbers here, and what leads where is told by whoever scans (paths.h).
 */
#include "base/common.h"

/* The root of what nothing else has led to yet, as it came to be while the heap was scanned. */
#define PATH_YOUNG     "allocated during the scan"
#define PATH_NONE      0u     /* no node */
#define PATH_MAX_NODES 65535u /* node numbers have 16 bits, since each object of the heap has one */
#define PATH_MAX_DEPTH 48u

/* What an object is to those who hold it. */
enum path_role {
	PATH_UNKNOWN,	/* of no known type */
	PATH_VARIABLES, /* a root: an array of values, as the next */
	PATH_VARIABLE,	/* a root: values of a type, but no object of the heap */
	PATH_STACK,
	PATH_LOCAL, /* a variable on a stack, as PATH_VARIABLE but below PATH_STACK; paths begin there */
	PATH_RUNTIME,
	PATH_OTHER,    /* the root of what had no room in the tree, by type */
	PATH_VALUE,    /* one value of the type */
	PATH_ARRAY,    /* as many as there is room for */
	PATH_STRING,   /* bytes */
	PATH_BYTES,    /* likewise, behind a []byte that nothing more is known of */
	PATH_FUNC,     /* a closure */
	PATH_TRIE,     /* a sync.Map, as far as it is an object; type: of its nodes */
	PATH_SOME_MAP, /* a map's head by what is in it, of no known type */
	PATH_MAP,      /* a map's head; type: of the map, as for its parts: */
	PATH_MAP_DIRECTORY,
	PATH_MAP_TABLE,
	PATH_MAP_SLOTS, /* groups or buckets; type: of one */
	PATH_MAP_EXTRA,
	PATH_MAP_OVERFLOW,
	PATH_CHAN,	  /* type: of the channel */
	PATH_CHAN_BUFFER, /* type: of an element */
	PATH_CAPTURED,	  /* what a PATH_FUNC has captured; type: the struct; shown: its code */
	PATH_TRIE_ENTRY,  /* has one key and value of a PATH_TRIE */
	PATH_INTERNAL,	  /* anything else that the runtime made for a container */
};

struct path_step {
	const char *label; /* ".m", "[…]", "main.sessions" */
	enum path_role role;
	uint64_t type;	/* what the object is made of; 0: not known */
	uint64_t shown; /* the type that one reads beside the path: *main.session; or 0 */
};

struct path_node {
	uint16_t parent, depth;
	uint8_t role;	    /* enum path_role */
	bool part;	    /* what is in it belongs to the container above it */
	bool recursive;	    /* it leads to itself */
	bool below_unknown; /* the way there goes through something of no known type */
	bool young;	    /* it hangs from PATH_YOUNG */
	bool inferred; /* its type is that of others which hang there; or it hangs there in passing */
	uint64_t type, shown;
	uint64_t slots;	   /* of a PATH_SOME_MAP: the type of its groups or buckets; 0: not known */
	const char *label; /* of the tree */
	/* Of this scan. */
	uint64_t goid; /* of a stack: whose it is, UINT64_MAX: several goroutines' */
	uint64_t objects, bytes;
	uint64_t entries; /* by the containers' own count */
};

struct path_tree;

/* path_tree__new - @max_nodes at most (0: all that have numbers). -ENOMEM. */
int path_tree__new(size_t max_nodes, struct path_tree **ret_tree) __must_check;
void path_tree__free(struct path_tree *tree);

/* path_tree__clear - forget what was counted, not the nodes. */
void path_tree__clear(struct path_tree *tree);

/*
 * path_tree__child - the node that @step leads to from @parent (PATH_NONE: it is a root). That is a new
 * one; an ancestor, or @parent itself, if values of the same type are on the way there already; or, when
 * the tree is full or too deep there, one that stands for all values of the type which had no room.
 * PATH_NONE: out of memory.
 */
uint16_t path_tree__child(struct path_tree *tree, uint16_t parent, const struct path_step *step);

/* path_tree__sibling - the node of the same way as @node whose objects turned out to be of another type. */
uint16_t path_tree__sibling(struct path_tree *tree, uint16_t node, enum path_role role,
			    uint64_t type);

/*
 * path_tree__note_slots - objects at @node are groups or buckets of the type @slots: of a PATH_SOME_MAP that
 * leads there by nothing but what is of no known type, they are its. False: there is none.
 */
bool path_tree__note_slots(struct path_tree *tree, uint16_t node, uint64_t slots);

/* path_tree__intern - a copy of @label that is the same for equal ones; NULL: no room. */
const char *path_tree__intern(struct path_tree *tree, const char *label);

struct path_node *path_tree__node(const struct path_tree *tree, uint16_t node);
size_t path_tree__count(const struct path_tree *tree); /* node numbers are below it */
uint64_t path_tree__refused(const struct path_tree *tree);

/* path_tree__is_part - whether nodes of @role belong to the container above them. */
bool path_role__is_part(enum path_role role);

/*
 * path_tree__sum - per node what it stands for and all that hangs from it: arrays of path_tree__count()
 * elements.
 */
void path_tree__sum(const struct path_tree *tree, uint64_t *ret_objects, uint64_t *ret_bytes);

/*
 * path_tree__path - how @node is reached, as Go would write it: main.sessions.m[…]. Returns the bytes
 * it takes; what does not fit is left out in the middle.
 */
size_t path_tree__path(const struct path_tree *tree, uint16_t node, char *path, size_t size);

/* path_tree__is_young - whether @node hangs from PATH_YOUNG: another look will find it elsewhere. */
bool path_tree__is_young(const struct path_tree *tree, uint16_t node);

/* path_tree__container - the nearest node at or above @node that is no part of another. */
uint16_t path_tree__container(const struct path_tree *tree, uint16_t node);

#endif /* GLEAKD_HEAP_PATHS_TREE_H */
