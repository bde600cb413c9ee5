// SPDX-License-Identifier: Apache-2.0
/*
 * A whole program and its process (fake_go.h): opened, bound, planned for probes, counted, its park
 * stacks named. The input chooses version and kind, patches file and memory, and after the first
 * bind patches the memory once more: what a process shows may change at any moment.
 */
#include <errno.h>
#include <string.h>

#include "fake_go.h"
#include "fuzz.h"
#include "golang/symbolize.h"
#include "observe/census.h"
#include "probe/plan.h"

enum choice {
	ARM64 = 1 << 0,
	SYMBOLS = 1 << 1,
	MODULE_SECTION = 1 << 2,
	PIE = 1 << 3,
	NO_STACKS = 1 << 4,
};

static const char *const versions[] = {
	"go1.26.8",  "go1.18.10", "go1.19.13", "go1.20.14", "go1.21.13",
	"go1.22.12", "go1.23.12", "go1.24.13", "go1.25.7",  "go1.27.1",
};

/* Frames that are looked up for one input: each costs a walk through the table. */
#define MAX_NAMED 256

struct naming {
	struct symbolizer *symbolizer;
	struct stack_table *stacks;
	size_t named;
};

static uint32_t seen(void *ctx, const struct census_goroutine *g)
{
	struct naming *naming = ctx;
	struct frame frames[PCLNTAB_MAX_INLINE + 1];
	size_t depth;
	const uint64_t *pcs = stack_table__get(naming->stacks, g->stack_id, &depth);

	fuzz__require(depth <= STACK_MAX_DEPTH);
	fuzz__require(g->status != GO_STATUS_DEAD);
	for (size_t i = 0; i < depth && naming->named < MAX_NAMED; i++, naming->named++) {
		size_t n = symbolizer__frames(naming->symbolizer, pcs[i], i > 0, frames,
					      ARRAY_SIZE(frames));

		fuzz__require(n > 0 && n <= ARRAY_SIZE(frames));
		fuzz__require(frames[0].function && frames[0].file);
	}
	(void)symbolizer__is_system_goroutine(naming->symbolizer, g->start_pc);
	return (uint32_t)g->goid | 1;
}

static bool unchanged(void *ctx, uint32_t handle, uint64_t goid, uint64_t read_at_ns)
{
	(void)ctx;
	(void)read_at_ns;
	fuzz__require(handle == ((uint32_t)goid | 1));
	return true;
}

static void count(struct go_binary *binary, struct remote *remote, uint64_t bias, bool stacks)
{
	const struct census_options options = {.max_goroutines = 64, .stacks = stacks};
	const struct census_ops ops = {.seen = seen, .unchanged = unchanged};
	struct naming naming = {0};
	struct module_map *modules;
	struct census *census;

	fuzz__require(!module_map__new(&modules));
	if (module_map__load(modules, 0, binary, bias, 0)) {
		module_map__free(modules);
		return;
	}
	fuzz__require(!symbolizer__new(binary, &naming.symbolizer));
	fuzz__require(!stack_table__new(64, &naming.stacks));
	if (!census__new(modules, remote, naming.stacks, &options, &ops, &naming, &census)) {
		for (int i = 0; i < 2 && !census__start(census, NULL); i++) {
			while (census__step(census, 0, NULL) > 0)
				;
		}
		census__free(census);
	}
	stack_table__free(naming.stacks);
	symbolizer__free(naming.symbolizer);
	module_map__free(modules);
}

static void plan(struct go_binary *binary)
{
	struct probe_plan sites;

	if (probe_plan__make(binary, &sites, NULL))
		return;
	for (size_t i = 0; i < PROBE_EVENT_COUNT; i++)
		fuzz__require(!sites.sites[i].present || sites.sites[i].func_offset);
}

static void use(struct fake_go *fake, struct fuzz_input *input, const struct fuzz_region *memory,
		bool stacks)
{
	struct remote *remote;

	plan(fake->binary);
	fuzz__patch(input, memory, 2);
	(void)fake_go__bind(fake);
	fuzz__require(!remote__open_image(fake->ranges, ARRAY_SIZE(fake->ranges), &remote));
	count(fake->binary, remote, fake->options.bias, stacks);
	remote__free(remote);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = fuzz__next_descriptor();
	static struct fake_go fake;
	const struct fuzz_region regions[] = {
		{fake.memory, sizeof(fake.memory)},
		{fake.heap, sizeof(fake.heap)},
		{fake.file, sizeof(fake.file)},
	};
	struct fuzz_input input = {data, size};
	uint8_t version = fuzz_input__u8(&input), choices = fuzz_input__u8(&input);
	const struct fake_options options = {
		.version = versions[version % ARRAY_SIZE(versions)],
		.arm64 = choices & ARM64,
		.symbols = choices & SYMBOLS,
		.module_section = choices & MODULE_SECTION,
		.bias = choices & PIE ? 0x555555000000 : 0,
	};
	int err;

	fake_go__make(&fake, &options);
	fuzz__patch(&input, regions, ARRAY_SIZE(regions));
	err = fake_go__open(&fake);
	if (!err)
		err = fake_go__bind(&fake);
	if (fake.binary)
		fuzz__require(memchr(go_binary__build_id(fake.binary), '\0', BUILD_ID_TEXT));
	if (!err)
		use(&fake, &input, regions, !(choices & NO_STACKS));
	else
		fuzz__require(fake.failure.text[0]);
	fake_go__release(&fake);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
