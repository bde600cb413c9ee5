/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_GOROUTINES_GOROUTINE_LIST_H
#define GLEAKD_SESSION_GOROUTINES_GOROUTINE_LIST_H

/*
 * Every goroutine of one census by name and number, with what the tracker has no use for: state in
 * the runtime's words, labels, thread, bubble. For one look at a process; a tracker counts, a list
 * lists. The words are those of src/runtime/traceback.go goroutineheader().
 */
#include "base/common.h"
#include "golang/layout.h"
#include "golang/symbolize.h"
#include "host/remote.h"
#include "observe/census.h"
#include "observe/stack_table.h"
#include "output/report.h"

#define GOROUTINE_LIST_MAX (1u << 20)

struct goroutine_list;

/* Whether a goroutine is to be listed, by all that is known of it. */
typedef bool (*goroutine_wanted_fn)(void *ctx, const struct report_goroutine *goroutine);

/* What the numbers of a census mean; all of it must outlive the list. */
struct goroutine_list_source {
	const struct go_layout *layout;
	struct symbolizer *symbolizer;
	const struct stack_table *stacks;
	size_t max;		   /* of goroutines that are looked at; 0: GOROUTINE_LIST_MAX */
	bool system;		   /* list the runtime's own goroutines, too */
	goroutine_wanted_fn wants; /* NULL: all of them */
	void *wants_ctx;
};

int goroutine_list__new(const struct goroutine_list_source *source,
			struct goroutine_list **ret_roster) __must_check;
void goroutine_list__free(struct goroutine_list *list);

/* goroutine_list__clear - a new census begins. */
void goroutine_list__clear(struct goroutine_list *list);

/* goroutine_list__add - one goroutine of the census; counted when there is no room for it. */
void goroutine_list__add(struct goroutine_list *list, const struct census_goroutine *g);

/*
 * goroutine_list__complete - the census has ended: read labels, and turn numbers into words. -ENOMEM leaves
 * the list empty.
 */
int goroutine_list__complete(struct goroutine_list *list, struct remote *remote) __must_check;

/* goroutine_list__list - by goid; valid until the list is cleared or freed. Empty before _complete(). */
const struct report_goroutine *goroutine_list__list(const struct goroutine_list *list,
						    size_t *ret_n);

/* Goroutines that are missing from the list; goroutines whose labels could not be read. */
size_t goroutine_list__refused(const struct goroutine_list *list);
size_t goroutine_list__labels_unread(const struct goroutine_list *list);

#endif /* GLEAKD_SESSION_GOROUTINES_GOROUTINE_LIST_H */
