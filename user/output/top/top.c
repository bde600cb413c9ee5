// SPDX-License-Identifier: Apache-2.0
/* What keys do. */
#include "output/top/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/one_line.h"
#include "base/utf8.h"
#include "output/top/state.h"

int top__new(const struct top_options *options, struct top **ret_top)
{
	struct top *top = calloc(1, sizeof(*top));

	if (!top)
		return -ENOMEM;
	top->options = *options;
	*ret_top = top;
	return 0;
}

void top__free(struct top *top)
{
	if (!top)
		return;
	top_kept__release(&top->kept);
	free(top->shown);
	free(top);
}

struct top_process *top__process(const struct top *top)
{
	return top_kept__find(&top->kept, top->pid, top->runtime);
}

struct top_site *top__site(const struct top *top)
{
	const struct top_process *process = top__process(top);

	return process ? top_sites__find(&process->sites[top->kind], top->id) : NULL;
}

struct top_list *top__list(struct top *top)
{
	return top->level == LEVEL_PROCESSES ? &top->processes : &top->sites[top->kind];
}

size_t top__list_rows(const struct top *top)
{
	const unsigned int others = TOP_ROWS_ABOVE + TOP_ROWS_BELOW;

	return top->rows > others ? top->rows - others : 1;
}

bool top__wants_end(const struct top *top)
{
	return top->wants_end;
}

void top__message(struct top *top, const char *line)
{
	if (!top->urgent)
		one_line__copy(top->message, sizeof(top->message), line);
}

void top__urgent_message(struct top *top, const char *line)
{
	top->urgent = true;
	one_line__copy(top->message, sizeof(top->message), line);
}

/* --- reports -------------------------------------------------------------------------------------- */

/* What was opened and is gone is left. */
static void leave_what_is_gone(struct top *top)
{
	if (top->level > LEVEL_PROCESSES && !top__process(top)) {
		top->level = LEVEL_PROCESSES;
		top__message(top, "the process that was shown is not watched any more");
	}
	if (top->level == LEVEL_SITE && !top__site(top)) {
		top->level = LEVEL_SITES;
		top__message(top, "the site that was shown has no members any more");
	}
}

int top__take(struct top *top, const struct report *report)
{
	struct top_kept_options options = {
		.screen = {.columns = top->columns, .color = true, .ascii = top->options.ascii},
	};
	struct top_kept kept;
	int err;

	if (top->paused) {
		top->missed++;
		return 0;
	}
	options.opened = top->pid;
	options.opened_runtime = top->runtime;
	options.screen = screen_options__within(&options.screen, SCREEN_MAX_REPORT);
	err = top_kept__take(&kept, report, &top->kept, &options);
	if (err)
		return err;
	top_kept__release(&top->kept);
	top->kept = kept;
	top->taken = true;
	if (top->options.alone && kept.n == 1 && !top->began_alone) {
		top->began_alone = true;
		top->level = LEVEL_SITES;
		top->pid = kept.processes[0].pid;
		top->runtime = kept.processes[0].runtime;
	}
	leave_what_is_gone(top);
	return 0;
}

/* --- keys ----------------------------------------------------------------------------------------- */

/* What the bar is on is what follows it from now on. */
static void choose(struct top *top, size_t index)
{
	struct top_list *list = top__list(top);
	const struct top_process *process;

	if (!top->n_shown)
		return;
	list->chosen = min_of(index, top->n_shown - 1);
	if (top->level == LEVEL_PROCESSES) {
		process = &top->kept.processes[top->shown[list->chosen]];
		top->pid = process->pid;
		top->runtime = process->runtime;
		return;
	}
	process = top__process(top);
	if (process)
		memcpy(top->id, process->sites[top->kind].items[top->shown[list->chosen]].id,
		       sizeof(top->id));
}

/* Lines of a site are not counted before they are drawn, which keeps this within bounds. */
static size_t moved(size_t at, uint32_t key, size_t page)
{
	switch (key) {
	case TOP_KEY_UP:
		return at - min_of(at, (size_t)1);
	case TOP_KEY_DOWN:
		return at + 1;
	case TOP_KEY_PAGE_UP:
		return at - min_of(at, page);
	case TOP_KEY_PAGE_DOWN:
		return at + page;
	case TOP_KEY_HOME:
		return 0;
	case TOP_KEY_END:
		return SIZE_MAX / 2;
	default:
		return at;
	}
}

static bool is_move(uint32_t key)
{
	return key >= TOP_KEY_UP && key <= TOP_KEY_END;
}

static void move(struct top *top, uint32_t key)
{
	size_t page = top__list_rows(top);

	if (top->level == LEVEL_SITE)
		top->scroll = moved(top->scroll, key, page);
	else
		choose(top, moved(top__list(top)->chosen, key, page));
}

