// SPDX-License-Identifier: Apache-2.0
#include "cli/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/access.h"
#include "output/json/reader.h"

#define CHUNK ((size_t)1 << 20)

static int failed(int err, const char *path, struct failure *failure)
{
	return failure__set(failure, err, "%s: %s", path, strerror(-err));
}

/*
 * read(2) of what may be a pipe. It is not waited for within that: who does so for long seems to wait for a file
 * system (broker/watch.h).
 */
static ssize_t read_some(int fd, char *buffer, size_t size)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t n;

	do {
		if (poll(&readable, 1, -1) < 0 && errno != EINTR)
			return -errno;
		n = read(fd, buffer, size);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n < 0 ? -errno : n;
}

/* The first @size bytes of @fd, or what there is. */
static ssize_t read_head(int fd, char *head, size_t size)
{
	size_t done = 0;
	ssize_t n;

	do {
		n = read_some(fd, head + done, size - done);
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < size);
	return n < 0 ? n : (ssize_t)done;
}

/* What is left of @fd behind the @size bytes of @head, to free(). */
static int read_rest(int fd, const char *path, const char *head, size_t size, char **ret_text,
		     size_t *ret_size, struct failure *failure)
{
	char *text = NULL, *grown;
	size_t capacity = 0;
	ssize_t n;

	do {
		if (size + CHUNK > capacity) {
			capacity = 2 * (size + CHUNK);
			grown = realloc(text, capacity);
			if (!grown) {
				free(text);
				return failed(-ENOMEM, path, failure);
			}
			if (!text)
				memcpy(grown, head, size);
			text = grown;
		}
		n = read_some(fd, text + size, CHUNK);
		size += n > 0 ? (size_t)n : 0;
	} while (n > 0 && size <= REPORT_READER_MAX_BYTES);
	if (n) {
		free(text);
		return n < 0 ? failed((int)n, path, failure) :
			       failure__set(failure, -E2BIG, "%s: too large for a report", path);
	}
	*ret_text = text;
	*ret_size = size;
	return 0;
}

static int open_json(int fd, const char *path, const char *head, size_t n, struct report_file *file,
		     struct failure *failure)
{
	char *text __cleanup_free = NULL;
	size_t size = 0;
	int err = read_rest(fd, path, head, n, &text, &size, failure);

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
	bool is_stdin = !strcmp(path, "-");
	int file __cleanup_close = is_stdin ? -1 : access__input(path, O_NONBLOCK | O_NOCTTY);
	int fd = is_stdin ? STDIN_FILENO : file;
	char head[32];
	ssize_t n;

	*ret_file = (struct report_file){0};
	if (fd < 0)
		return failed(fd, path, failure);
	n = read_head(fd, head, sizeof(head));
	if (n < 0)
		return failed((int)n, path, failure);
	if (recording__is(head, (size_t)n) && !is_stdin)
		return open_recording(path, ret_file, failure);
	return open_json(fd, is_stdin ? "stdin" : path, head, (size_t)n, ret_file, failure);
}

void report_file__close(struct report_file *file)
{
	recording__free(file->recording);
	report_reader__free(file->reader);
}
