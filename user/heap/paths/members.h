/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_PATHS_MEMBERS_H
#define GLEAKD_HEAP_PATHS_MEMBERS_H

/*
 * Whether the objects at a place are those of the look before: of each node of a path tree a few addresses,
 * drawn by their hashes, so that the same objects are drawn in each look. The collector moves none; a place of
 * the heap that was freed and is in use again at the same node counts as one that has stayed.
 *
 * Pure: objects are told.
 */
#include "base/common.h"

/* Of each node: so many tell a share with an error of a sixteenth. */
#define PATH_MEMBERS_DRAWN 64u

struct path_members;

/* path_members__new - for any node of any tree; memory is used for those that have objects. -ENOMEM. */
int path_members__new(struct path_members **ret_members) __must_check;
void path_members__free(struct path_members *members);

/*
 * path_members__begin - what was noted of this look is forgotten; path_members__next - it is the look before from
 * now on.
 */
void path_members__begin(struct path_members *members);
void path_members__next(struct path_members *members);

/* path_members__note - the object at @address stands at @node. */
void path_members__note(struct path_members *members, uint16_t node, uint64_t address);

/*
 * path_members__stayed - how many of the objects that were drawn at @node in the look before are there in this
 * one. @ret_drawn: how many these are, so far as this look would have drawn them as well.
 */
size_t path_members__stayed(const struct path_members *members, uint16_t node, size_t *ret_drawn);

#endif /* GLEAKD_HEAP_PATHS_MEMBERS_H */
