/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ROSTER_PLACES_H
#define GLEAKD_SESSION_ROSTER_PLACES_H

/*
 * Where goroutines were created and where they stand, resolved once for all that share it: of a
 * million goroutines most stand in a handful of places. Private to the roster.
 */
#include "observe/census.h"
#include "output/report.h"
#include "session/roster.h"

struct roster_places;

int roster_places__new(const struct roster_source *source,
		       struct roster_places **ret_places) __must_check;
void roster_places__free(struct roster_places *places);

/* roster_places__find - valid until the places are freed. -ENOMEM. */
int roster_places__find(struct roster_places *places, const struct census_goroutine *g,
			const struct report_place **ret_place) __must_check;

#endif /* GLEAKD_SESSION_ROSTER_PLACES_H */
