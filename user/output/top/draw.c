// SPDX-License-Identifier: Apache-2.0
/* What a screen shows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/number.h"
#include "base/utf8.h"
#include "output/shorten.h"
#include "output/top/state.h"

#define MIN_PLACE    24 /* columns of a place: what is less important gives way to it */
#define MIN_FUNCTION 20 /* of them, beside a file and line */
#define ANY	     TOP_MAX_COLUMNS

/* --- tables --------------------------------------------------------------------------------------- */

struct column {
	const char *title;
	unsigned int width;
	bool right;
	bool dispensable; /* left out where a place would have less than MIN_PLACE */
	/* Writes what is in it; NULL: it is drawn. */
	void (*text)(const void *item, char *out, size_t size);
};

#define TEXT_SIZE 64

static void put_verdict(const char *verdict, char *out, size_t size)
{
	bool alarm = !strcmp(verdict, verdict__name(VERDICT_LEAKING)) ||
		     !strcmp(verdict, verdict__name(VERDICT_STUCK));

	snprintf(out, size, "%s", verdict);
	for (char *c = out; alarm && *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
}

static void put_known_bytes(uint64_t bytes, char *out, size_t size)
{
	char text[NUMBER_BYTES_SIZE];

	number__bytes(bytes, text);
	snprintf(out, size, "%s", bytes ? text : "");
}

static void put_count(uint64_t n, char *out, size_t size)
{
	char text[NUMBER_COUNT_SIZE];

	number__count(n, text);
	snprintf(out, size, "%s", text);
}

static void process_verdict(const void *item, char *out, size_t size)
{
	const struct top_process *process = item;

	if (process->ended)
		snprintf(out, size, "ended");
	else
		put_verdict(process->verdict, out, size);
}

static void process_pid(const void *item, char *out, size_t size)
{
	snprintf(out, size, "%d", (int)((const struct top_process *)item)->pid);
}

static void process_goroutines(const void *item, char *out, size_t size)
{
	put_count(((const struct top_process *)item)->goroutines, out, size);
}

static void process_heap(const void *item, char *out, size_t size)
{
	put_known_bytes(((const struct top_process *)item)->heap_bytes, out, size);
}

static void process_created(const void *item, char *out, size_t size)
{
	double rate = ((const struct top_process *)item)->created_per_second;
	char text[NUMBER_RATE_SIZE] = "";

	if (rate >= 0)
		number__rate(rate, text);
	snprintf(out, size, "%s", text);
}

static void process_mode(const void *item, char *out, size_t size)
{
	snprintf(out, size, "%s", probe_mode__name(((const struct top_process *)item)->mode));
}

static void process_cost(const void *item, char *out, size_t size)
{
	snprintf(out, size, "%.1f %%", ((const struct top_process *)item)->overhead * 100);
}

static void site_verdict(const void *item, char *out, size_t size)
{
	put_verdict(((const struct top_site *)item)->verdict, out, size);
}

static void site_count(const void *item, char *out, size_t size)
{
	put_count(((const struct top_site *)item)->count, out, size);
}

static void site_growth(const void *item, char *out, size_t size)
{
	double growth = ((const struct top_site *)item)->growth;
	char text[NUMBER_RATE_SIZE];

	out[0] = '\0';
	/* False of what is no number. */
	if (fabs(growth) >= 0.05) {
		number__rate(fabs(growth), text);
		snprintf(out, size, "%c%s", growth < 0 ? '-' : '+', text);
	}
}

static void site_oldest(const void *item, char *out, size_t size)
{
	char text[DURATION_SIZE];

	duration__format_whole(((const struct top_site *)item)->oldest_ns, text);
	snprintf(out, size, "%s", ((const struct top_site *)item)->oldest_ns ? text : "");
}

static void site_what(const void *item, char *out, size_t size)
{
	/* Cut where the column is, and cleaned there. */
	snprintf(out, size, "%s", ((const struct top_site *)item)->what);
}

static void site_bytes(const void *item, char *out, size_t size)
{
	put_known_bytes(((const struct top_site *)item)->bytes, out, size);
}

static void site_allocated(const void *item, char *out, size_t size)
{
	put_known_bytes(((const struct top_site *)item)->allocated, out, size);
}

static void site_per_second(const void *item, char *out, size_t size)
{
	double per_second = ((const struct top_site *)item)->per_second;

	out[0] = '\0';
	if (per_second >= 1)
		put_known_bytes((uint64_t)min_of(per_second, 1e18), out, size);
}

static void site_byte_growth(const void *item, char *out, size_t size)
{
	double growth = ((const struct top_site *)item)->growth;
	char text[NUMBER_BYTES_SIZE];

	out[0] = '\0';
	if (fabs(growth) >= 1) {
		number__bytes((uint64_t)min_of(fabs(growth), 1e18), text);
		snprintf(out, size, "%c%s", growth < 0 ? '-' : '+', text);
	}
}

/* The last column of each is the place, or the name, which has the rest of the line. */
static const struct column process_columns[] = {
	{"VERDICT", 9, false, false, process_verdict},
	{"PID", 8, true, false, process_pid},
	{"GOROUTINES", 10, true, false, process_goroutines},
	{"OVER TIME", TOP_BARS, false, false, NULL},
	{"HEAP", 8, true, false, process_heap},
	{"CREATED/S", 9, true, true, process_created},
	{"MODE", 9, false, true, process_mode},
	{"COST", 7, true, true, process_cost},
};

static const struct column site_columns[] = {
	{"VERDICT", 9, false, false, site_verdict}, {"GOROUTINES", 10, true, false, site_count},
	{"PER MIN", 8, true, false, site_growth},   {"OVER TIME", TOP_BARS, false, false, NULL},
	{"OLDEST", 7, true, true, site_oldest},	    {"WAITS FOR", 14, false, true, site_what},
};

static const struct column memory_columns[] = {
	{"VERDICT", 7, false, false, site_verdict},    {"IN USE", 8, true, false, site_bytes},
	{"PER MIN", 9, true, false, site_byte_growth}, {"OVER TIME", TOP_BARS, false, false, NULL},
	{"OBJECTS", 10, true, true, site_count},       {"ALLOCATED", 9, true, true, site_allocated},
	{"PER SEC", 8, true, true, site_per_second},   {"TYPE", 16, false, true, site_what},
};

static const struct column allocator_columns[] = {
	{"ALLOCATED", 9, true, false, site_allocated},
	{"PER SEC", 8, true, false, site_per_second},
	{"OVER TIME", TOP_BARS, false, false, NULL},
	{"IN USE", 8, true, false, site_bytes},
	{"OBJECTS", 10, true, true, site_count},
	{"MOST OF IT AT", 20, false, true, site_what},
};

static const struct column resource_columns[] = {
	{"VERDICT", 10, false, false, site_verdict}, {"OPEN", 8, true, false, site_count},
	{"PER MIN", 8, true, false, site_growth},    {"OVER TIME", TOP_BARS, false, false, NULL},
	{"SEEN FOR", 8, true, true, site_oldest},    {"KIND", 10, false, false, site_what},
};

struct table {
	const struct column *columns;
	size_t n;
	const char *place;
};

static struct table table_of(const struct top *top)
{
	if (top->level == LEVEL_PROCESSES)
		return (struct table){process_columns, ARRAY_SIZE(process_columns), "PROCESS"};
	if (top->kind == TOP_ALLOCATORS)
		return (struct table){allocator_columns, ARRAY_SIZE(allocator_columns), "WHO"};
	if (top->kind == TOP_MEMORY)
		return (struct table){memory_columns, ARRAY_SIZE(memory_columns), "ALLOCATED AT"};
	if (top->kind == TOP_RESOURCES)
		return (struct table){resource_columns, ARRAY_SIZE(resource_columns), "HELD BY"};
	return (struct table){site_columns, ARRAY_SIZE(site_columns), "WHERE"};
}

/* Bits of the columns there is room for: of those that can be left out the last go first. */
static unsigned int fitting(const struct table *table, unsigned int columns)
{
	unsigned int used = 0, shown = 0;

	for (size_t i = 0; i < table->n; i++) {
		used += table->columns[i].width + 1;
		shown |= 1u << i;
	}
	for (size_t i = table->n; i > 0 && used + MIN_PLACE > columns; i--) {
		if (!table->columns[i - 1].dispensable)
			continue;
		used -= table->columns[i - 1].width + 1;
		shown &= ~(1u << (i - 1));
	}
	return shown;
}

/* "cart.(*Store).Load  cart.go:42", of which the file goes first where there is no room. */
static void put_place(struct top_frame *frame, unsigned int row, unsigned int column,
		      const struct top_site *site)
{
	unsigned int room = frame->columns > column ? frame->columns - column : 0;
	size_t location = utf8__width(site->location) + 2;
	bool both = location + MIN_FUNCTION <= room;
	char *name = shorten__function(site->function, both ? room - location : room);

	column = top_frame__put(frame, row, column, room, STYLE_PLAIN, name ? name : "");
	free(name);
	if (both)
		top_frame__put(frame, row, column + 2, ANY, STYLE_DIM, site->location);
}

struct line {
	const void *item; /* a process or a site */
	enum style style;
	const struct top_series *series;
};

static unsigned int put_columns(struct top_frame *frame, unsigned int row,
				const struct table *table, const struct line *line)
{
	unsigned int shown = fitting(table, frame->columns), column = 0;

	for (size_t i = 0; i < table->n; i++) {
		const struct column *spec = &table->columns[i];
		enum style style = i == 0 ? line->style : STYLE_PLAIN;
		char text[TEXT_SIZE];

		if (!(shown & 1u << i))
			continue;
		if (!spec->text) {
			top_frame__put_bars(frame, row, column, spec->width, line->style,
					    line->series->values, line->series->n);
		} else {
			spec->text(line->item, text, sizeof(text));
			if (spec->right)
				top_frame__put_right(frame, row, column, spec->width, style, text);
			else
				top_frame__put(frame, row, column, spec->width, style, text);
		}
		column += spec->width + 1;
	}
	return column;
}

static void put_heads(struct top_frame *frame, unsigned int row, const struct table *table)
{
	unsigned int shown = fitting(table, frame->columns), column = 0;

	for (size_t i = 0; i < table->n; i++) {
		const struct column *spec = &table->columns[i];

		if (!(shown & 1u << i))
			continue;
		if (spec->right)
			top_frame__put_right(frame, row, column, spec->width, STYLE_BOLD,
					     spec->title);
		else
			top_frame__put(frame, row, column, spec->width, STYLE_BOLD, spec->title);
		column += spec->width + 1;
	}
	top_frame__put(frame, row, column, ANY, STYLE_BOLD, table->place);
}

static void put_row(const struct top *top, struct top_frame *frame, unsigned int row,
		    const struct table *table, size_t index)
{
	const struct top_process *process = top__process(top);
	unsigned int column;

	if (top->level == LEVEL_PROCESSES) {
		process = &top->kept.processes[top->shown[index]];
		column = put_columns(frame, row, table,
				     &(struct line){process, process->style, &process->series});
		top_frame__put(frame, row, column, ANY, STYLE_BOLD, process->name);
	} else if (process) {
		const struct top_site *site = &process->sites[top->kind].items[top->shown[index]];

		column = put_columns(frame, row, table,
				     &(struct line){site, site->style, &site->series});
		put_place(frame, row, column, site);
	}
}

/* Why a list has no rows. */
static const char *emptiness(const struct top *top)
{
	const struct top_process *process = top__process(top);

	if (!top->taken)
		return "looking at processes for the first time ...";
	if (top->filter[0])
		return "nothing matches; Esc shows all";
	if (top->level == LEVEL_PROCESSES)
		return "no Go process is watched yet";
	if (top->kind == TOP_ALLOCATORS)
		return process && process->nobody[0] ? process->nobody :
						       "no allocation was seen yet";
	if (top->kind == TOP_MEMORY)
		return process && process->no_memory[0] ?
			       process->no_memory :
			       "nothing is known yet of where it allocates its memory";
	if (top->kind == TOP_RESOURCES)
		return "nothing is known yet of what is open: only processes that were named are "
		       "asked";
	return "no goroutines were seen yet";
}

static int put_list(struct top *top, struct top_frame *frame)
{
	struct table table = table_of(top);
	struct top_list *list = top__list(top);
	size_t rows = top__list_rows(top);
	int err = top__arrange(top);

	if (err)
		return err;
	put_heads(frame, 2, &table);
	/* As little is moved as shows what is chosen. */
	list->first = min_of(list->first, list->chosen);
	if (list->chosen >= list->first + rows)
		list->first = list->chosen - rows + 1;
	if (list->first + rows > top->n_shown)
		list->first = top->n_shown - min_of(top->n_shown, rows);
	for (size_t i = 0; i < rows && list->first + i < top->n_shown; i++) {
		unsigned int row = TOP_ROWS_ABOVE + (unsigned int)i;

		put_row(top, frame, row, &table, list->first + i);
		if (list->first + i == list->chosen)
			top_frame__reverse(frame, row);
	}
	if (!top->n_shown)
		top_frame__put(frame, TOP_ROWS_ABOVE + 1, 2, ANY, STYLE_PLAIN, emptiness(top));
	return 0;
}

/* --- one site, help ------------------------------------------------------------------------------- */

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void put_site(struct top *top, struct top_frame *frame)
{
	const struct top_site *site = top__site(top);
	const char *text = site && site->text ? site->text : "";
	size_t rows = top__list_rows(top) + 1, lines = count_lines(text);
	size_t most = lines > rows ? lines - rows : 0;

	if (!*text)
		top_frame__put(frame, 2, 2, ANY, STYLE_PLAIN,
			       "all that is known of it comes with the next look");
	top->scroll = min_of(top->scroll, most);
	for (size_t i = 0; *text && i < top->scroll + rows; i++) {
		size_t n = strcspn(text, "\n");

		if (i >= top->scroll)
			top_frame__put_line(frame, 2 + (unsigned int)(i - top->scroll), text, n);
		text += n + (text[n] == '\n');
	}
}

static const char *const help_lines[] = {
	"Processes, the places where their goroutines wait, their memory is allocated",
	"or what they have open is held, and one such place with all that is known.",
	"",
	"  Up Down PgUp PgDn Home End   choose, or scroll; k j g G as well",
	"  Enter                        open what is chosen; a second click does, too",
	"  Esc, Left                    back",
	"  Tab, m                       goroutines, memory, what is open; with --by,",
	"                               also who allocates it",
	"  s  S                         sort by the next, or the one before",
	"  r                            the other way round",
	"  /                            show only what contains a text; Esc shows all",
	"  p, Space                     pause: keep what is shown; again to go on",
	"  h, ?                         this",
	"  q, Ctrl-C                    end",
	"",
	"LEAKING: they come to stay and never leave. STUCK: nothing can wake them.",
	"growing: rises; too early to say more. Bars: the past of each, up to now.",
};

static void put_help(struct top_frame *frame)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(help_lines); i++)
		top_frame__put(frame, 2 + i, 1, ANY, STYLE_PLAIN, help_lines[i]);
}

