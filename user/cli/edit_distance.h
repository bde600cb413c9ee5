/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_EDIT_DISTANCE_H
#define GLEAKD_CLI_EDIT_DISTANCE_H

/* For "did you mean": how far what was typed is from what there is. */
#include "base/common.h"

/* Two slips of the finger are near; this is not any more. */
#define EDIT_DISTANCE_FAR 3

/*
 * edit_distance - letters to insert, delete or replace, and neighbours to swap, to make @b of @a
 * (optimal string alignment); EDIT_DISTANCE_FAR or more when it is far. Names longer than 32 bytes
 * are far from all others.
 */
size_t edit_distance(const char *a, const char *b);

#endif /* GLEAKD_CLI_EDIT_DISTANCE_H */
