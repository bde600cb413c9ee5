// SPDX-License-Identifier: Apache-2.0
#include "discover/owners.h"

#include <stdlib.h>

#include "base/array.h"
#include "host/owner.h"

void owners__clear(struct owners *owners)
{
	free(owners->all);
	*owners = (struct owners){0};
}

static struct owner_count *find(const struct owners *owners, uid_t owner)
{
	for (size_t i = 0; i < owners->n; i++)
		if (owners->all[i].owner == owner)
			return &owners->all[i];
	return NULL;
}

void owners__add(struct owners *owners, uid_t owner)
{
	struct owner_count *count = find(owners, owner);

	if (count) {
		count->n++;
		return;
	}
	if (array__reserve(owners->all, owners->size, owners->n + 1))
		owners->all[owners->n++] = (struct owner_count){owner, 1};
}

void owners__remove(struct owners *owners, uid_t owner)
{
	struct owner_count *count = find(owners, owner);

	if (count && !--count->n)
		*count = owners->all[--owners->n];
}

bool owners__who_yields(const struct owners *owners, uid_t owner, uid_t *ret_owner)
{
	const struct owner_count *own = find(owners, owner), *most = NULL;
	size_t n = own && !owner__is_host(owner) ? own->n : 0;

	for (size_t i = 0; i < owners->n; i++) {
		const struct owner_count *count = &owners->all[i];

		if (!owner__is_host(count->owner) && (!most || count->n > most->n))
			most = count;
	}
	if (!most || most->n < n + 2)
		return false;
	*ret_owner = most->owner;
	return true;
}
