// SPDX-License-Identifier: Apache-2.0
/* The list of goroutines, as text, as JSON, and in the forms that other programs read. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "output/json/report.h"
#include "output/text/dump.h"
#include "sample.h"
#include "sample_json.h"

#define N 9

static const struct report_frame fetch_stack[] = {
	{.function = "net/http.(*persistConn).roundTrip",
	 .file = "/usr/local/go/src/net/http/transport.go",
	 .line = 2850},
	{.function = "example.org/shop/cart.(*Store).Load",
	 .file = "/home/build/shop/cart/store.go",
	 .line = 42,
	 .own = true,
	 .inlined = true},
	{.function = "main.fetch",
	 .file = "/home/build/shop/main.go",
	 .line = 17,
	 .offset = 0x2d1,
	 .own = true},
};

static const struct report_place fetch = {
	.site = "0123abcd",
	.created_by = {.function = "main.serve", .file = "/home/build/shop/main.go", .line = 9},
	.creator = "main.main",
	.creator_offset = 0x37,
	.start_function = "main.fetch",
	.stack = fetch_stack,
	.n_stack = ARRAY_SIZE(fetch_stack),
};
static const struct report_place running = {
	.site = "4567cdef",
	.created_by = {.function = "", .file = ""},
	.start_function = "main.main",
};

/* What a flexible array needs to be static. */
static const struct report_labels blue = {2, false, {{"path", "/a b"}, {"tenant", "blue"}}};
static const struct report_labels red = {1, true, {{"tenant", "r\033[31med"}}};

struct list_sample {
	struct sample sample;
	struct report_goroutine list[N];
};

static struct report_goroutine waits(uint64_t goid, uint64_t parent, double seconds,
				     const struct report_labels *labels)
{
	return (struct report_goroutine){
		.goid = goid,
		.parent_goid = parent,
		.state = "chan receive",
		.parked = true,
		.waiting_ns = (uint64_t)(seconds * 1e9 + 0.5),
		.labels = labels,
		.place = &fetch,
	};
}

static void make_list(struct list_sample *list)
{
	sample__healthy(&list->sample);
	list->list[0] = (struct report_goroutine){
		.goid = 1, .state = "running", .locked_to_thread = true, .place = &running};
	list->list[1] = waits(17, 1, 200, NULL);
	list->list[2] = waits(18, 1, 230, NULL);
	list->list[3] = waits(19, 1, 239.999, NULL);
	list->list[4] = waits(23, 5, 181, NULL);
	list->list[5] = waits(24, 5, 240, NULL);
	list->list[6] = waits(30, 1, 0, &blue);
	list->list[7] = waits(31, 0, 0, &red);
	list->list[8] = waits(32, 1, 3, NULL);
	list->list[8].in_bubble = true;
	list->list[8].locked_to_thread = true;
	list->sample.target.goroutines_listed = true;
	list->sample.target.goroutine_list = list->list;
	list->sample.target.n_goroutine_list = N;
	list->sample.report.end = REPORT_ONCE;
}

static char *shown(unsigned int columns, bool verbose)
{
	const struct text_options options = {.screen.columns = columns, .verbose = verbose};
	struct list_sample list;

	make_list(&list);
	return sample__text(&list.sample.report, &options);
}

Test(goroutines, as_text)
{
	char *text = shown(100, false);

	sample__golden("goroutines.txt", text);
	free(text);
}

Test(goroutines, as_text_with_paths)
{
	char *text = shown(100, true);

	sample__golden("goroutines-verbose.txt", text);
	free(text);
}

Test(goroutines, narrow)
{
	char *text = shown(60, false);

	sample__golden("goroutines-60.txt", text);
	free(text);
}

/* As the runtime would, of that version. */
static void check_dump(int (*write)(FILE *out, const struct report *report), const char *version,
		       const char *golden)
{
	struct sample_stream stream;
	struct list_sample list;

	make_list(&list);
	list.sample.target.go_version = version;
	sample__open(&stream);
	cr_assert_eq(write(stream.file, &list.sample.report), 0);
	sample__golden(golden, sample__added(&stream));
	sample__close(&stream);
}

Test(goroutines, as_the_runtime_dumps_them)
{
	check_dump(dump__write, "go1.26.8", "dump-1.26.txt");
}

