/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_STATE_FILE_H
#define GLEAKD_STATE_FILE_H

/*
 * --state FILE: what gleakd knows of its processes survives its own restart. One binary file,
 * written whole to a neighbour, synced and renamed; with a version, a length and a checksum, and
 * the boot it belongs to. What is corrupt, too new, too large or of another boot is no error of the
 * run: the caller is told in words and starts afresh. Its contents are hostile input.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/runtime_id.h"
#include "host/quarantine.h"
#include "track/saved.h"

#define STATE_MAX_BYTES	    (256u << 20)
#define STATE_MAX_PROCESSES 65536
#define STATE_MAX_SITES	    65536 /* of one process */
#define STATE_MAX_ALLOCS    65536 /* likewise */

/* --- writing: begin, then processes with their sites, then commit ------------------------------ */

struct state_writer;

/* state_writer__begin - for @path; nothing is written yet. -ENOMEM. */
int state_writer__begin(const char *path, struct state_writer **ret_writer) __must_check;
/* state_writer__quarantined - before all processes. */
int state_writer__quarantined(struct state_writer *writer,
			      const struct quarantine_entry *entry) __must_check;
int state_writer__process(struct state_writer *writer, const struct runtime_id *id,
			  const struct saved_process *process) __must_check;
/* state_writer__site - of the process before. */
int state_writer__site(struct state_writer *writer, const struct saved_site *site) __must_check;
/* state_writer__alloc - likewise, behind all of its sites. */
int state_writer__alloc(struct state_writer *writer, const struct saved_alloc *alloc) __must_check;
/*
 * state_writer__commit - replace the file (mode 0600) and free the writer, whatever happens. The
 * old file stays as it was on failure: -ENOSPC, -EROFS, -ENOENT no directory, ...
 */
int state_writer__commit(struct state_writer *writer, struct failure *failure) __must_check;
void state_writer__abort(struct state_writer *writer);

/* --- reading ------------------------------------------------------------------------------------ */

struct state_file;

/*
 * state_file__open - read and check all of it. -ENOENT there is none; -EBADMSG corrupt or cut short,
 * -EPROTO another version, -ESTALE of another boot, -EFBIG; all with a failure in words.
 */
int state_file__open(const char *path, struct state_file **ret_file,
		     struct failure *failure) __must_check;
void state_file__close(struct state_file *file);

/* state_file__quarantined - who was in quarantine when it was written, QUARANTINE_MAX at most. */
const struct quarantine_entry *state_file__quarantined(const struct state_file *file,
						       size_t *ret_n);

/*
 * state_file__find - what is known of runtime @id of a process: NULL when nothing is. Visits its sites;
 * false from @visit stops.
 */
const struct saved_process *
state_file__find(const struct state_file *file, const struct runtime_id *id,
		 bool (*visit)(void *ctx, const struct saved_site *site), void *ctx);

/*
 * state_file__each_alloc - visits what is known of the memory of the process that state_file__find() has
 * returned last; false from @visit stops.
 */
void state_file__each_alloc(const struct state_file *file,
			    bool (*visit)(void *ctx, const struct saved_alloc *alloc), void *ctx);

#endif /* GLEAKD_STATE_FILE_H */
