// SPDX-License-Identifier: Apache-2.0
#include "census_log.h"

#include <stdlib.h>

static uint32_t on_seen(void *ctx, const struct census_goroutine *g)
{
	struct census_log *log = ctx;

	if (log->n_seen == LOG_MAX || log->n_handles == LOG_MAX)
		abort();
	log->seen[log->n_seen++] = *g;
	if (log->hook)
		log->hook(log->hook_ctx, g);
	if (log->refuse_handle_of == g->goid)
		return 0;
	log->goid_of[log->n_handles++] = g->goid;
	return log->n_handles;
}

static bool on_unchanged(void *ctx, uint32_t handle, uint64_t goid, uint64_t read_at_ns)
{
	struct census_log *log = ctx;

	if (!handle || handle > log->n_handles || log->goid_of[handle - 1] != goid || !read_at_ns)
		abort();
	if (log->deny_goid == goid)
		return false;
	if (log->n_unchanged == LOG_MAX)
		abort();
	log->unchanged[log->n_unchanged++] = goid;
	return true;
}

static const struct census_ops ops = {.seen = on_seen, .unchanged = on_unchanged};

void fixture_renew_census(struct fixture *fixture, const struct census_options *options)
{
	census__free(fixture->census);
	if (census__new_runtime(&fixture->fake->runtime, fixture->table, options, &ops,
				fixture->log, &fixture->census))
		abort();
}

struct fixture *fixture_new(int minor, size_t max_slots, const struct census_options *options)
{
	const struct census_options with_stacks = {.stacks = true};
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		abort();
	fixture->fake = fake_new(minor, max_slots);
	fixture->log = calloc(1, sizeof(*fixture->log));
	if (!fixture->log || stack_table__new(5000, &fixture->table))
		abort();
	fixture_renew_census(fixture, options ? options : &with_stacks);
	return fixture;
}

void fixture_free(struct fixture *fixture)
{
	census__free(fixture->census);
	stack_table__free(fixture->table);
	fake_free(fixture->fake);
	free(fixture->log);
	free(fixture);
}

int fixture_run(struct fixture *fixture, uint64_t budget_ns)
{
	int err;

	fixture->log->n_seen = 0;
	fixture->log->n_unchanged = 0;
	err = census__start(fixture->census, &fixture->failure);
	if (err)
		return err;
	do
		err = census__step(fixture->census, budget_ns, &fixture->failure);
	while (err == 1);
	return err;
}

const struct census_goroutine *fixture_seen(const struct fixture *fixture, uint64_t goid)
{
	for (size_t i = 0; i < fixture->log->n_seen; i++)
		if (fixture->log->seen[i].goid == goid)
			return &fixture->log->seen[i];
	return NULL;
}

bool fixture_unchanged(const struct fixture *fixture, uint64_t goid)
{
	for (size_t i = 0; i < fixture->log->n_unchanged; i++)
		if (fixture->log->unchanged[i] == goid)
			return true;
	return false;
}

const struct census_result *fixture_result(const struct fixture *fixture)
{
	return census__result(fixture->census);
}
