/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_OPENINGS_H
#define GLEAKD_TRACK_OPENINGS_H

/*
 * Who was seen to open what, until a look has found it: by the address that a probe has told, of the thing itself, or
 * of something that it leads to. An address is used again when its memory has been collected, so that nothing is
 * known for longer than from the look before last on. Pure.
 */
#include "heap/resources/resources.h"
#include "probe/open_plan.h"

#define OPENINGS_MAX (1u << 17) /* between two looks */

struct openings;

int openings__new(struct openings **ret_openings) __must_check;
void openings__free(struct openings *openings);

/*
 * openings__note - @opener (not 0) has opened what is known by @object; it takes the place of whoever was noted for
 * the same before. -ENOMEM.
 */
int openings__note(struct openings *openings, enum open_function function, uint64_t object,
		   uint32_t opener) __must_check;

/* openings__find - the last who has opened that by one of @functions (1 << enum open_function); 0: nobody. */
uint32_t openings__find(const struct openings *openings, unsigned int functions, uint64_t object);

/* openings__next - a look is over: what was noted before the one before it is forgotten. */
void openings__next(struct openings *openings);

bool openings__is_empty(const struct openings *openings);
uint64_t openings__refused(const struct openings *openings); /* beyond OPENINGS_MAX */

/*
 * By which functions a thing of @kind is known: openings__of_itself - by its address, openings__of_id - by its id,
 * openings__of_what_it_leads_to - by an address that it has.
 */
unsigned int openings__of_itself(enum resource_kind kind);
unsigned int openings__of_id(enum resource_kind kind);
unsigned int openings__of_what_it_leads_to(enum resource_kind kind);

#endif /* GLEAKD_TRACK_OPENINGS_H */
