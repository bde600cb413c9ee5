/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SITE_VIEWS_H
#define GLEAKD_TRACK_SITE_VIEWS_H

/* The views of one judgement, each with its own copy of what it points to. */
#include "track/site_past.h"
#include "track/site_view.h"
#include "track/verdict.h"

struct site_views {
	size_t n, capacity;
	struct site_view *views; /* owned */
	void **blocks;		 /* owned; what each view points to */
};

void site_views__clear(struct site_views *views);
void site_views__release(struct site_views *views);

/*
 * site_views__add - a copy of @view, which does not list anything yet, with the words of @judgement
 * and the lists of @past. -ENOMEM.
 */
int site_views__add(struct site_views *views, const struct site_view *view,
		    const struct judgement *judgement, const struct site_past *past) __must_check;

/*
 * site_views__sort - worst verdict first, then by size; blocks no longer belong to views in order.
 */
void site_views__sort(struct site_views *views);

#endif /* GLEAKD_TRACK_SITE_VIEWS_H */
