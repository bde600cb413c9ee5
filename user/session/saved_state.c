// SPDX-License-Identifier: Apache-2.0
#include "session/saved_state.h"

#include <errno.h>

/* --- program counters ---------------------------------------------------------------------------- */

/* From a module's number to its place in the list; false when the process does not have it. */
static bool to_file(const struct module_map *modules, uint64_t *pc)
{
	uint32_t number = module_pc__number(*pc);

	for (size_t i = 0; i < module_map__count(modules); i++) {
		if (module_map__at(modules, i)->number != number)
			continue;
		*pc = module_pc__make((uint32_t)i, module_pc__address(*pc));
		return true;
	}
	/* In no module it is an address of the process. */
	return number == MODULE_NONE;
}

static bool from_file(const struct module_map *modules, uint64_t *pc)
{
	uint32_t place = module_pc__number(*pc);

	if (place < module_map__count(modules))
		*pc = module_pc__make(module_map__at(modules, place)->number,
				      module_pc__address(*pc));
	return place < module_map__count(modules) || place == MODULE_NONE;
}

/* --- reading ------------------------------------------------------------------------------------- */

struct restore {
	const struct module_map *modules;
	struct places *places;
	struct tracker *tracker;
};

static bool restore_site(void *ctx, const struct saved_site *site)
{
	const struct restore *restore = ctx;
	struct saved_site canonical = *site;

	/* Only a file that was tampered with has a module that the process does not have. */
	if (!from_file(restore->modules, &canonical.key.creation_pc) ||
	    !from_file(restore->modules, &canonical.key.start_pc))
		return true;
	/* From the first time that it is asked for on, a pc stands for all of its line. */
	canonical.key.creation_pc = places__creation(restore->places, canonical.key.creation_pc);
	canonical.key.start_pc = places__start(restore->places, canonical.key.start_pc);
	/* A full table takes no more: those sites begin anew. */
	return !tracker__restore_site(restore->tracker, &canonical);
}

const struct saved_process *saved_state__restore(const struct state_file *file,
						 const struct runtime_id *id,
						 const struct module_map *modules,
						 struct places *places, struct tracker *tracker)
{
	struct restore restore = {.modules = modules, .places = places, .tracker = tracker};
	const struct saved_process *process =
		file ? state_file__find(file, id, restore_site, &restore) : NULL;

	if (process)
		tracker__restore_process(tracker, process);
	return process;
}

static bool restore_alloc(void *ctx, const struct saved_alloc *alloc)
{
	/* A full table takes no more, as with sites. */
	return !alloc_history__restore_past(ctx, alloc->bucket, &alloc->past);
}

void saved_state__restore_allocs(const struct state_file *file, const struct saved_process *process,
				 struct alloc_history *history)
{
	/* Times that make no sense are those of a file that was tampered with. */
	if (!alloc_history__restore_times(history, &process->allocs))
		state_file__each_alloc(file, restore_alloc, history);
}

/* --- writing ------------------------------------------------------------------------------------- */

struct site_sink {
	const struct module_map *modules;
	struct state_writer *writer;
	int err;
};

static bool write_site(void *ctx, const struct saved_site *site)
{
	struct site_sink *sink = ctx;
	struct saved_site saved = *site;

	/* A line may go by its copy in a plugin that only another process has: that one begins anew. */
	if (!to_file(sink->modules, &saved.key.creation_pc) ||
	    !to_file(sink->modules, &saved.key.start_pc))
		return true;
	sink->err = state_writer__site(sink->writer, &saved);
	return !sink->err;
}

static bool write_alloc(void *ctx, uint64_t bucket, const struct alloc_past *past)
{
	const struct saved_alloc alloc = {.bucket = bucket, .past = *past};
	struct site_sink *sink = ctx;

	int err = state_writer__alloc(sink->writer, &alloc);

	/* More of those than the file takes are no reason to go without the others. */
	sink->err = err == -E2BIG ? 0 : err;
	return !err;
}

static bool stop_at_once(void *ctx __maybe_unused, const struct saved_site *site __maybe_unused)
{
	return false;
}

int saved_state__write(struct state_writer *writer, const struct runtime_id *id,
		       const struct module_map *modules, const struct tracker *tracker,
		       const struct alloc_history *history)
{
	struct site_sink sink = {.modules = modules, .writer = writer};
	struct saved_process process;

	/* The file has the process before its sites. */
	tracker__save(tracker, &process, stop_at_once, NULL);
	if (history)
		process.allocs = *alloc_history__times(history);
	sink.err = state_writer__process(writer, id, &process);
	if (!sink.err)
		tracker__save(tracker, &process, write_site, &sink);
	if (!sink.err && history)
		alloc_history__each(history, write_alloc, &sink);
	return sink.err;
}