static void clear_filter(struct top *top)
{
	top->filter[0] = '\0';
	top->filtering = false;
}

static void open(struct top *top)
{
	if (top->level == LEVEL_SITE || !top->n_shown)
		return;
	choose(top, top__list(top)->chosen);
	top->level++;
	top->scroll = 0;
	if (top->level == LEVEL_SITES) {
		clear_filter(top);
		top->id[0] = '\0';
		for (int kind = 0; kind < TOP_KINDS; kind++)
			top->sites[kind].chosen = 0;
	}
}

static void back(struct top *top)
{
	if (top->help)
		top->help = false;
	else if (top->filter[0] && top->level != LEVEL_SITE)
		clear_filter(top);
	else if (top->level > LEVEL_PROCESSES)
		top->level--;
}

static void sort(struct top *top, int step)
{
	struct top_list *list = top__list(top);
	int order = (int)list->order;

	if (top->level == LEVEL_SITE)
		return;
	do
		order = (order + step + ORDERS) % ORDERS;
	while (!top_order__name(top, (enum top_order)order));
	list->order = (enum top_order)order;
	list->reversed = false;
}

static void other_kind(struct top *top)
{
	const struct top_process *process = top__process(top);

	if (top->level == LEVEL_PROCESSES)
		return;
	top->level = LEVEL_SITES;
	top->kind = (enum top_kind)((top->kind + 1) % TOP_KINDS);
	if (top->kind == TOP_ALLOCATORS && !(process && process->by_who))
		top->kind = TOP_RESOURCES;
	top->id[0] = '\0';
}

static void shorten_filter(struct top *top)
{
	size_t n = strlen(top->filter);

	while (n && ((unsigned char)top->filter[n - 1] & 0xc0) == 0x80)
		n--;
	top->filter[n ? n - 1 : 0] = '\0';
}

/* Bytes of characters come one by one. */
static void type(struct top *top, uint32_t key)
{
	size_t n = strlen(top->filter);

	if (key == TOP_KEY_BACK) {
		clear_filter(top);
	} else if (key == TOP_KEY_ENTER) {
		top->filtering = false;
	} else if (key == TOP_KEY_BACKSPACE) {
		shorten_filter(top);
	} else if (is_move(key)) {
		move(top, key);
	} else if (key >= ' ' && key != 0x7f && key < 0x100 && n + 1 < sizeof(top->filter)) {
		top->filter[n] = (char)key;
		top->filter[n + 1] = '\0';
	}
}

static void pause_or_go_on(struct top *top)
{
	top->paused = !top->paused;
	top->missed = 0;
}

static void command(struct top *top, uint32_t key)
{
	switch (key) {
	case TOP_KEY_ENTER:
	case 'l':
		open(top);
		break;
	case TOP_KEY_BACK:
	case TOP_KEY_BACKSPACE:
		back(top);
		break;
	case TOP_KEY_TAB:
	case 'm':
		other_kind(top);
		break;
	case 'k':
		move(top, TOP_KEY_UP);
		break;
	case 'j':
		move(top, TOP_KEY_DOWN);
		break;
	case 'g':
		move(top, TOP_KEY_HOME);
		break;
	case 'G':
		move(top, TOP_KEY_END);
		break;
	case 's':
		sort(top, 1);
		break;
	case 'S':
		sort(top, -1);
		break;
	case 'r':
		top__list(top)->reversed = !top__list(top)->reversed;
		break;
	case '/':
		top->filtering = top->level != LEVEL_SITE;
		break;
	case 'p':
	case ' ':
		pause_or_go_on(top);
		break;
	case 'h':
	case '?':
		top->help = true;
		break;
	case 'q':
		top->wants_end = true;
		break;
	default:
		if (is_move(key))
			move(top, key);
	}
}

void top__key(struct top *top, uint32_t key)
{
	top->message[0] = '\0';
	top->urgent = false;
	/* A list that could not be made has no rows to choose from. */
	if (top->level != LEVEL_SITE && top__arrange(top))
		top->n_shown = 0;
	if (top->help) {
		top->help = false;
		top->wants_end = key == 'q';
	} else if (top->filtering) {
		type(top, key);
	} else {
		command(top, key);
	}
}

void top__click(struct top *top, unsigned int row)
{
	size_t index;

	if (top->help || top->level == LEVEL_SITE || row < TOP_ROWS_ABOVE || top__arrange(top))
		return;
	index = top__list(top)->first + row - TOP_ROWS_ABOVE;
	if (row - TOP_ROWS_ABOVE >= top__list_rows(top) || index >= top->n_shown)
		return;
	if (top__list(top)->chosen == index)
		open(top);
	else
		choose(top, index);
}
