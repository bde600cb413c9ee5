/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_TRACK_MADE_EVIDENCE_H
#define TESTS_UNIT_TRACK_MADE_EVIDENCE_H

/* Evidence made by hand: tests change what theirs is about. */
#include "track/verdict.h"

/* What leak() refers to. */
extern struct age_histogram ages, connections;
extern struct length_histogram ended_parks, ended_lives;

/* leak - a site where one goroutine a second has come to stay for a minute; makes the above anew. */
struct evidence leak(void);

#endif /* TESTS_UNIT_TRACK_MADE_EVIDENCE_H */
