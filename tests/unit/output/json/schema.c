// SPDX-License-Identifier: Apache-2.0
/*
 * The schema, the documentation and the output agree: a field that one of them has and another has
 * not fails here. Of JSON Schema this knows the words that the schema uses, and refuses others.
 */
#include "output/json/schema.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "output/json/report.h"
#include "sample.h"
#include "sample_json.h"
#include "sample_resources.h"
#include "sample_scheduling.h"
#include "sample_triggers.h"
#include "schema_written.h"

static char *schema_text(void)
{
	struct sample_stream stream;
	char *text;

	sample__open(&stream);
	cr_assert_eq(schema__write(stream.file), 0);
	text = strdup(sample__added(&stream));
	cr_assert_not_null(text);
	sample__close(&stream);
	return text;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	cr_assert_not_null(file, "no %s; tests run at the top of the tree", path);
	cr_assert_gt(getdelim(&text, &size, '\0', file), 0);
	fclose(file);
	return text;
}

static json_t *load_schema(void)
{
	char *text = schema_text();
	json_t *schema = schema_written__parse(text);

	free(text);
	return schema;
}

static json_t *defined(json_t *schema, const char *name)
{
	json_t *found = json_object_get(json_object_get(schema, "$defs"), name);

	cr_assert(json_is_object(found), "no #/$defs/%s", name);
	return found;
}

Test(schema, is_the_file_as_it_is)
{
	char *file = read_file("data/report.schema.json"), *text = schema_text();

	cr_expect_str_eq(text, file);
	free(text);
	free(file);
}

Test(schema, a_full_disk_is_reported)
{
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		cr_skip_test("needs /dev/full");
	cr_expect_eq(schema__write(full), -ENOSPC);
	fclose(full);
}

/* --- a validator ---------------------------------------------------------------------------------- */

/* One value against one subschema; @where is told in complaints. */
struct check {
	json_t *schema; /* all of it */
	json_t *met;	/* "definition.field" that values had */
	bool quiet;	/* only whether it is valid */
	bool failed;
};

static void validate(struct check *check, const char *where, json_t *rule, json_t *value);

static void fail(struct check *check, const char *where, const char *what)
{
	check->failed = true;
	if (!check->quiet)
		cr_expect(false, "%s: %s", where, what);
}

static bool is_type(const char *type, const json_t *value)
{
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	return (strcmp(type, "object") == 0 && json_is_object(value)) ||
	       (strcmp(type, "array") == 0 && json_is_array(value)) ||
	       (strcmp(type, "string") == 0 && json_is_string(value)) ||
	       (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	       (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
	       (strcmp(type, "null") == 0 && json_is_null(value));
}

static void check_type(struct check *check, const char *where, json_t *types, json_t *value)
{
	json_t *type;
	size_t i;

	if (json_is_string(types) && is_type(json_string_value(types), value))
		return;
	json_array_foreach(types, i, type)
	{
		if (is_type(json_string_value(type), value))
			return;
	}
	fail(check, where, "wrong type");
}

static void check_enum(struct check *check, const char *where, json_t *words, json_t *value)
{
	json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
	{
		if (json_equal(word, value))
			return;
	}
	fail(check, where, "not one of the enum");
}

static void check_any_of(struct check *check, const char *where, json_t *rules, json_t *value)
{
	json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule)
	{
		struct check trial = {.schema = check->schema, .quiet = true};

		validate(&trial, where, rule, value);
		if (trial.failed)
			continue;
		validate(check, where, rule, value);
		return;
	}
	fail(check, where, "none of anyOf");
}

static void check_pattern(struct check *check, const char *where, json_t *pattern, json_t *value)
{
	regex_t regex;

	cr_assert_eq(regcomp(&regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB), 0);
	if (json_is_string(value) && regexec(&regex, json_string_value(value), 0, NULL, 0) != 0)
		fail(check, where, "does not match its pattern");
	regfree(&regex);
}

/* Strictly: a field that is not described is an error. */
static void check_properties(struct check *check, const char *where, json_t *properties,
			     json_t *value)
{
	const char *name;
	json_t *field;

	json_object_foreach(value, name, field)
	{
		json_t *rule = json_object_get(properties, name);
		char path[256];

		snprintf(path, sizeof(path), "%s.%s", where, name);
		if (!rule)
			fail(check, path, "is not in the schema");
		else
			validate(check, path, rule, field);
		if (check->met)
			json_object_set_new(check->met, path, json_true());
	}
}

static void check_required(struct check *check, const char *where, json_t *names, json_t *value)
{
	json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (json_is_object(value) && !json_object_get(value, json_string_value(name)))
			fail(check, where, json_string_value(name));
	}
}

