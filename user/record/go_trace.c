// SPDX-License-Identifier: Apache-2.0
/* The file of an execution trace, and the generations it consists of. */
#include "record/go_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read.h"
#include "host/access.h"
#include "record/go_trace_private.h"

/* src/internal/trace/version/version.go: "go 1.%d trace\x00\x00\x00" */
#define HEADER_SIZE   16
#define FIRST_OF_ALL  5
#define FIRST_V2      22
#define FIRST_CLOCKED 25
#define LAST_KNOWN    26

/* tracev2/events.go MaxBatchSize */
#define MAX_BATCH ((uint64_t)64 << 10)

/* Clocks are set now and then; but hosts were not started in the same minute. */
#define MAX_CLOCK_DIFFERENCE_NS (60 * NSEC_PER_SEC)

/* --- the head ------------------------------------------------------------------------------------ */

static int refuse(const char *path, struct failure *failure)
{
	return failure__set(failure, -EPROTO,
			    "%s is no execution trace of Go (runtime/trace, go test -trace)", path);
}

static int read_head(const uint8_t *bytes, size_t size, const char *path, struct failure *failure)
{
	char head[HEADER_SIZE + 1] = "";
	unsigned int minor;
	int end = 0;

	if (size < HEADER_SIZE)
		return refuse(path, failure);
	memcpy(head, bytes, HEADER_SIZE);
	if (sscanf(head, "go 1.%2u trace%n", &minor, &end) != 1 || !end || head[end] ||
	    minor < FIRST_OF_ALL)
		return refuse(path, failure);
	if (minor < FIRST_CLOCKED)
		return failure__set(
			failure, -EOPNOTSUPP,
			"%s is in the format of Go 1.%u, which does not say what time it was on the "
			"clock of the host: traces can be laid over a recording since Go 1.25; build the "
			"program with that or a later one",
			path, minor);
	if (minor > LAST_KNOWN)
		return failure__set(
			failure, -EOPNOTSUPP,
			"%s is in the format of Go 1.%u, which is newer than this gleakd; "
			"those of Go 1.25 to 1.27 are known",
			path, minor);
	return 0;
}

/* --- generations --------------------------------------------------------------------------------- */

struct reader {
	struct bytes_left left;
	struct go_trace *trace;
	struct generation generation;
	uint64_t number; /* of the generation; 0: none began */
	uint64_t played;
};

/* A generation without a clock cannot be told where it belongs: it was cut off. */
static int end_generation(struct reader *reader)
{
	struct generation *generation = &reader->generation;
	struct go_trace *trace = reader->trace;
	int err = 0;

	if (generation->has_clock) {
		trace->timeline.clock.monotonic_ns = generation->monotonic_ns;
		trace->timeline.clock.realtime_ns = generation->realtime_ns;
		err = go_trace__play(trace, generation);
		reader->played++;
	} else if (generation->n_batches) {
		trace->timeline.cut = true;
	}
	generation__clear(generation);
	reader->number = 0;
	return err;
}

/* False: that is where the file ends, in the middle or not. */
static bool read_batch(struct reader *reader, bool experimental, uint64_t *ret_number,
		       struct batch *ret_batch)
{
	struct bytes_left *left = &reader->left;
	struct batch batch;

	if (experimental)
		bytes_left__u8(left);
	*ret_number = bytes_left__varint(left);
	batch.m = bytes_left__varint(left);
	batch.time = bytes_left__varint(left);
	batch.size = (size_t)bytes_left__varint(left);
	batch.data = bytes_left__take(left, batch.size);
	if (left->bad)
		return false;
	*ret_batch = batch;
	return true;
}

static int take_batch(struct reader *reader, uint64_t number, const struct batch *batch)
{
	int err = 0;

	if (!number || batch->size > MAX_BATCH)
		return -EPROTO;
	if (reader->number && number != reader->number)
		err = end_generation(reader);
	reader->number = number;
	return err ? err : generation__add(&reader->generation, batch);
}

