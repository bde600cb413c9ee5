// SPDX-License-Identifier: Apache-2.0
/*
 * A table as wide as its contents, up to a limit per column; the last column, the module, gets what
 * is left of the line. What needs a sentence comes on lines of its own below the process.
 */
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/utf8.h"
#include "output/process_list.h"
#include "output/report.h"
#include "output/text/screen.h"

#define GAP	       2
#define MAX_NOTE_LINES 8
#define UNKNOWN	       "-"

enum column {
	COLUMN_PID,
	COLUMN_USER,
	COLUMN_UPTIME,
	COLUMN_GOROUTINES,
	COLUMN_GO,
	COLUMN_BUILD,
	COLUMN_COMM,
	COLUMN_COUNT,
};

static const struct {
	const char *title;
	unsigned int max; /* wider contents are cut */
	bool right;	  /* numbers */
} columns[COLUMN_COUNT] = {
	[COLUMN_PID] = {"PID", 10, true},	[COLUMN_USER] = {"USER", 12, false},
	[COLUMN_UPTIME] = {"UPTIME", 10, true}, [COLUMN_GOROUTINES] = {"GOROUTINES", 14, true},
	[COLUMN_GO] = {"GO", 12, false},	[COLUMN_BUILD] = {"BUILD", 29, false},
	[COLUMN_COMM] = {"COMMAND", 15, false},
};

struct widths {
	unsigned int of[COLUMN_COUNT];
};

/* One process, in words. 64 bytes hold each column's maximum, of four bytes a character. */
struct cells {
	char of[COLUMN_COUNT][64];
};

/* --- cells --------------------------------------------------------------------------------------- */

static void put_build(const struct listed_build *build, char *out, size_t size)
{
	const struct {
		enum file_fact fact;
		const char *word;
	} facts[] = {
		{build->statically_linked, "static"},
		{build->pie, "pie"},
		{build->cgo, "cgo"},
		{build->race, "race"},
		{build->stripped, "stripped"},
	};
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		int n;

		if (facts[i].fact != FACT_YES)
			continue;
		n = snprintf(out + used, size - used, "%s%s", used ? " " : "", facts[i].word);
		if (n < 0 || (size_t)n >= size - used)
			break;
		used += (size_t)n;
	}
}

/* Seconds are enough: "1.5s" says no more than "1s" here. */
static void put_uptime(double seconds, char *out, size_t size)
{
	uint64_t ns = duration__from_seconds(seconds);
	char text[DURATION_SIZE];

	duration__format(ns - ns % NSEC_PER_SEC, text);
	snprintf(out, size, "%s", text);
}

/* Every version begins with "go", as the title does; revision, date and experiments come last. */
static void put_go_version(const char *version, char *out, size_t size)
{
	if (!strncmp(version, "go1", 3))
		version += 2;
	snprintf(out, size, "%.*s", (int)strcspn(version, " _"), version);
}

static struct cells cells_of(const struct listed_process *process)
{
	struct cells cells = {0};
	char count[NUMBER_COUNT_SIZE];

	snprintf(cells.of[COLUMN_PID], sizeof(cells.of[0]), "%d", process->pid);
	if (report__text(process->user)[0])
		snprintf(cells.of[COLUMN_USER], sizeof(cells.of[0]), "%s", process->user);
	else
		snprintf(cells.of[COLUMN_USER], sizeof(cells.of[0]), "%u", process->uid);
	put_uptime(process->uptime_seconds, cells.of[COLUMN_UPTIME], sizeof(cells.of[0]));
	if (process->counted) {
		number__count(process->goroutines, count);
		snprintf(cells.of[COLUMN_GOROUTINES], sizeof(cells.of[0]), "%s", count);
	}
	put_go_version(report__text(process->go_version), cells.of[COLUMN_GO], sizeof(cells.of[0]));
	put_build(&process->build, cells.of[COLUMN_BUILD], sizeof(cells.of[0]));
	snprintf(cells.of[COLUMN_COMM], sizeof(cells.of[0]), "%s", report__text(process->comm));
	for (int c = 0; c < COLUMN_COUNT; c++) {
		if (!cells.of[c][0])
			snprintf(cells.of[c], sizeof(cells.of[0]), UNKNOWN);
	}
	return cells;
}

static struct widths measure(const struct process_list *list)
{
	struct widths widths;

	for (int c = 0; c < COLUMN_COUNT; c++)
		widths.of[c] = (unsigned int)strlen(columns[c].title);
	for (size_t i = 0; i < list->n_processes; i++) {
		struct cells cells = cells_of(&list->processes[i]);

		for (int c = 0; c < COLUMN_COUNT; c++) {
			size_t width = utf8__width(cells.of[c]);

			width = min_of(width, (size_t)columns[c].max);
			widths.of[c] = max_of(widths.of[c], (unsigned int)width);
		}
	}
	return widths;
}

/* --- lines --------------------------------------------------------------------------------------- */

/* Puts @cells from the first column on. Returns where the next column begins. */
static unsigned int put_cells(struct screen *screen, const struct widths *widths,
			      const struct cells *cells, const enum style styles[COLUMN_COUNT])
{
	unsigned int at = 0;

	for (int c = 0; c < COLUMN_COUNT; c++) {
		if (columns[c].right) {
			screen__put_right(screen, styles[c], cells->of[c], at, widths->of[c]);
		} else {
			screen__to(screen, at);
			screen__put_within(screen, styles[c], cells->of[c], widths->of[c]);
		}
		at += widths->of[c] + GAP;
	}
	return at;
}

