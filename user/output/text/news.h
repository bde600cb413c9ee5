/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_NEWS_H
#define GLEAKD_OUTPUT_TEXT_NEWS_H

/*
 * What a reader of a log has been told, so that only what is new gets printed. Sites are compared
 * with what was last *printed* about them: slow growth adds up until it is worth a line.
 */
#include "output/report.h"

struct text_news;

/*
 * text_news__new - with @host of all processes of a host: modes, which the governor changes all the
 * time, are no news then, and a process that ended is gone.
 */
int text_news__new(bool host, struct text_news **ret_news) __must_check;
void text_news__free(struct text_news *news);

/*
 * text_news__compare - prepare the questions below for @report, which has to stay until
 * text_news__printed(). -ENOMEM.
 */
int text_news__compare(struct text_news *news, const struct report *report) __must_check;

/* text_news__any - whether anything of @report is worth printing. */
bool text_news__any(const struct text_news *news);

/*
 * text_news__target - the target came, its mode changed, it lost events for the first time, or it
 * ended.
 */
bool text_news__target(const struct text_news *news, const struct report_target *target);

/*
 * text_news__late - something in the target is held up, and nothing of the kind was told for a minute, of a
 * host for ten.
 */
bool text_news__late(const struct text_news *news, const struct report_target *target);

enum site_news {
	SITE_NEWS_NONE,	 /* nothing, or not flagged */
	SITE_NEWS_COUNT, /* a tenth more or fewer goroutines */
	SITE_NEWS_WHOLE, /* newly flagged, or with another verdict */
};

/* text_news__site - what there is to tell about @site. */
enum site_news text_news__site(const struct text_news *news, const struct report_target *target,
			       const struct report_site *site);

/* text_news__memory - whether it is new that memory grows at @site. */
bool text_news__memory(const struct text_news *news, const struct report_target *target,
		       const struct report_alloc_site *site);

/* text_news__resource - of a place that is worth telling of (text_part__told_resources()) nothing was printed. */
bool text_news__resource(const struct text_news *news, const struct report_target *target,
			 const struct resource_line *line);

/* text_news__came - nothing was told of the target yet. */
bool text_news__came(const struct text_news *news, const struct report_target *target);

/* text_news__gone - calls back for each target of which something was told and that is no more. */
void text_news__gone(const struct text_news *news,
		     void (*visit)(void *ctx, pid_t pid, const char *name), void *ctx);

/* text_news__resolved - calls back with the id of each site that was flagged and no longer is. */
void text_news__resolved(const struct text_news *news, const struct report_target *target,
			 void (*visit)(void *ctx, const char *id, enum verdict verdict), void *ctx);

/* text_news__printed - what was new has been printed. */
void text_news__printed(struct text_news *news);

#endif /* GLEAKD_OUTPUT_TEXT_NEWS_H */
