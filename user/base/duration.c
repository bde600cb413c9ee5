// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Largest first: a duration is written in this order. */
static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{"d", DAY},	     {"h", HOUR},	    {"m", MINUTE},
	{"s", NSEC_PER_SEC}, {"ms", NSEC_PER_MSEC}, {"us", NSEC_PER_USEC},
	{"ns", 1},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "12.34" as an integer part and nanounits (34 -> 340,000,000 of a billionth). */
static int parse_number(const char **text, uint64_t *ret_whole, uint64_t *ret_billionths)
{
	const char *p = *text;
	uint64_t whole = 0, billionths = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -ERANGE;
	}
	if (*p == '.') {
		uint64_t place = 100000000;

		if (!is_digit(*++p))
			return -EINVAL;
		for (; is_digit(*p); p++, place /= 10)
			billionths += place * (uint64_t)(*p - '0');
	}
	*text = p;
	*ret_whole = whole;
	*ret_billionths = billionths;
	return 0;
}

/* The unit at *text, no larger than *index allows; index moves past it. */
static const struct unit *parse_unit(const char **text, size_t *index)
{
	size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = *index; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) != len || strncmp(units[i].name, *text, len) != 0)
			continue;
		*text += len;
		*index = i + 1;
		return &units[i];
	}
	return NULL;
}

static int add_scaled(uint64_t *sum, uint64_t whole, uint64_t billionths, uint64_t unit_ns)
{
	/* At most 1e9 * 8.64e13: does not fit 64 bits, its quotient does. */
	uint64_t part = (uint64_t)((unsigned __int128)billionths * unit_ns / NSEC_PER_SEC);
	uint64_t product;

	if (__builtin_mul_overflow(whole, unit_ns, &product) ||
	    __builtin_add_overflow(*sum, product, sum) || __builtin_add_overflow(*sum, part, sum))
		return -ERANGE;
	return 0;
}

int duration__parse(const char *text, uint64_t *ret_ns)
{
	uint64_t sum = 0, whole, billionths;
	size_t next_unit = 0;
	const char *p = text;
	int err;

	do {
		const struct unit *unit;

		err = parse_number(&p, &whole, &billionths);
		if (err)
			return err;
		if (*p == '\0' && next_unit == 0) {
			err = add_scaled(&sum, whole, billionths, NSEC_PER_SEC);
			if (!err)
				*ret_ns = sum;
			return err;
		}
		unit = parse_unit(&p, &next_unit);
		if (!unit)
			return -EINVAL;
		err = add_scaled(&sum, whole, billionths, unit->ns);
		if (err)
			return err;
	} while (*p != '\0');
	*ret_ns = sum;
	return 0;
}

/* Below ten of a unit a decimal still tells something: "1.5s", but "42s". */
static void format_small(uint64_t ns, const struct unit *unit, char out[DURATION_SIZE])
{
	uint64_t tenths = ns / (unit->ns / 10);

	if (tenths >= 100 || tenths % 10 == 0)
		snprintf(out, DURATION_SIZE, "%" PRIu64 "%s", tenths / 10, unit->name);
	else
		snprintf(out, DURATION_SIZE, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10,
			 unit->name);
}

void duration__format(uint64_t ns, char out[DURATION_SIZE])
{
	size_t i = 0;

	if (ns < NSEC_PER_USEC) {
		snprintf(out, DURATION_SIZE, "%" PRIu64 "%s", ns, ns ? "ns" : "s");
		return;
	}
	while (ns < units[i].ns)
		i++;
	if (units[i].ns <= NSEC_PER_SEC) {
		format_small(ns, &units[i], out);
		return;
	}
	uint64_t rest = ns % units[i].ns / units[i + 1].ns;

	if (rest)
		snprintf(out, DURATION_SIZE, "%" PRIu64 "%s%" PRIu64 "%s", ns / units[i].ns,
			 units[i].name, rest, units[i + 1].name);
	else
		snprintf(out, DURATION_SIZE, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
}

void duration__format_whole(uint64_t ns, char out[DURATION_SIZE])
{
	size_t i = 0;

	while (units[i].ns > NSEC_PER_SEC && ns < units[i].ns)
		i++;
	if (ns < NSEC_PER_SEC)
		snprintf(out, DURATION_SIZE, "%" PRIu64 "ms", ns / (uint64_t)NSEC_PER_MSEC);
	else if (units[i].ns == NSEC_PER_SEC)
		snprintf(out, DURATION_SIZE, "%" PRIu64 "s", ns / units[i].ns);
	else
		snprintf(out, DURATION_SIZE, "%" PRIu64 "%s%02" PRIu64 "%s", ns / units[i].ns,
			 units[i].name, ns % units[i].ns / units[i + 1].ns, units[i + 1].name);
}

uint64_t duration__from_seconds(double seconds)
{
	double ns = seconds * (double)NSEC_PER_SEC;

	if (!(ns > 0))
		return 0;
	return ns >= 0x1p64 ? UINT64_MAX : (uint64_t)ns;
}
