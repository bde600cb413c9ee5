// SPDX-License-Identifier: Apache-2.0
/* Locks of a process, from what its sites say of them. */
#include <stdio.h>
#include <string.h>

#include "output/json/reader_private.h"

#define MAX_LOCKS 4096u

static const char *kind_name(unsigned int kind)
{
	return wait_object_kind__name((enum wait_object_kind)kind);
}

/* The lock that @json describes, made if need be; NULL: there are too many. */
static struct report_lock *lock_of(struct report_lock *locks, size_t *n, const json_t *json)
{
	uint64_t address = read__address(json, "address");

	for (size_t i = 0; i < *n; i++) {
		if (locks[i].address == address)
			return &locks[i];
	}
	if (*n == MAX_LOCKS)
		return NULL;
	locks[*n] = (struct report_lock){
		.kind = (enum wait_object_kind)read__word(json, "kind", kind_name,
							  WAIT_OBJECT_SEMAPHORE + 2),
		.address = address,
		.waiters = read__count(json, "waiters"),
		.more_waiters = read__bool(json, "more_waiters"),
	};
	return &locks[(*n)++];
}

static void read_ids(const json_t *list, struct report_lock *lock)
{
	size_t n = min_of(json_array_size(list), (size_t)REPORT_LOCK_MAX_SITES);

	for (size_t i = 0; i < n && !lock->n_sites; i++)
		snprintf(lock->sites[i], sizeof(lock->sites[i]), "%s",
			 report__text(json_string_value(json_array_get(list, i))));
	lock->n_sites = max_of(lock->n_sites, n);
}

static void add_holder(const struct report_target *target, struct report_lock *lock,
		       const struct report_lock_holder *holder)
{
	struct report_lock_holder *added;

	if (lock->n_holders == REPORT_LOCK_MAX_HOLDERS)
		return;
	added = &lock->holders[lock->n_holders++];
	*added = *holder;
	for (size_t i = 0; i < target->n_sites; i++) {
		if (!strcmp(target->sites[i].id, holder->site))
			added->at = &target->sites[i];
	}
}

/* What members of a site wait for: who else does, and who holds it. */
static void read_objects(const json_t *site, const struct report_target *target,
			 struct report_lock *locks, size_t *n)
{
	const json_t *items = json_object_get(json_object_get(site, "objects"), "items");

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *json = json_array_get(items, i);
		const json_t *ids = json_object_get(json, "sites");
		const json_t *holders = json_object_get(json, "holders");
		struct report_lock *lock = NULL;

		if (json_array_size(ids) || json_array_size(holders))
			lock = lock_of(locks, n, json);
		if (!lock)
			continue;
		read_ids(ids, lock);
		for (size_t k = 0; k < json_array_size(holders) && lock->n_holders <= k; k++) {
			const json_t *from = json_array_get(holders, k);
			struct report_lock_holder holder = {
				.goid = read__count(from, "goid"),
				.waiting_ns = read__seconds(from, "waiting_seconds"),
			};

			snprintf(holder.site, sizeof(holder.site), "%s", read__text(from, "site"));
			add_holder(target, lock, &holder);
		}
	}
}

/* What members of a site hold, where nobody is there any more to say which of them. */
static void read_holds(const json_t *site, const struct report_site *at,
		       const struct report_target *target, struct report_lock *locks, size_t *n)
{
	const json_t *list = json_object_get(site, "holds");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *json = json_array_get(list, i);
		struct report_lock *lock = lock_of(locks, n, json);
		struct report_lock_holder holder = {0};

		if (!lock)
			return;
		lock->waiters = read__count(json, "waiters");
		lock->more_waiters = read__bool(json, "more_waiters");
		read_ids(json_object_get(json, "sites"), lock);
		memcpy(holder.site, at->id, sizeof(holder.site));
		if (!report__holds(at, lock))
			add_holder(target, lock, &holder);
	}
}

void read__locks(struct report_reader *reader, const json_t *list, struct report_target *target,
		 struct report_site *sites)
{
	size_t n = 0, max = 0;
	struct report_lock *locks;

	for (size_t i = 0; i < target->n_sites; i++) {
		const json_t *site = json_array_get(list, i);

		max += json_array_size(json_object_get(site, "holds")) +
		       json_array_size(json_object_get(json_object_get(site, "objects"), "items"));
	}
	locks = max ? arena__take(&reader->arena, min_of(max, (size_t)MAX_LOCKS), sizeof(*locks)) :
		      NULL;
	if (!locks)
		return;
	for (size_t i = 0; i < target->n_sites; i++)
		read_objects(json_array_get(list, i), target, locks, &n);
	for (size_t i = 0; i < target->n_sites; i++)
		read_holds(json_array_get(list, i), &sites[i], target, locks, &n);
	for (size_t i = 0; i < target->n_sites; i++) {
		sites[i].locks = locks;
		sites[i].n_locks = n;
	}
}
