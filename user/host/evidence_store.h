/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_EVIDENCE_STORE_H
#define GLEAKD_HOST_EVIDENCE_STORE_H

/*
 * The folder of --evidence: what was known of a finding when it was made, one folder for each, written
 * by whoever may. Names are made here, from the time, the process and the site; files have names of a
 * list. Nothing is followed: the folder is opened once, by its owner, and all else is looked up below it
 * without links. A folder is written under another name and renamed when it is whole. It is not synced: after
 * a power failure the last ones may be empty.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"

enum evidence_file {
	EVIDENCE_REPORT,
	EVIDENCE_GOROUTINES,
	EVIDENCE_PROFILE,
	EVIDENCE_HEAP,
	EVIDENCE_FILES,
};

const char *evidence_file__name(enum evidence_file file);

/* "20261130T094501Z-4194304-0123abcd", and "-2" when that is there. */
#define EVIDENCE_NAME_SIZE 48

#define EVIDENCE_MAX_ITEMS 10000u
/* As often as that for one site of one process, however often gleakd itself begins anew. */
#define EVIDENCE_AGAIN_SECONDS 3600u

struct evidence_limits {
	uint32_t items; /* EVIDENCE_MAX_ITEMS at most */
	uint64_t bytes;
};

struct evidence_store;

/*
 * evidence_store__open - folder @path, which is made if it is not there (its parent is). What of an
 * earlier gleakd was not whole is removed. Errors in words: -EPERM others may write there, -EBUSY another
 * gleakd keeps its own there, those of open(2) and mkdir(2); -ENOMEM.
 */
int evidence_store__open(const char *path, const struct evidence_limits *limits,
			 struct evidence_store **ret_store, struct failure *failure) __must_check;
void evidence_store__close(struct evidence_store *store);

/*
 * evidence_store__begin - a new folder, about site @site of @pid, at @now_seconds since the epoch. One that was
 * begun and not kept is discarded. -EEXIST: there is one of this hour, whose name is written to @name.
 */
int evidence_store__begin(struct evidence_store *store, pid_t pid, uint32_t site,
			  uint64_t now_seconds, char name[EVIDENCE_NAME_SIZE]) __must_check;

/*
 * evidence_store__append - to a file of the one that was begun. -EFBIG: with that it would be larger than all
 * together may be; -EBADF none was begun; those of write(2).
 */
int evidence_store__append(struct evidence_store *store, enum evidence_file file, const void *bytes,
			   size_t size) __must_check;

/*
 * evidence_store__keep - the one that was begun is whole. The oldest go, until there are no more and no larger ones
 * than allowed. Its name is written to @name. -EBADF.
 */
int evidence_store__keep(struct evidence_store *store, char name[EVIDENCE_NAME_SIZE]) __must_check;

/* evidence_store__discard - the one that was begun, if any. */
void evidence_store__discard(struct evidence_store *store);

#endif /* GLEAKD_HOST_EVIDENCE_STORE_H */
