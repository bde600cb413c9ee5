// SPDX-License-Identifier: Apache-2.0
#include "cli/options_reference.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options_table.h"

static char *read_all(const char *path)
{
	size_t size = 1u << 20, length;
	char *content = malloc(size);
	FILE *file = fopen(path, "r");

	cr_assert(content && file, "%s", path);
	length = fread(content, 1, size - 1, file);
	content[length] = '\0';
	fclose(file);
	return content;
}

static void check_current(const char *path, const char *wanted)
{
	char *content = read_all(path);

	cr_expect_str_eq(content, wanted, "%s is old; run 'make reference'", path);
	free(content);
}

/* The page that is made of @template. */
static char *make_page(const char *template)
{
	char *out = NULL;
	size_t size = 0;
	FILE *in = fopen(template, "r"), *file = open_memstream(&out, &size);

	cr_assert(in && file, "%s", template);
	cr_expect_eq(man__write(in, file), 0, "%s", template);
	fclose(in);
	fclose(file);
	return out;
}

Test(options_reference, man_pages_are_current)
{
	static const char *const pages[] = {
		"gleakd.8",	 "gleakd-list.8",    "gleakd-doctor.8",	   "gleakd-prove.8",
		"gleakd-heap.8", "gleakd-holders.8", "gleakd-resources.8", "gleakd.conf.5"};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		char path[64], template[64], *wanted;

		snprintf(path, sizeof(path), "docs/man/%s", pages[i]);
		snprintf(template, sizeof(template), "docs/man/%s.in", pages[i]);
		wanted = make_page(template);
		check_current(path, wanted);
		free(wanted);
	}
}

Test(options_reference, every_option_is_in_a_page)
{
	char *page = make_page("docs/man/gleakd.8.in"),
	     *keys = make_page("docs/man/gleakd.conf.5.in");
	char wanted[64];

	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!option_spec__is_listed(spec, COMMAND_WATCH))
			continue;
		snprintf(wanted, sizeof(wanted), "Fl -%s", spec->name);
		cr_expect_not_null(strstr(page, wanted), "%s", wanted);
		snprintf(wanted, sizeof(wanted), ".It Ic %s No = ", spec->name);
		cr_expect_eq(strstr(keys, wanted) != NULL, (spec->flags & OPTION_IN_FILE) != 0,
			     "%s", wanted);
	}
	cr_expect_null(strstr(page, "ring"));
	free(page);
	free(keys);
}

static void check_completion(const char *path, int (*write)(FILE *out))
{
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);

	cr_assert_not_null(file);
	cr_expect_eq(write(file), 0);
	fclose(file);
	check_current(path, out);
	free(out);
}

Test(options_reference, completions_are_current)
{
	check_completion("completions/gleakd.bash", completion__write_bash);
	check_completion("completions/_gleakd", completion__write_zsh);
	check_completion("completions/gleakd.fish", completion__write_fish);
}

static int write_text(const char *template, FILE *out)
{
	FILE *in = fmemopen((void *)template, strlen(template), "r");
	int err;

	cr_assert_not_null(in);
	err = man__write(in, out);
	fclose(in);
	return err;
}

Test(options_reference, templates)
{
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);

	cr_assert_not_null(file);
	cr_expect_eq(write_text("a @keys@\n.B x\n", file), 0);
	cr_expect_str_eq(out, "a @keys@\n.B x\n");
	cr_expect_eq(write_text("@options lists@\n", file), -EINVAL);
	cr_expect_eq(write_text("@options list host pid@\n", file), -EINVAL);
	cr_expect_eq(write_text("@\n", file), -EINVAL);
	fclose(file);
	free(out);
	file = fopen("/dev/full", "w");
	cr_assert_not_null(file);
	cr_expect_eq(write_text("@keys@\n", file), -ENOSPC);
	fclose(file);
}
