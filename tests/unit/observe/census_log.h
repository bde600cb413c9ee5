/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_CENSUS_LOG_H
#define GLEAKD_TESTS_CENSUS_LOG_H

/* What a census reported, kept for comparison; and one census over fabricated memory. */
#include "fake_runtime.h"

#define LOG_MAX 20000

struct census_log {
	struct census_goroutine seen[LOG_MAX];
	size_t n_seen;
	uint64_t unchanged[LOG_MAX]; /* goids */
	size_t n_unchanged;
	uint32_t refuse_handle_of; /* goid whose seen() returns 0 */
	uint64_t deny_goid;	   /* goid whose unchanged() returns false */
	uint64_t goid_of[LOG_MAX]; /* by handle - 1 */
	uint32_t n_handles;
	/* Called from seen() after noting it: a hook to change memory in the middle of a census. */
	void (*hook)(void *ctx, const struct census_goroutine *g);
	void *hook_ctx;
};

struct fixture {
	struct fake *fake;
	struct stack_table *table;
	struct census *census;
	struct census_log *log;
	struct failure failure;
};

struct fixture *fixture_new(int minor, size_t max_slots, const struct census_options *options);
void fixture_free(struct fixture *fixture);

/* fixture_renew_census - replace the census, e.g. after fake_open(). */
void fixture_renew_census(struct fixture *fixture, const struct census_options *options);

/* fixture_run - one census to the end in slices of @budget_ns, into a fresh log. Its result. */
int fixture_run(struct fixture *fixture, uint64_t budget_ns);

/* fixture_seen - the sighting of @goid in the last census, NULL if there was none. */
const struct census_goroutine *fixture_seen(const struct fixture *fixture, uint64_t goid);
bool fixture_unchanged(const struct fixture *fixture, uint64_t goid);
const struct census_result *fixture_result(const struct fixture *fixture);

#endif /* GLEAKD_TESTS_CENSUS_LOG_H */
