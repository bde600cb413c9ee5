// SPDX-License-Identifier: Apache-2.0
#include "discover/goroutine_count.h"

#include <errno.h>
#include <string.h>

#include "host/remote.h"
#include "observe/census.h"
#include "discover/load_bias.h"

struct counter {
	struct symbolizer *symbolizer;
	uint64_t goroutines;
};

static uint32_t on_seen(void *ctx, const struct census_goroutine *g)
{
	struct counter *counter = ctx;

	if (!symbolizer__is_system_goroutine(counter->symbolizer, g->start_pc))
		counter->goroutines++;
	return 0;
}

/* There is no census before this one, so nothing can be as it was. */
static bool on_unchanged(void *ctx, uint32_t handle, uint64_t goid, uint64_t read_at_ns)
{
	(void)ctx;
	(void)handle;
	(void)goid;
	(void)read_at_ns;
	return false;
}

static const struct census_ops ops = {.seen = on_seen, .unchanged = on_unchanged};

/* The census wants a table for stacks only when it reads some. */
static int run_census(struct module_map *modules, struct remote *remote, struct counter *counter,
		      struct failure *failure)
{
	const struct census_options options = {.stacks = false};
	struct census *census;
	int err = census__new(modules, remote, NULL, &options, &ops, counter, &census);

	if (err)
		return failure__set(failure, err, "no census can be prepared: %s", strerror(-err));
	err = census__start(census, failure);
	if (!err)
		err = census__step(census, 0, failure);
	if (!err && census__result(census)->refused)
		err = failure__set(
			failure, -E2BIG,
			"it has had more than %zu goroutines at a time, too many to count",
			census__result(census)->slots - census__result(census)->refused);
	census__free(census);
	return err;
}

/* Plugins are of no interest here: the runtime's own goroutines start in its own functions. */
static int count(struct go_binary *binary, struct remote *remote, uint64_t bias,
		 struct counter *counter, struct failure *failure)
{
	struct module_map *modules;
	int err = module_map__new(&modules);

	if (err)
		return failure__set(failure, err, "out of memory");
	err = module_map__load(modules, 0, binary, bias, 0);
	if (err)
		failure__set(failure, err, "its function table cannot be searched: %s",
			     strerror(-err));
	else
		err = run_census(modules, remote, counter, failure);
	module_map__free(modules);
	return err;
}

int goroutine_count__take(const char *proc_root, pid_t pid, const struct runtime_place *place,
			  struct go_binary *binary, struct symbolizer **symbolizer,
			  uint64_t *ret_goroutines, struct failure *failure)
{
	struct counter counter = {0};
	struct remote *remote;
	uint64_t bias = 0;
	int err = remote__open_process(pid, &remote, failure);

	if (err)
		return err;
	err = load_bias__read(proc_root, pid, place, binary, &bias, failure);
	if (!err)
		err = runtimes__check_threads(proc_root, pid, failure);
	if (!err)
		err = go_binary__bind(binary, remote, bias, failure);
	if (!err && !*symbolizer && symbolizer__new(binary, symbolizer))
		err = failure__set(failure, -ENOMEM, "out of memory");
	counter.symbolizer = *symbolizer;
	if (!err)
		err = count(binary, remote, bias, &counter, failure);
	remote__free(remote);
	if (!err)
		*ret_goroutines = counter.goroutines;
	return err;
}
