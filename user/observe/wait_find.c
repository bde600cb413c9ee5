// SPDX-License-Identifier: Apache-2.0
/*
 * Where a waiting goroutine keeps what it waits on:
 *
 * channels     g.waiting, one sudog per case of a select, in the order of the channels' addresses
 *                (src/runtime/chan.go, select.go selectgo)
 * sync, 1.26+  g.waiting, one sudog, whose elem is the semaphore's word or the notifyList
 *                (src/runtime/sema.go queue, notifyListWait)
 * sync before  the sudog is a variable of semacquire1, the frame above gopark; it is released
 *                after the wait and therefore kept on the stack. What of it there shows this g, no
 *                channel and an address is the one in use: releaseSudog refuses a sudog that has
 *                an address. A Cond is a variable of Cond.Wait, two frames up, and is taken for it when its
 *                list has this g. Where in the frame the variable is depends on the compiler; once
 *                found it is looked for there first.
 */
#include "observe/wait_find.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define WORD		    sizeof(uint64_t)
#define STACK_BYTES	    1024 /* from sched.sp: gopark, what called it, and Cond.Wait */
#define NOTIFY_LIST_OF_COND 16	 /* src/sync/cond.go: behind an interface, in all versions */

const char *wait__reason_text(const struct wait_visit *visit, const struct wait_look_member *member)
{
	const struct go_layout *layout = visit->reader->runtime.layout;

	if (member->reason < layout->n_wait_reasons)
		return go_layout__wait_reason(layout, member->reason);
	return visit->wait_reason ? visit->wait_reason : "";
}

/*
 * From the word a sudog refers to back to the variable, by the reason of the wait
 * (src/sync/mutex.go, rwmutex.go, waitgroup.go, cond.go; the same in the DWARF of every version
 * from 1.18 to 1.27).
 */
static void name_object(struct wait_look_object *object, const char *reason)
{
	static const struct {
		const char *reason;
		enum wait_object_kind kind;
		uint32_t offset;
	} variables[] = {
		{"sync.Mutex.Lock", WAIT_OBJECT_MUTEX, 4},
		{"sync.RWMutex.Lock", WAIT_OBJECT_RWMUTEX, 8},
		{"sync.RWMutex.RLock", WAIT_OBJECT_RWMUTEX, 12},
		{"sync.WaitGroup.Wait", WAIT_OBJECT_WAIT_GROUP, 8},
		{"sync.Cond.Wait", WAIT_OBJECT_COND, NOTIFY_LIST_OF_COND},
	};
	size_t length = strcspn(reason, " "); /* without "(durable)" */

	object->kind = WAIT_OBJECT_SEMAPHORE;
	object->address = object->key;
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		if (strlen(variables[i].reason) != length ||
		    memcmp(variables[i].reason, reason, length) != 0)
			continue;
		object->kind = variables[i].kind;
		object->address = object->key - variables[i].offset;
	}
}

static int enter_variable(struct wait_visit *visit, size_t i, uint64_t key)
{
	struct wait_look_object *object;
	bool is_new;
	const char *reason = wait__reason_text(visit, &visit->look->members[i]);
	int err = wait_look__add(visit->look, i, key, &object, &is_new);

	/* Before 1.24 its reason is that of any semaphore. */
	if (visit->class == WAIT_WAIT_GROUP)
		reason = "sync.WaitGroup.Wait";
	if (!err && is_new)
		name_object(object, reason);
	return err;
}

static int enter_channel(struct wait_visit *visit, size_t i, uint64_t address)
{
	struct wait_look_object *object = wait_look__find(visit->look, address);
	struct wait_channel channel = {0};
	bool is_new;
	int err = 0;

	if (!object)
		err = wait_queues__channel(&visit->reader->runtime, visit->memory, address,
					   &channel);
	if (!err)
		err = wait_look__add(visit->look, i, address, &object, &is_new);
	if (!err && is_new) {
		object->kind = WAIT_OBJECT_CHANNEL;
		object->address = address;
		object->channel = channel;
	}
	return err;
}

/*
 * Finds the channels of all cases. They come in rising order of address, which breaks a list that
 * turns back. Within one channel that has several cases, one sudog is remembered and must not come
 * again (Brent 1980).
 */
static int find_channels(struct wait_visit *visit, size_t i)
{
	const struct wait_look_member *member = &visit->look->members[i];
	uint64_t at = member->waiting, channel = 0, mark = 0;
	struct wait_sudog sudog;

	for (unsigned int n = 1; n <= WAIT_OBJECTS_MAX_CASES; n++) {
		int err = wait_queues__sudog(&visit->reader->runtime, visit->memory, at, &sudog);

		if (!err && (sudog.g != member->g || sudog.channel < channel || !sudog.channel ||
			     at == mark))
			err = -EINVAL;
		if (!err)
			err = enter_channel(visit, i, sudog.channel);
		if (err)
			return err;
		if ((n & (n - 1)) == 0)
			mark = at;
		channel = sudog.channel;
		at = sudog.waitlink;
		if (!at)
			break;
	}
	return 0;
}

