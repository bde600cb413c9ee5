// SPDX-License-Identifier: Apache-2.0
/*
 * A census of patched memory (fake_runtime.h), several in a row with patches in between, each cut
 * into slices. The input begins with the Go version and how many goroutines there are; then each
 * round has patches, and one byte that says how long its slices are and what is no longer mapped.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_runtime.h"
#include "fuzz.h"

#define MAX_GOROUTINES 24
#define MAX_ROUNDS     6
#define CALLER	       (FAKE_MAIN + 0x500)

enum choice {
	SLICES = 1 << 0,     /* one piece of work per step */
	UNMAP_HEAP = 1 << 1, /* half of each of these from now on */
	UNMAP_STACKS = 1 << 2,
	UNMAP_ARRAY = 1 << 3,
	UNMAP_GLOBALS = 1 << 4,
	REFUSE_UNCHANGED = 1 << 5,
	UNMAP = UNMAP_HEAP | UNMAP_STACKS | UNMAP_ARRAY | UNMAP_GLOBALS,
};

/* Goroutine ids by handle. */
struct log {
	uint64_t goids[4 * MAX_ROUNDS * MAX_GOROUTINES];
	uint32_t n;
	bool refuse;
	struct stack_table *stacks;
};

static uint32_t seen(void *ctx, const struct census_goroutine *g)
{
	struct log *log = ctx;
	size_t depth;
	const uint64_t *pcs = stack_table__get(log->stacks, g->stack_id, &depth);

	fuzz__require(depth <= STACK_MAX_DEPTH && !depth == !pcs);
	fuzz__require(g->status != GO_STATUS_DEAD && g->status != GO_STATUS_DEAD_EXTRA);
	if (log->n == ARRAY_SIZE(log->goids))
		return 0;
	log->goids[log->n++] = g->goid;
	return log->n;
}

static bool unchanged(void *ctx, uint32_t handle, uint64_t goid, uint64_t read_at_ns)
{
	const struct log *log = ctx;

	fuzz__require(handle && handle <= log->n && log->goids[handle - 1] == goid && read_at_ns);
	return !log->refuse;
}

static struct fake *make(struct fuzz_input *input)
{
	struct fake *fake = fake_new(fuzz_input__u8(input) & 1 ? 19 : 26, MAX_GOROUTINES);
	size_t n = fuzz_input__u8(input) % MAX_GOROUTINES;

	for (size_t i = 0; i < n; i++) {
		if (i % 3 == 2)
			fake_add(fake, 10 + i);
		else
			fake_add_parked(fake, 10 + i, CALLER + 16 * (i % 4));
	}
	return fake;
}

static void unmap(struct fake *fake, uint8_t choices)
{
	static const struct {
		enum choice choice;
		size_t range;
	} halves[] = {{UNMAP_GLOBALS, 0}, {UNMAP_ARRAY, 1}, {UNMAP_HEAP, 2}, {UNMAP_STACKS, 3}};

	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		if (choices & halves[i].choice)
			fake->ranges[halves[i].range].size /= 2;
	}
}

static void check(const struct census_result *result)
{
	fuzz__require(result->alive + result->unreadable <= result->slots);
	fuzz__require(result->changed <= result->alive);
	fuzz__require(result->stacks_partial <= result->stacks_read);
	fuzz__require(result->refused <= result->slots);
}

/* False when the census found that this is no Go runtime. */
static bool run(struct census *census, bool slices)
{
	int err = census__start(census, NULL);

	if (!err) {
		while ((err = census__step(census, slices ? 1 : 0, NULL)) == 1)
			;
	}
	fuzz__require(!census__running(census));
	if (err)
		return false;
	check(census__result(census));
	return true;
}

static struct census *make_census(struct fake *fake, struct log *log)
{
	const struct census_options options = {.max_goroutines = 2 * MAX_GOROUTINES,
					       .stacks = true};
	const struct census_ops ops = {.seen = seen, .unchanged = unchanged};
	struct census *census;

	fuzz__require(
		!census__new_runtime(&fake->runtime, log->stacks, &options, &ops, log, &census));
	return census;
}

static void use(struct fake *fake, struct log *log, struct fuzz_input *input)
{
	const struct fuzz_region regions[] = {
		{fake->heap, fake->max * fake->stride},
		{fake->stacks, fake->max * FAKE_STACK_SIZE},
		{fake->globals, FAKE_GLOBALS_SIZE},
		{fake->array, fake->max * sizeof(uint64_t)},
	};
	struct census *census = make_census(fake, log);
	bool go_on = run(census, false);

	for (int round = 0; go_on && input->left && round < MAX_ROUNDS; round++) {
		uint8_t choices = fuzz_input__u8(input);

		fuzz__patch(input, regions, ARRAY_SIZE(regions));
		log->refuse = choices & REFUSE_UNCHANGED;
		if (choices & UNMAP) {
			/* The ranges are part of the remote, which the census holds. */
			census__free(census);
			unmap(fake, choices);
			fake_open(fake);
			census = make_census(fake, log);
		}
		go_on = run(census, choices & SLICES) && run(census, false);
	}
	census__free(census);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log log;
	struct fuzz_input input = {data, size};
	struct fake *fake = make(&input);

	log.n = 0;
	log.refuse = false;
	fuzz__require(!stack_table__new(40, &log.stacks));
	use(fake, &log, &input);
	stack_table__free(log.stacks);
	fake_free(fake);
	return 0;
}
