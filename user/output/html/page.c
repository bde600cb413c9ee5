// SPDX-License-Identifier: Apache-2.0
#include "output/html/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/one_line.h"
#include "base/stream.h"
#include "output/html/timeline_json.h"
#include "output/json/report.h"

static const unsigned char style[] = {
#include "html_style.inc"
};

static const unsigned char script[] = {
#include "html_script.inc"
};

/* W3C, Content Security Policy Level 3: 128 bits at least. */
#define NONCE_BYTES 16

static int make_nonce(char out[2 * NONCE_BYTES + 1])
{
	unsigned char bytes[NONCE_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* Of the first process: a name that a tab is found by. */
static void put_title(FILE *out, const struct report *report)
{
	char name[64] = "";

	if (report->n_targets)
		one_line__copy(name, sizeof(name), report__text(report->targets[0].comm));
	fputs("<title>", out);
	for (const char *c = name; *c; c++) {
		if (strchr("&<>\"'", *c))
			fprintf(out, "&#%d;", *c);
		else
			fputc(*c, out);
	}
	fputs(report->n_targets > 1 ? " and others - gleakd</title>\n" : " - gleakd</title>\n",
	      out);
}

static void put_head(FILE *out, const struct report *report, const char *nonce)
{
	fputs("<!doctype html>\n<html lang=\"en\" data-theme=\"light\">\n<head>\n"
	      "<meta charset=\"utf-8\">\n",
	      out);
	fprintf(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"script-src 'nonce-%s'; style-src 'nonce-%s'; img-src data:; base-uri 'none'; "
		"form-action 'none'\">\n",
		nonce, nonce);
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n",
	      out);
	put_title(out, report);
	fprintf(out, "<style nonce=\"%s\">\n", nonce);
	fwrite(style, 1, sizeof(style), out);
	fputs("</style>\n</head>\n<body>\n<main></main>\n<noscript>This page draws its data with "
	      "JavaScript, which is off here.</noscript>\n",
	      out);
}

/* In a script element only '<' can begin what ends it, and in JSON it is in strings alone. */
static void put_data(FILE *out, const char *json, size_t size)
{
	while (size) {
		const char *open = memchr(json, '<', size);
		size_t n = open ? (size_t)(open - json) : size;

		fwrite(json, 1, n, out);
		if (!open)
			return;
		fputs("\\u003c", out);
		json += n + 1;
		size -= n + 1;
	}
}

/* As JSON, of the timeline if there is one, else of the report. */
static int put_json(FILE *out, const struct report *report, const struct timeline *timeline)
{
	char *json = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&json, &size);
	int err;

	if (!stream)
		return -ENOMEM;
	err = timeline ? timeline__write_json(stream, report, timeline) :
			 report__write_json(stream, report);
	if (fclose(stream) && !err)
		err = -ENOMEM;
	if (!err)
		put_data(out, json, size);
	free(json);
	return err;
}

int html__write(FILE *out, const struct report *report, const struct timeline *timeline)
{
	char nonce[2 * NONCE_BYTES + 1];
	int err = make_nonce(nonce);

	if (err)
		return err;
	put_head(out, report, nonce);
	fputs("<script type=\"application/json\" id=\"data\">{\"report\":", out);
	err = put_json(out, report, NULL);
	if (err)
		return err;
	fputs(",\"timeline\":", out);
	if (timeline)
		err = put_json(out, report, timeline);
	else
		fputs("null", out);
	if (err)
		return err;
	fprintf(out, "}</script>\n<script nonce=\"%s\">\n", nonce);
	fwrite(script, 1, sizeof(script), out);
	fputs("</script>\n</body>\n</html>\n", out);
	return stream__flush(out);
}
