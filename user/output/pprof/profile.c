// SPDX-License-Identifier: Apache-2.0
#include "output/pprof/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "output/pprof/profile_private.h"

#define MAX_PARTS \
	((size_t)1 << 28) /* of one kind: what an index can hold, and more than is readable */

/* Makes room for @more items. */
#define room_for(array, more)                                                           \
	((array).n + (more) > MAX_PARTS					     ? -E2BIG : \
	 array__reserve((array).items, (array).capacity, (array).n + (more)) ? 0 :      \
									       -ENOMEM)

/* --- strings ------------------------------------------------------------------------------------ */

static int add_string(struct pprof *profile, const char *text, uint64_t hash, uint32_t *ret_number)
{
	char *copy;
	int err = room_for(profile->strings, 1);

	if (err)
		return err;
	/* Readers refuse a profile in which a string is not UTF-8. */
	copy = utf8__repair(text);
	if (!copy)
		return -ENOMEM;
	err = index__add(profile->strings.index, hash, (uint32_t)profile->strings.n);
	if (err) {
		free(copy);
		return err;
	}
	*ret_number = (uint32_t)profile->strings.n;
	profile->strings.items[profile->strings.n++] = copy;
	return 0;
}

/* NULL is "". What had to be repaired is never found again, and is there once per use. */
static int string_of(struct pprof *profile, const char *text, uint32_t *ret_number)
{
	struct index_search search;
	uint64_t hash;

	text = report__text(text);
	hash = hash__keyed(text, strlen(text));
	search = index__search(profile->strings.index, hash);
	while (index__next(&search)) {
		if (!strcmp(profile->strings.items[search.number], text)) {
			*ret_number = search.number;
			return 0;
		}
	}
	return add_string(profile, text, hash, ret_number);
}

/* --- functions and locations -------------------------------------------------------------------- */

static int function_of(struct pprof *profile, const struct report_frame *frame,
		       uint32_t *ret_number)
{
	struct pprof_function function;
	struct index_search search;
	int err = string_of(profile, frame->function, &function.name);

	if (!err)
		err = string_of(profile, frame->file, &function.file);
	if (err)
		return err;
	search = index__search(profile->functions.index, hash__keyed(&function, sizeof(function)));
	while (index__next(&search)) {
		if (!memcmp(&profile->functions.items[search.number], &function,
			    sizeof(function))) {
			*ret_number = search.number;
			return 0;
		}
	}
	err = room_for(profile->functions, 1);
	if (!err)
		err = index__add(profile->functions.index, hash__keyed(&function, sizeof(function)),
				 (uint32_t)profile->functions.n);
	if (err)
		return err;
	*ret_number = (uint32_t)profile->functions.n;
	profile->functions.items[profile->functions.n++] = function;
	return 0;
}

/* The program's own file is the first, and modules are few. */
static int mapping_of(struct pprof *profile, const char *module, uint32_t *ret_number)
{
	uint32_t name;
	int err;

	*ret_number = 0;
	if (!*report__text(module))
		return 0;
	err = string_of(profile, module, &name);
	for (size_t i = 1; i < profile->mappings.n && !err; i++) {
		if (profile->mappings.items[i] == name) {
			*ret_number = (uint32_t)i;
			return 0;
		}
	}
	if (!err)
		err = room_for(profile->mappings, 1);
	if (err)
		return err;
	*ret_number = (uint32_t)profile->mappings.n;
	profile->mappings.items[profile->mappings.n++] = name;
	return 0;
}

static uint64_t hash_location(const struct pprof *profile, const struct pprof_location *location)
{
	uint64_t words[2] = {location->address, location->mapping};

	return hash__keyed(&profile->lines.items[location->first_line],
			   location->n_lines * sizeof(struct pprof_line)) ^
	       hash__keyed(words, sizeof(words));
}

static bool same_location(const struct pprof *profile, const struct pprof_location *a,
			  const struct pprof_location *b)
{
	return a->address == b->address && a->mapping == b->mapping && a->n_lines == b->n_lines &&
	       !memcmp(&profile->lines.items[a->first_line], &profile->lines.items[b->first_line],
		       a->n_lines * sizeof(struct pprof_line));
}

/* The location whose lines are the last ones there are; if there is such a one, they go again. */
static int settle_location(struct pprof *profile, const struct pprof_location *location,
			   uint32_t *ret_number)
{
	uint64_t hash = hash_location(profile, location);
	struct index_search search = index__search(profile->locations.index, hash);
	int err;

	while (index__next(&search)) {
		if (!same_location(profile, &profile->locations.items[search.number], location))
			continue;
		profile->lines.n -= location->n_lines;
		*ret_number = search.number;
		return 0;
	}
	err = room_for(profile->locations, 1);
	if (!err)
		err = index__add(profile->locations.index, hash, (uint32_t)profile->locations.n);
	if (err)
		return err;
	*ret_number = (uint32_t)profile->locations.n;
	profile->locations.items[profile->locations.n++] = *location;
	return 0;
}

