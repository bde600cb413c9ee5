/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_FUZZ_SHOWN_H
#define GLEAKD_FUZZ_SHOWN_H

/* What must hold of everything that is shown, whatever bytes the names in it are made of. */
#include "base/common.h"
#include "output/report.h"

/*
 * shown__normalize - without our own sequences (colours, erasing, the cursor's way home) and without
 * blanks at the ends of lines, which a colour keeps.
 */
void shown__normalize(char *text);

/* shown__check - nothing that a terminal acts on but the ends of lines, none of which is longer. */
void shown__check(const char *text, unsigned int columns);

/* shown__check_json - one object on one line of printable ASCII. */
void shown__check_json(const char *text, size_t size);

/* shown__check_report - the same of what JSON is made of it. */
void shown__check_report(const struct report *report);

#endif /* GLEAKD_FUZZ_SHOWN_H */