static void put_titles(struct screen *screen, const struct widths *widths)
{
	enum style styles[COLUMN_COUNT];
	struct cells titles;

	for (int c = 0; c < COLUMN_COUNT; c++) {
		styles[c] = STYLE_DIM;
		snprintf(titles.of[c], sizeof(titles.of[0]), "%s", columns[c].title);
	}
	screen__to(screen, put_cells(screen, widths, &titles, styles));
	screen__put(screen, STYLE_DIM, "MODULE");
	screen__end_line(screen);
}

/* What was built without modules, as Debian does, still has the path of its main package. */
static const char *module_of(const struct listed_process *process)
{
	const char *module = report__text(process->module);
	const char *path = report__text(process->main_path);

	return *module || !strcmp(path, "command-line-arguments") ? module : path;
}

/* "go.etcd.io/etcd/v3 v3.5.16": the version in full, of the path as much as there is room for. */
static void put_module(struct screen *screen, const struct listed_process *process)
{
	const char *version = report__text(process->module_version);
	const char *module = module_of(process);
	size_t room = screen__room(screen), taken = *version ? utf8__width(version) + 1 : 0;
	bool both = *version && room > taken + 12;

	if (!*module) {
		screen__put(screen, STYLE_DIM, UNKNOWN);
		return;
	}
	screen__put_function(screen, STYLE_PLAIN, module,
			     (unsigned int)(both ? room - taken : room));
	if (both)
		screen__putf(screen, STYLE_DIM, " %s", version);
}

static void put_note(struct screen *screen, enum style style, const char *label, const char *text,
		     unsigned int column)
{
	if (!text || !*text)
		return;
	screen__to(screen, column);
	screen__put(screen, style, label);
	screen__wrap(screen, style, text, MAX_NOTE_LINES);
}

/* Whether the runtime came with another file than the executable. */
static bool is_library(const struct listed_process *process)
{
	return strcmp(report__text(process->runtime_file), report__text(process->exe)) != 0;
}

static void put_process(struct screen *screen, const struct widths *widths,
			const struct listed_process *process, bool verbose)
{
	enum style styles[COLUMN_COUNT] = {0};
	struct cells cells = cells_of(process);
	char held[EXECUTION_TEXT];
	unsigned int notes = widths->of[COLUMN_PID] + GAP;

	styles[COLUMN_GOROUTINES] = STYLE_BOLD;
	styles[COLUMN_BUILD] = STYLE_DIM;
	styles[COLUMN_COMM] = process->supported ? STYLE_GOOD : STYLE_GROWING;
	screen__to(screen, put_cells(screen, widths, &cells, styles));
	put_module(screen, process);
	screen__end_line(screen);
	if (verbose)
		put_note(screen, STYLE_DIM, "", process->exe, notes);
	if (is_library(process))
		put_note(screen, STYLE_DIM, "in ", process->runtime_file, notes);
	if (process->exe_elsewhere && !strncmp(report__text(process->exe_claimant), "user ", 5))
		put_note(screen, STYLE_GROWING, "runs in namespaces that are not the host's, of ",
			 process->exe_claimant, notes);
	execution__text(&process->execution, held);
	put_note(screen, STYLE_GROWING, "", held, notes);
	put_note(screen, STYLE_GROWING,
		 process->supported ? "" : "not supported: ", process->reason, notes);
}

static void put_summary(struct screen *screen, const struct process_list *list)
{
	uint64_t goroutines = 0, unsupported = 0;
	size_t processes = 0;

	for (size_t i = 0; i < list->n_processes; i++) {
		goroutines += list->processes[i].counted ? list->processes[i].goroutines : 0;
		unsupported += !list->processes[i].supported;
		processes += !list->processes[i].another;
	}
	if (!list->n_processes) {
		screen__put(screen, STYLE_BOLD, "no Go process found");
	} else {
		screen__putf(screen, STYLE_BOLD, "%zu Go process%s", processes,
			     processes == 1 ? "" : "es");
		screen__put(screen, STYLE_PLAIN, ", ");
		screen__put_owned(screen, STYLE_PLAIN, number__counted(goroutines, "goroutine"));
		if (unsupported)
			screen__putf(screen, STYLE_PLAIN, ", %zu not supported",
				     (size_t)unsupported);
	}
	screen__putf(screen, STYLE_PLAIN, "; looked at %zu process%s", list->looked_at,
		     list->looked_at == 1 ? "" : "es");
	screen__end_line(screen);
}

static void put_left_out(struct screen *screen, const struct process_list *list)
{
	char text[240];

	if (list->not_readable) {
		snprintf(text, sizeof(text), "%zu of them may not be read, and may be Go too: %s",
			 list->not_readable,
			 list->privileged ? "another user namespace, or a security module" :
					    "that needs CAP_SYS_PTRACE (sudo gleakd list)");
		screen__wrap(screen, STYLE_GROWING, text, MAX_NOTE_LINES);
	}
	if (list->not_opened) {
		snprintf(text, sizeof(text),
			 "%zu of them were not opened, and may be Go too: on a FUSE file system, "
			 "which may block its readers",
			 list->not_opened);
		screen__wrap(screen, STYLE_GROWING, text, MAX_NOTE_LINES);
	}
}

int process_list__write_text(FILE *out, const struct process_list *list,
			     const struct screen_options *options, bool verbose)
{
	struct screen_options within = screen_options__within(options, SCREEN_NO_LIMIT);
	struct widths widths = measure(list);
	struct screen screen;

	screen__init(&screen, &within);
	if (list->n_processes)
		put_titles(&screen, &widths);
	for (size_t i = 0; i < list->n_processes; i++)
		put_process(&screen, &widths, &list->processes[i], verbose);
	put_summary(&screen, list);
	put_left_out(&screen, list);
	return screen__flush(&screen, out);
}
