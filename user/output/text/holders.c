// SPDX-License-Identifier: Apache-2.0
#include "output/text/holders.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/utf8.h"

#define FEW_TYPES   10u
#define FEW_HOLDERS 25u
#define MAX_DEPTH   6u
#define INDENT	    2u
/* Columns: bytes, share, objects. */
#define BYTES_END   9u
#define SHARE_END   15u
#define OBJECTS_END 28u
#define NAME	    30u
/* Of what grows: the type, and the least of the path to it. */
#define MAX_TYPE    24u
#define MIN_PATH    20u
#define BETWEEN	    3u /* " → " */
#define GROWTH_SIZE 160
#define ARROW	    "\xe2\x86\x92"

static void put_title(struct screen *screen, const char *title, const char *text)
{
	screen__end_line(screen);
	screen__put(screen, STYLE_DIM, title);
	screen__put(screen, STYLE_PLAIN, text);
	screen__end_line(screen);
}

static void put_figures(struct screen *screen, const struct heap_view *view, uint64_t bytes,
			uint64_t objects)
{
	double share = view->bytes ? 100.0 * (double)bytes / (double)view->bytes : 0;
	char text[NUMBER_COUNT_SIZE + NUMBER_BYTES_SIZE];

	number__bytes(bytes, text);
	screen__put_right(screen, STYLE_BOLD, text, 0, BYTES_END);
	snprintf(text, sizeof(text), share < 0.5 ? "<1 %%" : "%.0f %%", share);
	screen__put_right(screen, STYLE_PLAIN, text, BYTES_END, SHARE_END - BYTES_END);
	number__count(objects, text);
	screen__put_right(screen, STYLE_PLAIN, text, SHARE_END, OBJECTS_END - SHARE_END);
	screen__to(screen, NAME);
}

static void put_more(struct screen *screen, size_t n, const char *noun)
{
	if (!n)
		return;
	screen__to(screen, NAME);
	screen__put_owned(screen, STYLE_DIM, number__counted(n, noun));
	screen__put(screen, STYLE_DIM, " more; --all shows them");
	screen__end_line(screen);
}

static void put_types(struct screen *screen, const struct heap_view *view,
		      const struct holders_options *options)
{
	size_t few = options->max_types ? options->max_types : FEW_TYPES;
	size_t n = options->all ? view->n_types : min_of(view->n_types, few);
	double typed = view->bytes ? 100.0 * (double)view->typed_bytes / (double)view->bytes : 0;
	char text[96];

	snprintf(text, sizeof(text),
		 "live bytes and objects; of %.1f %% of the bytes the type is known", typed);
	put_title(screen, "by type   ", text);
	for (size_t i = 0; i < n; i++) {
		const struct heap_view_type *type = &view->types[i];

		put_figures(screen, view, type->bytes, type->objects);
		screen__put(screen, type->known ? STYLE_PLAIN : STYLE_DIM, type->name);
		screen__end_line(screen);
	}
	put_more(screen, view->n_types - n, "type");
}

static void put_holder(struct screen *screen, const struct heap_view *view,
		       const struct heap_view_holder *holder)
{
	unsigned int type = (unsigned int)min_of(utf8__width(holder->type), (size_t)MAX_TYPE);
	unsigned int room;

	put_figures(screen, view, holder->retained_bytes, holder->objects);
	screen__to(screen, NAME + holder->depth * INDENT);
	room = screen__room(screen);
	type += type ? BETWEEN : 0;
	screen__put_way(screen, holder->depth ? STYLE_PLAIN : STYLE_BOLD, holder->step,
			room > type + MIN_PATH ? room - type : room);
	if (*holder->type) {
		screen__put(screen, STYLE_DIM, *holder->step ? " " ARROW " " : ARROW " ");
		screen__put(screen, STYLE_PLAIN, holder->type);
	}
	if (holder->recursive)
		screen__put(screen, STYLE_DIM, " " ARROW " itself");
	screen__end_line(screen);
}

static void put_holders(struct screen *screen, const struct heap_view *view,
			const struct holders_options *options)
{
	size_t few = options->max_holders ? options->max_holders : FEW_HOLDERS;
	size_t shown = 0, left_out = 0;

	put_title(screen, "by holder ", "what is alive only by this, or first of all by this");
	for (size_t i = 0; i < view->n_holders; i++) {
		if (!options->all && (shown == few || view->holders[i].depth > MAX_DEPTH)) {
			left_out++;
			continue;
		}
		put_holder(screen, view, &view->holders[i]);
		shown++;
	}
	put_more(screen, left_out, "holder");
}

/* " 12,000 → 24,000 entries in 2m, retains +2.6 MB": what of the line has to be seen. */
static void growth_text(const struct heap_view *view, const struct heap_view_growth *growth,
			char out[GROWTH_SIZE])
{
	char before[NUMBER_COUNT_SIZE], after[NUMBER_COUNT_SIZE], bytes[NUMBER_BYTES_SIZE];
	char duration[DURATION_SIZE];
	bool less = growth->bytes_after < growth->bytes_before;

	duration__format(view->looked_ns / NSEC_PER_SEC * NSEC_PER_SEC, duration);
	if (!growth->counted) {
		number__bytes(growth->bytes_before, before);
		number__bytes(growth->bytes_after, after);
		snprintf(out, GROWTH_SIZE, " %s " ARROW " %s in %s", before, after, duration);
		return;
	}
	number__count(growth->entries_before, before);
	number__count(growth->entries_after, after);
	number__bytes(less ? growth->bytes_before - growth->bytes_after :
			     growth->bytes_after - growth->bytes_before,
		      bytes);
	snprintf(out, GROWTH_SIZE, " %s " ARROW " %s entries in %s, retains %s%s", before, after,
		 duration, less ? "-" : "+", bytes);
}

static void put_growth(struct screen *screen, const struct heap_view *view,
		       const struct heap_view_growth *growth)
{
	char figures[GROWTH_SIZE];
	unsigned int room, taken;

	growth_text(view, growth, figures);
	taken = (unsigned int)(utf8__width(figures) +
			       min_of(utf8__width(growth->type), (size_t)MAX_TYPE) + strlen(" ()"));
	screen__put(screen, STYLE_GROWING, "GROWING ");
	room = screen__room(screen);
	screen__put_way(screen, STYLE_BOLD, growth->path,
			room > taken + MIN_PATH ? room - taken : MIN_PATH);
	if (*growth->type) {
		screen__put(screen, STYLE_PLAIN, " (");
		screen__put_way(screen, STYLE_PLAIN, growth->type, MAX_TYPE);
		screen__put(screen, STYLE_PLAIN, ")");
	}
	screen__put(screen, STYLE_BOLD, figures);
	screen__end_line(screen);
}

static void put_growing(struct screen *screen, const struct heap_view *view)
{
	/* One look was all that was wanted. */
	if (!view->looked_ns)
		return;
	screen__end_line(screen);
	if (!view->growth_known) {
		screen__put(
			screen, STYLE_DIM,
			"what grows would take four looks to tell; a longer --duration has them");
		screen__end_line(screen);
		return;
	}
	for (size_t i = 0; i < view->n_growing; i++)
		put_growth(screen, view, &view->growing[i]);
	if (!view->n_growing) {
		screen__put(screen, STYLE_GOOD, "nothing grows at each look");
		screen__end_line(screen);
	}
}

void text_part__holders(struct screen *screen, const struct heap_view *view,
			const struct holders_options *options)
{
	if (!options->no_types)
		put_types(screen, view, options);
	if (!options->no_holders) {
		put_holders(screen, view, options);
		put_growing(screen, view);
	}
}
