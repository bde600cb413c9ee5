/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_DISCOVERY_INTERNAL_H
#define GLEAKD_DISCOVER_DISCOVERY_INTERNAL_H

/*
 * What discovery.c, which looks at processes, discovery_files.c, which looks at what they run, and
 * discovery_sweep.c, which looks through /proc, share.
 */
#include "discover/discovery.h"
#include "discover/exe_cache.h"
#include "discover/look_shares.h"
#include "discover/process_table.h"

/* Between fork and exec a process looks like its parent; one that a sweep finds gets this long. */
#define DISCOVERY_SETTLE_NS (2 * NSEC_PER_SEC)

struct discovery {
	char *proc_root;
	pid_t self;
	uint64_t min_age_ns;
	size_t max_targets;
	uint64_t (*boottime)(void);
	uint64_t (*cpu)(void);
	uint64_t (*clock)(void);
	struct discovery_ops ops;
	void *ctx;
	struct selection *selection;
	struct process_table *table;
	struct exe_cache *files;
	struct exe_cache *own_files; /* NULL: they are borrowed */
	uint64_t sweeps;
	uint64_t now_ns; /* of the sweep under way */
	struct look_shares looks;
	bool timed_out; /* the look under way got no answer */
	struct discovery_counts counts;
};

/* discovery__add - a record of @pid, which has none; NULL: there is no room. */
struct process_entry *discovery__add(struct discovery *discovery, pid_t pid);

/* discovery__drop - the process is gone. */
void discovery__drop(struct discovery *discovery, struct process_entry *entry);

/* discovery__restart - what is known of it is no longer true: look at it anew, at @due_ns. */
void discovery__restart(struct discovery *discovery, struct process_entry *entry, uint64_t due_ns);

/* discovery__identify - as exe_file__identify(). */
int discovery__identify(struct discovery *discovery, pid_t pid,
			struct exe_file *ret_file) __must_check;

/*
 * discovery__know_file - what is known of the executable of @entry, by its contents. Errors: -EAGAIN it runs another
 * file by now; as process__open_exe() and go_sniff__file().
 */
int discovery__know_file(struct discovery *discovery, const struct process_entry *entry,
			 struct exe_knowledge *knowledge) __must_check;

/*
 * discovery__note_mapped - how much it has mapped, to see later that it is more. What is known of a process that has
 * ended meanwhile is of no use; its end will be told.
 */
void discovery__note_mapped(struct discovery *discovery, struct process_entry *entry);

/*
 * discovery__search_libraries - whether @entry, whose executable is not Go's, has Go in its libraries. 1: it has.
 * 0: it has not, or none that can be watched, and the failure has the words then; else it is empty.
 */
int discovery__search_libraries(struct discovery *discovery, struct process_entry *entry,
				struct failure *failure) __must_check;

#endif /* GLEAKD_DISCOVER_DISCOVERY_INTERNAL_H */
