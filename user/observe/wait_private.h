/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_PRIVATE_H
#define GLEAKD_OBSERVE_WAIT_PRIVATE_H

/* The reader without an executable, for tests on made-up memory. */
#include "observe/wait_objects.h"
#include "observe/wait_queues.h"

/* wait_reader__new_runtime - as wait_reader__new(); @runtime is copied, its layout is not. */
int wait_reader__new_runtime(const struct wait_runtime *runtime, struct remote *remote,
			     struct wait_reader **ret_reader) __must_check;

#endif /* GLEAKD_OBSERVE_WAIT_PRIVATE_H */
