// SPDX-License-Identifier: Apache-2.0
#include "observe/wait_queues.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "golang/semtable.h"
#include "observe/wait_timers.h"

#define WORD	   sizeof(uint64_t)
#define MAX_STRUCT 512 /* bytes of a sudog or hchan; they have had 104 and 112 */
#define MAX_DEPTH  512 /* of a treap; a random one of 4 billion has some 100 */

/* The same in the DWARF of every version from 1.18 to 1.27: sudog and waitq begin like this. */
#define SUDOG_NEXT  8
#define SUDOG_PREV  16
#define WAITQ_FIRST 0
/* src/runtime/chan.go hchan, in each of these versions: elemsize comes behind buf. */
#define HCHAN_ELEMSIZE WORD
/* src/runtime/sema.go notifyList: wait, notify uint32; lock, head, tail. */
#define NOTIFY_LIST_HEAD 16
#define NOTIFY_LIST_SIZE 32

/* src/runtime/time.go timer.when: behind a mutex and flags, from 1.25 on also a random number. */
static uint32_t timer_when(const struct go_layout *layout)
{
	return layout->minor >= 25 ? 24 : 16;
}

bool wait_queues__usable(const struct go_layout *layout)
{
	const uint32_t sudog[] = {layout->sudog_g, layout->sudog_elem, layout->sudog_waitlink,
				  layout->sudog_c};
	const uint32_t hchan[] = {layout->hchan_qcount, layout->hchan_dataqsiz,
				  layout->hchan_closed, layout->hchan_recvq,
				  layout->hchan_sendq,	layout->hchan_buf + HCHAN_ELEMSIZE};

	if (layout->sudog_sizeof > MAX_STRUCT || layout->hchan_sizeof > MAX_STRUCT)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sudog); i++) {
		if (sudog[i] > MAX_STRUCT || sudog[i] + WORD > layout->sudog_sizeof)
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(hchan); i++) {
		if (hchan[i] > MAX_STRUCT || hchan[i] + WORD > layout->hchan_sizeof)
			return false;
	}
	return layout->hchan_timer == GO_LAYOUT_ABSENT ||
	       (layout->hchan_timer <= MAX_STRUCT &&
		layout->hchan_timer + WORD <= layout->hchan_sizeof);
}

static int read_struct(struct wait_memory *memory, uint64_t address, uint8_t *data, size_t size)
{
	return !address || address % WORD ? -EINVAL :
					    wait_memory__read(memory, address, data, size);
}

int wait_queues__sudog(const struct wait_runtime *runtime, struct wait_memory *memory,
		       uint64_t address, struct wait_sudog *ret_sudog)
{
	const struct go_layout *layout = runtime->layout;
	uint8_t data[MAX_STRUCT];
	int err = read_struct(memory, address, data, layout->sudog_sizeof);

	if (err)
		return err;
	*ret_sudog = (struct wait_sudog){
		.g = bytes__u64(data, layout->sudog_g),
		.next = bytes__u64(data, SUDOG_NEXT),
		.prev = bytes__u64(data, SUDOG_PREV),
		.elem = bytes__u64(data, layout->sudog_elem),
		.waitlink = bytes__u64(data, layout->sudog_waitlink),
		.channel = bytes__u64(data, layout->sudog_c),
	};
	return 0;
}

/*
 * From 1.23 on a channel knows its timer, unless asynctimerchan=1 is in force, the default where
 * the go.mod of the program names an older Go (src/time/sleep.go syncTimer). Such a timer is in a
 * heap only while a goroutine waits on the channel; `when` is not 0 from its start until it has
 * fired for the last time or is stopped (src/runtime/time.go needsAdd, unlockAndRun, stop).
 */
static bool is_armed(const struct wait_runtime *runtime, struct wait_memory *memory, uint64_t timer)
{
	uint8_t when[WORD];

	return timer && timer % WORD == 0 &&
	       !wait_memory__read(memory, timer + timer_when(runtime->layout), when, WORD) &&
	       (int64_t)bytes__u64(when, 0) > 0;
}

