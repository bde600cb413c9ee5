/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_SAMPLE_EVIDENCE_H
#define TESTS_UNIT_OUTPUT_SAMPLE_EVIDENCE_H

/* What the sites of samples rest on; sample.h puts it there. */
#include "output/report.h"

/* sample_evidence__leaks - confidence, meaning, evidence and objects of the sites of sample__leaks(). */
void sample_evidence__leaks(struct report_site *sites);

/* sample_evidence__hostile - @text everywhere, and no sensible number. */
void sample_evidence__hostile(struct report_site *site, const char *text);

/* sample_evidence__random - any at all; sample_evidence__free() it. */
void sample_evidence__random(struct report_site *site, unsigned int *seed,
			     char *(*text)(unsigned int *seed), double (*real)(unsigned int *seed),
			     uint64_t (*count)(unsigned int *seed));
void sample_evidence__free(struct report_site *site);

#endif /* TESTS_UNIT_OUTPUT_SAMPLE_EVIDENCE_H */
