/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_GOROUTINE_FILTER_H
#define GLEAKD_OUTPUT_GOROUTINE_FILTER_H

/* Which goroutines somebody asked for: those that meet every condition that was given. */
#include "base/common.h"
#include "base/failure.h"
#include "output/report.h"

enum goroutine_state {
	GOROUTINE_WAITING,
	GOROUTINE_RUNNING,
	GOROUTINE_RUNNABLE,
	GOROUTINE_SYSCALL,
};

/* goroutine_state__of, goroutine_state__name - "waiting", "running", "runnable", "syscall". */
enum goroutine_state goroutine_state__of(const struct report_goroutine *goroutine);
const char *goroutine_state__name(enum goroutine_state state);

/* Conditions as they were typed. All texts must outlive the filter. */
struct goroutine_wanted {
	unsigned int states; /* 1 << enum goroutine_state; 0: any */
	const char *reason;  /* a part of the state's text, or a glob of it; NULL: any */
	const char *func;    /* as a pattern of a site (output/site_pattern.h); NULL: any */
	uint64_t min_age_ns; /* waits at least this long, as far as is known */
	/* "KEY", "KEY=VALUE" or "KEY=GLOB": every one of them; "17" or "17-20": any of them. */
	const char *const *labels, *const *goids;
	size_t n_labels, n_goids;
};

struct goroutine_filter;

/*
 * goroutine_filter__new - -EINVAL, in words that begin with the option's name, for what is no number,
 * or a glob that takes too long to match; -ENOMEM.
 */
int goroutine_filter__new(const struct goroutine_wanted *wanted,
			  struct goroutine_filter **ret_filter,
			  struct failure *failure) __must_check;
void goroutine_filter__free(struct goroutine_filter *filter);

/* goroutine_filter__wants - @ctx: the filter. */
bool goroutine_filter__wants(void *ctx, const struct report_goroutine *goroutine);

#endif /* GLEAKD_OUTPUT_GOROUTINE_FILTER_H */
