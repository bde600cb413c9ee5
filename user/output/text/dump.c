// SPDX-License-Identifier: Apache-2.0
#include "output/text/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/stream.h"
#include "base/utf8.h"
#include "golang/buildinfo.h"

/* From this Go version on the runtime's dump has labels (GODEBUG=tracebacklabels=1). */
#define MINOR_LABELS 27

/* Most names are made of these: no need to look at each character. */
#define PLAIN                                                                                           \
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz" \
	"{|}~"

/* Names come from the target: what a terminal or a parser could stumble over is not printed. */
static void put(FILE *out, const char *text)
{
	for (;;) {
		size_t plain = strspn(text, PLAIN);
		uint32_t code;
		size_t length;

		fwrite(text, 1, plain, out);
		text += plain;
		if (!*text)
			return;
		length = utf8__decode(text, &code);
		if (utf8__printable(code))
			fwrite(text, 1, length, out);
		else
			fputs(UTF8_REPLACEMENT_STR, out);
		text += length;
	}
}

/* --- as the runtime does ------------------------------------------------------------------------- */

/* src/runtime/traceback.go tracebackStringNeedsQuoting. */
static bool needs_quotes(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789./_")] != '\0';
}

/* One character as src/runtime/print.go printquoted has it; returns its bytes. */
static size_t put_escaped(FILE *out, const char *text)
{
	uint32_t code;
	size_t length = utf8__decode(text, &code);

	if (code == '\n' || code == '\r' || code == '\t')
		fputs(code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t", out);
	else if (code == '\\' || code == '"')
		fprintf(out, "\\%c", (char)code);
	else if (code >= ' ' && code <= '~')
		fputc((char)code, out);
	else if (code > 0xffff)
		fprintf(out, "\\U%08" PRIx32, code);
	else if (code > '~')
		fprintf(out, "\\u%04" PRIx32, code);
	else
		fprintf(out, "\\x%02x", (unsigned char)*text);
	return code ? length : 1;
}

static void put_label_text(FILE *out, const char *text)
{
	if (!needs_quotes(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	while (*text)
		text += put_escaped(out, text);
	fputc('"', out);
}

static void put_labels(FILE *out, const struct report_labels *labels)
{
	for (size_t i = 0; labels && i < labels->n; i++) {
		fputs(i ? ", " : " {", out);
		put_label_text(out, labels->items[i].key);
		fputs(": ", out);
		put_label_text(out, labels->items[i].value);
	}
	if (labels && labels->n)
		fputc('}', out);
}

static void put_header(FILE *out, const struct report_goroutine *goroutine, bool labels)
{
	uint64_t minutes = goroutine->waiting_ns / (60 * NSEC_PER_SEC);

	fprintf(out, "goroutine %" PRIu64 " [", goroutine->goid);
	put(out, report__text(goroutine->state));
	if (minutes)
		fprintf(out, ", %" PRIu64 " minutes", minutes);
	if (goroutine->locked_to_thread)
		fputs(", locked to thread", out);
	if (goroutine->in_bubble)
		fputs(", synctest bubble", out);
	fputc(']', out);
	if (labels)
		put_labels(out, goroutine->labels);
	fputs(":\n", out);
}

static void put_location(FILE *out, const struct report_frame *frame, uint64_t offset)
{
	fputc('\t', out);
	put(out, *report__text(frame->file) ? frame->file : "?");
	fprintf(out, ":%" PRIu32, frame->line);
	if (offset)
		fprintf(out, " +0x%" PRIx64, offset);
	fputc('\n', out);
}

static void put_stack(FILE *out, const struct report_place *place)
{
	for (size_t i = 0; i < place->n_stack; i++) {
		put(out, place->stack[i].function);
		fputs("(...)\n", out);
		put_location(out, &place->stack[i], place->stack[i].offset);
	}
}

/* The main goroutine was created by nobody. */
static void put_creator(FILE *out, const struct report_goroutine *goroutine)
{
	const struct report_place *place = goroutine->place;

	if (goroutine->goid == 1 || !*report__text(place->creator))
		return;
	fputs("created by ", out);
	put(out, place->creator);
	if (goroutine->parent_goid)
		fprintf(out, " in goroutine %" PRIu64, goroutine->parent_goid);
	fputc('\n', out);
	put_location(out, &place->created_by, place->creator_offset);
}

static void put_goroutine(FILE *out, const struct report_goroutine *goroutine, bool labels)
{
	put_header(out, goroutine, labels);
	put_stack(out, goroutine->place);
	/* A stack that moved while it was read is missing, too, without a word of the runtime's for that. */
	if (!goroutine->place->n_stack && !strcmp(report__text(goroutine->state), "running"))
		fputs("\tgoroutine running on other thread; stack unavailable\n", out);
	put_creator(out, goroutine);
}

static bool has_labels_in_dumps(const struct report_target *target)
{
	struct go_version version;

	return !go_version__parse(report__text(target->go_version), &version) &&
	       version.minor >= MINOR_LABELS;
}

int dump__write(FILE *out, const struct report *report)
{
	bool first = true;

	for (size_t i = 0; i < report->n_targets; i++) {
		const struct report_target *target = &report->targets[i];
		bool labels = has_labels_in_dumps(target);

		/* Readers of such dumps skip lines that are none of theirs. */
		if (report->n_targets > 1) {
			fprintf(out, "%s# process %d ", first ? "" : "\n", target->pid);
			put(out, report__text(target->comm));
			fputs("\n\n", out);
			first = true;
		}
		for (size_t j = 0; j < target->n_goroutine_list; j++) {
			fputs(first ? "" : "\n", out);
			put_goroutine(out, &target->goroutine_list[j], labels);
			first = false;
		}
	}
	return stream__flush(out);
}

/* --- folded -------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct report_goroutine *left = *(const struct report_goroutine *const *)a;
	const struct report_goroutine *right = *(const struct report_goroutine *const *)b;
	int order = (left->place > right->place) - (left->place < right->place);

	return order ? order : strcmp(report__text(left->state), report__text(right->state));
}

/* ';' separates functions, and the number follows the last space. */
static void put_folded_name(FILE *out, const char *name)
{
	char *copy = strdup(name);

	for (char *c = copy; c && *c; c++) {
		if (*c == ';')
			*c = ':';
	}
	put(out, copy ? copy : "?");
	free(copy);
}

static void put_folded_stack(FILE *out, const char *start_function,
			     const struct report_frame *stack, size_t n_stack)
{
	if (!n_stack) {
		put_folded_name(out, report__text(start_function));
		fputc(';', out);
	}
	for (size_t i = n_stack; i-- > 0;) {
		put_folded_name(out, report__text(stack[i].function));
		fputc(';', out);
	}
}

static void put_folded_state(FILE *out, const char *state, uint64_t n)
{
	fputc('[', out);
	put_folded_name(out, report__text(state));
	fprintf(out, "] %llu\n", (unsigned long long)n);
}

static void put_folded(FILE *out, const struct report_goroutine *goroutine, size_t n)
{
	const struct report_place *place = goroutine->place;

	put_folded_stack(out, place->start_function, place->stack, place->n_stack);
	put_folded_state(out, goroutine->state, n);
}

static void put_folded_site(FILE *out, const struct report_site *site)
{
	const char *state = report__text(site->wait_reason);

	if (!site->view.goroutines)
		return;
	put_folded_stack(out, site->start_function, site->stack, site->n_stack);
	put_folded_state(out, *state ? state : "running", site->view.goroutines);
}

static int put_folded_target(FILE *out, const struct report_target *target)
{
	size_t n = target->n_goroutine_list;
	const struct report_goroutine **all =
		calloc(n + 1, sizeof(const struct report_goroutine *));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		all[i] = &target->goroutine_list[i];
	qsort(all, n, sizeof(const struct report_goroutine *), by_place);
	for (size_t i = 0, first = 0; i < n; i++) {
		if (i + 1 < n && !by_place(&all[i], &all[i + 1]))
			continue;
		put_folded(out, all[i], i + 1 - first);
		first = i + 1;
	}
	free(all);
	return 0;
}

int dump__write_folded(FILE *out, const struct report *report)
{
	int err = 0;

	for (size_t i = 0; i < report->n_targets && !err; i++) {
		const struct report_target *target = &report->targets[i];

		if (target->goroutines_listed)
			err = put_folded_target(out, target);
		for (size_t k = 0; k < target->n_sites && !target->goroutines_listed; k++)
			put_folded_site(out, &target->sites[k]);
	}
	return err ? err : stream__flush(out);
}

int dump__write_folded_memory(FILE *out, const struct report *report)
{
	for (size_t i = 0; i < report->n_targets; i++) {
		const struct report_allocations *allocations = report->targets[i].allocations;

		for (size_t k = 0; allocations && k < allocations->n_sites; k++) {
			const struct report_alloc_site *site = &allocations->sites[k];

			put_folded_stack(out, report__text(site->allocated_at.function),
					 site->stack, site->n_stack);
			put_folded_state(
				out, *report__text(site->type) ? site->type : "unknown type",
				allocations->in_use_known ? site->in_use_bytes : site->alloc_bytes);
		}
	}
	return stream__flush(out);
}
