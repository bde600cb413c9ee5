// SPDX-License-Identifier: Apache-2.0
#include "cli/html_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/output_file.h"
#include "output/html/keeper.h"
#include "output/html/page.h"

struct html_file {
	const char *path;
	struct output_file *out;
	struct html_keeper *keeper;
	int err;
};

int html_file__open(const char *path, struct html_file **ret_file, struct failure *failure)
{
	struct html_file *file = calloc(1, sizeof(*file));
	int err;

	if (!file)
		return -ENOMEM;
	file->path = path;
	err = html_keeper__new(&file->keeper);
	if (!err)
		err = output_file__open("--html", path, &file->out, failure);
	if (err) {
		html_file__free(file);
		return err;
	}
	*ret_file = file;
	return 0;
}

void html_file__free(struct html_file *file)
{
	if (!file)
		return;
	output_file__close(file->out);
	html_keeper__free(file->keeper);
	free(file);
}

static int write_page(struct html_file *file, const struct report *report, struct failure *failure)
{
	const struct timeline *timeline;
	int err = html_keeper__timeline(file->keeper, report, &timeline);

	if (!err)
		err = html__write(output_file__out(file->out), report, timeline);
	return err ? err : output_file__keep(file->out, failure);
}

void html_file__add(struct html_file *file, const struct report *report)
{
	int err = html_keeper__add(file->keeper, report, clock__monotonic_ns());
	struct failure failure = {""};

	if (!err && report__final(report))
		err = write_page(file, report, &failure);
	if (!err || file->err)
		return;
	file->err = err;
	if (!*failure.text)
		failure__set(&failure, err, "--html: %s: %s; there is no page", file->path,
			     strerror(-err));
	log_error("%s", failure.text);
}

int html_file__error(const struct html_file *file)
{
	return file ? file->err : 0;
}
