/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_READER_PRIVATE_H
#define GLEAKD_OUTPUT_JSON_READER_PRIVATE_H

/*
 * What the parts of the reader share: reader.c (the report), reader_values.c (values),
 * reader_site.c, reader_locks.c, reader_heap.c, reader_resources.c, reader_scheduling.c. Texts are
 * those of the JSON tree, arrays are of the arena; both live as long as the reader. A member that
 * is not there, or of another type, has the value 0, "" or NULL.
 */
#include <jansson.h>

#include "base/arena.h"
#include "output/json/reader.h"

struct report_reader {
	json_t *root;
	struct arena arena;
	struct report report;
	bool too_many; /* a list is longer than any that is read */
};

const char *read__text(const json_t *object, const char *name);
uint64_t read__count(const json_t *object, const char *name);
uint32_t read__count32(const json_t *object, const char *name);
double read__real(const json_t *object, const char *name);
uint64_t read__seconds(const json_t *object, const char *name); /* in ns */
bool read__bool(const json_t *object, const char *name);
uint64_t read__address(const json_t *object, const char *name);

/* read__word - the number below @n whose name, by @name_of, the member has; else 0. */
unsigned int read__word(const json_t *object, const char *name,
			const char *(*name_of)(unsigned int), unsigned int n);

/*
 * read__array - how many elements the list has; *@ret_items has as many of @size bytes, zeroed. More
 * than @max is an error of the whole report.
 */
size_t read__array(struct report_reader *reader, const json_t *list, size_t size, size_t max,
		   void *ret_items);

struct report_frame read__frame(const json_t *object);
const struct report_frame *read__stack(struct report_reader *reader, const json_t *list,
				       size_t *ret_n);

/* read__site - @module: of the program, whose code its frames are in or are not. */
void read__site(struct report_reader *reader, const json_t *json, uint64_t realtime_ns,
		const char *module, struct report_site *site);
/* read__locks - of all sites of @target, which are @sites; they are read from @list. */
void read__locks(struct report_reader *reader, const json_t *list, struct report_target *target,
		 struct report_site *sites);
void read__findings(struct report_reader *reader, const json_t *list, struct report_target *target);
void read__heap(struct report_reader *reader, const json_t *json, struct report_target *target);
void read__goroutines(struct report_reader *reader, const json_t *list,
		      struct report_target *target);

/* read__resources - what is open; NULL: that was not asked for. */
const struct resource_lines *read__resources(struct report_reader *reader, const json_t *json);

/* read__scheduling - what is held up, in @target, whose sites are read; NULL: not known. */
const struct report_scheduling *read__scheduling(struct report_reader *reader, const json_t *json,
						 const struct report_target *target);

#endif /* GLEAKD_OUTPUT_JSON_READER_PRIVATE_H */
