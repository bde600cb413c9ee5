// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "output/doctor.h"
#include "output/text/screen.h"

#define INDENT	       2
#define GAP	       2
#define STATUS_COLUMNS 4
#define MAX_LINES      8

static enum style style_of(enum doctor_status status)
{
	switch (status) {
	case DOCTOR_OK:
		return STYLE_GOOD;
	case DOCTOR_WARN:
		return STYLE_GROWING;
	case DOCTOR_FAIL:
		break;
	}
	return STYLE_LEAKING;
}

static unsigned int widest_name(const struct doctor_report *report)
{
	size_t width = 0;

	for (size_t i = 0; i < report->n_items; i++)
		width = max_of(width, strlen(report->items[i].name));
	return (unsigned int)width;
}

static void put_head(struct screen *screen, const struct doctor_report *report)
{
	screen__putf(screen, STYLE_BOLD, "gleakd %s", report->version);
	screen__putf(screen, STYLE_PLAIN, " (%s) on Linux %s, %s", report->revision, report->kernel,
		     report->machine);
	screen__end_line(screen);
}

static void put_item(struct screen *screen, const struct doctor_item *item, unsigned int text)
{
	screen__to(screen, INDENT);
	screen__put(screen, style_of(item->status), doctor_status__name(item->status));
	screen__to(screen, INDENT + STATUS_COLUMNS + GAP);
	screen__put(screen, STYLE_PLAIN, item->name);
	screen__to(screen, text);
	screen__wrap(screen, STYLE_PLAIN, item->found, MAX_LINES);
	if (!item->advice[0])
		return;
	screen__to(screen, text);
	screen__put(screen, STYLE_DIM, "-> ");
	screen__wrap(screen, STYLE_BOLD, item->advice, MAX_LINES);
}

static size_t count(const struct doctor_report *report, enum doctor_status status)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_items; i++)
		n += report->items[i].status == status;
	return n;
}

static void put_summary(struct screen *screen, const struct doctor_report *report)
{
	size_t failed = count(report, DOCTOR_FAIL), warned = count(report, DOCTOR_WARN);

	screen__end_line(screen);
	if (failed)
		screen__putf(screen, STYLE_LEAKING, "%zu of %zu checks failed", failed,
			     report->n_items);
	else
		screen__putf(screen, STYLE_GOOD, "gleakd works here");
	if (warned)
		screen__putf(screen, STYLE_PLAIN, "; %zu warning%s", warned,
			     warned == 1 ? "" : "s");
	screen__end_line(screen);
}

int doctor__write_text(FILE *out, const struct doctor_report *report,
		       const struct screen_options *options)
{
	unsigned int text = INDENT + STATUS_COLUMNS + GAP + widest_name(report) + GAP;
	struct screen_options within = screen_options__within(options, SCREEN_NO_LIMIT);
	const char *group = "";
	struct screen screen;

	screen__init(&screen, &within);
	put_head(&screen, report);
	for (size_t i = 0; i < report->n_items; i++) {
		if (strcmp(group, report->items[i].group) != 0) {
			group = report->items[i].group;
			screen__put(&screen, STYLE_BOLD, group);
			screen__end_line(&screen);
		}
		put_item(&screen, &report->items[i], text);
	}
	put_summary(&screen, report);
	return screen__flush(&screen, out);
}
