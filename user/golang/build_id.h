/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_BUILD_ID_H
#define GLEAKD_GOLANG_BUILD_ID_H

/* By which a very build is known again, and its debug information is found. */
#include "elf/image.h"

#define BUILD_ID_TEXT 128 /* Go's own has 83 characters */

/*
 * build_id__read - the GNU build ID in hexadecimal, which is what debuggers and stores of profiles go by;
 * without one (Go before 1.24 leaves none unless a C linker does) Go's own; "" without either.
 */
void build_id__read(struct elf_image *image, char out[BUILD_ID_TEXT]);

#endif /* GLEAKD_GOLANG_BUILD_ID_H */
