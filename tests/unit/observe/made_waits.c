// SPDX-License-Identifier: Apache-2.0
#include "made_waits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "golang/semtable.h"

#define STACK_SIZE 2048
#define STRIDE	   64
#define NEXT	   8
#define PREV	   16

uint8_t *waits_at(const struct waits *waits, uint64_t address)
{
	if (address < WAITS_BASE || address - WAITS_BASE > WAITS_SIZE - 8)
		abort();
	return waits->data + (address - WAITS_BASE);
}

void waits_put(struct waits *waits, uint64_t address, uint64_t value)
{
	memcpy(waits_at(waits, address), &value, sizeof(value));
}

uint64_t waits_get(const struct waits *waits, uint64_t address)
{
	uint64_t value;

	memcpy(&value, waits_at(waits, address), sizeof(value));
	return value;
}

uint64_t waits_alloc(struct waits *waits, size_t size)
{
	uint64_t address = WAITS_BASE + waits->used;

	waits->used += (size + 15) & ~(size_t)15;
	if (waits->used > WAITS_SIZE)
		abort();
	return address;
}

uint64_t waits_page(struct waits *waits)
{
	uint64_t address;

	waits->used = (waits->used + WAITS_PAGE - 1) / WAITS_PAGE * WAITS_PAGE;
	address = waits_alloc(waits, WAITS_PAGE);
	return address;
}

void waits_reader(struct waits *waits)
{
	wait_reader__free(waits->reader);
	if (wait_reader__new_runtime(&waits->runtime, waits->remote, &waits->reader))
		abort();
}

struct waits *waits_new(int minor)
{
	struct waits *waits = calloc(1, sizeof(*waits));
	struct remote_range range = {.address = WAITS_BASE, .size = WAITS_SIZE};

