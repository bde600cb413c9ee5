/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_SCHEMA_H
#define GLEAKD_RECORD_SCHEMA_H

/*
 * The tables of a recording, which docs/recording.md describes for who queries them. A change that
 * readers notice raises RECORD_VERSION; tables and columns are added without that.
 */
#include <sqlite3.h>

#include "base/failure.h"

#define RECORD_VERSION	      1
#define RECORD_APPLICATION_ID 0x676c6b64 /* "glkd", in the header of the file */

#define RECORD_MAX_SITES     65536u /* of all runtimes together; likewise */
#define RECORD_MAX_PLACES    262144u
#define RECORD_MAX_FRAMES    524288u
#define RECORD_MAX_ALLOCS    16384u
#define RECORD_MAX_RESOURCES 65536u
#define RECORD_MAX_GROUPS    16384u /* who allocates */

extern const char record_schema[]; /* statements that make the tables */

/* record__failed - the error of @db at @path in words, as a negative errno. */
int record__failed(sqlite3 *db, const char *path, struct failure *failure);

/* record__errno - what a result code of SQLite is as a negative errno. */
int record__errno(int code);

#endif /* GLEAKD_RECORD_SCHEMA_H */
