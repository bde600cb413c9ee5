/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_CENSUS_PRIVATE_H
#define GLEAKD_OBSERVE_CENSUS_PRIVATE_H

/* The census without an executable, for tests on made-up memory. */
#include "observe/census.h"
#include "observe/census_runtime.h"

/* census__new_runtime - as census__new(); @runtime is copied. */
int census__new_runtime(const struct census_runtime *runtime, struct stack_table *stacks,
			const struct census_options *options, const struct census_ops *ops,
			void *ctx, struct census **ret_census) __must_check;

/* census__runtime - what it reads; as long as the census. */
const struct census_runtime *census__runtime(const struct census *census);

#endif /* GLEAKD_OBSERVE_CENSUS_PRIVATE_H */
