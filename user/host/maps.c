// SPDX-License-Identifier: Apache-2.0
#include "host/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/access.h"
#include "host/proc_error.h"

/* Far above any vm.max_map_count in use (distributions go up to 1,048,576). */
#define MAX_LINES (1u << 22)

/*
 * 73 bytes before the path and a path of PATH_MAX, of which each newline takes four (fs/seq_file.c
 * mangle_path). What is longer still is cut and then equals no path.
 */
#define MAX_LINE (2 * PATH_MAX)

struct reader {
	FILE *file;
	size_t n_lines;
	char text[MAX_LINE];
};

static bool same_file(const struct maps_line *a, const struct maps_line *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

/* One hexadecimal number and the separator behind it; false when either is missing. */
static bool take_number(char **p, char separator, uint64_t *ret_value)
{
	char *end;

	*ret_value = strtoull(*p, &end, 16);
	if (end == *p || *end != separator)
		return false;
	*p = end + 1;
	return true;
}

/* "start-end rwxp offset major:minor inode      path" (fs/proc/task_mmu.c show_vma_header_prefix). */
static bool parse_line(char *p, struct maps_line *line)
{
	struct process_mapping *mapping = &line->mapping;
	uint64_t major, minor;

	if (!take_number(&p, '-', &mapping->start) || !take_number(&p, ' ', &mapping->end))
		return false;
	if (strnlen(p, 5) < 5 || p[4] != ' ')
		return false;
	mapping->writable = p[1] == 'w';
	mapping->executable = p[2] == 'x';
	line->readable = p[0] == 'r';
	line->shared = p[3] == 's';
	p += 5;
	if (!take_number(&p, ' ', &mapping->file_offset) || !take_number(&p, ':', &major) ||
	    !take_number(&p, ' ', &minor))
		return false;
	line->major = (uint32_t)major;
	line->minor = (uint32_t)minor;
	line->inode = strtoull(p, &p, 10);
	line->path = p + strspn(p, " ");
	return mapping->start < mapping->end;
}

static void skip_rest_of_line(FILE *file)
{
	int c;

	do {
		c = getc_unlocked(file);
	} while (c != '\n' && c != EOF);
}

/* 1 and the next line in reader->text, what is too long cut off; 0 at the end, or -errno. */
static int next_text(struct reader *reader)
{
	size_t length;

	if (!fgets(reader->text, sizeof(reader->text), reader->file))
		return ferror(reader->file) ? -errno : 0;
	length = strlen(reader->text);
	if (length && reader->text[length - 1] == '\n')
		reader->text[length - 1] = '\0';
	else if (!feof(reader->file))
		skip_rest_of_line(reader->file);
	return 1;
}

/* 1 and the next line, 0 at the end, or -errno. The path is valid until the next call. */
static int next_line(struct reader *reader, struct maps_line *line)
{
	int more = next_text(reader);

	if (more <= 0)
		return more;
	if (++reader->n_lines > MAX_LINES)
		return -E2BIG;
	return parse_line(reader->text, line) ? 1 : -EPROTO;
}

/* maps writes a newline in a path as "\012" and leaves all other bytes alone. */
static bool same_path(const char *in_maps, const char *path)
{
	for (; *path; path++) {
		if (*path != '\n') {
			if (*in_maps++ != *path)
				return false;
		} else {
			if (strncmp(in_maps, "\\012", 4) != 0)
				return false;
			in_maps += 4;
		}
	}
	return !*in_maps;
}

/* How well a line fits the image; the first line of the highest rank decides. */
enum rank {
	RANK_NONE,
	RANK_ADDRESS, /* around the first instruction, but under another name */
	RANK_PATH,
	RANK_PATH_INODE,
	RANK_PATH_ADDRESS, /* certain */
};

static enum rank rank_line(const struct maps_line *line, const struct maps_image *image)
{
	const struct process_mapping *mapping = &line->mapping;
	bool around = image->start_code >= mapping->start && image->start_code < mapping->end;

	if (!line->inode)
		return RANK_NONE;
	if (!same_path(line->path, image->path))
		return around ? RANK_ADDRESS : RANK_NONE;
	if (around)
		return RANK_PATH_ADDRESS;
	return line->inode == image->inode ? RANK_PATH_INODE : RANK_PATH;
}

/* Which file is the image. Returns 1, 0 when no line fits, or -errno. */
static int find_file(struct reader *reader, const struct maps_image *image,
		     struct maps_line *ret_file)
{
	enum rank best = RANK_NONE;
	struct maps_line line;
	int more;

	while (best < RANK_PATH_ADDRESS && (more = next_line(reader, &line)) != 0) {
		enum rank rank;

		if (more < 0)
			return more;
		rank = rank_line(&line, image);
		if (rank > best) {
			best = rank;
			*ret_file = line;
		}
	}
	/* Every process has mappings until it gives up its memory. */
	if (!reader->n_lines)
		return -ESRCH;
	return best != RANK_NONE;
}

static int collect(struct reader *reader, const struct maps_line *file,
		   struct process_mapping *mappings, size_t max)
{
	struct maps_line line;
	size_t n = 0;
	int more = 0;

	while (n < max && (more = next_line(reader, &line)) > 0) {
		if (same_file(&line, file))
			mappings[n++] = line.mapping;
	}
	return more < 0 ? more : (int)n;
}

static int open_reader(const char *maps_path, struct reader **ret_reader)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int fd;

	if (!reader)
		return -ENOMEM;
	fd = access__open(maps_path, O_RDONLY);
	reader->file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!reader->file) {
		if (fd >= 0)
			close(fd);
		free(reader);
		return fd < 0 ? proc_error(-fd) : -ENOMEM;
	}
	*ret_reader = reader;
	return 0;
}

