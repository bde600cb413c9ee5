// SPDX-License-Identifier: Apache-2.0
#include "cli/evidence_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/access.h"
#include "output/json/report.h"
#include "output/pprof/goroutines.h"
#include "output/text/dump.h"
#include "output/text/report.h"

#define HEAP_COLUMNS 100

/* --- a file that somebody else writes ------------------------------------------------------------ */

struct part {
	enum evidence_file file;
	int err;
};

static ssize_t append(void *cookie, const char *bytes, size_t size)
{
	struct part *part = cookie;

	for (size_t at = 0; at < size && !part->err; at += ACCESS_EVIDENCE_PART) {
		const struct access_evidence evidence = {
			.step = EVIDENCE_APPEND,
			.file = part->file,
			.bytes = bytes + at,
			.size = min_of(size - at, ACCESS_EVIDENCE_PART),
		};

		part->err = access__evidence(&evidence, NULL);
	}
	/* stdio takes 0 for an error and sets none of its own. */
	errno = -part->err;
	return part->err ? 0 : (ssize_t)size;
}

static int write_report(FILE *out, const struct report *report)
{
	return report__write_json(out, report);
}

static int write_profile(FILE *out, const struct report *report)
{
	struct pprof *profile;
	int err = goroutines_profile__make(&report->targets[0], report->realtime_ns, &profile);

	if (err)
		return err;
	err = pprof__write(profile, out);
	pprof__free(profile);
	return err;
}

static int write_heap(FILE *out, const struct report *report)
{
	const struct text_options options = {
		.screen = {.columns = HEAP_COLUMNS}, .heap = true, .all = true};
	struct report once = *report;
	struct text_writer *writer;
	int err = text_writer__new(out, &options, &writer);

	if (err)
		return err;
	/* In full, whatever it is to the run. */
	once.end = REPORT_ONCE;
	err = text_writer__write(writer, &once);
	text_writer__free(writer);
	return err;
}

static int write_file(enum evidence_file file, const struct report_target *target,
		      const struct report *report,
		      int (*write)(FILE *out, const struct report *report))
{
	struct part part = {.file = file};
	FILE *out = fopencookie(&part, "w", (cookie_io_functions_t){.write = append});
	struct report alone = *report;
	int err;

	if (!out)
		return -ENOMEM;
	alone.targets = target;
	alone.n_targets = 1;
	(void)setvbuf(out, NULL, _IOFBF, ACCESS_EVIDENCE_PART);
	err = write(out, &alone);
	if (fclose(out) && !err)
		err = -EIO;
	return part.err ? part.err : err;
}

/* ------------------------------------------------------------------------------------------------ */

/* Whether goroutines of the site with this id are what was found. */
static bool is_of_finding(const struct report_site *site, const char *id)
{
	const struct report_finding *finding = site ? site->finding : NULL;

	if (!site)
		return true;
	for (size_t i = 0; finding && i < finding->n_sites; i++) {
		if (!strcmp(finding->sites[i]->id, id))
			return true;
	}
	return !strcmp(site->id, id);
}

static int write_goroutines(const struct evidence_finding *finding)
{
	struct report_target target = *finding->target;
	struct report_goroutine *own = calloc(EVIDENCE_MAX_GOROUTINES, sizeof(*own));
	size_t n = 0;
	int err;

	if (!own)
		return -ENOMEM;
	for (size_t i = 0; i < finding->n_goroutines && n < EVIDENCE_MAX_GOROUTINES; i++) {
		if (is_of_finding(finding->site, finding->goroutines[i].place->site))
			own[n++] = finding->goroutines[i];
	}
	target.goroutine_list = own;
	target.n_goroutine_list = n;
	err = write_file(EVIDENCE_GOROUTINES, &target, finding->report, dump__write);
	free(own);
	return err;
}

int evidence_files__write(const struct evidence_finding *finding)
{
	struct report_target target = *finding->target;
	int err = write_file(EVIDENCE_REPORT, &target, finding->report, write_report);

	if (!err && finding->goroutines)
		err = write_goroutines(finding);
	if (!err && target.heap)
		err = write_file(EVIDENCE_HEAP, &target, finding->report, write_heap);
	target.goroutines_listed = true;
	target.goroutine_list = finding->goroutines;
	target.n_goroutine_list = finding->n_goroutines;
	if (!err && finding->goroutines)
		err = write_file(EVIDENCE_PROFILE, &target, finding->report, write_profile);
	return err;
}