static void check_items(struct check *check, const char *where, json_t *rule, json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item) validate(check, where, rule, item);
}

static void check_minimum(struct check *check, const char *where, json_t *limit, json_t *value)
{
	if (json_is_number(value) && json_number_value(value) < json_number_value(limit))
		fail(check, where, "below its minimum");
}

static void check_maximum(struct check *check, const char *where, json_t *limit, json_t *value)
{
	if (json_is_number(value) && json_number_value(value) > json_number_value(limit))
		fail(check, where, "above its maximum");
}

static void check_const(struct check *check, const char *where, json_t *wanted, json_t *value)
{
	if (!json_equal(wanted, value))
		fail(check, where, "is not its const");
}

/* A place in a definition is told from there: "site.evidence" is "evidence" within. */
static void check_ref(struct check *check, const char *where, json_t *ref, json_t *value)
{
	const char *name = strrchr(json_string_value(ref), '/');

	(void)where;
	cr_assert_not_null(name);
	validate(check, name + 1, defined(check->schema, name + 1), value);
}

static void nothing_to_check(struct check *check, const char *where, json_t *rule, json_t *value)
{
	(void)check, (void)where, (void)rule, (void)value;
}

static const struct {
	const char *word;
	void (*check)(struct check *check, const char *where, json_t *rule, json_t *value);
} words[] = {
	{"$ref", check_ref},
	{"type", check_type},
	{"enum", check_enum},
	{"const", check_const},
	{"anyOf", check_any_of},
	{"pattern", check_pattern},
	{"minimum", check_minimum},
	{"maximum", check_maximum},
	{"items", check_items},
	{"required", check_required},
	{"properties", check_properties},
	{"description", nothing_to_check},
	{"format", nothing_to_check},
	{"additionalProperties", nothing_to_check},
};

static void validate(struct check *check, const char *where, json_t *rule, json_t *value)
{
	const char *word;
	json_t *argument;

	json_object_foreach(rule, word, argument)
	{
		size_t i = 0;

		while (i < ARRAY_SIZE(words) && strcmp(words[i].word, word) != 0)
			i++;
		cr_assert_lt(i, ARRAY_SIZE(words), "the test does not know \"%s\"", word);
		words[i].check(check, where, argument, value);
	}
}

/* --- output and schema ---------------------------------------------------------------------------- */

/* What gleakd holders found. */
static const struct heap_holders *sample_ways(void)
{
	static char type[] = "main.pool", field[] = "+16", none[] = "", name[] = "main.f";
	static struct heap_holder_step steps[] = {
		{.type = type, .field = none, .address = 0xc000123000, .size = 64},
		{.type = none, .field = field, .address = 0xc000124000, .size = 96},
	};
	static struct heap_context contexts[] = {
		{"context.valueCtx", 0xc000125000, false, 0},
		{"context.cancelCtx", 0xc000126000, true, 1009},
	};
	static struct heap_holder_path paths[] = {
		{.kind = HEAP_WAY_STACK,
		 .name = name,
		 .goid = 18,
		 .steps = steps,
		 .n_steps = 2,
		 .contexts = contexts,
		 .n_contexts = 2},
		{.kind = HEAP_WAY_VARIABLE, .name = name, .steps = steps, .n_steps = 1},
	};
	static const struct heap_holders holders = {
		.objects = 8, .held = 8, .ways = 9, .paths = paths, .n_paths = 2};

	return &holders;
}

static void add_scheduling(struct sample *sample)
{
	static struct report_scheduling scheduling;

	scheduling = sample_scheduling(sample->sites);
	sample->target.scheduling = &scheduling;
	sample->sites[0].view.wait_class = WAIT_LOCK;
	sample->sites[0].view.waited_ns = 7 * NSEC_PER_SEC;
	sample_triggers__add(&sample->target);
}

static char session_type[] = "map[int]*main.session", way[] = "main.sessions.m", nothing[] = "";

