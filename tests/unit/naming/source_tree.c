// SPDX-License-Identifier: Apache-2.0
#include "naming/source_tree.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "made_tree.h"

static const char *folder;
static struct source_tree *tree;

static void make(void)
{
	struct failure failure;

	folder = made_tree__new();
	made_tree__put("shop/quote.go",
		       "package shop\n\nfunc (s *shop) quote() {\n\tch <- 1\r\n}\n");
	made_tree__put("main.go", "package main\n");
	made_tree__put("notes.txt", "func main() {\n");
	cr_assert_eq(source_tree__open(folder, &tree, &failure), 0);
}

static void clear(void)
{
	source_tree__free(tree);
	made_tree__remove();
}

TestSuite(source_tree, .init = make, .fini = clear);

static bool find(const char *function, const char *file, uint32_t line,
		 struct report_source *source)
{
	const struct report_frame frame = {.function = function, .file = file, .line = line};

	return source_tree__lines(tree, &frame, source);
}

Test(source_tree, the_end_of_the_path_is_looked_for)
{
	static const char *const paths[] = {"/home/ci/work/shop/quote.go",
					    "example.com/shop/quote.go", "shop/quote.go",
					    "//x///shop/quote.go"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct report_source source;

		cr_assert(find("example.com/x/shop.(*shop).quote.func1", paths[i], 4, &source),
			  "%s", paths[i]);
		cr_expect_str_eq(source.path, "shop/quote.go");
		cr_expect_eq(source.line, 4);
		cr_expect_eq(source.first, 3);
		cr_assert_eq(source.n, 3);
		cr_expect_str_eq(source.text[0], "func (s *shop) quote() {");
		cr_expect_str_eq(source.text[1], "\tch <- 1");
		cr_expect_str_eq(source.text[2], "}");
	}
}

Test(source_tree, first_and_last_line)
{
	struct report_source source;

	cr_assert(find("shop.init.0", "shop/quote.go", 1, &source));
	cr_expect_eq(source.first, 1);
	cr_expect_eq(source.n, 2);
	cr_assert(find("shop.init.0", "shop/quote.go", 5, &source));
	cr_expect_eq(source.first, 4);
	cr_expect_eq(source.n, 2);
	cr_expect_not(find("shop.init.0", "shop/quote.go", 6, &source));
	cr_expect_not(find("shop.init.0", "shop/quote.go", 0, &source));
}

Test(source_tree, another_file_of_that_name_is_not_it)
{
	struct report_source source;

	cr_expect_not(find("other.(*thing).send", "/src/other/shop/quote.go", 4, &source));
	cr_expect_not(find("main.serve", "/elsewhere/main.go", 1, &source));
}

Test(source_tree, paths_lead_nowhere_else)
{
	char out[256];
	struct report_source source;

	cr_expect_not(find("main.main", "notes.txt", 1, &source));
	cr_expect_not(find("main.main", "/etc/passwd", 1, &source));
	snprintf(out, sizeof(out), "../%s/main.go", strrchr(folder, '/') + 1);
	cr_expect_not(find("main.init", out, 1, &source));
	cr_expect_not(find("main.init", "shop/../main.go", 1, &source));
	made_tree__put_link("shop/link.go", made_tree__path("main.go"));
	cr_expect_not(find("main.init", "shop/link.go", 1, &source));
}

Test(source_tree, only_suspects_have_lines)
{
	struct report_site site = {
		.view.verdict = VERDICT_LEAKING,
		.blocked_at = {.function = "runtime.gopark",
			       .file = "/go/runtime/proc.go",
			       .line = 3},
		.created_by = {.function = "shop.(*shop).quote",
			       .file = "/x/shop/quote.go",
			       .line = 4},
	};
	struct report_source *source = source_tree__of_site(tree, &site);

	cr_assert_not_null(source);
	cr_expect_eq(source->line, 4);
	free(source);
	site.view.verdict = VERDICT_IDLE;
	cr_expect_null(source_tree__of_site(tree, &site));
	cr_expect_null(source_tree__of_site(NULL, &site));
}

Test(source_tree, a_folder_that_is_not_there)
{
	struct source_tree *none;
	struct failure failure;

	cr_expect_eq(source_tree__open("/nonexistent", &none, &failure), -ENOENT);
	cr_expect_not_null(strstr(failure.text, "--source: /nonexistent: "));
}
