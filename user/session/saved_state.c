// SPDX-License-Identifier: Apache-2.0
#include "session/saved_state.h"

struct restore {
	struct places *places;
	struct tracker *tracker;
};

static bool restore_site(void *ctx, const struct saved_site *site)
{
	const struct restore *restore = ctx;
	struct saved_site canonical = *site;

	/* From the first time that it is asked for on, a pc stands for all of its line. */
	canonical.key.creation_pc = places__creation(restore->places, site->key.creation_pc);
	canonical.key.start_pc = places__start(restore->places, site->key.start_pc);
	/* A full table takes no more: those sites begin anew. */
	return !tracker__restore_site(restore->tracker, &canonical);
}

bool saved_state__restore(const struct state_file *file, const struct process_id *id,
			  struct places *places, struct tracker *tracker)
{
	struct restore restore = {.places = places, .tracker = tracker};
	const struct saved_process *process =
		file ? state_file__find(file, id, restore_site, &restore) : NULL;

	if (process)
		tracker__restore_process(tracker, process);
	return process;
}

struct site_sink {
	struct state_writer *writer;
	int err;
};

static bool write_site(void *ctx, const struct saved_site *site)
{
	struct site_sink *sink = ctx;

	sink->err = state_writer__site(sink->writer, site);
	return !sink->err;
}

static bool stop_at_once(void *ctx __maybe_unused, const struct saved_site *site __maybe_unused)
{
	return false;
}

int saved_state__write(struct state_writer *writer, const struct process_id *id,
		       const struct tracker *tracker)
{
	struct site_sink sink = {.writer = writer};
	struct saved_process process;

	/* The file has the process before its sites. */
	tracker__save(tracker, &process, stop_at_once, NULL);
	sink.err = state_writer__process(writer, id, &process);
	if (!sink.err)
		tracker__save(tracker, &process, write_site, &sink);
	return sink.err;
}