static int read_all(struct reader *reader)
{
	int err = 0;

	while (bytes_left__any(&reader->left) && !err) {
		uint8_t type = bytes_left__u8(&reader->left);
		uint64_t number = 0;
		struct batch batch;

		if (type == GO_EV_END_OF_GENERATION) {
			err = end_generation(reader);
			continue;
		}
		if (type != GO_EV_EVENT_BATCH && type != GO_EV_EXPERIMENTAL_BATCH)
			return -EPROTO;
		if (!read_batch(reader, type == GO_EV_EXPERIMENTAL_BATCH, &number, &batch))
			reader->trace->timeline.cut = true;
		else if (type == GO_EV_EVENT_BATCH)
			err = take_batch(reader, number, &batch);
	}
	return err ? err : end_generation(reader);
}

/* ------------------------------------------------------------------------------------------------- */

static int fail(const char *path, int err, struct failure *failure)
{
	switch (err) {
	case -EPROTO:
		return failure__set(failure, err, "%s: a damaged execution trace", path);
	case -E2BIG:
		return failure__set(
			failure, err,
			"%s: an execution trace with more than gleakd reads: %zu million "
			"events in a second; make one of a shorter time",
			path, GO_TRACE_MAX_EVENTS >> 20);
	default:
		return failure__set(failure, err, "%s: %s", path, strerror(-err));
	}
}

static int new_trace(int64_t offset_ns, struct go_trace **ret_trace)
{
	struct go_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return -ENOMEM;
	trace->offset_ns = offset_ns;
	trace->states.max = GO_TRACE_MAX_STATES;
	trace->regions.max = trace->gcs.max = trace->stops.max = GO_TRACE_MAX_SPANS;
	if (index__new(GO_TRACE_MAX_GOROUTINES, &trace->by_goid) ||
	    index__new(GO_TRACE_MAX_THREADS, &trace->by_m)) {
		go_trace__free(trace);
		return -ENOMEM;
	}
	*ret_trace = trace;
	return 0;
}

int go_trace__open_bytes(const void *bytes, size_t size, const char *path, int64_t offset_ns,
			 struct go_trace **ret_trace, struct failure *failure)
{
	const uint8_t *begin = bytes;
	struct reader reader = {0};
	int err = read_head(begin, size, path, failure);

	if (err)
		return err;
	err = new_trace(offset_ns, &reader.trace);
	if (err)
		return fail(path, err, failure);
	reader.left = (struct bytes_left){.at = begin + HEADER_SIZE, .end = begin + size};
	err = read_all(&reader);
	generation__free(&reader.generation);
	if (!err && !reader.played)
		err = failure__set(
			failure, -ENODATA,
			"%s: nothing was traced yet, or the trace was cut off before its "
			"first second was over",
			path);
	else if (!err)
		err = go_trace__finish(reader.trace);
	if (err) {
		go_trace__free(reader.trace);
		return err == -ENODATA ? err : fail(path, err, failure);
	}
	*ret_trace = reader.trace;
	return 0;
}

int go_trace__open(const char *path, int64_t offset_ns, struct go_trace **ret_trace,
		   struct failure *failure)
{
	int fd __cleanup_close = access__input(path, O_NOCTTY);
	struct stat found;
	ssize_t n;
	void *bytes;
	int err;

	if (fd < 0)
		return fail(path, fd, failure);
	if (fstat(fd, &found))
		return fail(path, -errno, failure);
	if (!S_ISREG(found.st_mode) || !found.st_size)
		return refuse(path, failure);
	if ((uint64_t)found.st_size > GO_TRACE_MAX_BYTES)
		return failure__set(
			failure, -E2BIG,
			"%s: an execution trace of more than 1 GB; make one of a shorter "
			"time",
			path);
	bytes = malloc((size_t)found.st_size);
	if (!bytes)
		return fail(path, -ENOMEM, failure);
	n = read__whole(fd, bytes, (size_t)found.st_size);
	if (n < 0)
		err = fail(path, (int)n, failure);
	else
		err = go_trace__open_bytes(bytes, (size_t)n, path, offset_ns, ret_trace, failure);
	free(bytes);
	return err;
}

void go_trace__free(struct go_trace *trace)
{
	if (!trace)
		return;
	arena__release(&trace->arena);
	free(trace->goroutines);
	free(trace->threads);
	index__free(trace->by_goid);
	index__free(trace->by_m);
	free(trace->states.items);
	free(trace->regions.items);
	free(trace->gcs.items);
	free(trace->stops.items);
	free(trace->open_regions);
	free(trace->heap.items);
	free(trace->goal.items);
	free(trace);
}

