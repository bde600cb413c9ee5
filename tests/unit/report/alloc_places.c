// SPDX-License-Identifier: Apache-2.0
#include "report/alloc_places.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct alloc_places before, now;

static void begin(void)
{
	cr_assert_eq(alloc_places__init(&before), 0);
	cr_assert_eq(alloc_places__init(&now), 0);
}

static void end(void)
{
	alloc_places__done(&before);
	alloc_places__done(&now);
}

/* A place in main.NAME, at file.go:@line. */
static struct report_alloc_site *add(struct alloc_places *places, const char *function,
				     unsigned int line, uint64_t alloc_bytes)
{
	static struct site_frames frames;
	size_t i;

	frames = (struct site_frames){
		.place = 1000 + line,
		.blocked_at = {.function = function, .file = "/src/shop/file.go", .line = line},
		.n_stack = 1,
	};
	frames.stack[0] = frames.blocked_at;
	cr_assert_eq(alloc_places__of(places, &frames, &i), 0);
	cr_assert_eq(alloc_places__keep_stack(places, i, &frames), 0);
	places->all[i].alloc_bytes = alloc_bytes;
	return &places->all[i];
}

static void grow(struct report_alloc_site *site)
{
	site->judgement.verdict = ALLOC_GROWING;
}

Test(alloc_places, what_was_allocated_since_the_look_before, .init = begin, .fini = end)
{
	add(&before, "main.a", 1, 1000);
	add(&before, "main.b", 2, 500);
	alloc_places__sort(&before, REPORT_BY_ALLOC_OBJECTS, false);
	add(&now, "main.b", 2, 2500);
	add(&now, "main.c", 3, 700);
	cr_assert_eq(alloc_places__inherit(&now, &before, 10), 0);
	cr_expect_float_eq(now.all[0].bytes_per_second, 200, 0.01);
	cr_expect_float_eq(now.all[1].bytes_per_second, 70, 0.01, "one that is new had none");
	cr_expect(now.all[0].rate_known);
}

Test(alloc_places, a_look_at_the_same_moment_has_the_same_rate, .init = begin, .fini = end)
{
	struct report_alloc_site *was = add(&before, "main.a", 1, 1000);

	was->rate_known = true;
	was->bytes_per_second = 41;
	add(&now, "main.a", 1, 1000);
	add(&now, "main.b", 2, 1000);
	cr_assert_eq(alloc_places__inherit(&now, &before, 0), 0);
	cr_expect(now.all[0].rate_known);
	cr_expect_float_eq(now.all[0].bytes_per_second, 41, 0.01);
	cr_expect_not(now.all[1].rate_known);
}

Test(alloc_places, what_grows_is_held_as_it_was, .init = begin, .fini = end)
{
	struct report_alloc_site *was = add(&before, "main.a", 1, 1);

	was->held_by[0] = strdup("main.all[…]");
	was->type = strdup("main.node");
	was = add(&before, "main.b", 2, 1);
	was->held_by[0] = strdup("main.others[…]");
	grow(add(&now, "main.a", 1, 1));
	add(&now, "main.b", 2, 1);
	cr_expect(alloc_places__lack_holders(&now));
	cr_assert_eq(alloc_places__inherit(&now, &before, 1), 0);
	cr_expect_str_eq(now.all[0].held_by[0], "main.all[…]");
	cr_expect_str_eq(now.all[0].type, "main.node");
	cr_expect_null(now.all[1].held_by[0], "it does not grow");
	cr_expect_not(alloc_places__lack_holders(&now));
}

static struct allow_list *list_of(const char *text)
{
	char path[] = "/tmp/gleakd-places-XXXXXX";
	int fd = mkstemp(path);
	struct allow_list *list;
	struct failure failure;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_assert_eq(allow_list__read(path, &list, &failure), 0);
	unlink(path);
	return list;
}

Test(alloc_places, what_is_known_is_not_flagged, .init = begin, .fini = end)
{
	struct allow_list *list = list_of("main.known  a table that fills up\n"
					  "file.go:4  until the next release\n"
					  "main.steady  never used\n");
	const char *unused;
	unsigned int line;

	grow(add(&now, "main.known", 1, 1));
	grow(add(&now, "main.other", 3, 1));
	grow(add(&now, "main.third", 4, 1));
	add(&now, "main.steady", 5, 1);
	alloc_places__suppress(&now, list);
	cr_expect_not(report__memory_flagged(&now.all[0]));
	cr_expect_str_eq(now.all[0].suppressed_reason, "a table that fills up");
	cr_expect(report__memory_flagged(&now.all[1]));
	cr_expect_str_eq(now.all[2].suppressed_reason, "until the next release");
	cr_expect_not(now.all[3].suppressed, "what does not grow needs no reason");
	unused = allow_list__unused(list, 0, &line);
	cr_expect_str_eq(unused, "main.steady");
	/* A list that is read anew, without it. */
	alloc_places__suppress(&now, NULL);
	cr_expect(report__memory_flagged(&now.all[0]));
	allow_list__free(list);
}
