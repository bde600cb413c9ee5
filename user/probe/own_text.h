/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_OWN_TEXT_H
#define GLEAKD_PROBE_OWN_TEXT_H

/* Where gleakd's own instructions are in /proc/self/exe, to probe them. */
#include "base/common.h"

/* own_text__file_offset - of @address in the main program; 0: it is elsewhere. */
uint64_t own_text__file_offset(uintptr_t address);

#endif /* GLEAKD_PROBE_OWN_TEXT_H */
