/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_SIZE_CLASSES_H
#define GLEAKD_GOLANG_SIZE_CLASSES_H

/*
 * Go's size classes of small objects, by number: src/runtime/sizeclasses.go (internal/runtime/gc from 1.25
 * on), the same from Go 1.18 to 1.27. Class 0: large objects.
 */
#include "base/common.h"

#define GO_SIZE_CLASSES 68

extern const uint16_t go_class_sizes[GO_SIZE_CLASSES]; /* bytes of an object */
extern const uint8_t go_class_pages[GO_SIZE_CLASSES];  /* of a span */

#endif /* GLEAKD_GOLANG_SIZE_CLASSES_H */
