// SPDX-License-Identifier: Apache-2.0
#include "output/text/ways.h"

#include "base/number.h"

#define FEW_PATHS    5
#define MAX_LINES    4
#define FIELD_COLUMN 2
#define TYPE_COLUMN  28

static void put_root(struct screen *screen, const struct heap_holder_path *path)
{
	switch (path->kind) {
	case HEAP_WAY_VARIABLE:
		screen__put(screen, STYLE_BOLD, path->name);
		break;
	case HEAP_WAY_STACK:
		screen__put(screen, STYLE_PLAIN, "stack of ");
		screen__put(screen, STYLE_BOLD, *path->name ? path->name : "a function");
		break;
	case HEAP_WAY_FINALIZER:
		screen__put(screen, STYLE_PLAIN, "something that has a finalizer or a cleanup");
		break;
	case HEAP_WAY_RUNTIME:
		screen__put(screen, STYLE_PLAIN, "the runtime, such as a timer");
		break;
	case HEAP_WAY_GOROUTINE:
		screen__put(screen, STYLE_PLAIN, "the goroutine itself");
		break;
	case HEAP_WAY_UNKNOWN:
	case HEAP_WAY_ROOTS:
		screen__put(screen, STYLE_PLAIN, "something that was not there before");
		break;
	}
	if (path->goid)
		screen__putf(screen, STYLE_PLAIN, " (goroutine %llu)",
			     (unsigned long long)path->goid);
	if (path->objects > 1) {
		screen__put(screen, STYLE_PLAIN, ", and so ");
		screen__put_owned(screen, STYLE_PLAIN, number__counted(path->objects, "object"));
	}
	screen__end_line(screen);
}

static void put_step(struct screen *screen, const struct heap_holder_step *step)
{
	screen__to(screen, FIELD_COLUMN);
	screen__put(screen, STYLE_PLAIN, step->field);
	screen__next(screen, TYPE_COLUMN);
	screen__put(screen, STYLE_DIM, "-> ");
	if (*step->type)
		screen__put(screen, STYLE_BOLD, step->type);
	else
		screen__putf(screen, STYLE_PLAIN, "%llu bytes", (unsigned long long)step->size);
	screen__putf(screen, STYLE_DIM, " at 0x%llx", (unsigned long long)step->address);
	screen__end_line(screen);
}

/* A context that nobody cancels hangs from its parent for as long as that lives. */
static void put_context(struct screen *screen, const struct heap_context *context, bool first)
{
	screen__to(screen, FIELD_COLUMN);
	screen__put(screen, STYLE_DIM, first ? "context" : "child of");
	screen__next(screen, TYPE_COLUMN);
	screen__put(screen, STYLE_PLAIN, "   ");
	screen__put(screen, STYLE_PLAIN, context->type);
	screen__putf(screen, STYLE_DIM, " at 0x%llx", (unsigned long long)context->address);
	if (context->cancels) {
		screen__put(screen, STYLE_PLAIN, ", ");
		screen__put_owned(screen, STYLE_BOLD,
				  number__counted(context->children, "child context"));
		screen__put(screen, STYLE_PLAIN, " not cancelled");
	}
	screen__end_line(screen);
}

static void put_path(struct screen *screen, const struct heap_holder_path *path)
{
	put_root(screen, path);
	for (size_t i = 0; i < path->n_steps; i++) {
		if (path->left_out && i == path->n_steps / 2) {
			screen__to(screen, FIELD_COLUMN);
			screen__put(screen, STYLE_DIM, "... ");
			screen__put_owned(screen, STYLE_DIM,
					  number__counted(path->left_out, "more step"));
			screen__end_line(screen);
		}
		put_step(screen, &path->steps[i]);
	}
	for (size_t i = 0; i < path->n_contexts; i++)
		put_context(screen, &path->contexts[i], !i);
}

static void put_sum(struct screen *screen, const struct heap_holders *holders)
{
	screen__put_owned(screen, STYLE_BOLD, number__counted(holders->objects, "object"));
	screen__put(screen, STYLE_PLAIN, ", ");
	screen__put_owned(screen, STYLE_PLAIN, number__counted(holders->ways, "way"));
	screen__put(screen, STYLE_PLAIN, " to it");
	if (holders->held < holders->objects) {
		screen__put(screen, STYLE_PLAIN, "; nothing that is alive leads to ");
		screen__put_owned(screen, STYLE_LEAKING,
				  number__counted(holders->objects - holders->held, "object"));
	}
	screen__end_line(screen);
}

void text_part__ways(struct screen *screen, const struct report_target *target, bool all)
{
	const struct heap_holders *holders = target->holders;
	size_t n = all ? holders->n_paths : min_of(holders->n_paths, (size_t)FEW_PATHS);

	if (holders->apart) {
		screen__put_owned(screen, STYLE_BOLD, number__counted(holders->apart, "goroutine"));
		screen__wrap(screen, STYLE_PLAIN,
			     holders->apart > 1 ?
				     " of those wait for nothing that could be held: they run, "
				     "sleep, or wait for the network or a timer" :
				     " of those waits for nothing that could be held: it runs, "
				     "sleeps, or waits for the network or a timer",
			     MAX_LINES);
		/* Then there is nothing to count ways to. */
		if (!holders->objects)
			return;
	}
	put_sum(screen, holders);
	for (size_t i = 0; i < n; i++) {
		screen__end_line(screen);
		put_path(screen, &holders->paths[i]);
	}
	if (n == holders->n_paths)
		return;
	screen__end_line(screen);
	screen__put(screen, STYLE_PLAIN, "and ");
	screen__put_owned(screen, STYLE_PLAIN, number__counted(holders->n_paths - n, "other way"));
	screen__put(screen, STYLE_PLAIN, ": see --all");
	screen__end_line(screen);
}
