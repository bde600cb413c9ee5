// SPDX-License-Identifier: Apache-2.0
/*
 * A report with strings and numbers out of the input, shown as text in all ways, explained, and as
 * JSON. Text may steer the terminal by our own sequences only: without colour, into a pipe, there are none, and
 * without its colours a coloured one is the same text. No line is wider than the terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "output/text/explain.h"
#include "output/json/report.h"
#include "output/text/report.h"
#include "shown.h"

#define MAX_SITES 5
#define MAX_STACK 6
#define MAX_ITEMS 3
#define N_TEXTS	  24
#define SEPARATOR '\n'

struct made {
	char *texts[N_TEXTS];
	size_t next;
	struct report report;
	struct report_target target;
	struct report_site sites[MAX_SITES];
	struct report_frame stacks[MAX_SITES][MAX_STACK];
	struct report_point points[MAX_SITES][MAX_ITEMS];
	struct report_cohort cohorts[MAX_SITES][MAX_ITEMS];
	struct report_age_step ages[MAX_SITES][MAX_ITEMS];
	struct report_weight weights[MAX_SITES][MAX_ITEMS];
	struct report_object objects[MAX_SITES][MAX_ITEMS];
	const char *why[2];
};

/* Texts are used again and again: what matters is which bytes stand where, not how many there are. */
static const char *next_text(struct made *made)
{
	return made->texts[made->next++ % N_TEXTS];
}

static struct report_frame make_frame(struct made *made, struct fuzz_input *numbers)
{
	uint8_t bits = fuzz_input__u8(numbers);

	return (struct report_frame){
		.function = next_text(made),
		.file = next_text(made),
		.line = fuzz_input__u16(numbers) * 0x10001U,
		.own = bits & 1,
		.inlined = bits & 2,
	};
}

static double make_double(struct fuzz_input *numbers)
{
	uint64_t bits = fuzz_input__u64(numbers);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void make_items(struct made *made, size_t index, struct fuzz_input *numbers)
{
	for (size_t i = 0; i < MAX_ITEMS; i++) {
		uint8_t bits = fuzz_input__u8(numbers);

		made->points[index][i] = (struct report_point){
			make_double(numbers),
			fuzz_input__u64(numbers),
			fuzz_input__u16(numbers),
			fuzz_input__u8(numbers),
		};
		made->cohorts[index][i] = (struct report_cohort){
			make_double(numbers),
			make_double(numbers),
			fuzz_input__u64(numbers),
			fuzz_input__u16(numbers),
		};
		made->ages[index][i] =
			(struct report_age_step){make_double(numbers), fuzz_input__u64(numbers)};
		made->weights[index][i] =
			(struct report_weight){make_double(numbers), next_text(made)};
		made->objects[index][i] = (struct report_object){
			.kind = bits & 1 ? "channel" : next_text(made),
			.address = fuzz_input__u64(numbers),
			.members = fuzz_input__u8(numbers),
			.receivers = fuzz_input__u64(numbers),
			.senders = fuzz_input__u8(numbers),
			.waiters = fuzz_input__u64(numbers),
			.more_waiters = bits & 2,
			.length = fuzz_input__u64(numbers),
			.capacity = fuzz_input__u8(numbers),
			.closed = bits & 4,
			.timer = bits & 8,
		};
	}
}

static void make_evidence(struct made *made, size_t index, struct fuzz_input *numbers)
{
	struct report_site *site = &made->sites[index];
	uint8_t bits = fuzz_input__u8(numbers);

	make_items(made, index, numbers);
	site->suspect = bits & 1;
	site->silenced = bits & 2;
	site->silenced_reason = bits & 4 ? next_text(made) : NULL;
	site->meaning = bits & 8 ? next_text(made) : NULL;
	site->confidence = make_double(numbers);
	site->evidence = (struct report_evidence){
		.observed_seconds = make_double(numbers),
		.arrivals = fuzz_input__u64(numbers),
		.departures = fuzz_input__u8(numbers),
		.stay_seconds = make_double(numbers),
		.stayed = fuzz_input__u64(numbers),
		.left = fuzz_input__u64(numbers),
		.population = made->points[index],
		.n_population = (bits >> 4) % (MAX_ITEMS + 1),
		.cohorts = made->cohorts[index],
		.n_cohorts = (bits >> 5) % (MAX_ITEMS + 1),
		.ages = made->ages[index],
		.n_ages = (bits >> 6) % (MAX_ITEMS + 1),
		.weights = made->weights[index],
		.n_weights = (bits >> 3) % (MAX_ITEMS + 1),
	};
	site->objects = (struct report_objects){
		.looked_at = fuzz_input__u8(numbers),
		.distinct = fuzz_input__u8(numbers),
		.items = made->objects[index],
		.n_items = (bits >> 2) % (MAX_ITEMS + 1),
	};
}

static void make_site(struct made *made, size_t index, struct fuzz_input *numbers)
{
	struct report_site *site = &made->sites[index];
	uint8_t bits = fuzz_input__u8(numbers);

	*site = (struct report_site){
		.verdict = bits & 1 ? "leaking" :
			   bits & 2 ? "stuck" :
				      next_text(made),
		.flagged = bits & 4,
		.why = made->why,
		.n_why = (bits >> 3) % 3,
		.goroutines = fuzz_input__u64(numbers),
		.parked = fuzz_input__u16(numbers),
		.created = fuzz_input__u64(numbers),
		.exited = fuzz_input__u16(numbers),
		.wait_reason = next_text(made),
		.created_by = make_frame(made, numbers),
		.blocked_at = make_frame(made, numbers),
		.start_function = next_text(made),
		.stack = made->stacks[index],
		.n_stack = fuzz_input__u8(numbers) % (MAX_STACK + 1),
		.oldest_park_seconds = make_double(numbers),
		.oldest_age_seconds = make_double(numbers),
		.growth_per_minute = make_double(numbers),
	};
	snprintf(site->id, sizeof(site->id), "%08x", bits * 0x1010101U);
	for (size_t i = 0; i < MAX_STACK; i++)
		made->stacks[index][i] = make_frame(made, numbers);
	make_evidence(made, index, numbers);
}

static void make_report(struct made *made, struct fuzz_input *numbers)
{
	uint8_t bits = fuzz_input__u8(numbers);

	made->why[0] = next_text(made);
	made->why[1] = next_text(made);
	for (size_t i = 0; i < MAX_SITES; i++)
		make_site(made, i, numbers);
	made->target = (struct report_target){
		.pid = fuzz_input__u16(numbers),
		.comm = next_text(made),
		.exe = next_text(made),
		.go_version = next_text(made),
		.how = next_text(made),
		.mode = bits & 1 ? "full" : "census",
		.mode_reason = bits & 2 ? next_text(made) : NULL,
		.observed_seconds = make_double(numbers),
		.alive = fuzz_input__u64(numbers),
		.created = fuzz_input__u64(numbers),
		.exited = fuzz_input__u16(numbers),
		.parked = fuzz_input__u16(numbers),
		.created_per_second = make_double(numbers),
		.exited_per_second = make_double(numbers),
		.lost_events = fuzz_input__u8(numbers),
		.repaired = fuzz_input__u8(numbers),
		.unreadable = fuzz_input__u8(numbers),
		.refused = fuzz_input__u8(numbers),
		.inexact = bits & 4,
		.exited_target = bits & 8,
		.sites = made->sites,
		.n_sites = fuzz_input__u8(numbers) % (MAX_SITES + 1),
	};
	made->report = (struct report){
		.realtime_ns = fuzz_input__u64(numbers),
		.final_reason = "interrupted",
		.targets = &made->target,
		.n_targets = bits & 16 ? 0 : 1,
	};
}

/* --- checks ------------------------------------------------------------------------------------- */

/* Both an interim and a final report, which is what a short run prints. */
static char *render(struct report *report, const struct text_options *options)
{
	struct text_writer *writer;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !text_writer__new(out, options, &writer));
	report->final = false;
	fuzz__require(!text_writer__write(writer, report));
	fuzz__require(!text_writer__write(writer, report));
	report->final = true;
	fuzz__require(!text_writer__write(writer, report));
	text_writer__free(writer);
	fclose(out);
	fuzz__require(strlen(text) == size);
	return text;
}

