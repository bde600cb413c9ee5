/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_READER_H
#define GLEAKD_RECORD_READER_H

/*
 * Reads a recording (docs/recording.md), also one that is being written, or that a gleakd which was
 * killed has left. It is foreign data: what makes no sense is left out or refused, and no more is
 * read than the limits of output/timeline.h say.
 */
#include "output/timeline.h"
#include "base/failure.h"

struct recording;

/*
 * recording__open - read the file at @path. Errors in words: -ENOENT, -EACCES; -EPROTO it is no recording
 * or is damaged; -EOPNOTSUPP one of a newer version; -ENODATA nothing was recorded yet; -ENOMEM.
 */
int recording__open(const char *path, struct recording **ret_recording,
		    struct failure *failure) __must_check;

/* recording__open_bytes - the same of a file in memory. */
int recording__open_bytes(const void *bytes, size_t size, struct recording **ret_recording,
			  struct failure *failure) __must_check;
void recording__free(struct recording *recording);

/* Both are valid until the recording is freed. */
const struct report *recording__report(const struct recording *recording);
const struct timeline *recording__timeline(const struct recording *recording);

/* recording__is - whether the file that begins with these bytes is meant to be one. */
bool recording__is(const void *bytes, size_t size);

#endif /* GLEAKD_RECORD_READER_H */
