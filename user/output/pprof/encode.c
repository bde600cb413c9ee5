// SPDX-License-Identifier: Apache-2.0
/*
 * From numbers to the format's messages, which refer to each other by pointers, and from those to
 * bytes: protobuf-c does the latter, by what protoc-c made of profile.proto.
 */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/stream.h"
#include "output/pprof/profile_private.h"
#include "profile.pb-c.h"

/* zlib.h: 15 is the largest window, 16 more asks for a gzip header. */
#define GZIP_WINDOW (15 + 16)

typedef Gleakd__Pprof__Profile profile_message;

/* All messages of a profile, in one array for each kind, with the pointers that fields want. */
struct messages {
	Gleakd__Pprof__ValueType kinds[PPROF_MAX_VALUES], period_kind, *kind_at[PPROF_MAX_VALUES];
	Gleakd__Pprof__Sample *samples, **sample_at;
	Gleakd__Pprof__Label *labels, **label_at;
	Gleakd__Pprof__Mapping *mappings, **mapping_at;
	Gleakd__Pprof__Location *locations, **location_at;
	Gleakd__Pprof__Line *lines, **line_at;
	Gleakd__Pprof__Function *functions, **function_at;
	uint64_t *stacks;
	int64_t comment;
};

static void free_messages(struct messages *m)
{
	free(m->samples);
	free(m->sample_at);
	free(m->labels);
	free(m->label_at);
	free(m->mappings);
	free(m->mapping_at);
	free(m->locations);
	free(m->location_at);
	free(m->lines);
	free(m->line_at);
	free(m->functions);
	free(m->function_at);
	free(m->stacks);
}

/* @n messages and pointers to them; false without memory. */
#define make(messages, pointers, n)                         \
	((messages) = calloc((n) + 1, sizeof(*(messages))), \
	 (pointers) = calloc((n) + 1, sizeof(*(pointers))), (messages) && (pointers))

static bool make_all(const struct pprof *profile, struct messages *m)
{
	m->stacks = calloc(profile->stacks.n + 1, sizeof(m->stacks[0]));
	return m->stacks && make(m->samples, m->sample_at, profile->samples.n) &&
	       make(m->labels, m->label_at, profile->labels.n) &&
	       make(m->mappings, m->mapping_at, profile->mappings.n) &&
	       make(m->locations, m->location_at, profile->locations.n) &&
	       make(m->lines, m->line_at, profile->lines.n) &&
	       make(m->functions, m->function_at, profile->functions.n);
}

/* --- kind by kind ------------------------------------------------------------------------------- */

static void set_kind(Gleakd__Pprof__ValueType *kind, const uint32_t strings[2])
{
	gleakd__pprof__value_type__init(kind);
	kind->type = strings[0];
	kind->unit = strings[1];
}

static void set_kinds(const struct pprof *profile, struct messages *m, profile_message *out)
{
	for (size_t i = 0; i < profile->n_kinds; i++) {
		set_kind(&m->kinds[i], profile->kinds[i]);
		m->kind_at[i] = &m->kinds[i];
	}
	out->sample_type = m->kind_at;
	out->n_sample_type = profile->n_kinds;
	if (profile->period_kind[0]) {
		set_kind(&m->period_kind, profile->period_kind);
		out->period_type = &m->period_kind;
		out->period = profile->period;
	}
}

static void set_functions(const struct pprof *profile, struct messages *m, profile_message *out)
{
	for (size_t i = 0; i < profile->functions.n; i++) {
		Gleakd__Pprof__Function *function = &m->functions[i];

		gleakd__pprof__function__init(function);
		function->id = i + 1;
		function->name = function->system_name = profile->functions.items[i].name;
		function->filename = profile->functions.items[i].file;
		m->function_at[i] = function;
	}
	out->function = m->function_at;
	out->n_function = profile->functions.n;
}

static void set_locations(const struct pprof *profile, struct messages *m, profile_message *out)
{
	for (size_t i = 0; i < profile->lines.n; i++) {
		gleakd__pprof__line__init(&m->lines[i]);
		m->lines[i].function_id = profile->lines.items[i].function + 1;
		m->lines[i].line = profile->lines.items[i].line;
		m->line_at[i] = &m->lines[i];
	}
	for (size_t i = 0; i < profile->locations.n; i++) {
		const struct pprof_location *from = &profile->locations.items[i];
		Gleakd__Pprof__Location *location = &m->locations[i];

		gleakd__pprof__location__init(location);
		location->id = i + 1;
		location->mapping_id = from->mapping + 1;
		location->address = from->address;
		location->line = &m->line_at[from->first_line];
		location->n_line = from->n_lines;
		m->location_at[i] = location;
	}
	out->location = m->location_at;
	out->n_location = profile->locations.n;
}

