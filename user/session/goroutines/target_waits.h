/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_GOROUTINES_TARGET_WAITS_H
#define GLEAKD_SESSION_GOROUTINES_TARGET_WAITS_H

/* Ends of waits that events tell of: where the goroutine waited, as a census would have it. */
#include "probe/abi.h"
#include "session/target.h"

/* target_waits__ended - of a record that has been checked. */
void target_waits__ended(struct target *target, const struct gl_event_wake *wake);

#endif /* GLEAKD_SESSION_GOROUTINES_TARGET_WAITS_H */
