/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_EVENTS_H
#define GLEAKD_OBSERVE_EVENTS_H

/*
 * Reads the BPF ring buffer, checks every record and hands it on. Records are foreign data: those
 * of a wrong size or kind are counted and dropped.
 */
#include "base/common.h"
#include "probe/abi.h"

struct event_reader;

/*
 * Called once per record, oldest first. @create is NULL unless head->kind is PROBE_EVENT_CREATE, and @creator
 * unless the record has the stack of who created it: head->n_pcs, GL_CREATOR_STACK at most. @wake is NULL unless
 * it is PROBE_EVENT_WAKE, with head->n_pcs, GL_WAKE_STACK at most, in it.
 * The pointers are valid during the call only.
 */
typedef void (*event_fn)(void *ctx, const struct gl_event *head,
			 const struct gl_event_create *create, const struct gl_creator *creator,
			 const struct gl_event_wake *wake);

/*
 * event_reader__new - consume the ring buffer map @ring_fd, which has @ring_bytes and outlives the reader.
 * -ENOMEM or the kernel's refusal.
 */
int event_reader__new(int ring_fd, size_t ring_bytes, event_fn fn, void *ctx,
		      struct event_reader **ret_reader) __must_check;
void event_reader__free(struct event_reader *reader);

/* event_reader__epoll_fd - becomes readable when the BPF side asks for a wake-up (ring half full). */
int event_reader__epoll_fd(const struct event_reader *reader);

/*
 * event_reader__consume - read what is in the ring now, at most one ringful. Returns the number of
 * records. Never blocks.
 */
size_t event_reader__consume(struct event_reader *reader);

uint64_t event_reader__consumed(const struct event_reader *reader);
uint64_t event_reader__malformed(const struct event_reader *reader);

/* event_record__decode - one raw record; false and nothing called when malformed. For fuzzing. */
bool event_record__decode(const void *data, size_t size, event_fn fn, void *ctx);

#endif /* GLEAKD_OBSERVE_EVENTS_H */
