/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_RECORDING_FILES_H
#define GLEAKD_RECORD_RECORDING_FILES_H

/*
 * The files that SQLite makes of one recording, its journal among them: whoever has given up the privileges to
 * open them asks one that holds them (host/access.h). SQLite has one table of system calls for the whole
 * process, so there is one recording that is written, or read, at a time.
 */
#include <limits.h>

#include "base/common.h"
#include "base/failure.h"

/* What SQLite appends to the name of a database; "" that itself. */
#define RECORDING_SUFFIXES                     \
	{                                      \
		"", "-journal", "-wal", "-shm" \
	}

#define RECORDING_PATH_MAX (PATH_MAX + sizeof("-journal"))

/* recording_files__create - the recording at @path, empty. Errors: -EEXIST, or those of open(2). */
int recording_files__create(const char *path, struct failure *failure) __must_check;

/* recording_files__use - what sqlite3_open_v2() is to be told of @path, which outlives the database. */
const char *recording_files__use(const char *path);

/*
 * recording_files__find - of one that is to be read, which nothing is made beside or written to: its bytes, and what
 * sqlite3_open_v2() is to be told. @path outlives the database. Errors: those of open(2).
 */
int recording_files__find(const char *path, uint64_t *ret_bytes,
			  const char **ret_name) __must_check;

/* recording_files__size - of it and its journal. */
uint64_t recording_files__size(const char *path);

void recording_files__remove(const char *path);

#endif /* GLEAKD_RECORD_RECORDING_FILES_H */
