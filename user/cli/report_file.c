// SPDX-License-Identifier: Apache-2.0
#include "cli/report_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "output/json/reader.h"

#define CHUNK ((size_t)1 << 20)

/* All of @stream, to free(). */
static int read_all(FILE *stream, const char *path, char **ret_text, size_t *ret_size,
		    struct failure *failure)
{
	size_t size = 0, capacity = 0, n;
	char *text = NULL;

	do {
		char *grown = size + CHUNK > capacity ? realloc(text, 2 * (size + CHUNK)) : text;

		if (!grown || size > REPORT_READER_MAX_BYTES) {
			free(text);
			return failure__set(failure, grown ? -E2BIG : -ENOMEM, "%s: %s", path,
					    grown ? "too large for a report" : "out of memory");
		}
		capacity = grown == text ? capacity : 2 * (size + CHUNK);
		text = grown;
		errno = 0;
		n = fread(text + size, 1, CHUNK, stream);
		size += n;
	} while (n == CHUNK);
	if (ferror(stream)) {
		int err = errno ? -errno : -EIO;

		free(text);
		return failure__set(failure, err, "%s: %s", path, strerror(-err));
	}
	*ret_text = text;
	*ret_size = size;
	return 0;
}

static int open_json(FILE *stream, const char *path, struct report_file *file,
		     struct failure *failure)
{
	char *text __cleanup_free = NULL;
	size_t size = 0;
	int err = read_all(stream, path, &text, &size, failure);

	if (!err)
		err = report_reader__new(text, size, path, &file->reader, failure);
	if (!err)
		file->report = report_reader__report(file->reader);
	return err;
}

static int open_recording(const char *path, struct report_file *file, struct failure *failure)
{
	int err = recording__open(path, &file->recording, failure);

	if (err)
		return err;
	file->report = recording__report(file->recording);
	file->timeline = recording__timeline(file->recording);
	return 0;
}

int report_file__open(const char *path, struct report_file *ret_file, struct failure *failure)
{
	FILE *stream __cleanup_fclose = NULL;
	char head[32];
	size_t n;

	*ret_file = (struct report_file){0};
	if (!strcmp(path, "-"))
		return open_json(stdin, "stdin", ret_file, failure);
	stream = fopen(path, "re");
	if (!stream)
		return failure__set(failure, -errno, "%s: %s", path, strerror(errno));
	n = fread(head, 1, sizeof(head), stream);
	if (recording__is(head, n))
		return open_recording(path, ret_file, failure);
	rewind(stream);
	return open_json(stream, path, ret_file, failure);
}

void report_file__close(struct report_file *file)
{
	recording__free(file->recording);
	report_reader__free(file->reader);
}
