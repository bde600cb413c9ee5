/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_GOROUTINES_GOROUTINE_PLACES_H
#define GLEAKD_SESSION_GOROUTINES_GOROUTINE_PLACES_H

/*
 * Where goroutines were created and where they stand, resolved once for all that share it: of a
 * million goroutines most stand in a handful of places. Private to the list.
 */
#include "observe/census.h"
#include "output/report.h"
#include "session/goroutines/goroutine_list.h"

struct goroutine_places;

int goroutine_places__new(const struct goroutine_list_source *source,
			  struct goroutine_places **ret_places) __must_check;
void goroutine_places__free(struct goroutine_places *places);

/* goroutine_places__find - valid until the places are freed. -ENOMEM. */
int goroutine_places__find(struct goroutine_places *places, const struct census_goroutine *g,
			   const struct report_place **ret_place) __must_check;

#endif /* GLEAKD_SESSION_GOROUTINES_GOROUTINE_PLACES_H */
