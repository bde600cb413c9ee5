/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_TRIGGER_H
#define GLEAKD_CLI_TRIGGER_H

/*
 * What --trigger says: "runnable>100ms for 10s", "heap_live>2G", "leaking". Of a process, a figure of its
 * report that is too high, for how long; or a verdict on goroutines of it.
 */
#include "base/failure.h"
#include "output/report.h"

#define TRIGGER_TEXT_SIZE 64

enum trigger_subject {
	TRIGGER_RUNNABLE,   /* ns: the longest that a goroutine waits for a processor */
	TRIGGER_IN_CALL,    /* ns: the longest that a thread stays in one system call */
	TRIGGER_GOROUTINES, /* how many there are */
	TRIGGER_THREADS,    /* of the operating system */
	TRIGGER_HEAP_LIVE,  /* bytes that the last collection found */
	TRIGGER_RESIDENT,   /* bytes, as the kernel counts them */
	TRIGGER_VERDICT,    /* on goroutines */
};

struct trigger {
	enum trigger_subject subject;
	enum verdict verdict; /* of TRIGGER_VERDICT */
	uint64_t limit;	      /* it has to be more; in the subject's unit */
	uint64_t for_ns;
	char text[TRIGGER_TEXT_SIZE]; /* as it is shown, however it was typed */
	char id[9]; /* 8 hex digits, the same in every run; in place of a site's */
};

/* trigger__parse - -EINVAL: the failure says what @text should be. */
int trigger__parse(const char *text, struct trigger *ret_trigger,
		   struct failure *failure) __must_check;

/* trigger__figure - what it is about, of @target; false: that is not known, or it is a verdict. */
bool trigger__figure(const struct trigger *trigger, const struct report_target *target,
		     uint64_t *ret_figure);

/* trigger__is_met - not of a verdict. */
bool trigger__is_met(const struct trigger *trigger, const struct report_target *target);

/* trigger__wants - whether @site has the verdict that it names, and is not silenced. */
bool trigger__wants(const struct trigger *trigger, const struct report_site *site);

#define TRIGGER_FIGURE_SIZE 48

/* trigger__figure_text - "61,204", "130ms", "2.4 GB" */
void trigger__figure_text(const struct trigger *trigger, uint64_t figure,
			  char out[TRIGGER_FIGURE_SIZE]);

#endif /* GLEAKD_CLI_TRIGGER_H */
