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
	struct site_point points[MAX_SITES][MAX_ITEMS];
	struct site_cohort cohorts[MAX_SITES][MAX_ITEMS];
	struct site_weight weights[MAX_SITES][MAX_ITEMS];
	struct wait_objects objects[MAX_SITES];
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

		made->points[index][i] = (struct site_point){
			fuzz_input__u64(numbers),
			(uint32_t)fuzz_input__u64(numbers),
			fuzz_input__u16(numbers),
			fuzz_input__u8(numbers),
		};
		made->cohorts[index][i] = (struct site_cohort){
			fuzz_input__u64(numbers),
			fuzz_input__u64(numbers),
			fuzz_input__u64(numbers),
			fuzz_input__u16(numbers),
		};
		made->weights[index][i] =
			(struct site_weight){make_double(numbers), next_text(made)};
		made->objects[index].top[i] = (struct wait_object){
			.kind = (enum wait_object_kind)(bits & 1 ? WAIT_OBJECT_CHANNEL : bits >> 4),
			.address = fuzz_input__u64(numbers),
			.members = fuzz_input__u8(numbers),
			.receivers = (uint32_t)fuzz_input__u64(numbers),
			.senders = fuzz_input__u8(numbers),
			.waiters = (uint32_t)fuzz_input__u64(numbers),
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
	struct site_evidence *evidence = &site->view.evidence;
	uint8_t bits = fuzz_input__u8(numbers);

	make_items(made, index, numbers);
	site->suppressed = bits & 2;
	site->suppressed_reason = bits & 4 ? next_text(made) : NULL;
	site->meaning = bits & 8 ? next_text(made) : NULL;
	site->view.confidence = make_double(numbers);
	*evidence = (struct site_evidence){
		.observed_ns = fuzz_input__u64(numbers),
		.arrivals = fuzz_input__u64(numbers),
		.departures = fuzz_input__u8(numbers),
		.stay_ns = fuzz_input__u64(numbers),
		.stayed = fuzz_input__u64(numbers),
		.left = fuzz_input__u64(numbers),
		.points = made->points[index],
		.n_points = (bits >> 4) % (MAX_ITEMS + 1),
		.cohorts = made->cohorts[index],
		.n_cohorts = (bits >> 5) % (MAX_ITEMS + 1),
		.weights = made->weights[index],
		.n_weights = (bits >> 3) % (MAX_ITEMS + 1),
	};
	for (size_t i = 0; i < SITE_AGE_STEPS; i++)
		evidence->ages[i] = bits & 1 ? fuzz_input__u64(numbers) : 0;
	made->objects[index].looked_at = fuzz_input__u8(numbers);
	made->objects[index].distinct = fuzz_input__u8(numbers);
	made->objects[index].n_top = (bits >> 2) % (MAX_ITEMS + 1);
	site->objects = bits & 128 ? NULL : &made->objects[index];
}