/* --- around it ------------------------------------------------------------------------------------ */

static void put_title(const struct top *top, struct top_frame *frame)
{
	char goroutines[NUMBER_COUNT_SIZE], text[192], time[CLOCK_RFC3339_SIZE];
	unsigned int end;

	number__count(top->kept.goroutines, goroutines);
	snprintf(text, sizeof(text), "gleakd top  %zu %s, %s goroutines, %llu flagged", top->kept.n,
		 top->kept.n == 1 ? "process" : "processes", goroutines,
		 (unsigned long long)top->kept.flagged);
	end = top_frame__put(frame, 0, 0, ANY, STYLE_BOLD, top->taken ? text : "gleakd top");
	if (top->paused) {
		snprintf(text, sizeof(text), "PAUSED, %u later", top->missed);
		top_frame__put(frame, 0, end + 2, ANY, STYLE_GROWING, text);
	}
	if (!top->taken || frame->columns < end + sizeof("00:00:00 UTC") + 20)
		return;
	clock__rfc3339(top->kept.realtime_ns, time);
	/* "2026-01-02T03:04:05.678Z" */
	snprintf(text, sizeof(text), "%.8s UTC", time + 11);
	top_frame__put_right(frame, 0, 0, frame->columns, STYLE_DIM, text);
}

