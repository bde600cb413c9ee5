/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_PARTS_H
#define GLEAKD_OUTPUT_TEXT_PARTS_H

/*
 * The pieces that the text report is put together from. Each leaves finished lines on the screen;
 * none decides whether it is shown (text.c does).
 */
#include "output/report.h"
#include "output/text/screen.h"
#include "output/shorten.h"

#define MAX_VERDICT  10
#define MAX_WAIT     28 /* "sync.RWMutex.RLock" and nearly all of the runtime's other words */
#define MIN_FUNCTION 12

/* Where the lines of a site's block begin: "LEAKING" and two blanks. */
#define BLOCK_INDENT 9

/* How much of a site is shown: each step includes those before it. */
enum site_detail {
	SITE_HEADLINE, /* one line */
	SITE_PLACES,   /* what it is, where it was created, where it blocks */
	SITE_EVIDENCE, /* why it was flagged, what it waits on */
	SITE_STACK,    /* the whole park stack and all it waits on */
};

/* text_part__target - who is watched and how, its goroutines, what got lost. */
void text_part__target(struct screen *screen, const struct report_target *target);

/* text_part__losses - one or two lines, nothing when nothing got lost. */
void text_part__losses(struct screen *screen, const struct report_target *target);

/* text_part__mode - why not all probes are attached; nothing in mode full. */
void text_part__mode(struct screen *screen, const struct report_target *target);

/* Column widths of headlines that stand under one another. */
struct site_columns {
	unsigned int verdict, confidence, count, wait, growth, function;
};

/* text_part__columns_add - make room for @site. Start with all zero. */
void text_part__columns_add(struct site_columns *columns, const struct report_site *site);

/* text_part__wait_words - the runtime's, or what there is to say without one. */
const char *text_part__wait_words(const struct report_site *site);

/*
 * text_part__runs - what the go statement runs, "" when not known. For `go f(x)` the start function
 * is a wrapper that the compiler made (cmd/compile/internal/ir/func.go, "gowrap"); what it
 * calls, the outermost frame of the park stack, says more.
 */
const char *text_part__runs(const struct report_site *site);

/*
 * text_part__wait_and_growth - those two columns, from @column on. Returns where the next begins.
 */
unsigned int text_part__wait_and_growth(struct screen *screen, const struct site_columns *columns,
					const struct report_site *site, unsigned int column);

enum style text_part__verdict_style(const struct report_site *site);

/*
 * text_part__frame - function and "file.go:42" on the open line, if there is room for that. With
 * @whole_path as much of the path as there is room for, and a word when the frame was inlined.
 */
void text_part__frame(struct screen *screen, enum style style, const struct report_frame *frame,
		      unsigned int function_columns, bool whole_path);

/* text_part__label - begin a line of a site's block: "created at", or "" for one that goes on. */
void text_part__label(struct screen *screen, const char *label);

/* text_part__objects - what its members wait on; of shared ones @max. Nothing when nobody looked. */
void text_part__objects(struct screen *screen, const struct report_site *site, size_t max);

/* text_part__stack - the park stack, one line a frame. */
void text_part__stack(struct screen *screen, const struct report_site *site);

/* text_part__site - the block of a flagged site. */
void text_part__site(struct screen *screen, const struct site_columns *columns,
		     const struct report_site *site, enum site_detail detail);

/*
 * text_part__rows - the first @max sites that are @wanted, one line each; their stacks too when
 * @stacks.
 */
void text_part__rows(struct screen *screen, const struct report_target *target, size_t max,
		     bool (*wanted)(const void *ctx, const struct report_site *site),
		     const void *ctx, bool stacks);

/*
 * text_part__silenced - one line that says how many sites the allow-list silenced, and why; when
 * @all the sites themselves, @max of them, each with its reason.
 */
void text_part__silenced(struct screen *screen, const struct report_target *target, size_t max,
			 bool all);

/*
 * text_part__others - the sites that were neither flagged nor silenced: one line that sums them up,
 * then @max lines with the first of them; their stacks too when @stacks. Sites without goroutines
 * only if @all.
 */
void text_part__others(struct screen *screen, const struct report_target *target, size_t max,
		       bool all, bool stacks);

/* text_part__goroutines - all that are listed, one block per place; @verbose: every path in full. */
void text_part__goroutines(struct screen *screen, const struct report_target *target, bool verbose);

/* text_part__summary - the last words. */
void text_part__summary(struct screen *screen, const struct report *report);

/* text_part__status - one line with a time that says how things are; @named: and with its name. */
void text_part__status(struct screen *screen, const struct report *report,
		       const struct report_target *target, bool named);

/* text_part__host_status - the same of all targets together. */
void text_part__host_status(struct screen *screen, const struct report *report);

/* text_part__came, text_part__gone - likewise: watched from now on; no longer, or ended. */
void text_part__came(struct screen *screen, const struct report *report,
		     const struct report_target *target);
void text_part__gone(struct screen *screen, const struct report *report, pid_t pid,
		     const char *name);

/* Flagged sites and their goroutines, by verdict. */
struct flagged_count {
	uint64_t leaking_sites, leaking_goroutines;
	uint64_t stuck_sites, stuck_goroutines;
};

struct flagged_count text_part__count_flagged(const struct report_target *target);

#endif /* GLEAKD_OUTPUT_TEXT_PARTS_H */
