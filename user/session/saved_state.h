/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_SAVED_STATE_H
#define GLEAKD_SESSION_SAVED_STATE_H

/*
 * What gleakd knows of its targets, into the state file and back. The numbers of modules are those of
 * this run; in the file a module has its place in the runtime's list, which stays as it is for as long as the
 * process lives.
 */
#include "golang/module_map.h"
#include "naming/places.h"
#include "state/file.h"
#include "track/tracker.h"

/*
 * saved_state__restore - let @tracker, before its first census or event, go on from what @file knows of process
 * @id. Returns what it knows of the process, until the next call; NULL: nothing. Sites beyond the tracker's limits
 * are left out.
 */
const struct saved_process *saved_state__restore(const struct state_file *file,
						 const struct runtime_id *id,
						 const struct module_map *modules,
						 struct places *places, struct tracker *tracker);

/*
 * saved_state__restore_allocs - likewise @history, which has not taken a look yet, from @process: what
 * saved_state__restore() has just returned.
 */
void saved_state__restore_allocs(const struct state_file *file, const struct saved_process *process,
				 struct alloc_history *history);

/* saved_state__write - the target's part of the file; @history may be NULL. -ENOMEM, -EFBIG. */
int saved_state__write(struct state_writer *writer, const struct runtime_id *id,
		       const struct module_map *modules, const struct tracker *tracker,
		       const struct alloc_history *history) __must_check;

#endif /* GLEAKD_SESSION_SAVED_STATE_H */