static void make_site(struct made *made, size_t index, struct fuzz_input *numbers)
{
	struct report_site *site = &made->sites[index];
	uint8_t bits = fuzz_input__u8(numbers);

	*site = (struct report_site){
		.view.verdict = (enum verdict)(bits % (VERDICT_LEAKING + 1)),
		.view.why = made->why,
		.view.n_why = (bits >> 3) % 3,
		.view.goroutines = fuzz_input__u64(numbers),
		.view.parked = fuzz_input__u16(numbers),
		.view.created = fuzz_input__u64(numbers),
		.view.exited = fuzz_input__u16(numbers),
		.wait_reason = next_text(made),
		.created_by = make_frame(made, numbers),
		.blocked_at = make_frame(made, numbers),
		.start_function = next_text(made),
		.stack = made->stacks[index],
		.n_stack = fuzz_input__u8(numbers) % (MAX_STACK + 1),
		.view.oldest_park_ns = fuzz_input__u64(numbers),
		.view.oldest_age_ns = fuzz_input__u64(numbers),
		.view.growth_per_minute = make_double(numbers),
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
		.mode = (enum probe_mode)(bits % PROBE_MODE_COUNT),
		.mode_reason = bits & 2 ? next_text(made) : NULL,
		.observed_ns = fuzz_input__u64(numbers),
		.totals.alive = fuzz_input__u64(numbers),
		.totals.created = fuzz_input__u64(numbers),
		.totals.exited = fuzz_input__u16(numbers),
		.totals.parked = fuzz_input__u16(numbers),
		.created_per_second = make_double(numbers),
		.exited_per_second = make_double(numbers),
		.totals.lost = fuzz_input__u8(numbers),
		.totals.repaired = fuzz_input__u8(numbers),
		.unreadable = fuzz_input__u8(numbers),
		.totals.refused = fuzz_input__u8(numbers),
		.totals.inexact = bits & 4,
		.exited_target = bits & 8,
		.sites = made->sites,
		.n_sites = fuzz_input__u8(numbers) % (MAX_SITES + 1),
	};
	made->report = (struct report){
		.realtime_ns = fuzz_input__u64(numbers),
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
	report->end = REPORT_GOES_ON;
	fuzz__require(!text_writer__write(writer, report));
	fuzz__require(!text_writer__write(writer, report));
	report->end = REPORT_INTERRUPTED;
	fuzz__require(!text_writer__write(writer, report));
	text_writer__free(writer);
	fclose(out);
	fuzz__require(strlen(text) == size);
	return text;
}

/* Lines of any length in a pipe. */
static unsigned int widest(const struct screen_options *options)
{
	return options->whole ? UINT32_MAX : options->columns;
}

static void check_text(struct report *report, struct text_options options)
{
	char *plain = render(report, &options), *colored, *drawn;

	shown__check(plain, widest(&options.screen));
	options.screen.color = true;
	colored = render(report, &options);
	shown__normalize(plain);
	shown__normalize(colored);
	fuzz__require(!strcmp(plain, colored));
	options.terminal = true;
	options.screen.whole = false;
	options.rows = 24;
	drawn = render(report, &options);
	shown__normalize(drawn);
	shown__check(drawn, options.screen.columns);
	free(drawn);
	free(colored);
	free(plain);
}

static char *explain(const struct report *report, const struct report_site *site,
		     const struct screen_options *options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !explain__write(out, report, &report->targets[0], site, options));
	fclose(out);
	fuzz__require(strlen(text) == size);
	return text;
}

/* One site is enough for one input. */
static void check_explained(const struct report *report, struct screen_options options,
			    size_t index)
{
	char *plain, *colored;

	if (!report->n_targets || index >= report->targets[0].n_sites)
		return;
	plain = explain(report, &report->targets[0].sites[index], &options);
	options.color = true;
	colored = explain(report, &report->targets[0].sites[index], &options);
	shown__check(plain, widest(&options));
	shown__normalize(plain);
	shown__normalize(colored);
	fuzz__require(!strcmp(plain, colored));
	free(colored);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct made made;
	struct fuzz_input input = {data, size}, numbers = {data, min_of(size, (size_t)1024)};
	uint8_t bits = fuzz_input__u8(&input);
	struct text_options options = {
		.screen.columns = 60 + bits % 128U,
		.screen.whole = bits & 4,
		.screen.ascii = bits & 8,
		.verbose = bits & 1,
		.all = bits & 2,
	};

	memset(&made, 0, sizeof(made));
	for (size_t i = 0; i < N_TEXTS; i++)
		made.texts[i] = fuzz_input__text(&input, SEPARATOR);
	make_report(&made, &numbers);
	check_text(&made.report, options);
	check_explained(&made.report, options.screen, bits % MAX_SITES);
	shown__check_report(&made.report);
	for (size_t i = 0; i < N_TEXTS; i++)
		free(made.texts[i]);
	return 0;
}
