// SPDX-License-Identifier: Apache-2.0
#include "naming/source_tree.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A generated file may be large; what is beyond is not looked at. */
#define MAX_FILE (16 << 20)
/* Of a path: folders deeper than that are not looked for by what is above them. */
#define MAX_PARTS 32

struct source_tree {
	int folder;
};

int source_tree__open(const char *folder, struct source_tree **ret_tree, struct failure *failure)
{
	struct source_tree *tree = calloc(1, sizeof(*tree));
	int err;

	if (!tree)
		return failure__set(failure, -ENOMEM, "out of memory");
	tree->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->folder < 0) {
		err = -errno;
		free(tree);
		return failure__set(failure, err,
				    "--source: %s: %s; name the folder that the source code is in",
				    folder, strerror(-err));
	}
	*ret_tree = tree;
	return 0;
}

void source_tree__free(struct source_tree *tree)
{
	if (!tree)
		return;
	close(tree->folder);
	free(tree);
}

/* --- one file ------------------------------------------------------------------------------------ */

static bool leads_out(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
			return true;
	}
	return false;
}

static bool is_go(const char *path)
{
	size_t length = strlen(path);

	return length > 3 && !strcmp(path + length - 3, ".go");
}

/* All of it, with a NUL at its end, to free(). NULL: it is none that can be read. */
static char *read_file(int folder, const char *path)
{
	int fd __cleanup_close =
		openat(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	struct stat stat;
	size_t size = 0;
	char *text;

	if (fd < 0 || fstat(fd, &stat) || !S_ISREG(stat.st_mode) || stat.st_size > MAX_FILE)
		return NULL;
	text = malloc((size_t)stat.st_size + 1);
	while (text && size < (size_t)stat.st_size) {
		ssize_t n = read(fd, text + size, (size_t)stat.st_size - size);

		if (n <= 0)
			break;
		size += (size_t)n;
	}
	if (text)
		text[size] = '\0';
	return text;
}

/*
 * The name that the declaration of @function has in its file: "quote" of "example.com/shop.(*shop).quote.func1".
 * False: it has none there, as what the compiler makes.
 */
static bool declared_name(const char *function, char *out, size_t size)
{
	const char *slash = strrchr(function, '/');
	const char *at = strchr(slash ? slash : function, '.');
	size_t length;

	if (!at)
		return false;
	at++;
	if (*at == '(') {
		at = strstr(at, ").");
		if (!at)
			return false;
		at += 2;
	}
	length = strcspn(at, ".[-");
	if (!length || length >= size)
		return false;
	snprintf(out, size, "%.*s", (int)length, at);
	return strcmp(out, "init") != 0 && strcmp(out, "glob") != 0;
}

/* Whether @text may be the file that has the code of @frame. */
static bool has_function(const char *text, const struct report_frame *frame)
{
	char name[128];

	return !declared_name(frame->function, name, sizeof(name)) || strstr(text, name);
}

static const char *line_at(const char *text, uint32_t line)
{
	for (uint32_t i = 1; i < line; i++) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	return *text ? text : NULL;
}

static void copy_line(const char *line, char out[REPORT_SOURCE_WIDTH + 1])
{
	size_t length = min_of(strcspn(line, "\r\n"), (size_t)REPORT_SOURCE_WIDTH);

	memcpy(out, line, length);
	out[length] = '\0';
}

static bool take_lines(const char *text, const struct report_frame *frame,
		       struct report_source *source)
{
	if (!line_at(text, frame->line) || !has_function(text, frame))
		return false;
	source->line = frame->line;
	source->first = frame->line > 1 ? frame->line - 1 : 1;
	source->n = 0;
	while (source->n < REPORT_SOURCE_LINES && source->first + source->n <= frame->line + 1) {
		const char *line = line_at(text, source->first + source->n);

		if (!line)
			break;
		copy_line(line, source->text[source->n++]);
	}
	return true;
}

/* --- where it is --------------------------------------------------------------------------------- */

bool source_tree__lines(const struct source_tree *tree, const struct report_frame *frame,
			struct report_source *ret_source)
{
	const char *path = report__text(frame->file);

	if (!report__frame_known(frame) || !frame->line || !is_go(path) || leads_out(path))
		return false;
	for (int part = 0; part < MAX_PARTS && path; part++) {
		char *text __cleanup_free = NULL;

		path += strspn(path, "/");
		text = read_file(tree->folder, path);
		if (text && take_lines(text, frame, ret_source)) {
			snprintf(ret_source->path, sizeof(ret_source->path), "%s", path);
			return true;
		}
		path = strchr(path, '/');
	}
	return false;
}

struct report_source *source_tree__of_site(const struct source_tree *tree,
					   const struct report_site *site)
{
	const struct report_frame *const frames[] = {&site->blocked_at, &site->called_from,
						     &site->created_by};
	struct report_source source, *copy;

	if (!tree || !verdict__is_suspect(site->view.verdict))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		if (!source_tree__lines(tree, frames[i], &source))
			continue;
		copy = malloc(sizeof(*copy));
		if (copy)
			*copy = source;
		return copy;
	}
	return NULL;
}
