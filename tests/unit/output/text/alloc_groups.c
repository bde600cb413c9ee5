// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "output/text/alloc_sites.h"
#include "sample.h"

static char *text_of(const struct report_alloc_groups *groups, bool all)
{
	const struct alloc_sites_options options = {.all = all};
	struct screen_options screen_options = {.columns = 100};
	struct screen screen;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	cr_assert_not_null(out);
	screen__init(&screen, &screen_options);
	text_part__alloc_groups(&screen, groups, &options);
	cr_assert_eq(screen__flush(&screen, out), 0);
	fclose(out);
	return text;
}

static void check_golden(const struct report_alloc_groups *groups, const char *name)
{
	char *text = text_of(groups, false);

	sample__golden(name, text);
	free(text);
}

Test(alloc_groups_text, by_each)
{
	struct report_alloc_groups groups = *sample_alloc_groups();

	check_golden(&groups, "alloc-goroutines.txt");
	groups.by = REPORT_ALLOC_BY_LABEL;
	groups.figures.lost = 0;
	groups.figures.ended = "";
	check_golden(&groups, "alloc-labels.txt");
	groups.by = REPORT_ALLOC_BY_CREATION;
	groups.figures.source = ALLOC_SOURCE_WINDOWS;
	groups.figures.attached_ns = 40 * NSEC_PER_MSEC;
	groups.figures.windows = 17;
	groups.in_use_known = false;
	check_golden(&groups, "alloc-creations.txt");
	groups.by = REPORT_ALLOC_BY_TYPE;
	groups.figures.source = ALLOC_SOURCE_ALL;
	check_golden(&groups, "alloc-types.txt");
}

Test(alloc_groups_text, why_nothing_is_known)
{
	struct report_alloc_groups groups = *sample_alloc_groups();
	char *text;

	groups.figures.missing = "the code of runtime.mallocgc is not understood";
	text = text_of(&groups, false);
	cr_expect_str_eq(text, "allocating not known who: the code of runtime.mallocgc is not "
			       "understood\n");
	free(text);
	text = text_of(NULL, false);
	cr_expect_str_empty(text);
	free(text);
}

Test(alloc_groups_text, the_first_few)
{
	struct report_alloc_group many[13];
	struct report_alloc_groups groups = *sample_alloc_groups();
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = groups.groups[0];
	groups.groups = many;
	groups.n_groups = ARRAY_SIZE(many);
	text = text_of(&groups, false);
	cr_expect_not_null(strstr(text, "3 goroutines more; --all shows them"), "%s", text);
	free(text);
	text = text_of(&groups, true);
	cr_expect_null(strstr(text, "--all"), "%s", text);
	free(text);
}