	if (!waits)
		abort();
	waits->data = mmap(NULL, WAITS_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (waits->data == MAP_FAILED)
		abort();
	range.data = waits->data;
	waits->used = WAITS_PAGE;
	waits->stack_slot = 208;
	waits->layout = go_layout__find(minor);
	if (!waits->layout || remote__open_image(&range, 1, &waits->remote))
		abort();
	waits->runtime = (struct wait_runtime){
		.layout = waits->layout,
		.semtable = waits_alloc(waits, (size_t)STRIDE * SEMTABLE_BUCKETS),
		.semtable_stride = STRIDE,
	};
	waits_reader(waits);
	return waits;
}

void waits_free(struct waits *waits)
{
	wait_reader__free(waits->reader);
	remote__free(waits->remote);
	munmap(waits->data, WAITS_SIZE);
	free(waits);
}

static uint8_t number_of(const struct go_layout *layout, const char *words)
{
	for (size_t i = 0; i < layout->n_wait_reasons; i++) {
		if (!strcmp(layout->wait_reasons[i], words))
			return (uint8_t)i;
	}
	abort();
}

uint64_t waits_g(struct waits *waits, const char *words)
{
	const struct go_layout *l = waits->layout;
	uint64_t g = waits_alloc(waits, l->g_sizeof), stack = waits_alloc(waits, STACK_SIZE);
	uint32_t status = GO_STATUS_WAITING;

	waits_put(waits, g + l->g_stack_lo, stack);
	waits_put(waits, g + l->g_stack_hi, stack + STACK_SIZE);
	waits_put(waits, g + l->g_sched_sp, stack + STACK_SIZE / 2);
	waits_put(waits, g + l->g_goid, waits->n + 18);
	memcpy(waits_at(waits, g + l->g_atomicstatus), &status, sizeof(status));
	*waits_at(waits, g + l->g_waitreason) = number_of(l, words);
	*waits_at(waits, g + l->g_trackingSeq) = 7;
	if (waits->n == ARRAY_SIZE(waits->members))
		abort();
	waits->members[waits->n] = (struct wait_member){.goid = waits->n + 18, .address = g};
	waits->n++;
	return g;
}

static uint64_t new_sudog(struct waits *waits, uint64_t g)
{
	uint64_t sudog = waits_alloc(waits, waits->layout->sudog_sizeof);

	waits_put(waits, sudog + waits->layout->sudog_g, g);
	return sudog;
}

/* --- channels ----------------------------------------------------------------------------------- */

uint64_t waits_channel(struct waits *waits, uint64_t length, uint64_t capacity)
{
	uint64_t channel = waits_alloc(waits, waits->layout->hchan_sizeof);

	waits_put(waits, channel + waits->layout->hchan_qcount, length);
	waits_put(waits, channel + waits->layout->hchan_dataqsiz, capacity);
	return channel;
}

void waits_timer(struct waits *waits, uint64_t channel, uint64_t when)
{
	uint64_t timer = waits_alloc(waits, 128);

	waits_put(waits, channel + waits->layout->hchan_timer, timer);
	waits_put(waits, timer + (waits->layout->minor >= 25 ? 24 : 16), when);
}

void waits_heap(struct waits *waits, uint64_t channel, uint64_t when)
{
	const struct go_layout *l = waits->layout;
	uint64_t timer = waits_alloc(waits, 128), heap = waits_alloc(waits, 16);
	uint64_t p = waits_alloc(waits, l->p_timers + 16), ps, n;

	if (!waits->runtime.allp) {
		waits->runtime.allp = waits_alloc(waits, 24);
		waits_put(waits, waits->runtime.allp, waits_alloc(waits, 8 * 8));
	}
	waits_put(waits, timer + l->timer_when, when);
	waits_put(waits, timer + l->timer_arg + 8, channel);
	waits_put(waits, heap, timer);
	waits_put(waits, p + l->p_timers, heap);
	waits_put(waits, p + l->p_timers + 8, 1);
	ps = waits_get(waits, waits->runtime.allp);
	n = waits_get(waits, waits->runtime.allp + 8);
	waits_put(waits, ps + 8 * n, p);
	waits_put(waits, waits->runtime.allp + 8, n + 1);
	waits_reader(waits);
}

static void enqueue(struct waits *waits, uint64_t queue, uint64_t sudog)
{
	uint64_t last = waits_get(waits, queue + 8);

	waits_put(waits, sudog + PREV, last);
	waits_put(waits, last ? last + NEXT : queue, sudog);
	waits_put(waits, queue + 8, sudog);
}

uint64_t waits_case(struct waits *waits, uint64_t g, uint64_t channel, bool send)
{
	const struct go_layout *l = waits->layout;
	uint64_t sudog = new_sudog(waits, g), at = g + l->g_waiting;

	while (waits_get(waits, at))
		at = waits_get(waits, at) + l->sudog_waitlink;
	waits_put(waits, at, sudog);
	waits_put(waits, sudog + l->sudog_c, channel);
	enqueue(waits, channel + (send ? l->hchan_sendq : l->hchan_recvq), sudog);
	return sudog;
}

/* --- package sync ------------------------------------------------------------------------------- */

/* Where the goroutine itself says what it waits on: in g.waiting, or in a variable of its frame. */
static void note(struct waits *waits, uint64_t g, uint64_t sudog, uint64_t variable)
{
	const struct go_layout *l = waits->layout;

	if (l->minor >= 26)
		waits_put(waits, g + l->g_waiting, sudog);
	else
		waits_put(waits, waits_get(waits, g + l->g_sched_sp) + waits->stack_slot, variable);
}

/* As semaRoot.queue, without the treap's rotations. */
uint64_t waits_semaphore(struct waits *waits, uint64_t g, uint64_t address)
{
	const struct go_layout *l = waits->layout;
	uint64_t sudog = new_sudog(waits, g);
	uint64_t root = waits->runtime.semtable + semtable__bucket(address) * STRIDE;
	uint64_t at = root + SEMTABLE_TREAP;

	waits_put(waits, sudog + l->sudog_elem, address);
	waits_put(waits, root + SEMTABLE_NWAIT, waits_get(waits, root + SEMTABLE_NWAIT) + 1);
	note(waits, g, sudog, sudog);
	while (waits_get(waits, at)) {
		uint64_t other = waits_get(waits, at);
		uint64_t key = waits_get(waits, other + l->sudog_elem);

		if (key == address)
			at = other + l->sudog_waitlink;
		else
			at = other + (address < key ? PREV : NEXT);
	}
	waits_put(waits, at, sudog);
	return sudog;
}

uint64_t waits_cond(struct waits *waits, uint64_t g, uint64_t address)
{
	const struct go_layout *l = waits->layout;
	uint64_t sudog = new_sudog(waits, g), list = address + 16, head = list + 16;
	uint64_t last = waits_get(waits, list + 24);

	if (l->minor >= 26)
		waits_put(waits, sudog + l->sudog_elem, list);
	note(waits, g, sudog, address);
	waits_put(waits, last ? last + NEXT : head, sudog);
	waits_put(waits, list + 24, sudog);
	return sudog;
}
