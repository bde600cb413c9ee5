// SPDX-License-Identifier: Apache-2.0
/*
 * JUnit's XML, for which there is no one schema: elements and attributes are those that Jenkins' (xunit-plugin,
 * junit-10.xsd) and Ant's readers have in common.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/stream.h"
#include "base/utf8.h"
#include "output/ci/words.h"
#include "version.h"

struct counts {
	size_t tests, failures, errors, skipped;
};

/* --- XML ----------------------------------------------------------------------------------------- */

/* Characters that an XML 1.0 document may have (section 2.2). */
static bool is_xml(uint32_t code)
{
	return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code < 0xd800) ||
	       (code >= 0xe000 && code != 0xfffe && code != 0xffff);
}

/* Text, or with @attribute what stands in quotes: there a line's end has to be written as a reference. */
static void put_escaped(FILE *out, const char *text, bool attribute)
{
	while (*text) {
		uint32_t code;
		size_t length = utf8__decode(text, &code);

		if (!code || !is_xml(code))
			fputs(UTF8_REPLACEMENT_STR, out);
		else if (code == '&')
			fputs("&amp;", out);
		else if (code == '<')
			fputs("&lt;", out);
		else if (code == '>')
			fputs("&gt;", out);
		else if (code == '"' && attribute)
			fputs("&quot;", out);
		else if ((code == '\n' || code == '\t' || code == '\r') &&
			 (attribute || code == '\r'))
			fprintf(out, "&#%u;", code);
		else
			fwrite(text, 1, length, out);
		text += length;
	}
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, value, true);
	fputc('"', out);
}

static void put_counts(FILE *out, const struct counts *counts, uint64_t ns)
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\"",
		counts->tests, counts->failures, counts->errors, counts->skipped,
		report__seconds(ns));
}

static void put_property(FILE *out, const char *name, const char *value)
{
	if (!*report__text(value))
		return;
	fputs("      <property", out);
	put_attribute(out, "name", name);
	put_attribute(out, "value", value);
	fputs("/>\n", out);
}

/* --- cases --------------------------------------------------------------------------------------- */

/* The cases of a suite so far, by what their names hash to. */
struct names {
	uint64_t *hashes;
	size_t n;
};

/* Of two cases with one name a server that keeps results would keep one: the second gets a number. */
static void distinguish(struct names *names, char name[CI_LINE_SIZE])
{
	uint64_t hash = hash__bytes(HASH_FNV_BASIS, name, strlen(name));
	size_t length = strlen(name), same = 1;

	for (size_t i = 0; i < names->n; i++)
		same += names->hashes[i] == hash;
	names->hashes[names->n++] = hash;
	if (same > 1)
		snprintf(name + length, CI_LINE_SIZE - length, ", number %zu", same);
}

static void begin_case(FILE *out, const char *class, const char *name)
{
	fputs("    <testcase", out);
	put_attribute(out, "classname", class);
	put_attribute(out, "name", name);
	fputs(" time=\"0\"", out);
}

/* An element with a text, which is freed; -ENOMEM where there is none. */
static int put_body(FILE *out, const char *element, const char *type, const char *message,
		    char *body)
{
	if (!body)
		return -ENOMEM;
	fprintf(out, "      <%s", element);
	if (type)
		put_attribute(out, "type", type);
	if (message)
		put_attribute(out, "message", message);
	fputc('>', out);
	put_escaped(out, body, false);
	fprintf(out, "</%s>\n    </testcase>\n", element);
	free(body);
	return 0;
}

static int put_site(FILE *out, const struct report_site *site, struct names *names,
		    const struct ci_options *options)
{
	char line[CI_LINE_SIZE];

	ci_words__name(site, line);
	distinguish(names, line);
	begin_case(out, "gleakd.goroutines", line);
	fputs(">\n", out);
	ci_words__headline(site, line);
	if (report__suppressed(site)) {
		fputs("      <skipped", out);
		put_attribute(out, "message", report__text(site->suppressed_reason));
		fputs("/>\n", out);
		return put_body(out, "system-out", NULL, NULL, ci_words__body(site));
	}
	if (!ci_words__fails(site, options))
		return put_body(out, "system-out", NULL, NULL, ci_words__body(site));
	return put_body(out, "failure", verdict__name(site->view.verdict), line,
			ci_words__body(site));
}

static int put_memory(FILE *out, const struct report_alloc_site *place, struct names *names,
		      const struct ci_options *options)
{
	char line[CI_LINE_SIZE];

	ci_words__memory_name(place, line);
	distinguish(names, line);
	begin_case(out, "gleakd.memory", line);
	fputs(">\n", out);
	ci_words__memory_headline(place, line);
	return put_body(out, options->memory ? "failure" : "system-out",
			options->memory ? "growing memory" : NULL, options->memory ? line : NULL,
			ci_words__memory_body(place));
}

/* --- suites -------------------------------------------------------------------------------------- */

/* Sites that have a case of their own. */
static bool is_told(const struct report_site *site, const struct ci_options *options)
{
	return ci_words__fails(site, options) || verdict__is_suspect(site->view.verdict) ||
	       report__suppressed(site);
}

