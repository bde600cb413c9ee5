// SPDX-License-Identifier: Apache-2.0
/* Many processes at a glance. */
#include "output/text/overview.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "output/text/report.h"
#include "sample.h"

#define MAX_PROCESSES 60

/* Copies of one process, which the tests make worse or better. */
static struct {
	struct sample sample;
	struct report_target targets[MAX_PROCESSES];
	struct report_site sites[MAX_PROCESSES][2];
	char names[MAX_PROCESSES][24];
} host;

/* Healthy ones: p0 (pid 100) has 1,000 goroutines, p1 (pid 101) 1,001, ... */
static void make_host(size_t n)
{
	sample__leaks(&host.sample);
	for (size_t i = 0; i < n; i++) {
		snprintf(host.names[i], sizeof(host.names[i]), "p%zu", i);
		host.sites[i][0] = host.sample.sites[0];
		host.sites[i][1] = host.sample.sites[4];
		host.targets[i] = host.sample.target;
		host.targets[i].pid = (pid_t)(100 + i);
		host.targets[i].comm = host.names[i];
		host.targets[i].totals.alive = 1000 + i;
		host.targets[i].sites = &host.sites[i][1];
		host.targets[i].n_sites = 1;
	}
	host.sample.report.targets = host.targets;
	host.sample.report.n_targets = n;
}

static void give(size_t index, enum verdict verdict, uint64_t goroutines)
{
	host.targets[index].sites = host.sites[index];
	host.targets[index].n_sites = 2;
	host.sites[index][0].view.verdict = verdict;
	host.sites[index][0].view.goroutines = goroutines;
	host.sites[index][0].view.parked = goroutines;
}

static const struct report_site *worst_of(const struct overview *overview, size_t index)
{
	return overview__worst(overview->targets[index]);
}

Test(overview, the_worst_first)
{
	struct overview overview;

	make_host(8);
	give(2, VERDICT_GROWING, 5000);
	give(3, VERDICT_LEAKING, 10);
	give(4, VERDICT_LEAKING, 9000);
	host.sites[4][0].suppressed = true;
	give(5, VERDICT_STUCK, 4000);
	give(6, VERDICT_LEAKING, 11);
	give(7, VERDICT_SUSPECTED, 7000);
	cr_assert_eq(overview__init(&overview, &host.sample.report), 0);
	for (size_t i = 0; i < 8; i++) {
		const int pids[] = {106, 103, 105, 107, 102, 104, 101, 100};

		cr_expect_eq(overview.targets[i]->pid, pids[i], "%d at %zu",
			     overview.targets[i]->pid, i);
	}
	cr_expect_eq(worst_of(&overview, 0)->view.goroutines, 11);
	cr_expect_null(worst_of(&overview, 5), "silenced");
	cr_expect_null(worst_of(&overview, 7));
	overview__release(&overview);
}

static char *on_terminal(unsigned int columns, unsigned int rows, bool color)
{
	const struct text_options options = {
		.screen = {.columns = columns, .color = color},
		.terminal = true,
		.rows = rows,
		.host = true,
	};

	return sample__text(&host.sample.report, &options);
}

Test(overview, a_host_on_a_terminal)
{
	char *text;

	make_host(12);
	give(3, VERDICT_LEAKING, 1503);
	give(7, VERDICT_GROWING, 12);
	give(9, VERDICT_STUCK, 3);
	host.sample.report.self.targets[REPORT_UNSUPPORTED] = 2;
	host.sample.report.self.targets[REPORT_PAUSED] = 1;
	text = on_terminal(100, 30, false);
	sample__golden("host-terminal.txt", text);
	free(text);
}

/* However many there are, and however small it is: the worst are there, and how many more. */
Test(overview, fits_any_terminal)
{
	for (unsigned int rows = 8; rows < 70; rows++) {
		unsigned int columns = 60 + rows % 7 * 20;
		char *text;

		make_host(1 + rows * 7 % MAX_PROCESSES);
		give(host.sample.report.n_targets / 2, VERDICT_LEAKING, 1503);
		text = on_terminal(columns, rows, rows % 2);
		cr_assert_leq(sample__check_lines(text, columns, "a host"), (size_t)rows - 1 + rows,
			      "the lines that scroll up are among them");
		cr_assert(strstr(text, "leaking") || strstr(text, "LEAKING"), "%s", text);
		free(text);
	}
}

Test(overview, what_does_not_fit_is_counted)
{
	char *text;

	make_host(50);
	give(47, VERDICT_LEAKING, 1503);
	text = on_terminal(100, 24, false);
	cr_expect_not_null(strstr(text, "p47 (pid 147)"), "%s", text);
	cr_expect_not_null(strstr(text, "\n\033[Kand 31 more without a finding\n"), "%s", text);
	free(text);
	for (size_t i = 0; i < 50; i++)
		give(i, VERDICT_LEAKING, 10 + i);
	text = on_terminal(100, 24, false);
	cr_expect_not_null(strstr(text, "\n\033[Kand 31 more\n"), "%s", text);
	free(text);
}

/* But not at first, when others may be found a moment later. */
Test(overview, one_process_alone_is_told_of_in_full)
{
	const struct text_options options = {
		.screen.columns = 100, .terminal = true, .rows = 24, .host = true};
	struct sample_stream stream;
	struct text_writer *writer;
	const char *text;

	make_host(1);
	sample__open(&stream);
	cr_assert_eq(text_writer__new(stream.file, &options, &writer), 0);
	cr_assert_eq(text_writer__write(writer, &host.sample.report), 0);
	text = sample__added(&stream);
	cr_expect_not_null(strstr(text, "VERDICT"), "%s", text);
	cr_assert_eq(text_writer__write(writer, &host.sample.report), 0);
	text = sample__added(&stream);
	cr_expect_null(strstr(text, "VERDICT"), "%s", text);
	cr_expect_not_null(strstr(text, "gleakd  p0 (pid 100)"));
	text_writer__free(writer);
	sample__close(&stream);
}

static char *last_report(enum report_end end, bool all)
{
	const struct text_options options = {
		.screen = {.columns = 100, .whole = true}, .host = true, .all = all};

	host.sample.report.end = end;
	return sample__text(&host.sample.report, &options);
}

Test(overview, the_last_report_begins_with_the_worst_and_is_brief_about_the_healthy)
{
	char *text;

	make_host(4);
	give(1, VERDICT_GROWING, 12);
	give(2, VERDICT_LEAKING, 1503);
	text = last_report(REPORT_ONCE, false);
	sample__golden("host-final.txt", text);
	free(text);
	text = last_report(REPORT_INTERRUPTED, true);
	cr_expect_not_null(strstr(text, "\ngleakd  p3 (pid 103)"), "all of them:\n%s", text);
	free(text);
}

Test(overview, no_process_at_all)
{
	char *text;

	make_host(0);
	host.sample.report.self.targets[REPORT_FAILED] = 3;
	text = last_report(REPORT_INTERRUPTED, false);
	cr_expect_not_null(strstr(text, "No Go process was watched\nnot watched: 3 failed\n"), "%s",
			   text);
	free(text);
}