const struct timeline_trace *go_trace__timeline(const struct go_trace *trace)
{
	return &trace->timeline;
}

/* Events are read in ticks of 262 us, and a process that is starved comes to its own clock late. */
#define MAX_BIRTH_DIFFERENCE_NS (100 * NSEC_PER_MSEC)

static int compare_lives(const void *a, const void *b)
{
	const struct timeline_life *x = *(const struct timeline_life *const *)a,
				   *y = *(const struct timeline_life *const *)b;

	return (x->goid > y->goid) - (x->goid < y->goid);
}

static const struct timeline_life *find_life(const struct timeline_life *const *lives, size_t n,
					     uint64_t goid)
{
	const struct timeline_life wanted = {.goid = goid}, *key = &wanted;
	const struct timeline_life *const *found =
		n ? bsearch(&key, lives, n, sizeof(lives[0]), compare_lives) : NULL;

	return found ? *found : NULL;
}

/* A traced goroutine has the function that it began with where the trace has seen it begin. */
static bool was_born(const struct timeline_traced *traced)
{
	return *report__text(traced->function) && traced->n_states;
}

static int compare_births(const struct timeline_trace *trace, const struct timeline_target *target,
			  struct go_trace_births *births)
{
	const struct timeline_life **lives __cleanup_free =
		calloc(max_of(target->n_lives, (size_t)1), sizeof(*lives));
	size_t n = 0;

	*births = (struct go_trace_births){0};
	if (!lives)
		return -ENOMEM;
	for (size_t i = 0; i < target->n_lives; i++) {
		if (target->lives[i].created)
			lives[n++] = &target->lives[i];
	}
	qsort(lives, n, sizeof(*lives), compare_lives);
	for (size_t i = 0; i < trace->n_goroutines; i++) {
		const struct timeline_traced *traced = &trace->goroutines[i];
		const struct timeline_life *life = find_life(lives, n, traced->goid);
		uint64_t born_ns, began_ns;

		if (!life || !was_born(traced))
			continue;
		born_ns = traced->states[0].begin_ns;
		began_ns = life->begin_ns;
		if (max_of(born_ns, began_ns) - min_of(born_ns, began_ns) <=
		    MAX_BIRTH_DIFFERENCE_NS)
			births->agree++;
		else
			births->differ++;
	}
	return 0;
}

static int check_process(const struct go_trace *trace, const struct timeline *timeline,
			 const char *path, struct go_trace_births *births, struct failure *failure)
{
	int err = compare_births(&trace->timeline, &timeline->targets[0], births);

	if (err)
		return fail(path, err, failure);
	if (births->differ <= births->agree)
		return 0;
	return failure__set(failure, -EINVAL,
			    "%s was made by another process than the recording, %d: of %" PRIu64
			    " goroutines that both saw begin, %" PRIu64
			    " began at another time; take the trace of the process that was "
			    "recorded",
			    path, (int)timeline->targets[0].pid, births->agree + births->differ,
			    births->differ);
}

int go_trace__check(const struct go_trace *trace, const struct timeline *timeline, const char *path,
		    struct go_trace_births *ret_births, struct failure *failure)
{
	const struct timeline_clock *clock = &trace->timeline.clock;
	uint64_t monotonic_ns = clock->monotonic_ns - (uint64_t)trace->offset_ns;
	uint64_t expected_ns = timeline__realtime_ns(timeline, monotonic_ns);
	uint64_t difference_ns = expected_ns > clock->realtime_ns ?
					 expected_ns - clock->realtime_ns :
					 clock->realtime_ns - expected_ns;

	*ret_births = (struct go_trace_births){0};
	if (difference_ns <= MAX_CLOCK_DIFFERENCE_NS)
		return timeline->n_targets ?
			       check_process(trace, timeline, path, ret_births, failure) :
			       0;
	return failure__set(
		failure, -EINVAL,
		"%s was made on another host than the recording, or before it was started "
		"anew: their clocks are %" PRIu64 " s apart",
		path, (uint64_t)(difference_ns / NSEC_PER_SEC));
}
