/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_PPROF_READ_BACK_H
#define TESTS_UNIT_OUTPUT_PPROF_READ_BACK_H

/* What a profile looks like to those who read it. */
#include "output/pprof/profile.h"

#include "profile.pb-c.h"

/* pprof__read_back - writes, uncompresses and unpacks @profile, and frees it. */
Gleakd__Pprof__Profile *pprof__read_back(struct pprof *profile);

/* pprof__string - @number of its table. */
const char *pprof__string(const Gleakd__Pprof__Profile *profile, int64_t number);

/* pprof__label - the text of @sample's label @key; "": it has none. */
const char *pprof__label(const Gleakd__Pprof__Profile *profile, const Gleakd__Pprof__Sample *sample,
			 const char *key);

#endif /* TESTS_UNIT_OUTPUT_PPROF_READ_BACK_H */
