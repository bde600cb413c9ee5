/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PPROF_PROFILE_PRIVATE_H
#define GLEAKD_OUTPUT_PPROF_PROFILE_PRIVATE_H

/*
 * What profile.c collects and encode.c writes. Everything is named by its number; in the file all but
 * strings are numbered from 1 on. Parts of varying size lie in one array for all of their kind.
 */
#include "base/index.h"
#include "output/pprof/profile.h"

struct pprof_function {
	uint32_t name, file;
};

struct pprof_line {
	uint32_t function, line;
};

struct pprof_location {
	uint32_t mapping;
	uint32_t first_line, n_lines;
	uint64_t address;
};

struct pprof_kept_label {
	uint32_t key, text, unit;
	int64_t number;
};

struct pprof_sample {
	uint32_t first_location, n_locations;
	uint32_t first_label, n_labels;
	int64_t values[PPROF_MAX_VALUES];
};

/* An array that grows; see base/array.h. */
#define PPROF_ARRAY(type)            \
	struct {                     \
		type *items;         \
		size_t n, capacity;  \
		struct index *index; \
	}

struct pprof {
	PPROF_ARRAY(char *) strings; /* owned, UTF-8; the first is "" */
	PPROF_ARRAY(struct pprof_function) functions;
	PPROF_ARRAY(struct pprof_line) lines; /* of all locations */
	PPROF_ARRAY(struct pprof_location) locations;
	PPROF_ARRAY(uint32_t) mappings; /* string of its file's name */
	PPROF_ARRAY(uint32_t) stacks;	/* locations of all samples */
	PPROF_ARRAY(struct pprof_kept_label) labels;
	PPROF_ARRAY(struct pprof_sample) samples;
	uint32_t kinds[PPROF_MAX_VALUES][2]; /* strings: type and unit */
	size_t n_kinds;
	uint32_t shown, period_kind[2], build_id, comment;
	int64_t period, time_ns, duration_ns;
};

#endif /* GLEAKD_OUTPUT_PPROF_PROFILE_PRIVATE_H */