static void put_opened(const struct top *top, struct top_frame *frame)
{
	static const char *const kinds[TOP_KINDS] = {
		[TOP_GOROUTINES] = "goroutines",
		[TOP_MEMORY] = "memory",
		[TOP_ALLOCATORS] = "who allocates",
		[TOP_RESOURCES] = "what is open",
	};
	const struct top_process *process = top__process(top);
	char text[256];
	unsigned int end;

	if (top->level == LEVEL_PROCESSES || !process)
		return;
	end = top_frame__put(frame, 1, 0, frame->columns / 2, STYLE_BOLD, process->name);
	snprintf(text, sizeof(text), " (pid %d)  %.40s  %s", (int)process->pid, process->version,
		 kinds[top->kind]);
	end = top_frame__put(frame, 1, end, ANY, STYLE_PLAIN, text);
	if (top->level == LEVEL_SITE) {
		snprintf(text, sizeof(text), "  site %s", top->id);
		top_frame__put(frame, 1, end, ANY, STYLE_PLAIN, text);
	} else if (process->sites[top->kind].left_out) {
		snprintf(text, sizeof(text), "  %zu more sites are not shown",
			 process->sites[top->kind].left_out);
		top_frame__put(frame, 1, end, ANY, STYLE_PLAIN, text);
	}
}

