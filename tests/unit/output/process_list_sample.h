/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_LIST_SAMPLE_H
#define TESTS_UNIT_OUTPUT_LIST_SAMPLE_H

/* Lists for the renderers to show. */
#include "discover/process_list.h"

/* list_sample__host - Go processes of all kinds, supported and not. */
struct process_list list_sample__host(void);

/* list_sample__hostile - control sequences, invalid UTF-8 and endless names. */
struct process_list list_sample__hostile(void);

/* list_sample__empty - no Go process. */
struct process_list list_sample__empty(void);

#endif /* TESTS_UNIT_OUTPUT_LIST_SAMPLE_H */
