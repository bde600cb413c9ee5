/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_PROCESS_TABLE_H
#define GLEAKD_DISCOVER_PROCESS_TABLE_H

/*
 * Memory of discovery: a record for each process it has heard of, found by pid, and those with
 * something to be done in the order of when. Pure, and of bounded size.
 */
#include "base/common.h"
#include "discover/owners.h"
#include "host/exe_file.h"

enum process_state {
	PROCESS_CANDIDATE, /* not looked at yet */
	PROCESS_REJECTED,  /* no Go program, or not wanted */
	PROCESS_ATTACHED,
	PROCESS_UNSUPPORTED, /* a Go program that cannot be watched */
	PROCESS_FAILED,	     /* will be tried again */
	PROCESS_PAUSED,	     /* no room for now; will be tried again */
	PROCESS_STATES,
};

struct process_entry {
	struct process_id id;
	enum process_state state;
	struct exe_file image; /* when it was looked at */
	bool started;	       /* the start time in `id` is known: of Go programs only */
	bool identified;       /* else there is no image */
	bool leaving;	       /* attached, and said to have ended */
	uint8_t attempts;      /* in vain, in a row */
	uid_t uid;	       /* effective */
	uid_t owner;	       /* as host/owner.h has it; does not change while it is attached */
	bool searched;	       /* for what it has mapped, which was then: */
	uint64_t mapped_code, fingerprint; /* as discover/runtimes.h has it */
	uint64_t looked_ns;		   /* when it was looked at; 0: never */
	uint64_t sweep;			   /* the last one that saw it */

	uint64_t due_ns;
	size_t heap_index;	    /* PROCESS_TABLE_IDLE: nothing to be done */
	struct process_entry *next; /* in its bucket */
};

#define PROCESS_TABLE_MAX  65536
#define PROCESS_TABLE_IDLE SIZE_MAX

struct process_table;

int process_table__new(size_t max, struct process_table **ret_table) __must_check;
void process_table__free(struct process_table *table);

struct process_entry *process_table__find(const struct process_table *table, pid_t pid);

/* process_table__add - a candidate; NULL when the table is full or without memory. */
struct process_entry *process_table__add(struct process_table *table, pid_t pid);
void process_table__remove(struct process_table *table, struct process_entry *entry);

/* process_table__set_state - keeps the counts. */
void process_table__set_state(struct process_table *table, struct process_entry *entry,
			      enum process_state state);

/* process_table__schedule / _unschedule - to be done at @due_ns; nothing any more. */
void process_table__schedule(struct process_table *table, struct process_entry *entry,
			     uint64_t due_ns);
void process_table__unschedule(struct process_table *table, struct process_entry *entry);

/* process_table__next - what is due first; NULL when nothing is. */
struct process_entry *process_table__next(const struct process_table *table);

/* process_table__each - @fn may remove the record it is given, no other one. */
void process_table__each(struct process_table *table,
			 void (*fn)(void *ctx, struct process_entry *entry), void *ctx);

size_t process_table__count(const struct process_table *table, enum process_state state);

/* process_table__owners - how many of each owner are attached. */
const struct owners *process_table__owners(const struct process_table *table);

/* process_table__latest_of - of those of @owner that are attached the one looked at last; or NULL. */
struct process_entry *process_table__latest_of(const struct process_table *table, uid_t owner);

#endif /* GLEAKD_DISCOVER_PROCESS_TABLE_H */
