/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_STATE_SAVER_H
#define GLEAKD_STATE_SAVER_H

/*
 * Saves the state while the loop goes on: a disk may take seconds to sync a file, and the ring buffer
 * overflows in less. One save at a time, by a thread that lives as long as it takes and that sees
 * nothing but the finished bytes, so that there is never more than one copy of them.
 */
#include "state/file.h"

struct state_saver;

/* state_saver__new - @commit, which is to free the writer, is state_writer__commit() but in tests. */
int state_saver__new(int (*commit)(struct state_writer *writer, struct failure *failure),
		     struct state_saver **ret_saver) __must_check;

/* state_saver__free - does not wait: a save under way goes on, unless the process ends first. */
void state_saver__free(struct state_saver *saver);

/*
 * state_saver__start - save what @writer holds, which is taken over whatever happens. Where no thread
 * can be had it is saved before this returns. -EBUSY: a save is under way; as state_saver__reap().
 */
int state_saver__start(struct state_saver *saver, struct state_writer *writer,
		       struct failure *failure) __must_check;

/*
 * state_saver__reap - what became of the save that was started, waiting for it up to @limit_ns. 1: it
 * is done, 0: there was none, -EINPROGRESS: still under way, else why it failed, also in words. Each
 * outcome is told once.
 */
int state_saver__reap(struct state_saver *saver, uint64_t limit_ns,
		      struct failure *failure) __must_check;

#endif /* GLEAKD_STATE_SAVER_H */
