// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "output/process_list.h"
#include "process_list_sample.h"
#include "sample.h"

static char *line_of(struct process_list list)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	cr_assert_not_null(out);
	cr_assert_eq(process_list__write_json(out, &list), 0);
	fclose(out);
	return text;
}

static json_t *parse(char *line)
{
	json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	cr_assert_not_null(json, "%s", line);
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1, "one object, one line");
	free(line);
	return json;
}

Test(list_json, a_host)
{
	char *line = line_of(list_sample__host());

	sample__golden("list.json", line);
	free(line);
}

/* The names which docs/schema.md promises. */
Test(list_json, names_are_all_there)
{
	static const char *const names[] = {"pid",
					    "uid",
					    "comm",
					    "exe",
					    "uptime_seconds",
					    "goroutines",
					    "go_version",
					    "module",
					    "module_version",
					    "build",
					    "supported",
					    "reason",
					    "run_state",
					    "tracer",
					    "runtime",
					    "claimed_by"};
	static const char *const facts[] = {"stripped", "pie", "cgo", "static", "race"};
	json_t *json = parse(line_of(list_sample__host()));
	json_t *processes = json_object_get(json, "processes");
	json_t *last = json_array_get(processes, 4);

	cr_assert_eq(json_array_size(processes), 5);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_expect_not_null(json_object_get(last, names[i]), "%s", names[i]);
	cr_expect_eq(json_object_size(last), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		cr_expect(json_is_null(json_object_get(json_object_get(last, "build"), facts[i])));
	cr_expect(json_is_null(json_object_get(last, "goroutines")), "not known is not 0");
	cr_expect(json_is_null(json_object_get(last, "go_version")));
	cr_expect(json_is_false(json_object_get(last, "supported")));
	json_decref(json);
}

Test(list_json, hostile_names)
{
	char *line = line_of(list_sample__hostile());
	json_t *json, *process;

	for (const char *p = line; *p; p++)
		cr_assert((*p >= ' ' && *p < 0x7f) || *p == '\n');
	json = parse(line);
	process = json_array_get(json_object_get(json, "processes"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(process, "comm")),
			 "a\nb\033]0;x\a\xef\xbf\xbd\xef\xbf\xbd");
	cr_expect_eq(json_integer_value(json_object_get(process, "goroutines")), INT64_MAX);
	cr_expect_eq(json_integer_value(json_object_get(process, "uid")), UINT32_MAX);
	cr_expect_eq(json_real_value(json_object_get(process, "uptime_seconds")), 0);
	json_decref(json);
}

Test(list_json, nothing)
{
	json_t *json = parse(line_of(list_sample__empty()));

	cr_expect_eq(json_array_size(json_object_get(json, "processes")), 0);
	cr_expect_eq(json_integer_value(
			     json_object_get(json_object_get(json, "looked_at"), "processes")),
		     87);
	json_decref(json);
}