int wait_queues__channel(const struct wait_runtime *runtime, struct wait_memory *memory,
			 uint64_t address, struct wait_channel *ret_channel)
{
	const struct go_layout *layout = runtime->layout;
	struct wait_channel channel;
	uint8_t data[MAX_STRUCT];
	uint32_t closed;
	int err = read_struct(memory, address, data, layout->hchan_sizeof);

	if (err)
		return err;
	closed = (uint32_t)bytes__u64(data, layout->hchan_closed);
	channel = (struct wait_channel){
		.length = bytes__u64(data, layout->hchan_qcount),
		.capacity = bytes__u64(data, layout->hchan_dataqsiz),
		.value_bytes = (uint16_t)bytes__u64(data, layout->hchan_buf + HCHAN_ELEMSIZE),
		.receivers = bytes__u64(data, layout->hchan_recvq + WAITQ_FIRST),
		.senders = bytes__u64(data, layout->hchan_sendq + WAITQ_FIRST),
		.closed = closed,
	};
	if (channel.length > channel.capacity || channel.capacity > INT64_MAX || closed > 1)
		return -EINVAL;
	if (layout->hchan_timer != GO_LAYOUT_ABSENT)
		channel.timer = is_armed(runtime, memory, bytes__u64(data, layout->hchan_timer));
	channel.timer |= wait_timers__will_send(runtime->timers, address);
	*ret_channel = channel;
	return 0;
}

/* Links go both ways (src/runtime/chan.go waitq.enqueue): that leaves no room for a circle. */
struct wait_count wait_queues__count_channel(const struct wait_runtime *runtime,
					     struct wait_memory *memory, uint64_t channel,
					     uint64_t first, uint32_t limit)
{
	struct wait_count count = {0};
	struct wait_sudog sudog;
	uint64_t previous = 0;

	for (uint64_t at = first; at; at = sudog.next) {
		if (count.n == limit || wait_queues__sudog(runtime, memory, at, &sudog) ||
		    sudog.channel != channel || sudog.prev != previous) {
			count.more = true;
			break;
		}
		count.n++;
		previous = at;
	}
	return count;
}

/* The sudog in the treap: the first of those for @semaphore (semaRoot.queue); 0: none. */
static uint64_t find_semaphore(const struct wait_runtime *runtime, struct wait_memory *memory,
			       uint64_t semaphore)
{
	uint64_t root = runtime->semtable + semtable__bucket(semaphore) * runtime->semtable_stride;
	uint8_t treap[WORD];
	uint64_t at;

	if (!runtime->semtable ||
	    wait_memory__read(memory, root + SEMTABLE_TREAP, treap, sizeof(treap)))
		return 0;
	at = bytes__u64(treap, 0);
	for (int depth = 0; at && depth < MAX_DEPTH; depth++) {
		struct wait_sudog sudog;

		if (wait_queues__sudog(runtime, memory, at, &sudog))
			return 0;
		if (sudog.elem == semaphore)
			return at;
		at = semaphore < sudog.elem ? sudog.prev : sudog.next;
	}
	return 0;
}

struct wait_count wait_queues__count_semaphore(const struct wait_runtime *runtime,
					       struct wait_memory *memory, uint64_t semaphore,
					       uint32_t limit)
{
	uint64_t at = find_semaphore(runtime, memory, semaphore);
	struct wait_count count = {.more = !at};
	struct wait_sudog sudog;

	for (; at; at = sudog.waitlink) {
		if (count.n == limit || wait_queues__sudog(runtime, memory, at, &sudog) ||
		    sudog.elem != semaphore) {
			count.more = true;
			break;
		}
		count.n++;
	}
	return count;
}

struct wait_count wait_queues__count_notify_list(const struct wait_runtime *runtime,
						 struct wait_memory *memory, uint64_t list,
						 uint64_t g, uint32_t limit, bool *ret_found)
{
	uint8_t data[NOTIFY_LIST_SIZE];
	struct wait_count count = {0};
	struct wait_sudog sudog;
	bool found = false;

	if (read_struct(memory, list, data, sizeof(data)))
		memset(data, 0, sizeof(data));
	for (uint64_t at = bytes__u64(data, NOTIFY_LIST_HEAD); at; at = sudog.next) {
		if (count.n == limit || wait_queues__sudog(runtime, memory, at, &sudog) ||
		    !sudog.g || sudog.channel) {
			count.more = true;
			break;
		}
		count.n++;
		found |= sudog.g == g;
	}
	*ret_found = found;
	return count;
}
