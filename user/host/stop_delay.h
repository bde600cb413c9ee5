/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_STOP_DELAY_H
#define GLEAKD_HOST_STOP_DELAY_H

#include "base/common.h"

/*
 * stop_delay__measure - how long busy threads of no priority take now until all of them have noticed something, in
 * ns: a thread that is to stop has to get a processor first, for which it waits when others have it. By threads of
 * this process, as many as there are processors, which keep these busy for some hundredths of a second; the mean of a
 * few tries. 0: no thread could be made.
 */
uint64_t stop_delay__measure(void);

#endif /* GLEAKD_HOST_STOP_DELAY_H */
