// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/textfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/stream.h"
#include "base/temp_file.h"
#include "host/access.h"
#include "output/prometheus/exposition.h"
#include "output/prometheus/metrics.h"
#include "output/prometheus/textfile_parts.h"

#define SUFFIX ".prom"

/* --- rendering -------------------------------------------------------------------------------- */

static struct metrics_limits limits_of(const struct textfile_options *options)
{
	return (struct metrics_limits){
		.groups = options->max_groups ? options->max_groups : TEXTFILE_MAX_GROUPS,
		.group_sites = options->max_group_sites ? options->max_group_sites :
							  TEXTFILE_MAX_GROUP_SITES,
		.sites = options->max_sites ? options->max_sites : TEXTFILE_MAX_SITES,
	};
}

static void put_build(FILE *out, const struct textfile_options *options)
{
	exposition__family(out, "gleakd_build_info", EXPOSITION_GAUGE,
			   "The gleakd that wrote this, and what it runs on.");
	exposition__count(out, "gleakd_build_info",
			  EXPOSITION_LABELS({"version", options->version},
					    {"revision", options->revision},
					    {"libbpf", options->libbpf}, {"arch", options->arch}),
			  1);
}

int textfile__render(FILE *out, const struct report *report, const struct textfile_options *options)
{
	const struct metrics_limits limits = limits_of(options);
	struct metrics metrics;
	int err;

	err = metrics__gather(&metrics, report, options->totals, &limits);
	if (err)
		return err;
	put_build(out, options);
	textfile_part__self(out, &metrics, report);
	textfile_part__groups(out, &metrics, report->realtime_ns);
	textfile_part__scheduling(out, &metrics);
	err = textfile_part__memory(out, &metrics);
	if (!err)
		err = textfile_part__sites(out, &metrics);
	metrics__release(&metrics);
	return err ? err : stream__flush(out);
}

/* --- the file --------------------------------------------------------------------------------- */

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

int textfile__check_path(const char *path, struct failure *failure)
{
	if (ends_in(path, SUFFIX))
		return 0;
	return failure__set(failure, -EINVAL,
			    "the textfile '%s' would never be read: its name has to end in " SUFFIX
			    ", as in /var/lib/prometheus/node-exporter/gleakd" SUFFIX,
			    path);
}

static const char *advice_for(int err)
{
	switch (-err) {
	case ENOENT:
	case ENOTDIR:
		return "create its directory, the one that node_exporter's "
		       "--collector.textfile.directory names";
	case EACCES:
	case EPERM:
	case EROFS:
		return "let gleakd write to its directory (ReadWritePaths= in a systemd unit)";
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return "make room on its file system";
	case EBUSY:
		return "another gleakd is writing it: give each a file and a directory of its own";
	case EISDIR:
	case ENOTEMPTY:
	case EEXIST:
		return "it has to be a file, and nothing else may be called like it with " TEMP_FILE_SUFFIX
		       " at the end";
	default:
		return "check its directory";
	}
}

static int cannot(struct failure *failure, int err, const char *what, const char *path)
{
	return failure__set(failure, err, "cannot %s the textfile %s: %s; %s", what, path,
			    strerror(-err), advice_for(err));
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

/*
 * No fsync: the file is worth nothing after a crash, and is written again a moment later. The mode
 * is set whatever the umask is: the exporter runs as somebody else.
 */
static int write_and_rename(const char *path, const char *text, size_t size)
{
	int fd __cleanup_close = access__output(OUTPUT_CREATE, path);
	int err;

	if (fd < 0)
		return fd;
	err = write_all(fd, text, size);
	if (!err && fchmod(fd, 0644))
		err = -errno;
	if (!err)
		err = access__output(OUTPUT_REPLACE, path);
	if (err)
		(void)!access__output(OUTPUT_DISCARD, path);
	return err;
}

static int render_to_memory(const struct report *report, const struct textfile_options *options,
			    char **ret_text, size_t *ret_size)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int err;

	if (!out)
		return -ENOMEM;
	err = textfile__render(out, report, options);
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (err) {
		free(text);
		return err;
	}
	*ret_text = text;
	*ret_size = size;
	return 0;
}

int textfile__replace(const char *path, const struct report *report,
		      const struct textfile_options *options, struct failure *failure)
{
	char *text __cleanup_free = NULL;
	size_t size;
	int err = render_to_memory(report, options, &text, &size);

	if (!err)
		err = write_and_rename(path, text, size);
	return err ? cannot(failure, err, "write", path) : 0;
}

int textfile__remove(const char *path, struct failure *failure)
{
	int err = access__output(OUTPUT_REMOVE, path);

	return err && err != -ENOENT ? cannot(failure, err, "remove", path) : 0;
}
