// SPDX-License-Identifier: Apache-2.0
#include "cli/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/number.h"
#include "cli/heap_looks.h"
#include "cli/terminal.h"
#include "cli/watch.h"
#include "record/recorder.h"

/* Columns of the progress line, with what ends it. */
#define PROGRESS_SIZE 256

#define LOOK_PAUSE_NS (10 * NSEC_PER_SEC)
#define LONG_LOOK_NS  (10 * NSEC_PER_SEC)

struct record {
	const struct options *options;
	struct recorder *recorder; /* NULL: not open yet */
	uint64_t began_ns;
	bool draws;	     /* the progress line is on the terminal */
	enum report_end end; /* as the last report has it */
	struct heap_looks *looks;
};

static int open_recording(void *ctx, struct rounds *rounds)
{
	struct record *record = ctx;
	const struct recorder_options options = {
		.path = record->options->output,
		.max_bytes = record->options->max_size,
		.long_park_ns = record->options->min_park_ns,
	};

	return recorder__new(&options, &record->recorder, &rounds->failure);
}

static int begin(void *ctx, struct rounds *rounds)
{
	struct record *record = ctx;

	record->began_ns = clock__monotonic_ns();
	if (!record->options->no_heap)
		report_builder__show_heap(rounds->builder);
	return recorder__watch(record->recorder, rounds->session, &rounds->failure);
}

/* --- progress ------------------------------------------------------------------------------------ */

static void describe(const struct record *record, uint64_t now_ns, char out[PROGRESS_SIZE])
{
	struct recorder_figures figures = recorder__figures(record->recorder);
	char lives[NUMBER_COUNT_SIZE], parks[NUMBER_COUNT_SIZE], bytes[NUMBER_BYTES_SIZE];
	char left_out[NUMBER_COUNT_SIZE], time[DURATION_SIZE];

	duration__format_whole(now_ns - record->began_ns, time);
	number__count(figures.lives, lives);
	number__count(figures.parks, parks);
	number__bytes(figures.bytes, bytes);
	number__count(figures.left_out, left_out);
	snprintf(out, PROGRESS_SIZE, "%s: %s goroutine%s, %s long park%s, %s%s%s%s", time, lives,
		 figures.lives == 1 ? "" : "s", parks, figures.parks == 1 ? "" : "s", bytes,
		 figures.left_out ? ", " : "", figures.left_out ? left_out : "",
		 figures.left_out ? " left out for want of room (--max-size)" : "");
}

static void take_line_away(struct record *record)
{
	if (record->draws)
		fputs("\r\033[K", stderr);
	record->draws = false;
}

static void on_message(void *ctx, const char *line)
{
	take_line_away(ctx);
	fprintf(stderr, "%s\n", line);
}

/* One line, over and over; where that is no terminal nothing but the end is told. */
static void draw(struct record *record, uint64_t now_ns)
{
	char text[PROGRESS_SIZE];

	if (!terminal__present(STDERR_FILENO))
		return;
	describe(record, now_ns, text);
	fprintf(stderr, "\r\033[Krecording %.*s", (int)sizeof(text), text);
	fflush(stderr);
	record->draws = true;
	log__divert(on_message, record);
}

static int on_second(void *ctx, struct rounds *rounds, uint64_t now_ns)
{
	struct record *record = ctx;
	int err = recorder__second(record->recorder, rounds->session, now_ns, &rounds->failure);

	if (!err)
		draw(record, now_ns);
	return err;
}

/* --- rounds -------------------------------------------------------------------------------------- */

/* A run that ends waits for nothing but what it has never seen. */
static int on_complete(void *ctx, struct rounds *rounds)
{
	struct record *record = ctx;

	return record->options->no_heap ?
		       0 :
		       heap_looks__round(record->looks, rounds, clock__monotonic_ns());
}

static int on_report(void *ctx, struct rounds *rounds, const struct report *report)
{
	struct record *record = ctx;

	record->end = report->end;
	return recorder__report(record->recorder, rounds->session, report, clock__monotonic_ns(),
				&rounds->failure);
}

static int finish(void *ctx, struct rounds *rounds)
{
	struct record *record = ctx;
	const char *path = record->options->output;
	uint64_t now_ns = clock__monotonic_ns();
	int err = recorder__finish(record->recorder, &rounds->failure);
	char text[PROGRESS_SIZE];

	take_line_away(record);
	log__divert(NULL, NULL);
	if (err)
		return err;
	describe(record, now_ns, text);
	fprintf(stderr, "recorded %s; 'gleakd report %s' shows it\nended: %s\n", text, path,
		report_end__words(record->end));
	return 0;
}

static void close_recording(void *ctx)
{
	struct record *record = ctx;

	take_line_away(record);
	recorder__free(record->recorder);
	record->recorder = NULL;
	heap_looks__free(record->looks);
}

int command__record(const struct options *options, const struct named *named)
{
	struct record record = {.options = options};
	const struct watch_extra extra = {
		.open = open_recording,
		.begin = begin,
		.second = on_second,
		.complete = on_complete,
		.reported = on_report,
		.finish = finish,
		.close = close_recording,
		.ctx = &record,
	};
	const struct heap_looks_options looks = {
		.max_memory = options->max_memory,
		.pause_ns = LOOK_PAUSE_NS,
		.max_ns = LONG_LOOK_NS,
	};

	if (heap_looks__new(&looks, &record.looks)) {
		log_error("no memory to record");
		return failure__exit_code(-ENOMEM);
	}
	return watch__run(options, named, &extra);
}
