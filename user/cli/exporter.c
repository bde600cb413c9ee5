// SPDX-License-Identifier: Apache-2.0
#include "cli/exporter.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "version.h"

int exporter__open(struct exporter *exporter, const char *path, bool keep, struct failure *failure)
{
	struct utsname host;
	int err;

	*exporter = (struct exporter){.path = path, .keep = keep};
	if (!path)
		return 0;
	err = textfile__check_path(path, failure);
	if (!err)
		err = group_totals__new(&exporter->totals);
	if (err)
		return err;
	if (!uname(&host))
		snprintf(exporter->arch, sizeof(exporter->arch), "%s", host.machine);
	exporter->options = (struct textfile_options){
		.version = GLEAKD_VERSION,
		.revision = GLEAKD_REVISION,
		.libbpf = libbpf_version_string(),
		.arch = exporter->arch,
		.totals = exporter->totals,
	};
	return 0;
}

void exporter__write(struct exporter *exporter, const struct report *report)
{
	struct failure failure = {0};
	int err;

	if (!exporter->path)
		return;
	err = group_totals__update(exporter->totals, report);
	if (!err)
		err = textfile__replace(exporter->path, report, &exporter->options, &failure);
	if (err && err != exporter->failed)
		log_warn("%s", failure.text[0] ? failure.text : strerror(-err));
	else if (!err && exporter->failed)
		log_info("%s is written again", exporter->path);
	exporter->failed = err;
	exporter->errors += err != 0;
	exporter->written |= !err;
}

int exporter__error(const struct exporter *exporter)
{
	return exporter->keep ? exporter->failed : 0;
}

void exporter__close(struct exporter *exporter)
{
	struct failure failure = {0};

	/* Another gleakd's file stays, when this one never got to write its own. */
	if (exporter->written && !exporter->keep && textfile__remove(exporter->path, &failure))
		log_warn("%s", failure.text);
	group_totals__free(exporter->totals);
	exporter->totals = NULL;
}
