// SPDX-License-Identifier: Apache-2.0
#include "output/ci/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "output/repair.h"

bool ci_words__fails(const struct report_site *site, const struct ci_options *options)
{
	return !site->suppressed && options->verdicts & 1u << site->view.verdict;
}

static const char *runs(const struct report_site *site)
{
	const char *start = report__text(site->start_function);

	if (*start)
		return start;
	return report__frame_known(&site->created_by) ? site->created_by.function : "main";
}

void ci_words__name(const struct report_site *site, char out[CI_LINE_SIZE])
{
	const char *wait = report__text(site->wait_reason);

	snprintf(out, CI_LINE_SIZE, "goroutines of %.200s, %s%s%.200s", runs(site),
		 *wait ? wait : "running", report__frame_known(&site->blocked_at) ? " at " : "",
		 report__text(site->blocked_at.function));
}

void ci_words__memory_name(const struct report_alloc_site *place, char out[CI_LINE_SIZE])
{
	snprintf(out, CI_LINE_SIZE, "memory allocated at %.400s",
		 report__frame_known(&place->allocated_at) ? place->allocated_at.function :
							     place->id);
}

void ci_words__headline(const struct report_site *site, char out[CI_LINE_SIZE])
{
	const struct site_view *view = &site->view;
	const char *wait = report__text(site->wait_reason);
	char count[NUMBER_COUNT_SIZE], rate[NUMBER_RATE_SIZE], sure[32] = "", growth[80] = "";

	number__count(view->goroutines, count);
	number__rate(view->growth_per_minute, rate);
	if (verdict__is_suspect(view->verdict))
		snprintf(sure, sizeof(sure), ", %u %% sure", report__percent(site));
	if (view->growth_per_minute > 0)
		snprintf(growth, sizeof(growth), ", +%s a minute", rate);
	snprintf(out, CI_LINE_SIZE, "%s%s: %s goroutine%s, %s%s", verdict__name(view->verdict),
		 sure, count, view->goroutines == 1 ? "" : "s", *wait ? wait : "running", growth);
}

void ci_words__memory_headline(const struct report_alloc_site *place, char out[CI_LINE_SIZE])
{
	char in_use[NUMBER_BYTES_SIZE], rate[NUMBER_BYTES_SIZE];

	number__bytes(place->in_use_bytes, in_use);
	number__bytes((uint64_t)max_of(place->judgement.bytes_per_minute, 0.0), rate);
	snprintf(out, CI_LINE_SIZE, "growing memory: %s in use, +%s a minute", in_use, rate);
}

static void put_frame(FILE *out, const char *label, const struct report_frame *frame)
{
	if (!report__frame_known(frame))
		return;
	fprintf(out, "%-11s %s", label, frame->function);
	if (*report__text(frame->file))
		fprintf(out, "  %s:%u", frame->file, frame->line);
	fputc('\n', out);
}

static void put_stack(FILE *out, const struct report_frame *stack, size_t n)
{
	if (n)
		fputs("stack\n", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %s\n      %s:%u\n", report__text(stack[i].function),
			report__text(stack[i].file), stack[i].line);
}

static void put_source(FILE *out, const struct report_source *source)
{
	if (!source)
		return;
	fprintf(out, "source      %s\n", source->path);
	for (unsigned int i = 0; i < source->n; i++)
		fprintf(out, "%c %5u  %s\n", source->first + i == source->line ? '>' : ' ',
			source->first + i, source->text[i]);
}

static void put_proof(FILE *out, const struct site_proof *proof)
{
	char heap[NUMBER_BYTES_SIZE], stacks[NUMBER_BYTES_SIZE];

	if (!proof->goroutines)
		return;
	number__bytes(proof->heap_bytes, heap);
	number__bytes(proof->stack_bytes, stacks);
	fprintf(out, "%-11s %s of heap and %s of stacks, which nothing else needs\n", "keep", heap,
		stacks);
}

static void put_site(FILE *out, const struct report_site *site)
{
	const struct repair *repair = report__repair(site);
	char line[CI_LINE_SIZE], why[REPORT_WHY_SIZE];

	ci_words__headline(site, line);
	fprintf(out, "%s\n%-11s %s\n", line, "site", site->id);
	if (*report__text(site->meaning))
		fprintf(out, "%-11s %s\n", "these are", site->meaning);
	put_frame(out, "created at", &site->created_by);
	put_frame(out, "called from", &site->called_from);
	put_frame(out, "blocked at", &site->blocked_at);
	for (size_t i = 0; i < site->view.n_why; i++)
		fprintf(out, "%-11s %s\n", i ? "" : "why", report__why(site, i, why));
	put_proof(out, &site->view.proof);
	if (site->suppressed)
		fprintf(out, "%-11s %s\n", "silenced", report__text(site->suppressed_reason));
	if (repair)
		fprintf(out, "%-11s %s (%s)\n", "to mend it", repair->text, repair->link);
	put_source(out, site->source);
	put_stack(out, site->stack, site->n_stack);
}

static char *finish(FILE *out, char *const *text)
{
	if (fclose(out)) {
		free(*text);
		return NULL;
	}
	return *text;
}

char *ci_words__body(const struct report_site *site)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_site(out, site);
	return finish(out, &text);
}

char *ci_words__memory_body(const struct report_alloc_site *place)
{
	char line[CI_LINE_SIZE], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	ci_words__memory_headline(place, line);
	fprintf(out, "%s\n%-11s %s\n", line, "place", place->id);
	put_frame(out, "allocated", &place->allocated_at);
	if (place->type)
		fprintf(out, "%-11s %s\n", "type", place->type);
	for (size_t i = 0; i < REPORT_MAX_HELD_BY && place->held_by[i]; i++)
		fprintf(out, "%-11s %s\n", i ? "" : "held by", place->held_by[i]);
	for (unsigned int i = 0; i < place->judgement.n_why; i++)
		fprintf(out, "%-11s %s\n", i ? "" : "why", place->judgement.why[i]);
	put_stack(out, place->stack, place->n_stack);
	return finish(out, &text);
}

const struct report_frame *ci_words__line(const struct report_site *site)
{
	const struct report_frame *const lines[] = {&site->blocked_at, &site->called_from,
						    &site->created_by};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (report__frame_known(lines[i]) && lines[i]->own)
			return lines[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (report__frame_known(lines[i]) && *report__text(lines[i]->file))
			return lines[i];
	}
	return NULL;
}

void ci_words__looked_at(const struct report_target *target, char out[CI_LINE_SIZE])
{
	char observed[DURATION_SIZE], count[NUMBER_COUNT_SIZE];

	duration__format(target->observed_ns, observed);
	number__count(target->totals.alive, count);
	snprintf(out, CI_LINE_SIZE, "%.200s (pid %d): %s goroutines in %zu places, watched for %s",
		 *report__text(target->library) ? target->library : report__text(target->comm),
		 target->pid, count, target->n_sites, observed);
}
