// SPDX-License-Identifier: Apache-2.0
/*
 * Metrics of any report: whatever names and numbers it holds, a reader of the format takes the
 * file, and counters do not go down from one report to the next. The bytes of the input are numbers
 * and, in lines, names.
 */
#include "output/prometheus/textfile.h"

#include <stdlib.h>
#include <string.h>

#include "exposition_check.h"
#include "fuzz.h"

#define N_TEXTS	    12
#define MAX_TARGETS 4
#define MAX_SITES   4
#define NUMBERS	    512

struct made {
	char *texts[N_TEXTS];
	size_t next_text;
	struct report report;
	struct report_target targets[MAX_TARGETS];
	struct report_site sites[MAX_TARGETS][MAX_SITES];
};

static const char *next_text(struct made *made)
{
	return made->texts[made->next_text++ % N_TEXTS];
}

static double make_double(struct fuzz_input *numbers)
{
	uint64_t bits = fuzz_input__u64(numbers);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void make_site(struct made *made, struct report_site *site, struct fuzz_input *numbers)
{
	uint8_t bits = fuzz_input__u8(numbers);

	*site = (struct report_site){
		.view.verdict = (enum verdict)((bits & 7) % (VERDICT_LEAKING + 1)),
		.suppressed = bits & 8,
		.view.confidence = make_double(numbers),
		.view.goroutines = bits & 16 ? fuzz_input__u64(numbers) : bits,
		.created_by = {.file = next_text(made), .line = fuzz_input__u8(numbers)},
		.blocked_at = {.file = next_text(made), .line = bits},
		.start_function = next_text(made),
		.view.oldest_age_ns = fuzz_input__u64(numbers),
		.view.oldest_park_ns = bits,
	};
	snprintf(site->id, sizeof(site->id), "%08x", bits >> 5);
}

static void make_target(struct made *made, size_t index, struct fuzz_input *numbers)
{
	struct report_target *target = &made->targets[index];
	uint8_t bits = fuzz_input__u8(numbers);

	*target = (struct report_target){
		.pid = bits & 3,
		.start_time_seconds = fuzz_input__u8(numbers) & 1,
		.group = bits & 4 ? next_text(made) : NULL,
		.comm = next_text(made),
		.exe = next_text(made),
		.go_version = bits & 8 ? next_text(made) : "go1.26.8",
		.unit = next_text(made),
		.mode = (enum probe_mode)((bits >> 6) % PROBE_MODE_COUNT),
		.totals.alive = bits,
		.totals.created = bits & 16 ? fuzz_input__u64(numbers) : bits,
		.totals.exited = fuzz_input__u8(numbers),
		.totals.lost = fuzz_input__u8(numbers),
		.exited_target = bits & 32,
		.sites = made->sites[index],
		.n_sites = fuzz_input__u8(numbers) % (MAX_SITES + 1),
		.probe_hits = {bits, fuzz_input__u8(numbers)},
		.probe_ns = fuzz_input__u64(numbers),
		.overhead = make_double(numbers),
		.totals.lifetimes = {bits, fuzz_input__u64(numbers)},
		.totals.lifetime_seconds = make_double(numbers),
	};
	for (size_t i = 0; i < target->n_sites; i++)
		make_site(made, &made->sites[index][i], numbers);
}

static void make_report(struct made *made, struct fuzz_input *numbers)
{
	made->report = (struct report){
		.realtime_ns = fuzz_input__u64(numbers),
		.targets = made->targets,
		.n_targets = fuzz_input__u8(numbers) % (MAX_TARGETS + 1),
		.self = {.start_time_seconds = fuzz_input__u8(numbers),
			 .emulated_hit_ns = fuzz_input__u64(numbers),
			 .single_step_hit_ns = fuzz_input__u64(numbers),
			 .cpu_seconds = make_double(numbers)},
	};
	for (size_t i = 0; i < made->report.n_targets; i++)
		make_target(made, i, numbers);
}

/* Number of probe hits of all processes that ever were: the sum that never forgets a group. */
static uint64_t render(const struct report *report, const struct textfile_options *options)
{
	static const char hits[] = "\ngleakd_probe_hits_total{probe=\"create\"} ";
	const char *found;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	uint64_t value;

	fuzz__require(out && !textfile__render(out, report, options));
	fclose(out);
	fuzz__require(!exposition_check(text, size));
	found = strstr(text, hits);
	fuzz__require(found);
	value = strtoull(found + sizeof(hits) - 1, NULL, 10);
	free(text);
	return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct made made;
	struct fuzz_input numbers = {data, min_of(size, (size_t)NUMBERS)}, texts = {data, size};
	uint8_t bits = fuzz_input__u8(&numbers);
	struct textfile_options options = {
		.max_groups = bits & 3,
		.max_group_sites = bits >> 2 & 3,
		.max_sites = bits >> 4 & 7,
	};
	struct group_totals *totals;
	uint64_t hits = 0;

	memset(&made, 0, sizeof(made));
	fuzz__require(!group_totals__new(&totals));
	for (size_t i = 0; i < N_TEXTS; i++)
		made.texts[i] = fuzz_input__text(&texts, '\n');
	options.version = next_text(&made);
	options.totals = totals;
	for (int i = 0; i < 2; i++) {
		uint64_t before = hits;

		make_report(&made, &numbers);
		fuzz__require(!group_totals__update(totals, &made.report));
		hits = render(&made.report, &options);
		fuzz__require(hits >= before);
	}
	for (size_t i = 0; i < N_TEXTS; i++)
		free(made.texts[i]);
	group_totals__free(totals);
	return 0;
}
