// SPDX-License-Identifier: Apache-2.0
#include "report/locks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/site_id.h"

#define MAX_CHANNELS 2 /* of one site, for these to be shared */

_Static_assert(REPORT_LOCK_MAX_SITES == LOCK_HOLDERS_MAX_SITES, "one for each");
_Static_assert(REPORT_LOCK_MAX_HOLDERS == LOCK_HOLDERS_MAX, "one for each");

/* Locks while they are collected: as reports have them, and as questions. */
struct collected {
	struct built_locks *locks;
	struct lock_question questions[BUILT_LOCKS_MAX];
};

/*
 * What code of somebody does who would end the waits for it; 0: nobody is asked for. A channel that is
 * one of many at its site belongs to one member each.
 */
static unsigned int needs_of(const struct wait_object *object, const struct wait_objects *found)
{
	switch (object->kind) {
	case WAIT_OBJECT_MUTEX:
	case WAIT_OBJECT_RWMUTEX:
		return LOCK_CODE_TAKES;
	case WAIT_OBJECT_CHANNEL:
		if (found->distinct > MAX_CHANNELS || object->timer || object->closed ||
		    !object->senders == !object->receivers)
			return 0;
		return object->senders ? LOCK_CODE_RECEIVES : LOCK_CODE_SENDS;
	case WAIT_OBJECT_WAIT_GROUP:
	case WAIT_OBJECT_COND:
	case WAIT_OBJECT_SEMAPHORE:
		break;
	}
	return 0;
}

/* Its number; BUILT_LOCKS_MAX: there is no room. An RWMutex begins with the Mutex of its writers. */
static size_t intern(struct collected *collected, const struct wait_object *object,
		     unsigned int needs)
{
	struct built_locks *locks = collected->locks;

	for (size_t i = 0; i < locks->n; i++) {
		if (locks->all[i].address != object->address)
			continue;
		if (object->kind == WAIT_OBJECT_RWMUTEX)
			locks->all[i].kind = object->kind;
		return i;
	}
	if (locks->n == BUILT_LOCKS_MAX)
		return BUILT_LOCKS_MAX;
	locks->all[locks->n] =
		(struct report_lock){.kind = object->kind, .address = object->address};
	collected->questions[locks->n] =
		(struct lock_question){.address = object->address, .needs = needs};
	return locks->n++;
}

/* How many wait for it, as the object itself tells: of a channel, at the end where they wait. */
static uint64_t waiters_of(const struct wait_object *object)
{
	return object->kind == WAIT_OBJECT_CHANNEL ? max_of(object->senders, object->receivers) :
						     object->waiters;
}

static void collect(struct collected *collected, const struct site_objects_wanted *site,
		    const struct site_view *view, bool channels)
{
	for (size_t i = 0; i < site->found.n_top; i++) {
		const struct wait_object *object = &site->found.top[i];
		struct lock_question *question;
		struct report_lock *lock;
		unsigned int needs = needs_of(object, &site->found);
		size_t number;

		if (!needs || (object->kind == WAIT_OBJECT_CHANNEL) != channels)
			continue;
		number = intern(collected, object, needs);
		if (number == BUILT_LOCKS_MAX)
			return;
		lock = &collected->locks->all[number];
		question = &collected->questions[number];
		/* Members of one site were looked at; of all that wait the object itself tells. */
		lock->waiters = max_of(lock->waiters + object->members, waiters_of(object));
		lock->more_waiters |= object->more_waiters || site->found.looked_at < view->parked;
		question->waiting_ns = max_of(question->waiting_ns, view->oldest_park_ns);
		if (question->n_sites < LOCK_HOLDERS_MAX_SITES)
			question->sites[question->n_sites++] = site->site;
	}
}

static void collect_all(struct collected *collected, const struct target *target,
			const struct site_objects_wanted *looked_at, size_t n, bool channels)
{
	for (size_t i = 0; i < n; i++) {
		const struct site_view *view = site_id__view(target, looked_at[i].site);

		if (view)
			collect(collected, &looked_at[i], view, channels);
	}
}

static void name_sites(const struct target *target, const struct lock_question *question,
		       struct report_lock *lock)
{
	for (size_t i = 0; i < question->n_sites; i++) {
		const struct site_view *view = site_id__view(target, question->sites[i]);

		if (view)
			site_id__of(target, view, lock->sites[lock->n_sites++]);
	}
	for (size_t i = 0; i < question->n_holders; i++) {
		const struct lock_holder *holder = &question->holders[i];
		const struct site_view *view = site_id__view(target, holder->site);
		struct report_lock_holder *told = &lock->holders[lock->n_holders];

		if (!view)
			continue;
		*told = (struct report_lock_holder){.goid = holder->goid,
						    .waiting_ns = holder->waiting_ns};
		site_id__of(target, view, told->site);
		lock->n_holders++;
	}
}

int built_locks__find(struct target *target, const struct site_objects_wanted *looked_at, size_t n,
		      uint64_t now_ns, struct built_locks *ret_locks)
{
	struct collected *collected __cleanup_free = calloc(1, sizeof(*collected));
	int err;

	*ret_locks = (struct built_locks){0};
	if (!collected)
		return -ENOMEM;
	collected->locks = ret_locks;
	/* Where there is no room for all, locks come first. */
	collect_all(collected, target, looked_at, n, false);
	collect_all(collected, target, looked_at, n, true);
	if (!ret_locks->n)
		return 0;
	err = lock_holders__find(target, collected->questions, ret_locks->n, now_ns);
	for (size_t i = 0; !err && i < ret_locks->n; i++)
		name_sites(target, &collected->questions[i], &ret_locks->all[i]);
	return err;
}

void built_locks__place(struct built_locks *locks, const struct report_site *sites, size_t n)
{
	for (size_t i = 0; i < locks->n; i++) {
		struct report_lock *lock = &locks->all[i];

		for (size_t h = 0; h < lock->n_holders; h++)
			lock->holders[h].at = NULL;
		for (size_t s = 0; s < n; s++) {
			for (size_t h = 0; h < lock->n_holders; h++) {
				if (!strcmp(lock->holders[h].site, sites[s].id))
					lock->holders[h].at = &sites[s];
			}
		}
	}
}