static void close_reader(struct reader *reader)
{
	fclose(reader->file);
	free(reader);
}

int maps__find(const char *maps_path, const struct maps_image *image,
	       struct process_mapping *mappings, size_t max)
{
	struct reader *reader;
	struct maps_line file = {0};
	int found = open_reader(maps_path, &reader);

	if (found)
		return found;
	found = find_file(reader, image, &file);
	if (found > 0) {
		rewind(reader->file);
		reader->n_lines = 0;
		found = collect(reader, &file, mappings, min_of(max, (size_t)MAX_LINES));
	}
	close_reader(reader);
	return found;
}

int maps__each(const char *maps_path, bool (*fn)(void *ctx, const struct maps_line *line),
	       void *ctx)
{
	struct maps_line line;
	struct reader *reader;
	int more = open_reader(maps_path, &reader);

	if (more)
		return more;
	do
		more = next_line(reader, &line);
	while (more > 0 && fn(ctx, &line));
	/* Every process has mappings until it gives up its memory. */
	if (!more && !reader->n_lines)
		more = -ESRCH;
	close_reader(reader);
	return min_of(more, 0);
}

/* "Rss:                 132 kB": false when @text is about something else. */
static bool parse_resident(const char *text, uint64_t *ret_bytes)
{
	if (strncmp(text, "Rss:", 4) != 0)
		return false;
	*ret_bytes = strtoull(text + 4, NULL, 10) * 1024;
	return true;
}

/* Lines about a mapping begin with a capital letter, what begins the next with a digit of its address. */
static bool is_about_mapping(const char *text)
{
	return *text >= 'A' && *text <= 'Z';
}

int maps__each_resident(const char *smaps_path,
			void (*fn)(void *ctx, const struct maps_line *line, uint64_t bytes),
			void *ctx)
{
	struct maps_line line;
	struct reader *reader;
	uint64_t bytes;
	int more = open_reader(smaps_path, &reader);

	if (more)
		return more;
	while ((more = next_text(reader)) > 0) {
		if (!is_about_mapping(reader->text)) {
			if (++reader->n_lines > MAX_LINES)
				more = -E2BIG;
			else if (!parse_line(reader->text, &line))
				more = -EPROTO;
		} else if (reader->n_lines && parse_resident(reader->text, &bytes)) {
			fn(ctx, &line, bytes);
		}
		if (more < 0)
			break;
	}
	if (!more && !reader->n_lines)
		more = -ESRCH;
	close_reader(reader);
	return min_of(more, 0);
}
