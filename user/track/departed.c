// SPDX-License-Identifier: Apache-2.0
#include "track/departed.h"

#include <string.h>

#include "base/hash.h"

static struct departed_entry *set_of(struct departed *departed, uint64_t goid)
{
	return departed->sets[hash__mix64(goid) % DEPARTED_SETS];
}

struct departed_entry *departed__find(struct departed *departed, uint64_t goid)
{
	struct departed_entry *set = set_of(departed, goid);

	for (size_t i = 0; i < DEPARTED_WAYS; i++)
		if (set[i].goid == goid)
			return &set[i];
	return NULL;
}

void departed__add(struct departed *departed, uint64_t goid, uint64_t ticks, unsigned int flags)
{
	struct departed_entry *set = set_of(departed, goid);

	memmove(&set[1], &set[0], (DEPARTED_WAYS - 1) * sizeof(*set));
	set[0].goid = goid;
	set[0].ticks = ticks;
	set[0].flags = flags;
}
