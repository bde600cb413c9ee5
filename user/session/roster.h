/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ROSTER_H
#define GLEAKD_SESSION_ROSTER_H

/*
 * Every goroutine of one census by name and number, with what the tracker has no use for: state in
 * the runtime's words, labels, thread, bubble. For one look at a process; a tracker counts, a roster
 * lists. The words are those of src/runtime/traceback.go goroutineheader().
 */
#include "base/common.h"
#include "golang/layout.h"
#include "golang/symbolize.h"
#include "host/remote.h"
#include "observe/census.h"
#include "observe/stack_table.h"
#include "output/report.h"

#define ROSTER_MAX_GOROUTINES (1u << 20)

struct roster;

/* What the numbers of a census mean; all of it must outlive the roster. */
struct roster_source {
	const struct go_layout *layout;
	struct symbolizer *symbolizer;
	const struct stack_table *stacks;
	bool system; /* list the runtime's own goroutines, too */
};

int roster__new(const struct roster_source *source, struct roster **ret_roster) __must_check;
void roster__free(struct roster *roster);

/* roster__clear - a new census begins. */
void roster__clear(struct roster *roster);

/* roster__add - one goroutine of the census; counted when there is no room for it. */
void roster__add(struct roster *roster, const struct census_goroutine *g);

/*
 * roster__complete - the census has ended: read labels, and turn numbers into words. -ENOMEM leaves
 * the list empty.
 */
int roster__complete(struct roster *roster, struct remote *remote) __must_check;

/* roster__list - by goid; valid until the roster is cleared or freed. Empty before _complete(). */
const struct report_goroutine *roster__list(const struct roster *roster, size_t *ret_n);

/* Goroutines that are missing from the list; goroutines whose labels could not be read. */
size_t roster__refused(const struct roster *roster);
size_t roster__labels_unread(const struct roster *roster);

#endif /* GLEAKD_SESSION_ROSTER_H */
