/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_GO_TRACE_PRIVATE_H
#define GLEAKD_RECORD_GO_TRACE_PRIVATE_H

/*
 * What the parts of the trace reader share: go_trace.c (the file and its generations), go_trace_tables.c (strings,
 * stacks and clocks of one), go_trace_events.c (what its events say), go_trace_spans.c (what becomes of that).
 */
#include "base/arena.h"
#include "base/index.h"
#include "record/go_trace.h"

/* src/internal/trace/tracev2/events.go */
enum go_event {
	GO_EV_EVENT_BATCH = 1,
	GO_EV_STACKS = 2,
	GO_EV_STACK = 3,
	GO_EV_STRINGS = 4,
	GO_EV_STRING = 5,
	GO_EV_CPU_SAMPLES = 6,
	GO_EV_FREQUENCY = 8,
	GO_EV_PROCS_CHANGE = 9, /* the first of those with a time */
	GO_EV_GO_CREATE = 14,
	GO_EV_GO_CREATE_SYSCALL = 15,
	GO_EV_GO_START = 16,
	GO_EV_GO_DESTROY = 17,
	GO_EV_GO_DESTROY_SYSCALL = 18,
	GO_EV_GO_STOP = 19,
	GO_EV_GO_BLOCK = 20,
	GO_EV_GO_UNBLOCK = 21,
	GO_EV_GO_SYSCALL_BEGIN = 22,
	GO_EV_GO_SYSCALL_END = 23,
	GO_EV_GO_SYSCALL_END_BLOCKED = 24,
	GO_EV_GO_STATUS = 25,
	GO_EV_STW_BEGIN = 26,
	GO_EV_STW_END = 27,
	GO_EV_GC_ACTIVE = 28,
	GO_EV_GC_BEGIN = 29,
	GO_EV_GC_END = 30,
	GO_EV_HEAP_ALLOC = 37,
	GO_EV_HEAP_GOAL = 38,
	GO_EV_USER_REGION_BEGIN = 42,
	GO_EV_USER_REGION_END = 43,
	GO_EV_GO_SWITCH = 45,
	GO_EV_GO_SWITCH_DESTROY = 46,
	GO_EV_GO_CREATE_BLOCKED = 47,
	GO_EV_GO_STATUS_STACK = 48,
	GO_EV_EXPERIMENTAL_BATCH = 49,
	GO_EV_SYNC = 50,
	GO_EV_CLOCK_SNAPSHOT = 51,
	GO_EV_END_OF_GENERATION = 52,
};

#define GO_TRACE_MAX_ARGS 5 /* MaxTimedEventArgs, the time among them */

/* --- bytes --------------------------------------------------------------------------------------- */

struct bytes_left {
	const uint8_t *at, *end;
	bool bad; /* something was asked for that is not there, or is no number */
};

uint8_t bytes_left__u8(struct bytes_left *left);
uint64_t bytes_left__varint(struct bytes_left *left);
/* bytes_left__take - the next @n; NULL and bad: there are fewer. */
const uint8_t *bytes_left__take(struct bytes_left *left, uint64_t n);

static inline bool bytes_left__any(const struct bytes_left *left)
{
	return !left->bad && left->at < left->end;
}

/* --- a generation: all that is in it refers to its own tables ------------------------------------ */

struct batch {
	uint64_t m, time;
	const uint8_t *data;
	size_t size;
};

struct text_ref {
	const uint8_t *bytes;
	uint32_t size;
	const char *text; /* a copy that ends; NULL: not made yet */
};

struct generation {
	struct batch *batches; /* with events */
	size_t n_batches, batches_capacity;
	struct text_ref *texts; /* by id */
	size_t n_texts, texts_capacity;
	uint32_t *functions; /* by id of a stack: the text that its first frame's function is */
	size_t n_functions, functions_capacity;
	uint64_t frequency;			/* units of time a second; 0: not known */
	uint64_t at, monotonic_ns, realtime_ns; /* the same moment on three clocks */
	bool has_clock;
};

/* generation__add - a batch of it. -EPROTO, -E2BIG, -ENOMEM. */
int generation__add(struct generation *generation, const struct batch *batch);
void generation__clear(struct generation *generation); /* its memory is kept */
void generation__free(struct generation *generation);

/* generation__text - of this id; "": there is none. generation__function - of a stack. */
const char *generation__text(struct generation *generation, struct arena *arena, uint64_t id);
const char *generation__function(struct generation *generation, struct arena *arena,
				 uint64_t stack);
/* generation__ns - CLOCK_MONOTONIC of the process at @time. */
uint64_t generation__ns(const struct generation *generation, uint64_t time);

/* --- what becomes of it -------------------------------------------------------------------------- */

struct traced {
	uint64_t goid;
	const char *function;
	bool known; /* its state is */
	enum timeline_state state;
	const char *reason;
	uint64_t since_ns;
	uint64_t running_ns;
	uint64_t generation, sequence; /* of what was last said of it with a number */
};

struct owned_span {
	uint32_t goroutine;
	struct timeline_span span;
};

struct span_list {
	struct owned_span *items;
	size_t n, capacity, max;
};

struct level_list {
	struct timeline_level *items;
	size_t n, capacity;
};

/* A thread, and who runs on it. */
struct traced_thread {
	uint64_t m;
	uint32_t goroutine; /* one more than its number; 0: nobody */
};

#define GO_TRACE_MAX_THREADS	  ((size_t)1 << 16)
#define GO_TRACE_MAX_OPEN_REGIONS ((size_t)1 << 12)

struct go_trace {
	struct arena arena;
	struct traced *goroutines;
	size_t n_goroutines, goroutines_capacity;
	struct index *by_goid;
	struct traced_thread *threads;
	size_t n_threads, threads_capacity;
	struct index *by_m;
	struct span_list states, regions, gcs, stops;
	struct owned_span *open_regions;
	size_t n_open_regions, open_regions_capacity;
	struct owned_span gc, stop; /* under way where their name is not NULL */
	struct level_list heap, goal;
	uint64_t last_ns;    /* of the latest event */
	uint64_t generation; /* that is played, from 1 on */
	int64_t offset_ns;
	int err; /* -ENOMEM */
	struct timeline_trace timeline;
};

/* go_trace__play - what the events of @generation say, in their order. -EPROTO, -E2BIG, -ENOMEM. */
int go_trace__play(struct go_trace *trace, struct generation *generation);

/* go_trace__number - of a goroutine, made if need be; false: there is no room. */
bool go_trace__number(struct go_trace *trace, uint64_t goid, uint32_t *ret_number);
struct traced_thread *go_trace__thread(struct go_trace *trace, uint64_t m); /* NULL: no room */

/* go_trace__enter - a goroutine is in @state from @ns on. go_trace__leave - it has ended. */
void go_trace__enter(struct go_trace *trace, uint32_t goroutine, enum timeline_state state,
		     const char *reason, uint64_t ns);
void go_trace__leave(struct go_trace *trace, uint32_t goroutine, uint64_t ns);

void go_trace__add_span(struct go_trace *trace, struct span_list *list,
			const struct owned_span *span);
void go_trace__add_level(struct go_trace *trace, struct level_list *list, uint64_t ns,
			 uint64_t value);

/* go_trace__finish - what is open ends; the timeline is made. -ENOMEM. */
int go_trace__finish(struct go_trace *trace);

#endif /* GLEAKD_RECORD_GO_TRACE_PRIVATE_H */
