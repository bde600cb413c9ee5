/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_STATE_FORMAT_H
#define GLEAKD_STATE_FORMAT_H

/*
 * The bytes of a state file; no I/O. All numbers of the head are little-endian:
 *
 *	 0  8  magic
 *	 8  4  version
 *	12  4  CRC-32 (zlib's) of all that follows
 *	16  8  length of the file
 *	24 16  boot id
 *	40     who is in quarantine, then processes
 *
 * The rest is numbers in base 128, little-endian, seven bits a byte and the eighth set in all but the
 * last: most are small. What rises (times, goids) is the difference to the one before.
 *
 *	process  1, pid, start time, address of moduledata, struct saved_process; then its sites
 *	site     2, struct saved_site
 *	alloc    3, struct saved_alloc; all of a process follow its sites
 *	quarantined 4, pid, start time, owner, until when (monotonic, in seconds)
 *	end      0
 *
 * The structs of track/saved.h are their fields in order, a history after a 1, a missing one 0.
 */
#include "base/common.h"
#include "golang/runtime_id.h"
#include "host/quarantine.h"
#include "track/saved.h"

#define STATE_HEAD_SIZE	   40u
#define STATE_CRC_FROM	   16u
#define STATE_BOOT_ID_SIZE 16u

struct state_boot_id {
	uint8_t bytes[STATE_BOOT_ID_SIZE];
};

/* --- writing ------------------------------------------------------------------------------------ */

/* Bytes that grow up to STATE_MAX_BYTES. */
struct state_bytes {
	uint8_t *data;
	size_t length, capacity;
	int err; /* -ENOMEM, -EFBIG, -EINVAL times that do not rise: what follows is ignored */
};

void state_bytes__put_process(struct state_bytes *bytes, const struct runtime_id *id,
			      const struct saved_process *process);
void state_bytes__put_site(struct state_bytes *bytes, const struct saved_site *site);
/* state_bytes__put_alloc - of a process with @looks. */
void state_bytes__put_alloc(struct state_bytes *bytes, const struct saved_alloc *alloc,
			    unsigned int looks);

void state_bytes__put_quarantined(struct state_bytes *bytes, const struct quarantine_entry *entry);

/* state_bytes__begin - leave room for the head. */
void state_bytes__begin(struct state_bytes *bytes);
/* state_bytes__finish - the end, and the head. */
void state_bytes__finish(struct state_bytes *bytes, const struct state_boot_id *boot);

/* --- reading ------------------------------------------------------------------------------------ */

/* state_head__check - 0, or as state_file__open() and in @ret_fault why, in words. */
int state_head__check(const uint8_t *data, size_t length, const struct state_boot_id *boot,
		      const char **ret_fault) __must_check;

/* A piece of a file and the memory that it is unpacked into, one thing at a time. */
struct state_cursor {
	const uint8_t *at, *end;
	uint64_t now_ticks; /* nothing is later than that */
	const char *fault;  /* the first thing wrong; what follows reads as zeros */
	unsigned int looks; /* of the last process */

	struct history history;
	struct history_tier tiers[HISTORY_TIERS];
};

enum state_record {
	STATE_END,
	STATE_PROCESS,
	STATE_SITE,
	STATE_ALLOC,
	STATE_QUARANTINED,
};

void state_cursor__init(struct state_cursor *cursor, const uint8_t *at, const uint8_t *end,
			uint64_t now_ticks);

/* state_cursor__next - what comes next; STATE_END with a fault when that makes no sense. */
enum state_record state_cursor__next(struct state_cursor *cursor);

/* What follows; histories are @cursor's until the next one is read. */
void state_cursor__process(struct state_cursor *cursor, struct runtime_id *ret_id,
			   struct saved_process *ret_process);
void state_cursor__site(struct state_cursor *cursor, struct saved_site *ret_site);
void state_cursor__alloc(struct state_cursor *cursor, struct saved_alloc *ret_alloc);
void state_cursor__quarantined(struct state_cursor *cursor, struct quarantine_entry *ret_entry);

#endif /* GLEAKD_STATE_FORMAT_H */