static void check_text(struct report *report, struct text_options options)
{
	char *plain = render(report, &options), *colored, *drawn;

	shown__check(plain, options.columns);
	options.color = true;
	colored = render(report, &options);
	shown__normalize(plain);
	shown__normalize(colored);
	fuzz__require(!strcmp(plain, colored));
	options.terminal = true;
	options.rows = 24;
	drawn = render(report, &options);
	shown__normalize(drawn);
	shown__check(drawn, options.columns);
	free(drawn);
	free(colored);
	free(plain);
}

static char *explain(const struct report *report, const struct report_site *site,
		     unsigned int columns, bool color)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out &&
		      !explain__write(out, report, &report->targets[0], site, columns, color));
	fclose(out);
	fuzz__require(strlen(text) == size);
	return text;
}

/* One site is enough for one input. */
static void check_explained(const struct report *report, unsigned int columns, size_t index)
{
	char *plain, *colored;

	if (!report->n_targets || index >= report->targets[0].n_sites)
		return;
	plain = explain(report, &report->targets[0].sites[index], columns, false);
	colored = explain(report, &report->targets[0].sites[index], columns, true);
	shown__check(plain, columns);
	shown__normalize(plain);
	shown__normalize(colored);
	fuzz__require(!strcmp(plain, colored));
	free(colored);
	free(plain);
}

static void check_json(const struct report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !json__write(out, report));
	fclose(out);
	shown__check_json(text, size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct made made;
	struct fuzz_input input = {data, size}, numbers = {data, min_of(size, (size_t)1024)};
	uint8_t bits = fuzz_input__u8(&input);
	struct text_options options = {
		.columns = 60 + bits % 128U,
		.verbose = bits & 1,
		.all = bits & 2,
	};

	memset(&made, 0, sizeof(made));
	for (size_t i = 0; i < N_TEXTS; i++)
		made.texts[i] = fuzz_input__text(&input, SEPARATOR);
	make_report(&made, &numbers);
	check_text(&made.report, options);
	check_explained(&made.report, options.columns, bits % MAX_SITES);
	check_json(&made.report);
	for (size_t i = 0; i < N_TEXTS; i++)
		free(made.texts[i]);
	return 0;
}
