// SPDX-License-Identifier: Apache-2.0
#include "state/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/read.h"
#include "base/text.h"
#include "host/access.h"
#include "state/file_internal.h"
#include "state/format.h"
#include "track/ticks.h"

/* --- the boot that times count from ------------------------------------------------------------- */

/* 32 digits in groups, as drivers/char/random.c proc_do_uuid() prints them. */
static int parse_boot_id(const char *text, struct state_boot_id *ret_boot)
{
	struct state_boot_id boot = {{0}};
	size_t n = 0;

	for (; *text && *text != '\n'; text++) {
		int digit = text__hex_digit(*text);

		if (*text == '-')
			continue;
		if (digit < 0 || n == 2 * sizeof(boot.bytes))
			return -EPROTO;
		boot.bytes[n / 2] = (uint8_t)(boot.bytes[n / 2] << 4 | digit);
		n++;
	}
	if (n != 2 * sizeof(boot.bytes))
		return -EPROTO;
	*ret_boot = boot;
	return 0;
}

int state_boot_id__read(const char *path, struct state_boot_id *ret_boot, struct failure *failure)
{
	FILE *file __cleanup_fclose = fopen(path, "re");
	char line[64];
	int err = file ? -EPROTO : -errno;

	if (file && fgets(line, sizeof(line), file))
		err = parse_boot_id(line, ret_boot);
	if (err)
		return failure__set(failure, err,
				    "cannot tell which boot this is: %s: %s; run without --state",
				    path, strerror(-err));
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------ */

struct state_writer {
	char *path;
	size_t n_processes;
	size_t n_sites, n_allocs; /* of the last process */
	unsigned int looks;	  /* likewise */
	struct state_bytes bytes;
};

int state_writer__begin(const char *path, struct state_writer **ret_writer)
{
	struct state_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return -ENOMEM;
	writer->path = strdup(path);
	state_bytes__begin(&writer->bytes);
	if (!writer->path || writer->bytes.err) {
		state_writer__abort(writer);
		return -ENOMEM;
	}
	*ret_writer = writer;
	return 0;
}

void state_writer__abort(struct state_writer *writer)
{
	if (!writer)
		return;
	free(writer->bytes.data);
	free(writer->path);
	free(writer);
}

/* A record that did not fit or made no sense is taken back; one byte stays for the end. */
static int keep_or_take_back(struct state_writer *writer, size_t before)
{
	int err = writer->bytes.err;

	if (!err && writer->bytes.length >= STATE_MAX_BYTES)
		err = -EFBIG;
	if (err)
		writer->bytes.length = before;
	writer->bytes.err = 0;
	return err;
}

int state_writer__quarantined(struct state_writer *writer, const struct quarantine_entry *entry)
{
	size_t before = writer->bytes.length;

	if (writer->n_processes)
		return -EINVAL;
	state_bytes__put_quarantined(&writer->bytes, entry);
	return keep_or_take_back(writer, before);
}

int state_writer__process(struct state_writer *writer, const struct runtime_id *id,
			  const struct saved_process *process)
{
	size_t before = writer->bytes.length;
	int err;

	if (writer->n_processes == STATE_MAX_PROCESSES)
		return -E2BIG;
	state_bytes__put_process(&writer->bytes, id, process);
	err = keep_or_take_back(writer, before);
	if (err)
		return err;
	writer->n_processes++;
	writer->n_sites = writer->n_allocs = 0;
	writer->looks = process->allocs.n;
	return 0;
}

int state_writer__site(struct state_writer *writer, const struct saved_site *site)
{
	size_t before = writer->bytes.length;
	int err;

	if (!writer->n_processes)
		return -EINVAL;
	if (writer->n_sites == STATE_MAX_SITES)
		return -E2BIG;
	state_bytes__put_site(&writer->bytes, site);
	err = keep_or_take_back(writer, before);
	if (err)
		return err;
	writer->n_sites++;
	return 0;
}

int state_writer__alloc(struct state_writer *writer, const struct saved_alloc *alloc)
{
	size_t before = writer->bytes.length;
	int err;

	if (!writer->n_processes)
		return -EINVAL;
	if (writer->n_allocs == STATE_MAX_ALLOCS)
		return -E2BIG;
	state_bytes__put_alloc(&writer->bytes, alloc, writer->looks);
	err = keep_or_take_back(writer, before);
	if (err)
		return err;
	writer->n_allocs++;
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENOSPC;
		data += n;
		length -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

/* That a name exists is only on disk once its directory is. */
static int sync_directory(const char *path)
{
	char *copy __cleanup_free = strdup(path);
	int fd __cleanup_close =
		copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	/* A directory that may be written but not read, or whose file system cannot: so be it. */
	if (fd < 0 || !fsync(fd) || errno == EINVAL || errno == EROFS)
		return 0;
	return -errno;
}

/* Renaming would put a file in the place of a device or link that somebody meant to keep. */
static int check_replaceable(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

static int replace(const char *path, const struct state_bytes *bytes)
{
	int err = check_replaceable(path), fd;

	if (err)
		return err;
	fd = access__output(OUTPUT_CREATE, path);
	if (fd < 0)
		return fd;
	err = write_all(fd, bytes->data, bytes->length);
	if (close(fd) && !err)
		err = -errno;
	if (!err)
		err = access__output(OUTPUT_REPLACE, path);
	if (err) {
		(void)!access__output(OUTPUT_DISCARD, path);
		return err;
	}
	return sync_directory(path);
}

/* What to do about it. */
static const char *advice(int err)
{
	switch (-err) {
	case EBUSY:
		return "another gleakd is saving there: give each a --state of its own";
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return "make room there, or give another --state";
	case ENOENT:
	case ENOTDIR:
		return "create its directory, or give another --state";
	case ELOOP:
		return "it is a link, which saving would replace: give the path it leads to";
	case EISDIR:
		return "give a file in it";
	case EINVAL:
		return "--state takes a regular file, or one that does not exist yet";
	case EACCES:
	case EPERM:
	case EROFS:
		return "give a --state in a directory that may be written to";
	default:
		return "give another --state if it stays so";
	}
}

int state_writer__commit(struct state_writer *writer, struct failure *failure)
{
	struct state_boot_id boot;
	int err = state_boot_id__read(STATE_BOOT_ID_PATH, &boot, failure);

	if (!err) {
		state_bytes__finish(&writer->bytes, &boot);
		err = writer->bytes.err;
		if (!err)
			err = replace(writer->path, &writer->bytes);
		if (err)
			failure__set(failure, err, "cannot save the state to %.300s: %s; %s",
				     writer->path, strerror(-err), advice(err));
	}
	state_writer__abort(writer);
	return err;
}

/* --- reading ------------------------------------------------------------------------------------ */

/* A runtime of a process. */
struct known_process {
	struct runtime_id id;
	const uint8_t *at; /* behind the mark of its record */
};

struct state_file {
	uint8_t *data; /* owned */
	size_t length;
	uint64_t now_ticks;
	struct quarantine_entry quarantined[QUARANTINE_MAX];
	size_t n_quarantined;
	size_t n_processes, capacity;
	struct known_process *processes;
	/* What state_file__find() returned last, and its sites. */
	struct saved_process *process;
	struct state_cursor *of_process, *of_sites;
};

void state_file__close(struct state_file *file)
{
	if (!file)
		return;
	free(file->of_sites);
	free(file->of_process);
	free(file->process);
	free(file->processes);
	free(file->data);
	free(file);
}

static int add_process(struct state_file *file, const struct runtime_id *id, const uint8_t *at)
{
	if (!array__reserve(file->processes, file->capacity, file->n_processes + 1))
		return -ENOMEM;
	file->processes[file->n_processes++] = (struct known_process){.id = *id, .at = at};
	return 0;
}

/* How many records the process under way has. */
struct record_counts {
	size_t sites, allocs;
};

static void take_quarantined(struct state_file *file)
{
	struct quarantine_entry entry;

	state_cursor__quarantined(file->of_sites, &entry);
	if (file->n_processes || file->n_quarantined == QUARANTINE_MAX)
		file->of_sites->fault = "it has processes in quarantine too many";
	else
		file->quarantined[file->n_quarantined++] = entry;
}

static void check_record(struct state_file *file, enum state_record record,
			 struct record_counts *counts)
{
	struct state_cursor *cursor = file->of_sites;
	struct saved_alloc alloc;
	struct saved_site site;

	if (record == STATE_SITE) {
		state_cursor__site(cursor, &site);
		/* Those of a process are found by reading on until there is another. */
		if (!file->n_processes || counts->allocs || counts->sites++ == STATE_MAX_SITES)
			cursor->fault = "it has sites too many";
	} else {
		state_cursor__alloc(cursor, &alloc);
		if (!file->n_processes || counts->allocs++ == STATE_MAX_ALLOCS)
			cursor->fault = "it has places that allocate too many";
	}
}

/* Reads everything once, so that later nothing can be wrong. */
static int check_records(struct state_file *file, const char **ret_fault)
{
	struct state_cursor *cursor = file->of_sites;
	struct runtime_id id;
	enum state_record record;
	struct record_counts counts = {0};
	int err = 0;

	state_cursor__init(cursor, file->data + STATE_HEAD_SIZE, file->data + file->length,
			   file->now_ticks);
	while (!err && (record = state_cursor__next(cursor)) != STATE_END) {
		const uint8_t *at = cursor->at;

		if (record == STATE_PROCESS) {
			state_cursor__process(cursor, &id, file->process);
			counts = (struct record_counts){0};
			if (file->n_processes == STATE_MAX_PROCESSES)
				cursor->fault = "it has more processes than any host";
			else
				err = add_process(file, &id, at);
		} else if (record == STATE_QUARANTINED) {
			take_quarantined(file);
		} else {
			check_record(file, record, &counts);
		}
		if (cursor->fault)
			break;
	}
	if (cursor->fault) {
		*ret_fault = cursor->fault;
		return -EBADMSG;
	}
	return err;
}

int state_file__parse(uint8_t *data, size_t length, const struct state_boot_id *boot,
		      uint64_t now_ticks, struct state_file **ret_file, const char **ret_fault)
{
	struct state_file *file = calloc(1, sizeof(*file));
	int err = -ENOMEM;

	if (!file) {
		free(data);
		return err;
	}
	file->data = data;
	file->length = length;
	file->now_ticks = now_ticks;
	file->process = malloc(sizeof(*file->process));
	file->of_process = malloc(sizeof(*file->of_process));
	file->of_sites = malloc(sizeof(*file->of_sites));
	if (file->process && file->of_process && file->of_sites)
		err = state_head__check(data, length, boot, ret_fault);
	if (!err)
		err = check_records(file, ret_fault);
	if (err) {
		state_file__close(file);
		return err;
	}
	*ret_file = file;
	return 0;
}

/* The regular file @path; its length in @ret_length. Never waits for the other end of a pipe. */
static int open_regular(const char *path, size_t *ret_length)
{
	struct stat st;
	int fd = access__input(path, O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int err = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if (st.st_size > STATE_MAX_BYTES)
		err = -EFBIG;
	if (err) {
		close(fd);
		return err;
	}
	*ret_length = (size_t)st.st_size;
	return fd;
}

static int read_file(const char *path, uint8_t **ret_data, size_t *ret_length)
{
	size_t length = 0;
	int fd __cleanup_close = open_regular(path, &length);
	uint8_t *data;
	ssize_t n;

	if (fd < 0)
		return fd;
	data = malloc(max_of(length, (size_t)1));
	if (!data)
		return -ENOMEM;
	n = read__whole(fd, data, length);
	if (n < 0) {
		free(data);
		return (int)n;
	}
	/* It may be changed while it is read, which its checksum tells. */
	*ret_data = data;
	*ret_length = (size_t)n;
	return 0;
}

static int tell_unread(const char *path, int err, struct failure *failure)
{
	if (err == -ENOENT)
		return failure__set(failure, err, "there is no state in %.300s yet", path);
	if (err == -EFBIG)
		return failure__set(failure, err,
				    "cannot use the state in %.300s: it is larger than 256 MiB",
				    path);
	return failure__set(failure, err, "cannot read the state from %.300s: %s; %s", path,
			    strerror(-err), advice(err));
}

int state_file__open(const char *path, struct state_file **ret_file, struct failure *failure)
{
	struct state_boot_id boot;
	const char *fault = NULL;
	uint8_t *data = NULL;
	size_t length = 0;
	int err = read_file(path, &data, &length);

	if (err)
		return tell_unread(path, err, failure);
	err = state_boot_id__read(STATE_BOOT_ID_PATH, &boot, failure);
	if (err) {
		free(data);
		return err;
	}
	err = state_file__parse(data, length, &boot, ticks__of(clock__monotonic_ns()), ret_file,
				&fault);
	if (err)
		return failure__set(failure, err, "cannot use the state in %.300s: %s", path,
				    fault ? fault : strerror(-err));
	return 0;
}

/* --- what is known of a process ----------------------------------------------------------------- */

static const struct known_process *find(const struct state_file *file, const struct runtime_id *id)
{
	for (size_t i = 0; i < file->n_processes; i++) {
		const struct known_process *known = &file->processes[i];

		if (runtime_id__same(&known->id, id))
			return known;
	}
	return NULL;
}

const struct saved_process *
state_file__find(const struct state_file *file, const struct runtime_id *id,
		 bool (*visit)(void *ctx, const struct saved_site *site), void *ctx)
{
	const struct known_process *known = find(file, id);
	struct runtime_id same;
	struct saved_site site;
	bool more = true;

	if (!known)
		return NULL;
	state_cursor__init(file->of_process, known->at, file->data + file->length, file->now_ticks);
	state_cursor__process(file->of_process, &same, file->process);
	state_cursor__init(file->of_sites, file->of_process->at, file->data + file->length,
			   file->now_ticks);
	while (more && state_cursor__next(file->of_sites) == STATE_SITE) {
		state_cursor__site(file->of_sites, &site);
		more = visit(ctx, &site);
	}
	return file->process;
}

void state_file__each_alloc(const struct state_file *file,
			    bool (*visit)(void *ctx, const struct saved_alloc *alloc), void *ctx)
{
	struct state_cursor *cursor = file->of_sites;
	enum state_record record;
	struct saved_alloc alloc;
	struct saved_site site;
	bool more = true;

	state_cursor__init(cursor, file->of_process->at, file->data + file->length,
			   file->now_ticks);
	cursor->looks = file->process->allocs.n;
	while (more && (record = state_cursor__next(cursor)) >= STATE_SITE) {
		if (record == STATE_SITE) {
			state_cursor__site(cursor, &site);
			continue;
		}
		state_cursor__alloc(cursor, &alloc);
		more = visit(ctx, &alloc);
	}
}

const struct quarantine_entry *state_file__quarantined(const struct state_file *file, size_t *ret_n)
{
	*ret_n = file->n_quarantined;
	return file->quarantined;
}