static void put_message(struct top *top, struct top_frame *frame)
{
	unsigned int row = frame->rows - 2, end;
	const struct top_list *list = top__list(top);
	char text[128];

	if (top->filtering || top->filter[0]) {
		end = top_frame__put(frame, row, 0, ANY, STYLE_BOLD, "filter: ");
		end = top_frame__put(frame, row, end, ANY, STYLE_PLAIN, top->filter);
		if (top->filtering)
			top_frame__put(frame, row, end, 1, STYLE_BOLD, "_");
	} else if (top->message[0]) {
		top_frame__put(frame, row, 0, ANY, STYLE_GROWING, top->message);
	} else if (top->level != LEVEL_SITE && top->n_shown) {
		snprintf(text, sizeof(text), "%zu of %zu, by %s%s", list->chosen + 1, top->n_shown,
			 top_order__name(top, list->order), list->reversed ? ", reversed" : "");
		top_frame__put(frame, row, 0, ANY, STYLE_DIM, text);
	}
}

static void put_keys(const struct top *top, struct top_frame *frame)
{
	static const char *const keys[] = {
		[LEVEL_PROCESSES] = "Enter sites  s sort  r reverse  / filter  p pause  h help  "
				    "q quit",
		[LEVEL_SITES] = "Enter details  Tab others  Esc back  s sort  / filter  p pause  "
				"h help  q quit",
		[LEVEL_SITE] = "Up/Down scroll  Esc back  p pause  h help  q quit",
	};
	const char *text = keys[top->level];

	if (top->filtering)
		text = "type what it is to contain  Enter keep it  Esc show all";
	if (top->help)
		text = "any key goes back  q quit";
	top_frame__put(frame, frame->rows - 1, 0, ANY, STYLE_BOLD, text);
	top_frame__reverse(frame, frame->rows - 1);
}

int top__draw(struct top *top, struct top_frame *frame, unsigned int columns, unsigned int rows)
{
	int err = top_frame__reset(frame, columns, rows);

	if (err)
		return err;
	frame->ascii = top->options.ascii;
	top->columns = frame->columns;
	top->rows = frame->rows;
	put_title(top, frame);
	if (top->help) {
		put_help(frame);
	} else {
		put_opened(top, frame);
		if (top->level == LEVEL_SITE)
			put_site(top, frame);
		else
			err = put_list(top, frame);
	}
	/* Over what is too long for a screen that is too low. */
	for (unsigned int row = frame->rows - min_of(frame->rows, (unsigned int)TOP_ROWS_BELOW);
	     row < frame->rows; row++) {
		for (unsigned int i = 0; i < frame->columns; i++)
			*top_frame__cell(frame, row, i) = (struct top_cell){.code = ' '};
	}
	if (frame->rows >= TOP_ROWS_BELOW)
		put_message(top, frame);
	put_keys(top, frame);
	return err;
}
