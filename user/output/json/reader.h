/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_READER_H
#define GLEAKD_OUTPUT_JSON_READER_H

/*
 * A report from the JSON that report__write_json() made of it, by this gleakd or an older one, here or on
 * another machine: the renderers show it as they would have shown the report. It is foreign data: what is
 * missing or of another type is as if it was not known.
 *
 * Written again it is the same JSON. What the JSON does not have is not in it: rates, offsets of frames,
 * figures of the host for metrics.
 */
#include "base/failure.h"
#include "output/report.h"

struct report_reader;

#define REPORT_READER_MAX_BYTES	     ((size_t)512 << 20)
#define REPORT_READER_MAX_TARGETS    1024u
#define REPORT_READER_MAX_SITES	     10000u /* of one target; likewise */
#define REPORT_READER_MAX_GOROUTINES 1000000u
#define REPORT_READER_MAX_ITEMS	     65536u /* of any other list */

/*
 * report_reader__new - of several reports, one per line, the last. @what: what the failure calls it, a
 * file's name. Errors in words: -EPROTO it is no report, -EOPNOTSUPP one of a newer schema, -E2BIG, -ENOMEM.
 */
int report_reader__new(const char *text, size_t size, const char *what,
		       struct report_reader **ret_reader, struct failure *failure) __must_check;
void report_reader__free(struct report_reader *reader);

/* report_reader__report - valid until the reader is freed. */
const struct report *report_reader__report(const struct report_reader *reader);

#endif /* GLEAKD_OUTPUT_JSON_READER_H */
