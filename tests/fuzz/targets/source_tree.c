// SPDX-License-Identifier: Apache-2.0
/*
 * A source file that somebody else has written, and where a foreign binary says that a line is. The input is a line's
 * number (u16), a function and a path, each up to a NUL, and the file "shop/quote.go".
 */
#include "naming/source_tree.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "made_tree.h"

static struct source_tree *tree;

static void remove_tree(void)
{
	source_tree__free(tree);
	made_tree__remove();
}

static void make_tree(void)
{
	struct failure failure;

	if (tree)
		return;
	fuzz__require(!setenv("TMPDIR", "/dev/shm", 1));
	fuzz__require(!source_tree__open(made_tree__new(), &tree, &failure));
	/* What no path may lead to. */
	made_tree__put_link("shop/link.go", "/etc/passwd");
	made_tree__put("other.txt", "package shop\n");
	fuzz__require(!atexit(remove_tree));
}

static void check(const struct report_source *source, const struct report_frame *frame)
{
	const char *end = memchr(source->path, '\0', sizeof(source->path));

	/* With whatever slashes and dots that lead nowhere. */
	fuzz__require(end && end - source->path >= (ptrdiff_t)strlen("quote.go"));
	fuzz__require(source->path[0] != '/');
	fuzz__require(end - source->path == sizeof(source->path) - 1 || /* it is cut */
		      !strcmp(end - strlen("quote.go"), "quote.go"));
	for (const char *at = source->path; (at = strstr(at, "..")); at++)
		fuzz__require((at != source->path && at[-1] != '/') || (at[2] && at[2] != '/'));
	fuzz__require(source->line == frame->line && source->n <= REPORT_SOURCE_LINES);
	fuzz__require(source->first <= source->line &&
		      source->line < source->first + (uint64_t)source->n);
	for (unsigned int i = 0; i < source->n; i++) {
		fuzz__require(memchr(source->text[i], '\0', sizeof(source->text[i])));
		fuzz__require(!strpbrk(source->text[i], "\r\n"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint32_t line = fuzz_input__u16(&input);
	char *function = fuzz_input__text(&input, '\0'), *file = fuzz_input__text(&input, '\0');
	struct report_frame frame = {.function = function, .file = file, .line = line};
	struct report_source source;
	int descriptor;

	make_tree();
	made_tree__put_bytes("shop/quote.go", input.left ? (const void *)input.data : "",
			     input.left);
	descriptor = fuzz__next_descriptor();
	if (source_tree__lines(tree, &frame, &source))
		check(&source, &frame);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	free(function);
	free(file);
	return 0;
}
