/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_MADE_WAITS_H
#define GLEAKD_TESTS_MADE_WAITS_H

/*
 * Fabricated memory of a Go process in which goroutines wait: g structs, stacks, sudogs, channels, and
 * the semaphore table, put together as the runtime of a given version does.
 */
#include "observe/wait_private.h"

#define WAITS_BASE 0xc000000000ULL
#define WAITS_SIZE ((size_t)8 << 20)
#define WAITS_PAGE 4096

struct waits {
	const struct go_layout *layout;
	uint8_t *data; /* of WAITS_BASE on, in pages of its own */
	size_t used;
	struct remote *remote;
	struct wait_runtime runtime;
	struct wait_reader *reader;
	size_t n;
	struct wait_member members[2000];
	uint32_t stack_slot; /* bytes from sched.sp to the variable, before Go 1.26 */
};

struct waits *waits_new(int minor);
void waits_free(struct waits *waits);
/* waits_reader - a new one, after runtime was changed. */
void waits_reader(struct waits *waits);

uint64_t waits_alloc(struct waits *waits, size_t size);
/* waits_page - the same in a page of its own. */
uint64_t waits_page(struct waits *waits);
void waits_put(struct waits *waits, uint64_t address, uint64_t value);
uint64_t waits_get(const struct waits *waits, uint64_t address);
uint8_t *waits_at(const struct waits *waits, uint64_t address);

/* waits_g - the next goroutine, waiting with these words; entered in members. */
uint64_t waits_g(struct waits *waits, const char *words);

uint64_t waits_channel(struct waits *waits, uint64_t length, uint64_t capacity);
/* waits_timer - give a channel a timer (Go 1.23 on) that fires at @when. */
void waits_timer(struct waits *waits, uint64_t channel, uint64_t when);
/* waits_heap - a timer in the heap of a P, which is made for it, that sends to @channel at @when. */
void waits_heap(struct waits *waits, uint64_t channel, uint64_t when);
/* waits_case - one more case of @g: its sudog, also in a queue of the channel. */
uint64_t waits_case(struct waits *waits, uint64_t g, uint64_t channel, bool send);

/* waits_semaphore - @g waits on the word at @address. Returns its sudog. */
uint64_t waits_semaphore(struct waits *waits, uint64_t g, uint64_t address);
/* waits_cond - @g waits on the sync.Cond at @address. Returns its sudog. */
uint64_t waits_cond(struct waits *waits, uint64_t g, uint64_t address);

#endif /* GLEAKD_TESTS_MADE_WAITS_H */
