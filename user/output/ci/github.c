// SPDX-License-Identifier: Apache-2.0
/*
 * Workflow commands: "::error file=...,line=...,title=...::message". Percent signs and line ends are escaped, in
 * properties ':' and ',' as well (actions/toolkit, packages/core/src/command.ts).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/stream.h"
#include "base/utf8.h"
#include "output/ci/words.h"

/* More are not shown, ten errors and ten warnings of a step; the rest is told as a number. */
#define MAX_TOLD 50

struct writer {
	FILE *out;
	const struct ci_options *options;
	size_t told, left_out;
};

static void put_escaped(FILE *out, const char *text, bool property)
{
	while (*text) {
		uint32_t code;
		size_t length = utf8__decode(text, &code);

		if (code == '%' || code == '\n' || code == '\r' ||
		    (property && (code == ':' || code == ',')))
			fprintf(out, "%%%02X", code);
		else if (!utf8__printable(code) && code != '\t')
			fputs(UTF8_REPLACEMENT_STR, out);
		else
			fwrite(text, 1, length, out);
		text += length;
	}
}

/* The part of @path below the folder of the checkout; all of it where it is not there. */
static const char *below(const char *path, const char *root)
{
	size_t length = root ? strlen(root) : 0;

	while (length > 1 && root[length - 1] == '/')
		length--;
	if (length && !strncmp(path, root, length) && path[length] == '/')
		return path + length + 1;
	return path;
}

static int put_command(struct writer *writer, const char *level, const struct report_frame *frame,
		       const char *title, char *body)
{
	FILE *out = writer->out;

	if (!body)
		return -ENOMEM;
	fprintf(out, "::%s ", level);
	if (frame && *report__text(frame->file)) {
		fputs("file=", out);
		put_escaped(out, below(frame->file, writer->options->root), true);
		fprintf(out, ",line=%u,", frame->line);
	}
	fputs("title=", out);
	put_escaped(out, title, true);
	fputs("::", out);
	put_escaped(out, body, false);
	fputc('\n', out);
	free(body);
	writer->told++;
	return 0;
}

static int put_site(struct writer *writer, const struct report_site *site)
{
	bool fails = ci_words__fails(site, writer->options);
	char title[CI_LINE_SIZE];

	if (site->suppressed || (!fails && !verdict__is_suspect(site->view.verdict)))
		return 0;
	if (writer->told == MAX_TOLD) {
		writer->left_out++;
		return 0;
	}
	ci_words__name(site, title);
	return put_command(writer, fails ? "error" : "warning", ci_words__line(site), title,
			   ci_words__body(site));
}

static int put_memory(struct writer *writer, const struct report_alloc_site *place)
{
	char title[CI_LINE_SIZE];

	if (!report__memory_flagged(place))
		return 0;
	if (writer->told == MAX_TOLD) {
		writer->left_out++;
		return 0;
	}
	ci_words__memory_name(place, title);
	return put_command(writer, writer->options->memory ? "error" : "warning",
			   &place->allocated_at, title, ci_words__memory_body(place));
}

static int put_target(struct writer *writer, const struct report_target *target)
{
	const struct report_allocations *allocations = target->allocations;
	char line[CI_LINE_SIZE];
	int err = 0;

	for (size_t i = 0; i < target->n_sites && !err; i++)
		err = put_site(writer, &target->sites[i]);
	for (size_t i = 0; allocations && i < allocations->n_sites && !err; i++)
		err = put_memory(writer, &allocations->sites[i]);
	ci_words__looked_at(target, line);
	fputs("::notice title=gleakd::", writer->out);
	put_escaped(writer->out, line, false);
	fputc('\n', writer->out);
	return err;
}

int github__write(FILE *out, const struct report *report, const struct ci_options *options)
{
	struct writer writer = {.out = out, .options = options};
	int err = 0;

	for (size_t i = 0; i < report->n_targets && !err; i++)
		err = put_target(&writer, &report->targets[i]);
	if (writer.left_out)
		fprintf(out, "::warning title=gleakd::and %zu more\n", writer.left_out);
	if (options->not_judged) {
		fputs("::error title=gleakd%3A nothing could be judged::", out);
		put_escaped(out, options->not_judged, false);
		fputc('\n', out);
	}
	return err ? err : stream__flush(out);
}
