// SPDX-License-Identifier: Apache-2.0
#include "heap/paths/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "heap/paths/tree.h"

/* The objects with the smallest hashes, in rising order. */
struct drawn {
	uint32_t n;
	uint32_t hashes[PATH_MEMBERS_DRAWN];
};

struct path_members {
	struct drawn *now, *before; /* by node; only pages that are touched exist */
	size_t n_now, n_before;	    /* nodes that may have any */
};

int path_members__new(struct path_members **ret_members)
{
	struct path_members *members = calloc(1, sizeof(*members));

	if (!members)
		return -ENOMEM;
	members->now = calloc(PATH_MAX_NODES + 1, sizeof(*members->now));
	members->before = calloc(PATH_MAX_NODES + 1, sizeof(*members->before));
	if (!members->now || !members->before) {
		path_members__free(members);
		return -ENOMEM;
	}
	*ret_members = members;
	return 0;
}

void path_members__free(struct path_members *members)
{
	if (!members)
		return;
	free(members->now);
	free(members->before);
	free(members);
}

void path_members__begin(struct path_members *members)
{
	memset(members->now, 0, members->n_now * sizeof(*members->now));
	members->n_now = 0;
}

void path_members__next(struct path_members *members)
{
	struct drawn *oldest = members->before;
	size_t n = members->n_before;

	members->before = members->now;
	members->n_before = members->n_now;
	members->now = oldest;
	members->n_now = n;
	path_members__begin(members);
}

void path_members__note(struct path_members *members, uint16_t node, uint64_t address)
{
	struct drawn *drawn = &members->now[node];
	uint32_t hash = (uint32_t)(hash__mix64(address) >> 32);
	size_t at;

	if (drawn->n == PATH_MEMBERS_DRAWN && hash >= drawn->hashes[PATH_MEMBERS_DRAWN - 1])
		return;
	members->n_now = max_of(members->n_now, (size_t)node + 1);
	if (drawn->n < PATH_MEMBERS_DRAWN)
		drawn->n++;
	for (at = drawn->n - 1; at > 0 && drawn->hashes[at - 1] > hash; at--)
		drawn->hashes[at] = drawn->hashes[at - 1];
	drawn->hashes[at] = hash;
}

/* Hashes up to this are those of all objects that have them. */
static uint32_t known_to(const struct drawn *drawn)
{
	return drawn->n == PATH_MEMBERS_DRAWN ? drawn->hashes[PATH_MEMBERS_DRAWN - 1] : UINT32_MAX;
}

size_t path_members__stayed(const struct path_members *members, uint16_t node, size_t *ret_drawn)
{
	const struct drawn *before = &members->before[node], *now = &members->now[node];
	uint32_t end = min_of(known_to(before), known_to(now));
	size_t stayed = 0, drawn = 0;

	for (size_t at = 0; drawn < before->n && before->hashes[drawn] <= end; drawn++) {
		while (at < now->n && now->hashes[at] < before->hashes[drawn])
			at++;
		stayed += at < now->n && now->hashes[at] == before->hashes[drawn];
	}
	*ret_drawn = drawn;
	return stayed;
}
