/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_FINDINGS_H
#define GLEAKD_CLI_FINDINGS_H

/*
 * What the last report of a run says to the program's exit code: whether something was found, and
 * whether anything could have been.
 */
#include "base/failure.h"
#include "cli/options.h"
#include "output/report.h"
#include "naming/allow_list.h"

/* findings__verdicts - those that @fail_on (enum finding) is about, as 1 << enum verdict. */
unsigned int findings__verdicts(unsigned int fail_on);

/* findings__any - whether @report has a site of @fail_on (enum finding) that is not suppressed. */
bool findings__any(const struct report *report, unsigned int fail_on);

/*
 * findings__judged - whether a run with @options that ended with @report could judge what --fail-on is
 * about. If not, @ret_why has the reason: no process was watched, one that was named ended early, or
 * the watch was too short.
 */
bool findings__judged(const struct report *report, const struct options *options,
		      struct failure *ret_why);

/* findings__no_process - in words, why no process is watched. @refused: Go processes that cannot be. */
void findings__no_process(const struct options *options, uint64_t refused, struct failure *ret_why);

/*
 * findings__tell_reach - log what the --duration of @options is too short for; nothing without one. For
 * the beginning of a run, when another can still be chosen.
 */
void findings__tell_reach(const struct options *options);

/* findings__tell_unused - which patterns of @allow, read from @path, no site ever matched. */
void findings__tell_unused(const struct allow_list *allow, const char *path);

#endif /* GLEAKD_CLI_FINDINGS_H */
