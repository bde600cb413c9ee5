/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_LOOK_H
#define GLEAKD_OBSERVE_WAIT_LOOK_H

/* One look at a group of goroutines, its members, and at the objects they wait on. */
#include "observe/wait_objects.h"
#include "observe/wait_queues.h"

#define WAIT_LOOK_MAX_WAITS 16384 /* pairs of goroutine and object */

/* A g as it was when the look began. */
struct wait_look_member {
	uint64_t goid, g;
	uint64_t waiting; /* sudog */
	uint64_t sp, stack_hi;
	uint32_t status;
	uint8_t reason, sequence;
	bool good;
	uint32_t first_wait, n_waits;
};

struct wait_look_object {
	uint64_t key;	  /* what sudogs refer to: channel, semaphore word, notifyList */
	uint64_t address; /* of the channel or the variable of package sync */
	enum wait_object_kind kind;
	uint32_t members;
	uint32_t last_member; /* the member entered last, plus 1 */
	struct wait_channel channel;
};

struct wait_look {
	size_t n_members, n_waits, n_objects;
	struct wait_look_member members[WAIT_OBJECTS_MAX_MEMBERS];
	uint32_t waits[WAIT_LOOK_MAX_WAITS]; /* index of the object */
	struct wait_look_object objects[WAIT_LOOK_MAX_WAITS];
	struct index *by_key; /* of the objects */
};

/* wait_look__new - empty; NULL without memory. */
struct wait_look *wait_look__new(void);
void wait_look__free(struct wait_look *look);

/* wait_look__find - the object with @key, or NULL. */
struct wait_look_object *wait_look__find(struct wait_look *look, uint64_t key);

/*
 * wait_look__add - note that @member waits on the object with @key; noting it again changes
 * nothing. Members are entered one after the other. @ret_new: the object is new, and the caller
 * fills it in. -E2BIG: no room for more; -ENOMEM.
 */
int wait_look__add(struct wait_look *look, size_t member, uint64_t key,
		   struct wait_look_object **ret_object, bool *ret_new) __must_check;

/* wait_look__count - count the good members of every object. */
void wait_look__count(struct wait_look *look);

/* wait_look__top - indices of the objects with most members, most first; returns how many. */
size_t wait_look__top(const struct wait_look *look, uint32_t top[WAIT_OBJECTS_TOP]);

/* wait_look__sum_up - fill @ret_objects but for .top; after wait_look__count(). */
void wait_look__sum_up(const struct wait_look *look, struct wait_objects *ret_objects);

#endif /* GLEAKD_OBSERVE_WAIT_LOOK_H */
