// SPDX-License-Identifier: Apache-2.0
/* What was written, unpacked again; that `go tool pprof` reads it is tested with real programs. */
#include "output/pprof/profile.h"

#include <criterion/criterion.h>
#include <string.h>

#include "pprof_read_back.h"

static const struct pprof_kind kinds[] = {{"objects", "count"}, {"space", "bytes"}};

static struct pprof *make(void)
{
	const struct pprof_options options = {
		.kinds = kinds,
		.n_kinds = 2,
		.shown = "space",
		.period_kind = {"space", "bytes"},
		.period = 524288,
		.time_ns = 1767323045678000000,
		.duration_ns = 17,
		.binary = "/usr/bin/service",
		.build_id = "00ff",
		.comment = "by gleakd",
	};
	struct pprof *profile;

	cr_assert_eq(pprof__new(&options, &profile), 0);
	return profile;
}

static struct pprof_frame frame(const char *function, uint32_t line, bool inlined, uint64_t address)
{
	return (struct pprof_frame){
		.frame = {.function = function, .file = "a.go", .line = line, .inlined = inlined},
		.address = address,
	};
}

Test(pprof, what_a_profile_says_of_itself)
{
	Gleakd__Pprof__Profile *back = pprof__read_back(make());

	cr_assert_str_eq(back->string_table[0], "");
	cr_assert_eq(back->n_sample_type, 2);
	cr_assert_str_eq(pprof__string(back, back->sample_type[1]->type), "space");
	cr_assert_str_eq(pprof__string(back, back->sample_type[1]->unit), "bytes");
	cr_assert_str_eq(pprof__string(back, back->default_sample_type), "space");
	cr_assert_str_eq(pprof__string(back, back->period_type->type), "space");
	cr_assert_eq(back->period, 524288);
	cr_assert_eq(back->time_nanos, 1767323045678000000);
	cr_assert_eq(back->duration_nanos, 17);
	cr_assert_str_eq(pprof__string(back, back->comment[0]), "by gleakd");
	cr_assert_eq(back->n_mapping, 1);
	cr_assert_str_eq(pprof__string(back, back->mapping[0]->filename), "/usr/bin/service");
	cr_assert_str_eq(pprof__string(back, back->mapping[0]->build_id), "00ff");
	cr_assert(back->mapping[0]->has_inline_frames);
	cr_assert_eq(back->n_sample, 0);
	gleakd__pprof__profile__free_unpacked(back, NULL);
}

/* Inlined calls are lines of the location of the call that they are inlined into. */
Test(pprof, inlined_calls_share_a_location)
{
	const struct pprof_frame stack[] = {
		frame("main.inner", 11, true, 0x401000),
		frame("main.middle", 22, true, 0x401000),
		frame("main.outer", 33, false, 0x401000),
		frame("main.main", 44, false, 0x402000),
	};
	const struct pprof_label label = {.key = "bytes", .number = 64, .unit = "bytes"};
	const struct pprof_label worded = {.key = "state", .text = "waiting"};
	struct pprof *profile = make();
	Gleakd__Pprof__Profile *back;
	const Gleakd__Pprof__Location *location;

	cr_assert_eq(pprof__add(profile, (const int64_t[]){3, 192}, stack, 4, &label, 1), 0);
	cr_assert_eq(pprof__add(profile, (const int64_t[]){5, 7}, stack + 3, 1, &worded, 1), 0);
	back = pprof__read_back(profile);
	cr_assert_eq(back->n_location, 2);
	cr_assert_eq(back->n_function, 4);
	cr_assert_eq(back->sample[0]->n_location_id, 2);
	cr_assert_eq(back->sample[0]->value[1], 192);
	location = back->location[back->sample[0]->location_id[0] - 1];
	cr_assert_eq(location->n_line, 3);
	cr_assert_eq(location->address, 0x401000);
	cr_assert_eq(location->line[1]->line, 22);
	cr_assert_str_eq(
		pprof__string(back, back->function[location->line[2]->function_id - 1]->name),
		"main.outer");
	cr_assert_eq(back->sample[1]->location_id[0], back->sample[0]->location_id[1]);
	cr_assert_str_eq(pprof__string(back, back->sample[0]->label[0]->key), "bytes");
	cr_assert_eq(back->sample[0]->label[0]->num, 64);
	cr_assert_eq(back->sample[0]->label[0]->str, 0);
	cr_assert_str_eq(pprof__string(back, back->sample[1]->label[0]->str), "waiting");
	cr_assert_geq(back->mapping[0]->memory_limit, 0x402001);
	gleakd__pprof__profile__free_unpacked(back, NULL);
}

