/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_RECORDING_FILES_H
#define GLEAKD_RECORD_RECORDING_FILES_H

/*
 * The files that SQLite makes of one recording, its journal among them: whoever has given up the privileges to
 * make them asks one that holds them (host/access.h). SQLite has one table of system calls for the whole
 * process, so there is one recording that is written at a time.
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

/* recording_files__size - of it and its journal. */
uint64_t recording_files__size(const char *path);

void recording_files__remove(const char *path);

#endif /* GLEAKD_RECORD_RECORDING_FILES_H */