/* The calls of one instruction: @stack[0], and while what came before is inlined, the next. */
static int location_of(struct pprof *profile, const struct pprof_frame *stack, size_t n,
		       size_t *ret_used, uint32_t *ret_number)
{
	struct pprof_location location = {
		.address = stack[0].address,
		.first_line = (uint32_t)profile->lines.n,
	};
	size_t used = 0;
	int err = mapping_of(profile, stack[0].frame.module, &location.mapping);

	do {
		struct pprof_line line = {.line = stack[used].frame.line};

		if (!err)
			err = function_of(profile, &stack[used].frame, &line.function);
		if (!err)
			err = room_for(profile->lines, 1);
		if (err)
			return err;
		profile->lines.items[profile->lines.n++] = line;
	} while (stack[used++].frame.inlined && used < n);
	location.n_lines = (uint32_t)used;
	*ret_used = used;
	return settle_location(profile, &location, ret_number);
}

/* --- samples ------------------------------------------------------------------------------------ */

static int add_labels(struct pprof *profile, const struct pprof_label *labels, size_t n)
{
	int err = n ? room_for(profile->labels, n) : 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct pprof_kept_label label = {.number = labels[i].number};

		err = string_of(profile, labels[i].key, &label.key);
		if (!err)
			err = string_of(profile, labels[i].text, &label.text);
		if (!err)
			err = string_of(profile, labels[i].unit, &label.unit);
		profile->labels.items[profile->labels.n++] = label;
	}
	return err;
}

int pprof__add(struct pprof *profile, const int64_t *values, const struct pprof_frame *stack,
	       size_t n, const struct pprof_label *labels, size_t n_labels)
{
	struct pprof_sample sample = {
		.first_location = (uint32_t)profile->stacks.n,
		.first_label = (uint32_t)profile->labels.n,
		.n_labels = (uint32_t)n_labels,
	};
	size_t at = 0, used;
	int err = add_labels(profile, labels, n_labels);

	while (at < n && !err) {
		uint32_t location;

		err = location_of(profile, stack + at, n - at, &used, &location);
		if (!err)
			err = room_for(profile->stacks, 1);
		if (err)
			break;
		profile->stacks.items[profile->stacks.n++] = location;
		sample.n_locations++;
		at += used;
	}
	if (!err)
		err = room_for(profile->samples, 1);
	if (err)
		return err;
	memcpy(sample.values, values, profile->n_kinds * sizeof(values[0]));
	profile->samples.items[profile->samples.n++] = sample;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ */

static int set_kind(struct pprof *profile, const struct pprof_kind *kind, uint32_t strings[2])
{
	int err = string_of(profile, kind->type, &strings[0]);

	return err ? err : string_of(profile, kind->unit, &strings[1]);
}

static int set_up(struct pprof *profile, const struct pprof_options *options)
{
	uint32_t empty, binary;
	int err = string_of(profile, "", &empty);

	for (size_t i = 0; i < options->n_kinds && i < PPROF_MAX_VALUES && !err; i++) {
		err = set_kind(profile, &options->kinds[i], profile->kinds[i]);
		profile->n_kinds++;
	}
	if (!err)
		err = set_kind(profile, &options->period_kind, profile->period_kind);
	if (!err)
		err = string_of(profile, options->shown, &profile->shown);
	if (!err)
		err = string_of(profile, options->build_id, &profile->build_id);
	if (!err)
		err = string_of(profile, options->comment, &profile->comment);
	if (!err)
		err = string_of(profile, options->binary, &binary);
	if (!err)
		err = room_for(profile->mappings, 1);
	if (err)
		return err;
	profile->mappings.items[profile->mappings.n++] = binary;
	profile->period = options->period;
	profile->time_ns = (int64_t)options->time_ns;
	profile->duration_ns = (int64_t)options->duration_ns;
	return 0;
}

int pprof__new(const struct pprof_options *options, struct pprof **ret_profile)
{
	struct pprof *profile = calloc(1, sizeof(*profile));
	int err = profile ? 0 : -ENOMEM;

	if (!err)
		err = index__new(MAX_PARTS, &profile->strings.index);
	if (!err)
		err = index__new(MAX_PARTS, &profile->functions.index);
	if (!err)
		err = index__new(MAX_PARTS, &profile->locations.index);
	if (!err)
		err = set_up(profile, options);
	if (err) {
		pprof__free(profile);
		return err;
	}
	*ret_profile = profile;
	return 0;
}

void pprof__free(struct pprof *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < profile->strings.n; i++)
		free(profile->strings.items[i]);
	index__free(profile->strings.index);
	index__free(profile->functions.index);
	index__free(profile->locations.index);
	free(profile->strings.items);
	free(profile->functions.items);
	free(profile->lines.items);
	free(profile->locations.items);
	free(profile->mappings.items);
	free(profile->stacks.items);
	free(profile->labels.items);
	free(profile->samples.items);
	free(profile);
}