static const struct heap_view *sample_heap(void)
{
	static struct heap_view_type types[] = {{session_type, 3, 17, true}};
	static struct heap_view_holder holders[] = {{way, session_type, way, 5, 19, 1, true}};
	static struct heap_view_growth growing[] = {
		{way, session_type, true, 12, 24, 100, 200, 6.5},
		{way, nothing, false, 0, 0, 100, 200, 6.5},
	};
	static const struct heap_view heap = {
		.memory = {.rss_bytes = 117, .live_bytes = 53, .objects = 7, .gc_cycles = 3},
		.types = types,
		.n_types = ARRAY_SIZE(types),
		.holders = holders,
		.n_holders = ARRAY_SIZE(holders),
		.growing = growing,
		.n_growing = ARRAY_SIZE(growing),
	};

	return &heap;
}

/* With goroutines, and everything that a report may have. */
static json_t *whole_report(void)
{
	static const struct report_place place = {
		.site = "a1b2c3d4",
		.created_by = {.function = "main.f", .file = "f.go", .line = 3},
		.start_function = "main.g",
		.stack = &place.created_by,
		.n_stack = 1,
	};
	static const struct report_goroutine goroutines[] = {
		{.goid = 1, .state = "running", .place = &place},
		{.goid = 18, .parent_goid = 1, .state = "select", .parked = true, .place = &place},
	};
	static const struct report_alloc_site allocating[] = {
		{.id = "00ff00ff",
		 .in_use_bytes = 640,
		 .in_use_objects = 10,
		 .alloc_bytes = 1280,
		 .alloc_objects = 20,
		 .relative_error = 0.18,
		 .alloc_relative_error = 0.07,
		 .growth_per_minute = -7.5,
		 .type = session_type,
		 .held_by = {way, way},
		 .judgement = {.verdict = ALLOC_GROWING, .n_why = 1, .why = {"more and more"}},
		 .allocated_at = {.function = "main.f", .file = "f.go", .line = 3},
		 .stack = &place.created_by,
		 .n_stack = 1},
		{.id = "00000001"},
	};
	static const struct report_allocations allocations = {.source = ALLOC_SOURCE_SAMPLES,
							      .in_use_known = true,
							      .rate = 524288,
							      .growth_known = true,
							      .sites = allocating,
							      .n_sites = ARRAY_SIZE(allocating)};
	const struct report_site *found[2];
	const struct report_finding finding = {.sites = found,
					       .n_sites = ARRAY_SIZE(found),
					       .verdict = VERDICT_LEAKING,
					       .confidence = 0.94,
					       .goroutines = 1600,
					       .units = 97,
					       .per_minute = 7.5};
	struct sample sample;

	sample__suppressed(&sample);
	found[0] = &sample.sites[0];
	found[1] = &sample.sites[4];
	sample.sites[4].blocked_at =
		(struct report_frame){.function = "example.org/lib.Get",
				      .file = "/go/pkg/mod/example.org/lib@v1.3.3/get.go",
				      .line = 7};
	sample.target.findings = &finding;
	sample.target.n_findings = 1;
	sample.target.heap = sample_heap();
	sample.target.allocations = &allocations;
	sample.target.alloc_groups = sample_alloc_groups();
	sample.target.holders = sample_ways();
	sample.target.resources = sample_resources();
	add_scheduling(&sample);
	sample.target.goroutines_listed = true;
	sample.target.goroutine_list = goroutines;
	sample.target.n_goroutine_list = ARRAY_SIZE(goroutines);
	return sample_json__tree(&sample.report);
}

static void check_valid(struct check *check, const char *definition, json_t *value)
{
	validate(check, definition, defined(check->schema, definition), value);
	cr_expect_not(check->failed);
	json_decref(value);
}

Test(schema, what_is_written_is_valid)
{
	struct check check = {.schema = load_schema()};
	struct sample sample;

	sample__leaks(&sample);
	check_valid(&check, "report", sample_json__tree(&sample.report));
	sample__empty(&sample);
	sample.report.end = REPORT_INTERRUPTED;
	check_valid(&check, "report", sample_json__tree(&sample.report));
	check_valid(&check, "report", whole_report());
	check_valid(&check, "list", schema_written__list());
	check_valid(&check, "checkup", schema_written__checkup());
	check_valid(&check, "diff", schema_written__diff());
	check_valid(&check, "report", schema_written__recording());
	json_decref(check.schema);
}

