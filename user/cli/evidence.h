/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_EVIDENCE_H
#define GLEAKD_CLI_EVIDENCE_H

/*
 * --evidence: when a site becomes flagged, or a trigger is met, what an engineer will want to see of it tomorrow is
 * kept, in a folder for each (host/evidence_store.h): the report on its process, the goroutines of the
 * finding one by one (of a trigger, those of the process), a profile of all of the process, what its heap consists
 * of. One at a time, between rounds; the goroutines are listed by a census of that process alone, which begins right
 * away. Of one site or one trigger, and one process, once an hour.
 */
#include "cli/options.h"
#include "report/builder.h"
#include "session/session.h"

struct evidence;
struct rounds;

/*
 * evidence__open - *@ret_evidence is NULL where the options want none. Errors in words: as evidence_store__open().
 */
int evidence__open(const struct options *options, struct evidence **ret_evidence,
		   struct failure *failure) __must_check;
void evidence__close(struct evidence *evidence);

/*
 * evidence__use - go on with other options, which are borrowed. What was kept in another folder is
 * forgotten. Errors: as evidence__open(); then none is kept any more. *@evidence may be NULL before and after.
 */
int evidence__use(struct evidence **evidence, const struct options *options,
		  struct failure *failure) __must_check;

/* evidence_ops - for report_builder__set_evidence(); the context is the struct evidence, or NULL. */
extern const struct report_evidence_ops evidence_ops;

/* evidence__forget_report - the last one is about to be gone. NULL is fine. */
void evidence__forget_report(struct evidence *evidence);

/*
 * evidence__note - @report, just built of @session, is the last one: sites that are flagged in it and were not, and
 * triggers that it was found to meet, are to be kept. It is valid until evidence__forget_report(). NULL is fine.
 */
void evidence__note(struct evidence *evidence, const struct session *session,
		    const struct report *report);

/*
 * evidence__step - while nothing else is due: begin with one, or write what is there. Takes seconds at
 * most. True: a census has begun. NULL is fine.
 */
bool evidence__step(struct evidence *evidence, struct rounds *rounds, uint64_t now_ns);

/* evidence__finish - the last report was noted: all that is left, within ten seconds. NULL is fine. */
void evidence__finish(struct evidence *evidence, struct rounds *rounds);

#endif /* GLEAKD_CLI_EVIDENCE_H */