/* Whether @address is the sudog with which @member waits on a variable. */
static bool is_own_sudog(struct wait_visit *visit, const struct wait_look_member *member,
			 uint64_t address, uint64_t *ret_key)
{
	struct wait_sudog sudog;

	if (wait_queues__sudog(&visit->reader->runtime, visit->memory, address, &sudog) ||
	    sudog.g != member->g || sudog.channel || !sudog.elem || sudog.elem % sizeof(uint32_t))
		return false;
	*ret_key = sudog.elem;
	return true;
}

/* --- on the stack ------------------------------------------------------------------------------- */

/* Returns how many bytes of the innermost frames there are. */
static uint32_t read_stack(struct wait_visit *visit, const struct wait_look_member *member,
			   uint8_t stack[STACK_BYTES])
{
	uint64_t size;

	if (!member->sp || member->sp % WORD || member->stack_hi <= member->sp)
		return 0;
	size = min_of(member->stack_hi - member->sp, (uint64_t)STACK_BYTES) & ~(WORD - 1);
	return wait_memory__read(visit->memory, member->sp, stack, size) ? 0 : (uint32_t)size;
}

static int find_on_stack(struct wait_visit *visit, size_t i)
{
	const struct wait_look_member *member = &visit->look->members[i];
	uint32_t *slot = &visit->reader->sudog_slot;
	uint8_t stack[STACK_BYTES];
	uint32_t size = read_stack(visit, member, stack);
	uint64_t key;

	if (*slot < size && is_own_sudog(visit, member, bytes__u64(stack, *slot), &key))
		return enter_variable(visit, i, key);
	for (uint32_t at = 0; at < size; at += WORD) {
		if (!is_own_sudog(visit, member, bytes__u64(stack, at), &key))
			continue;
		*slot = at;
		return enter_variable(visit, i, key);
	}
	return -EINVAL;
}

static bool is_own_list(struct wait_visit *visit, const struct wait_look_member *member,
			uint64_t list)
{
	bool found;

	if (!list || list % WORD)
		return false;
	wait_queues__count_notify_list(&visit->reader->runtime, visit->memory, list, member->g,
				       WAIT_OBJECTS_MAX_WAITERS, &found);
	return found;
}

/*
 * A list that was proven to be a notifyList is not walked again for each goroutine on it: a
 * goroutine that waits for a Cond has its address on the stack, in this variable.
 */
static int find_cond_on_stack(struct wait_visit *visit, size_t i)
{
	const struct wait_look_member *member = &visit->look->members[i];
	struct wait_reader *reader = visit->reader;
	uint8_t stack[STACK_BYTES];
	uint32_t size = read_stack(visit, member, stack);

	if (reader->cond_slot < size) {
		uint64_t list = bytes__u64(stack, reader->cond_slot) + reader->cond_skip;

		if (wait_look__find(visit->look, list) || is_own_list(visit, member, list))
			return enter_variable(visit, i, list);
	}
	for (uint32_t at = 0; at < 2 * size; at += WORD) {
		uint32_t slot = at % size;
		uint64_t skip = at < size ? NOTIFY_LIST_OF_COND : 0;
		uint64_t list = bytes__u64(stack, slot) + skip;

		if (!bytes__u64(stack, slot) || !is_own_list(visit, member, list))
			continue;
		reader->cond_slot = slot;
		reader->cond_skip = skip;
		return enter_variable(visit, i, list);
	}
	return -EINVAL;
}

/* --- all of them -------------------------------------------------------------------------------- */

static int find_object(struct wait_visit *visit, size_t i)
{
	const struct wait_look_member *member = &visit->look->members[i];
	uint64_t key;

	switch (visit->how) {
	case WAIT_BY_CHANNELS:
		return find_channels(visit, i);
	case WAIT_BY_SUDOG:
		return is_own_sudog(visit, member, member->waiting, &key) ?
			       enter_variable(visit, i, key) :
			       -EINVAL;
	case WAIT_BY_STACK:
		return find_on_stack(visit, i);
	case WAIT_COND_BY_STACK:
		return find_cond_on_stack(visit, i);
	}
	return -EINVAL;
}

void wait_find__objects(struct wait_visit *visit)
{
	for (size_t i = 0; i < visit->look->n_members; i++) {
		struct wait_look_member *member = &visit->look->members[i];

		int err = member->good ? find_object(visit, i) : 0;

		/* What the searches make of a read that was refused is no word about the member. */
		if (err == -E2BIG || (err && !visit->reader->budget.left)) {
			visit->look->n_members = i;
			return;
		}
		if (err)
			member->good = false;
	}
}