/* The last frame of a stack that was cut off is said to be inlined, and nothing follows. */
Test(pprof, a_stack_that_ends_in_an_inlined_call)
{
	const struct pprof_frame stack[] = {frame("main.f", 1, true, 0x401000)};
	struct pprof *profile = make();
	Gleakd__Pprof__Profile *back;

	cr_assert_eq(pprof__add(profile, (const int64_t[]){1, 1}, stack, 1, NULL, 0), 0);
	cr_assert_eq(pprof__add(profile, (const int64_t[]){1, 1}, NULL, 0, NULL, 0), 0);
	back = pprof__read_back(profile);
	cr_assert_eq(back->n_location, 1);
	cr_assert_eq(back->location[0]->n_line, 1);
	cr_assert_eq(back->sample[1]->n_location_id, 0);
	gleakd__pprof__profile__free_unpacked(back, NULL);
}

Test(pprof, what_is_the_same_is_there_once)
{
	struct pprof *profile = make();
	Gleakd__Pprof__Profile *back;

	for (int i = 0; i < 1009; i++) {
		const struct pprof_frame stack[] = {
			frame("main.f", 1, false, 0x401000),
			frame("main.g", (uint32_t)i % 7, false, 0x401000 + (uint64_t)i % 7),
		};

		cr_assert_eq(pprof__add(profile, (const int64_t[]){i, -i}, stack, 2, NULL, 0), 0);
	}
	back = pprof__read_back(profile);
	cr_assert_eq(back->n_sample, 1009);
	cr_assert_eq(back->n_location, 8);
	cr_assert_eq(back->n_function, 2);
	cr_assert_eq(back->sample[1008]->value[1], -1008);
	gleakd__pprof__profile__free_unpacked(back, NULL);
}

/* A plugin is a file of its own. */
Test(pprof, modules_have_mappings)
{
	struct pprof_frame stack[] = {
		frame("plugin.f", 1, false, 0x1000),
		frame("main.main", 2, false, 0x401000),
	};
	struct pprof *profile = make();
	Gleakd__Pprof__Profile *back;

	stack[0].frame.module = "plugin.so";
	cr_assert_eq(pprof__add(profile, (const int64_t[]){1, 1}, stack, 2, NULL, 0), 0);
	back = pprof__read_back(profile);
	cr_assert_eq(back->n_mapping, 2);
	cr_assert_str_eq(pprof__string(back, back->mapping[1]->filename), "plugin.so");
	cr_assert_eq(back->location[0]->mapping_id, 2);
	cr_assert_eq(back->location[1]->mapping_id, 1);
	cr_assert_eq(back->mapping[1]->build_id, 0);
	gleakd__pprof__profile__free_unpacked(back, NULL);
}

/* Names come from foreign binaries; protobuf-c unpacks any bytes, other readers refuse them. */
Test(pprof, names_that_are_no_text)
{
	const struct pprof_frame stack[] = {frame("main.\xff\xfe", 1, false, 1)};
	struct pprof *profile = make();
	Gleakd__Pprof__Profile *back;

	cr_assert_eq(pprof__add(profile, (const int64_t[]){1, 1}, stack, 1, NULL, 0), 0);
	back = pprof__read_back(profile);
	cr_assert_str_eq(pprof__string(back, back->function[0]->name),
			 "main.\xef\xbf\xbd\xef\xbf\xbd");
	gleakd__pprof__profile__free_unpacked(back, NULL);
}
