// SPDX-License-Identifier: Apache-2.0
#include "observe/wait_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/index.h"

/* Large memory comes from the kernel zeroed, and pages that are not used are never allocated. */
struct wait_look *wait_look__new(void)
{
	struct wait_look *look = calloc(1, sizeof(*look));

	if (look && index__new(WAIT_LOOK_MAX_WAITS, &look->by_key)) {
		free(look);
		return NULL;
	}
	return look;
}

void wait_look__free(struct wait_look *look)
{
	if (!look)
		return;
	index__free(look->by_key);
	free(look);
}

struct wait_look_object *wait_look__find(struct wait_look *look, uint64_t key)
{
	struct index_search search = index__search(look->by_key, hash__keyed_word(key));

	while (index__next(&search)) {
		if (look->objects[search.number].key == key)
			return &look->objects[search.number];
	}
	return NULL;
}

/* The waits of a member are in a row, since members are entered one after the other. */
static void add_wait(struct wait_look *look, size_t member, uint32_t object)
{
	struct wait_look_member *waiter = &look->members[member];

	if (!waiter->n_waits)
		waiter->first_wait = (uint32_t)look->n_waits;
	waiter->n_waits++;
	look->waits[look->n_waits++] = object;
	look->objects[object].last_member = (uint32_t)member + 1;
}

int wait_look__add(struct wait_look *look, size_t member, uint64_t key,
		   struct wait_look_object **ret_object, bool *ret_new)
{
	struct wait_look_object *object = wait_look__find(look, key);
	bool is_new = !object;
	int err;

	if (object && object->last_member == member + 1) {
		*ret_object = object;
		*ret_new = false;
		return 0;
	}
	/* There are never more objects than waits. */
	if (look->n_waits == WAIT_LOOK_MAX_WAITS)
		return -E2BIG;
	if (is_new) {
		err = index__add(look->by_key, hash__keyed_word(key), (uint32_t)look->n_objects);
		if (err)
			return err;
		object = &look->objects[look->n_objects++];
		object->key = key;
	}
	add_wait(look, member, (uint32_t)(object - look->objects));
	*ret_object = object;
	*ret_new = is_new;
	return 0;
}

void wait_look__count(struct wait_look *look)
{
	for (size_t i = 0; i < look->n_objects; i++)
		look->objects[i].members = 0;
	for (size_t i = 0; i < look->n_members; i++) {
		const struct wait_look_member *member = &look->members[i];

		for (uint32_t wait = 0; member->good && wait < member->n_waits; wait++)
			look->objects[look->waits[member->first_wait + wait]].members++;
	}
}

/* Ties are broken by address, so that two looks at the same thing say the same. */
static bool comes_before(const struct wait_look_object *a, const struct wait_look_object *b)
{
	return a->members != b->members ? a->members > b->members : a->address < b->address;
}

size_t wait_look__top(const struct wait_look *look, uint32_t top[WAIT_OBJECTS_TOP])
{
	size_t n = 0;

	for (uint32_t i = 0; i < look->n_objects; i++) {
		const struct wait_look_object *object = &look->objects[i];
		size_t at = n;

		if (!object->members)
			continue;
		while (at > 0 && comes_before(object, &look->objects[top[at - 1]]))
			at--;
		if (at == WAIT_OBJECTS_TOP)
			continue;
		n = min_of(n + 1, (size_t)WAIT_OBJECTS_TOP);
		memmove(&top[at + 1], &top[at], (n - 1 - at) * sizeof(top[0]));
		top[at] = i;
	}
	return n;
}

static void count_channels(const struct wait_look *look, const struct wait_look_member *member,
			   struct wait_objects *sum)
{
	bool timer = false, buffer = false;

	for (uint32_t wait = 0; wait < member->n_waits; wait++) {
		const struct wait_look_object *object =
			&look->objects[look->waits[member->first_wait + wait]];

		timer |= object->channel.timer;
		buffer |= object->channel.capacity > 0;
	}
	sum->with_timer += timer;
	sum->with_buffer += buffer;
}

void wait_look__sum_up(const struct wait_look *look, struct wait_objects *ret_objects)
{
	struct wait_objects sum = {0};

	for (size_t i = 0; i < look->n_members; i++) {
		sum.looked_at += look->members[i].good;
		sum.unreadable += !look->members[i].good;
		if (look->members[i].good)
			count_channels(look, &look->members[i], &sum);
	}
	for (size_t i = 0; i < look->n_objects; i++) {
		sum.distinct += look->objects[i].members != 0;
		sum.shared_by = max_of(sum.shared_by, look->objects[i].members);
	}
	*ret_objects = sum;
}