/* A test that cannot fail is a defect: each of these must. */
Test(schema, what_is_wrong_is_found)
{
	static const struct {
		const char *name, *value;
	} wrong[] = {
		{"verdict", "\"leaky\""}, {"goroutines", "-1"},	   {"confidence", "1"},
		{"why", "[3]"},		  {"stack", "null"},	   {"id", "\"A1B2C3D4\""},
		{"parked", "1.5"},	  {"new_field", "0"},	   {"evidence", "{}"},
		{"silenced", "true"},	  {"created_by", "\"f\""}, {"objects", "[]"},
		{"due", "\"10:14\""},
	};
	json_t *schema = load_schema();

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct check check = {.schema = schema, .quiet = true};
		json_t *report = whole_report();
		json_t *target = json_array_get(json_object_get(report, "targets"), 0);
		json_t *site = json_array_get(json_object_get(target, "sites"), 0);

		json_object_set_new(site, wrong[i].name,
				    json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
		validate(&check, "report", defined(schema, "report"), report);
		cr_expect(check.failed, "%s = %s", wrong[i].name, wrong[i].value);
		json_decref(report);
	}
	json_decref(schema);
}

/* --- every field ---------------------------------------------------------------------------------- */

static void each_field(json_t *schema,
		       void (*visit)(void *ctx, const char *definition, const char *name,
				     json_t *rule),
		       void *ctx)
{
	const char *definition, *name;
	json_t *body, *rule;

	json_object_foreach(json_object_get(schema, "$defs"), definition, body)
	{
		json_object_foreach(json_object_get(body, "properties"), name, rule)
			visit(ctx, definition, name, rule);
	}
}

static void must_be_met(void *ctx, const char *definition, const char *name, json_t *rule)
{
	char path[128];

	(void)rule;
	snprintf(path, sizeof(path), "%s.%s", definition, name);
	cr_expect_not_null(json_object_get(ctx, path), "nothing that is written has %s", path);
}

Test(schema, has_no_field_that_is_never_written)
{
	struct check check = {.schema = load_schema(), .met = json_object()};

	check_valid(&check, "report", whole_report());
	check_valid(&check, "list", schema_written__list());
	check_valid(&check, "checkup", schema_written__checkup());
	check_valid(&check, "diff", schema_written__diff());
	check_valid(&check, "report", schema_written__recording());
	each_field(check.schema, must_be_met, check.met);
	json_decref(check.met);
	json_decref(check.schema);
}

static void must_be_quoted(const char *doc, const char *word)
{
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "`%s`", word);
	cr_expect_not_null(strstr(doc, quoted), "docs/schema.md does not explain %s", quoted);
}

static void must_be_explained(void *ctx, const char *definition, const char *name, json_t *rule)
{
	const char *description = json_string_value(json_object_get(rule, "description"));
	json_t *word;
	size_t i;

	cr_expect(description && *description, "%s.%s has no description", definition, name);
	must_be_quoted(ctx, name);
	json_array_foreach(json_object_get(rule, "enum"), i, word)
		must_be_quoted(ctx, json_string_value(word));
}

Test(schema, every_field_and_every_word_is_documented)
{
	char *doc = read_file("docs/schema.md");
	json_t *schema = load_schema();

	each_field(schema, must_be_explained, doc);
	json_decref(schema);
	free(doc);
}

static void add_name(void *ctx, const char *definition, const char *name, json_t *rule)
{
	(void)definition, (void)rule;
	json_object_set_new(ctx, name, json_true());
}

/* Rows of the tables: "| `name` | ...". */
Test(schema, the_documentation_has_no_field_of_its_own)
{
	static const char row[] = "\n| `";
	char *doc = read_file("docs/schema.md");
	json_t *schema = load_schema(), *names = json_object();
	size_t rows = 0;

	each_field(schema, add_name, names);
	for (const char *at = strstr(doc, row); at; at = strstr(at, row)) {
		char name[64];

		at += strlen(row);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "`"), at);
		cr_expect_not_null(json_object_get(names, name), "%s is not in the schema", name);
		rows++;
	}
	cr_expect_gt(rows, 80);
	json_decref(names);
	json_decref(schema);
	free(doc);
}
