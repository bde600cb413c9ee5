// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "output/process_list.h"
#include "process_list_sample.h"
#include "sample.h"

static char *text_of(struct process_list list, struct screen_options options, bool verbose)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	cr_assert_not_null(out);
	cr_assert_eq(process_list__write_text(out, &list, &options, verbose), 0);
	fclose(out);
	return text;
}

static void check_golden(const char *name, struct process_list list, struct screen_options options,
			 bool verbose)
{
	char *text = text_of(list, options, verbose);

	sample__golden(name, text);
	free(text);
}

Test(list_text, a_host)
{
	check_golden("list.txt", list_sample__host(), (struct screen_options){.columns = 100},
		     false);
}

Test(list_text, into_a_pipe_nothing_is_cut_or_wrapped)
{
	check_golden("list-pipe.txt", list_sample__host(), (struct screen_options){0}, true);
}

Test(list_text, colors)
{
	check_golden("list-color.txt", list_sample__host(),
		     (struct screen_options){.columns = 100, .color = true}, false);
}

Test(list_text, no_go_process)
{
	check_golden("list-empty.txt", list_sample__empty(),
		     (struct screen_options){.columns = 100}, false);
}

Test(list_text, fits_any_width_and_steers_nothing)
{
	struct process_list lists[] = {list_sample__host(), list_sample__hostile(),
				       list_sample__empty()};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (unsigned int columns = 1; columns < 200; columns++) {
			struct screen_options options = {.columns = columns};
			char *text = text_of(lists[i], options, true), *rest = NULL;

			for (char *line = strtok_r(text, "\n", &rest); line;
			     line = strtok_r(NULL, "\n", &rest)) {
				cr_assert_leq(utf8__width(line), max_of(columns, 60U), "%s", line);
				cr_assert_null(strpbrk(line, "\033\a\r"), "%s", line);
			}
			free(text);
		}
	}
}

Test(list_text, a_reader_that_left)
{
	struct process_list list = list_sample__host();
	FILE *full = fopen("/dev/full", "w");

	cr_assert_not_null(full);
	cr_expect_eq(process_list__write_text(full, &list, &(struct screen_options){0}, false),
		     -ENOSPC);
	cr_expect_eq(process_list__write_json(full, &list), -ENOSPC);
	fclose(full);
}