Test(goroutines, as_the_runtime_dumps_them_with_labels)
{
	check_dump(dump__write, "go1.27.1", "dump-1.27.txt");
}

Test(goroutines, folded)
{
	check_dump(dump__write_folded, "go1.27.1", "dump-folded.txt");
}

Test(goroutines, dumps_of_several_processes_are_told_apart)
{
	struct report_target targets[2];
	struct sample_stream stream;
	struct list_sample list;

	make_list(&list);
	targets[0] = targets[1] = list.sample.target;
	targets[0].n_goroutine_list = 0;
	targets[1].n_goroutine_list = 1;
	targets[1].comm = "two\033[2J";
	list.sample.report.targets = targets;
	list.sample.report.n_targets = 2;
	sample__open(&stream);
	cr_assert_eq(dump__write(stream.file, &list.sample.report), 0);
	sample__golden("dump-two.txt", sample__added(&stream));
	sample__close(&stream);
}

static json_t *list_of(json_t *json)
{
	json_t *target = json_array_get(json_object_get(json, "targets"), 0);

	return json_object_get(target, "goroutine_list");
}

static const char *string_of(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	cr_assert_not_null(text, "%s", name);
	return text;
}

Test(goroutines, as_json)
{
	struct list_sample list;
	json_t *json, *goroutines, *one;

	make_list(&list);
	json = sample_json__tree(&list.sample.report);
	goroutines = list_of(json);
	cr_assert_eq(json_array_size(goroutines), N);
	one = json_array_get(goroutines, 0);
	cr_assert_eq(json_integer_value(json_object_get(one, "goid")), 1);
	cr_assert(json_is_null(json_object_get(one, "parent_goid")), "not known");
	cr_assert(json_is_null(json_object_get(one, "created_by")));
	cr_assert_str_eq(string_of(one, "state"), "running");
	cr_assert(json_is_true(json_object_get(one, "locked_to_thread")));
	cr_assert_eq(json_object_size(json_object_get(one, "labels")), 0);
	cr_assert_eq(json_array_size(json_object_get(one, "stack")), 0);
	one = json_array_get(goroutines, 6);
	cr_assert_eq(json_integer_value(json_object_get(one, "parent_goid")), 1);
	cr_assert(json_is_true(json_object_get(one, "parked")));
	cr_assert(json_is_false(json_object_get(one, "in_bubble")));
	cr_assert_str_eq(string_of(json_object_get(one, "labels"), "path"), "/a b");
	cr_assert_str_eq(string_of(json_object_get(one, "created_by"), "function"), "main.serve");
	cr_assert_str_eq(string_of(one, "start_function"), "main.fetch");
	cr_assert_str_eq(string_of(one, "site"), "0123abcd");
	cr_assert_eq(json_array_size(json_object_get(one, "stack")), 3);
	one = json_array_get(goroutines, 3);
	cr_assert_float_eq(json_real_value(json_object_get(one, "waiting_seconds")), 239.999, 1e-9);
	json_decref(json);
}

Test(goroutines, only_when_asked_for)
{
	struct list_sample list;
	json_t *json;

	make_list(&list);
	list.sample.target.goroutines_listed = false;
	json = sample_json__tree(&list.sample.report);
	cr_assert_null(list_of(json));
	json_decref(json);
	list.sample.target.goroutines_listed = true;
	list.sample.target.n_goroutine_list = 0;
	json = sample_json__tree(&list.sample.report);
	cr_assert(json_is_array(list_of(json)));
	json_decref(json);
}

/* Labels come from the target's memory: keys that are no UTF-8, and that become the same. */
Test(goroutines, hostile_labels)
{
	static const struct report_labels hostile = {3,
						     false,
						     {{"\xff\xfe", "a\n\033]0;x\a"},
						      {"\xfe\xff", "b"},
						      {"", "\x9b"
							   "1m"}}};
	struct list_sample list;
	const struct text_options options = {.screen.columns = 100};
	json_t *json;
	char *text;

	make_list(&list);
	list.list[1].labels = &hostile;
	list.list[1].state = "\033[2J";
	json = sample_json__tree(&list.sample.report);
	cr_assert_eq(json_array_size(list_of(json)), N);
	json_decref(json);
	text = sample__text(&list.sample.report, &options);
	cr_assert_null(strchr(text, '\033'));
	cr_assert_null(strchr(text, '\a'));
	free(text);
}
