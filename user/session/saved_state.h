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
 * @id. Returns whether it knows the process. Sites beyond the tracker's limits are left out.
 */
bool saved_state__restore(const struct state_file *file, const struct runtime_id *id,
			  const struct module_map *modules, struct places *places,
			  struct tracker *tracker);

/* saved_state__write - @tracker's part of the file. -ENOMEM, -EFBIG. */
int saved_state__write(struct state_writer *writer, const struct runtime_id *id,
		       const struct module_map *modules,
		       const struct tracker *tracker) __must_check;

#endif /* GLEAKD_SESSION_SAVED_STATE_H */
