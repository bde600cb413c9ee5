// SPDX-License-Identifier: Apache-2.0
/* A report in JSON: what was read of any is written, and then is the same for good. */
#include "output/json/reader.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "output/diff.h"
#include "output/html/page.h"
#include "output/json/report.h"
#include "output/perfetto/trace.h"
#include "shown.h"

static char *written(const struct report *report, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	fuzz__require(out && !report__write_json(out, report));
	fclose(out);
	return text;
}

static void check_pictures(const struct report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !html__write(out, report, NULL));
	fuzz__require(!perfetto__write_report(out, report));
	fclose(out);
	free(text);
}

/* The one process that is left is compared with all of them, and the other way round. */
static void check_differences(const struct report *report)
{
	const struct screen_options options = {.columns = 80};
	struct report one = *report;
	const struct report *pair[] = {&one, report};

	one.n_targets = min_of(one.n_targets, (size_t)1);
	for (int i = 0; i < 2; i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		struct diff diff;

		fuzz__require(out && !diff__make(pair[i], pair[1 - i], &diff));
		fuzz__require(!diff__write_text(out, &diff, &options));
		fclose(out);
		free(text);
		out = open_memstream(&text, &size);
		fuzz__require(out && !diff__write_json(out, &diff));
		fclose(out);
		shown__check_json(text, size);
		free(text);
		diff__release(&diff);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report_reader *reader, *again;
	struct failure failure;
	char *text;

	if (report_reader__new((const char *)data, size, "the input", &reader, &failure))
		return 0;
	text = written(report_reader__report(reader), &size);
	shown__check_json(text, size);
	fuzz__require(!report_reader__new(text, size, "what was written", &again, &failure));
	free(written(report_reader__report(again), &size));
	check_pictures(report_reader__report(reader));
	check_differences(report_reader__report(reader));
	free(text);
	report_reader__free(again);
	report_reader__free(reader);
	return 0;
}
