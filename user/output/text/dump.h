/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_DUMP_H
#define GLEAKD_OUTPUT_TEXT_DUMP_H

/*
 * Listed goroutines in forms that other programs read. As the runtime's own dump has them
 * (src/runtime/traceback.go; /debug/pprof/goroutine?debug=2), but for what cannot be known from
 * outside: arguments are "...". Or folded, a line for each stack with the number of goroutines, outermost
 * function first, for flame graphs.
 */
#include <stdio.h>

#include "output/report.h"

/*
 * dump__write, dump__write_folded - all targets, the report's order. -ENOMEM, or -EPIPE and kin when
 * writing failed.
 */
int dump__write(FILE *out, const struct report *report) __must_check;
int dump__write_folded(FILE *out, const struct report *report) __must_check;

/*
 * dump__write_folded_memory - likewise, places that allocate with the bytes that are in use there, or where that is
 * not known with those that were allocated.
 */
int dump__write_folded_memory(FILE *out, const struct report *report) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_DUMP_H */