/* Addresses are those of the file, so a mapping holds whatever lies in it. */
static void set_mappings(const struct pprof *profile, struct messages *m, profile_message *out)
{
	for (size_t i = 0; i < profile->mappings.n; i++) {
		Gleakd__Pprof__Mapping *mapping = &m->mappings[i];

		gleakd__pprof__mapping__init(mapping);
		mapping->id = i + 1;
		mapping->filename = profile->mappings.items[i];
		mapping->build_id = i ? 0 : profile->build_id;
		mapping->has_functions = mapping->has_filenames = 1;
		mapping->has_line_numbers = mapping->has_inline_frames = 1;
		m->mapping_at[i] = mapping;
	}
	for (size_t i = 0; i < profile->locations.n; i++) {
		const struct pprof_location *location = &profile->locations.items[i];
		Gleakd__Pprof__Mapping *mapping = &m->mappings[location->mapping];

		mapping->memory_limit = max_of(mapping->memory_limit, location->address + 1);
	}
	out->mapping = m->mapping_at;
	out->n_mapping = profile->mappings.n;
}

static void set_samples(const struct pprof *profile, struct messages *m, profile_message *out)
{
	for (size_t i = 0; i < profile->stacks.n; i++)
		m->stacks[i] = (uint64_t)profile->stacks.items[i] + 1;
	for (size_t i = 0; i < profile->labels.n; i++) {
		const struct pprof_kept_label *from = &profile->labels.items[i];

		gleakd__pprof__label__init(&m->labels[i]);
		m->labels[i].key = from->key;
		m->labels[i].str = from->text;
		m->labels[i].num = from->number;
		m->labels[i].num_unit = from->unit;
		m->label_at[i] = &m->labels[i];
	}
	for (size_t i = 0; i < profile->samples.n; i++) {
		struct pprof_sample *from = &profile->samples.items[i];
		Gleakd__Pprof__Sample *sample = &m->samples[i];

		gleakd__pprof__sample__init(sample);
		sample->location_id = &m->stacks[from->first_location];
		sample->n_location_id = from->n_locations;
		sample->value = from->values;
		sample->n_value = profile->n_kinds;
		sample->label = &m->label_at[from->first_label];
		sample->n_label = from->n_labels;
		m->sample_at[i] = sample;
	}
	out->sample = m->sample_at;
	out->n_sample = profile->samples.n;
}

/* --- bytes -------------------------------------------------------------------------------------- */

static int write_compressed(const uint8_t *bytes, size_t size, FILE *out)
{
	uint8_t chunk[16384];
	z_stream z = {.next_in = (uint8_t *)bytes};
	int err = 0, state = Z_OK;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	while (state != Z_STREAM_END && !err) {
		/* zlib counts in 32 bits. */
		uInt part = (uInt)min_of(size, (size_t)1 << 30);

		if (!z.avail_in) {
			z.avail_in = part;
			size -= part;
		}
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		state = deflate(&z, size ? Z_NO_FLUSH : Z_FINISH);
		err = stream__write(out, chunk, sizeof(chunk) - z.avail_out);
	}
	deflateEnd(&z);
	return err;
}

int pprof__write(const struct pprof *profile, FILE *out)
{
	struct messages messages = {.comment = profile->comment};
	profile_message message = GLEAKD__PPROF__PROFILE__INIT;
	uint8_t *bytes __cleanup_free = NULL;
	int err = -ENOMEM;
	size_t size;

	if (make_all(profile, &messages)) {
		set_kinds(profile, &messages, &message);
		set_functions(profile, &messages, &message);
		set_locations(profile, &messages, &message);
		set_mappings(profile, &messages, &message);
		set_samples(profile, &messages, &message);
		message.string_table = profile->strings.items;
		message.n_string_table = profile->strings.n;
		message.time_nanos = profile->time_ns;
		message.duration_nanos = profile->duration_ns;
		message.comment = &messages.comment;
		message.n_comment = profile->comment != 0;
		message.default_sample_type = profile->shown;
		size = gleakd__pprof__profile__get_packed_size(&message);
		bytes = malloc(size + 1);
		if (bytes)
			err = write_compressed(bytes, gleakd__pprof__profile__pack(&message, bytes),
					       out);
	}
	free_messages(&messages);
	return err;
}
