/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TOP_STATE_H
#define GLEAKD_OUTPUT_TOP_STATE_H

/* What top.c keeps and draw.c shows. */
#include "output/top/kept.h"
#include "output/top/top.h"

enum top_level {
	LEVEL_PROCESSES,
	LEVEL_SITES,
	LEVEL_SITE,
};

/* How a list is sorted; a level has some of them. */
enum top_order {
	ORDER_WORST,
	ORDER_COUNT, /* goroutines, or bytes in use */
	ORDER_GROWTH,
	ORDER_AGE,
	ORDER_HEAP,
	ORDER_ALLOCATED,
	ORDER_NAME,
	ORDERS,
};

#define TOP_MAX_FILTER 60
#define TOP_ROWS_ABOVE 3 /* a list: title, what is opened, heads of columns */
#define TOP_ROWS_BELOW 2 /* a message, help */

struct top_list {
	enum top_order order;
	bool reversed;
	size_t chosen, first; /* of what is shown; the row on top */
};

struct top {
	struct top_options options;
	struct top_kept kept;
	bool taken; /* a report came */
	bool paused, help, filtering, wants_end;
	bool began_alone;    /* the only process was opened */
	unsigned int missed; /* reports that came while it was paused */
	enum top_level level;
	enum top_kind kind;
	struct top_list processes, sites[TOP_KINDS];
	size_t scroll; /* lines of a site that are above the screen */
	/* What is chosen, or opened. */
	pid_t pid;
	uint64_t runtime;
	char id[9];
	char filter[TOP_MAX_FILTER * 4 + 1];
	char message[256];
	bool urgent; /* it stays */
	/* Indices into what is listed, filtered and sorted. */
	uint32_t *shown;
	size_t n_shown;
	unsigned int columns, rows; /* of the last frame */
};

/* top__process, top__site - what is opened; NULL: it is gone. */
struct top_process *top__process(const struct top *top);
struct top_site *top__site(const struct top *top);

/* top__list - what arrow keys move in: on the first two levels. */
struct top_list *top__list(struct top *top);

/* top__arrange - fills in shown, and keeps what is chosen chosen. -ENOMEM. */
int top__arrange(struct top *top) __must_check;

/* top_order__name - as it is told; NULL: the list cannot be sorted by it. */
const char *top_order__name(const struct top *top, enum top_order order);

/* top__list_rows - rows that a list has on the last frame. */
size_t top__list_rows(const struct top *top);

#endif /* GLEAKD_OUTPUT_TOP_STATE_H */
