/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_DURATION_H
#define GLEAKD_BASE_DURATION_H

/* Durations as people write and read them: "30s", "1h30m", "1.5s"; in nanoseconds inside. */
#include "base/common.h"

/*
 * duration__parse - numbers with units ns, us, ms, s, m, h, d, largest unit first, each at most
 * once ("1h30m"); a lone number is in seconds ("10", "0.5"). Signs and blanks are refused.
 * -EINVAL: not a duration; -ERANGE: longer than 64 bits of nanoseconds hold (584 years).
 */
int duration__parse(const char *text, uint64_t *ret_ns) __must_check;

#define DURATION_SIZE 48

/*
 * duration__format - the two largest units that say something ("4m12s", "2d3h", "1.5s", "350ms"),
 * rounded down: an age that is shown was reached. What it writes, duration__parse() reads.
 */
void duration__format(uint64_t ns, char out[DURATION_SIZE]);

/*
 * duration__format_whole - without fractions: "850ms", "42s", "3m20s", "2h05m", "3d04h". From a
 * minute on there are always two units, the second with two digits.
 */
void duration__format_whole(uint64_t ns, char out[DURATION_SIZE]);

/* duration__from_seconds - nanoseconds; negative and NaN become 0, too large ones the maximum. */
uint64_t duration__from_seconds(double seconds);

#endif /* GLEAKD_BASE_DURATION_H */