static struct counts count(const struct report_target *target, const struct ci_options *options)
{
	/* That it could be judged, and all other places. */
	struct counts counts = {.tests = 2, .errors = options->not_judged != NULL};
	size_t growing = report__count_growing_memory(target);

	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];

		counts.tests += is_told(site, options);
		counts.failures += ci_words__fails(site, options);
		counts.skipped += report__suppressed(site);
	}
	counts.tests += growing;
	counts.failures += options->memory ? growing : 0;
	return counts;
}

static void add(struct counts *sum, const struct counts *counts)
{
	sum->tests += counts->tests;
	sum->failures += counts->failures;
	sum->errors += counts->errors;
	sum->skipped += counts->skipped;
}

static void put_judged(FILE *out, const struct ci_options *options)
{
	begin_case(out, "gleakd", "there was enough to judge by");
	if (!options->not_judged) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n      <error type=\"not judged\"", out);
	put_attribute(out, "message", options->not_judged);
	fputs("/>\n    </testcase>\n", out);
}

static void begin_suite(FILE *out, const struct report *report, const char *name,
			const struct counts *counts, uint64_t observed_ns)
{
	char when[32] = "";
	time_t seconds = (time_t)(report->realtime_ns / NSEC_PER_SEC);
	struct tm tm;

	/* Its schemas allow no zone; UTC is meant. */
	if (gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	fputs("  <testsuite", out);
	put_attribute(out, "name", name);
	put_counts(out, counts, observed_ns);
	put_attribute(out, "timestamp", when);
	put_attribute(out, "hostname", "localhost");
	fputs(">\n    <properties>\n", out);
	put_property(out, "gleakd", GLEAKD_VERSION);
}

static void put_properties(FILE *out, const struct report_target *target)
{
	put_property(out, "exe", target->exe);
	put_property(out, "go_version", target->go_version);
	put_property(out, "module", target->module);
	put_property(out, "module_version", target->module_version);
	put_property(out, "vcs_revision", target->vcs_revision);
	put_property(out, "mode", probe_mode__name(target->mode));
}

static void end_properties(FILE *out)
{
	fputs("    </properties>\n", out);
}

static void end_suite(FILE *out, const char *looked_at)
{
	fputs("    <system-out>", out);
	put_escaped(out, looked_at, false);
	fputs("</system-out>\n    <system-err></system-err>\n  </testsuite>\n", out);
}

/* Those that have a case of their own. */
static int put_cases(FILE *out, const struct report_target *target, size_t n,
		     const struct ci_options *options)
{
	const struct report_allocations *allocations = target->allocations;
	uint64_t *hashes __cleanup_free = calloc(n + 1, sizeof(*hashes));
	struct names names = {.hashes = hashes};
	int err = hashes ? 0 : -ENOMEM;

	for (size_t i = 0; i < target->n_sites && !err; i++) {
		if (is_told(&target->sites[i], options))
			err = put_site(out, &target->sites[i], &names, options);
	}
	for (size_t i = 0; allocations && i < allocations->n_sites && !err; i++) {
		if (report__memory_flagged(&allocations->sites[i]))
			err = put_memory(out, &allocations->sites[i], &names, options);
	}
	return err;
}

static int put_suite(FILE *out, const struct report *report, const struct report_target *target,
		     const struct ci_options *options)
{
	const char *comm = *report__text(target->comm) ? target->comm : "gleakd";
	struct counts counts = count(target, options);
	char line[CI_LINE_SIZE];
	int err;

	snprintf(line, sizeof(line), "%.300s",
		 *report__text(target->library) ? target->library : comm);
	begin_suite(out, report, line, &counts, target->observed_ns);
	put_properties(out, target);
	end_properties(out);
	err = put_cases(out, target, counts.tests, options);
	begin_case(out, "gleakd.goroutines", "all other places");
	fputs("/>\n", out);
	put_judged(out, options);
	ci_words__looked_at(target, line);
	end_suite(out, line);
	return err;
}

/* No process was watched: a suite that says so. */
static void put_nothing(FILE *out, const struct report *report, const struct ci_options *options)
{
	const struct counts counts = {.tests = 1, .errors = options->not_judged != NULL};

	begin_suite(out, report, "gleakd", &counts, 0);
	end_properties(out);
	put_judged(out, options);
	end_suite(out, "no process was watched");
}

int junit__write(FILE *out, const struct report *report, const struct ci_options *options)
{
	struct counts sum = {0};
	uint64_t longest_ns = 0;
	int err = 0;

	for (size_t i = 0; i < report->n_targets; i++) {
		struct counts counts = count(&report->targets[i], options);

		add(&sum, &counts);
		longest_ns = max_of(longest_ns, report->targets[i].observed_ns);
	}
	if (!report->n_targets)
		sum = (struct counts){.tests = 1, .errors = options->not_judged != NULL};
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gleakd\"", out);
	put_counts(out, &sum, longest_ns);
	fputs(">\n", out);
	for (size_t i = 0; i < report->n_targets && !err; i++)
		err = put_suite(out, report, &report->targets[i], options);
	if (!report->n_targets)
		put_nothing(out, report, options);
	fputs("</testsuites>\n", out);
	return err ? err : stream__flush(out);
}
