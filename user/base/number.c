// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void number__count(uint64_t n, char out[NUMBER_COUNT_SIZE])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = '\0';
}

char *number__counted(uint64_t n, const char *noun)
{
	char count[NUMBER_COUNT_SIZE];
	char *text = NULL;

	number__count(n, count);
	return asprintf(&text, "%s %s%s", count, noun, n == 1 ? "" : "s") < 0 ? NULL : text;
}

void number__rate(double rate, char out[NUMBER_RATE_SIZE])
{
	double size = fabs(rate);

	if (!isfinite(rate)) {
		snprintf(out, NUMBER_RATE_SIZE, "?");
	} else if (size < 0.005) {
		snprintf(out, NUMBER_RATE_SIZE, "0");
	} else if (size < 99.95) {
		/* 0.05, 1.5 and 20.5, but 2 and not 2.0 */
		snprintf(out, NUMBER_RATE_SIZE, "%.*g",
			 size < 0.095 ? 1 :
			 size < 9.95  ? 2 :
					3,
			 rate);
	} else {
		char count[NUMBER_COUNT_SIZE];

		number__count((uint64_t)llround(min_of(size, 1e15)), count);
		snprintf(out, NUMBER_RATE_SIZE, "%s%s", rate < 0 ? "-" : "", count);
	}
}

void number__bytes(uint64_t bytes, char out[NUMBER_BYTES_SIZE])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	/* 999.5 would be shown as 1000. */
	while (value >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(out, NUMBER_BYTES_SIZE, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value,
		 units[unit]);
}

int number__parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char suffixes[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	unsigned long long number;
	unsigned int shift = 0;
	const char *suffix;

	if (!digits)
		return -EINVAL;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno)
		return -ERANGE;
	if (text[digits]) {
		suffix = strchr(suffixes, text[digits]);
		if (!suffix || text[digits + 1])
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
	}
	if (number > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = (uint64_t)number << shift;
	return 0;
}
