// SPDX-License-Identifier: Apache-2.0
#include "probe/calibration_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The slowest hit seen anywhere took 30 us; what takes a hundred times that was no measurement. */
#define MAX_NS		 3000000
#define MAX_COLD_PERCENT 1000

/* The lines that have to be the same; the moment stands alone on the next. */
static int write_head(const struct calibration_scope *scope, char *text, size_t size)
{
	return snprintf(text, size, "gleakd calibration 1\nbuild %s\nboot %s\nkernel %s\n",
			scope->build, scope->boot, scope->kernel);
}

size_t calibration_text__write(const struct calibration *calibration,
			       const struct calibration_scope *scope,
			       char text[CALIBRATION_TEXT_SIZE])
{
	size_t used = (size_t)write_head(scope, text, CALIBRATION_TEXT_SIZE);

	/* Scope and numbers have lengths of their own, which leave room. */
	used += (size_t)snprintf(text + used, CALIBRATION_TEXT_SIZE - used, "made %" PRIu64 "\n",
				 scope->now_ns);
	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++)
		used += (size_t)snprintf(text + used, CALIBRATION_TEXT_SIZE - used,
					 "%s %" PRIu64 "\n", calibration_kind__name(kind),
					 calibration->ns[kind]);
	used += (size_t)snprintf(text + used, CALIBRATION_TEXT_SIZE - used, "cold %u\n",
				 calibration->cold_percent);
	return used;
}

/* "NAME NUMBER\n" at *@at, which moves behind it. */
static bool take_number(const char **at, const char *name, uint64_t max, uint64_t *ret_number)
{
	size_t n = strlen(name);
	uint64_t number = 0;
	const char *p = *at;

	if (strncmp(p, name, n) != 0 || p[n] != ' ')
		return false;
	p += n + 1;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (uint64_t)(*p - '0');
		if (number > max)
			return false;
	}
	if (*p != '\n')
		return false;
	*at = p + 1;
	*ret_number = number;
	return true;
}

int calibration_text__read(const char *text, const struct calibration_scope *scope,
			   struct calibration *ret_calibration)
{
	struct calibration calibration = {0};
	char head[CALIBRATION_TEXT_SIZE];
	size_t n = (size_t)write_head(scope, head, sizeof(head));
	uint64_t made, cold, measured = 0;

	if (strncmp(text, head, n) != 0)
		return -ESTALE;
	text += n;
	if (!take_number(&text, "made", INT64_MAX, &made))
		return -EPROTO;
	if (made > scope->now_ns || scope->now_ns - made > CALIBRATION_MAX_AGE_NS)
		return -ESTALE;
	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++) {
		if (!take_number(&text, calibration_kind__name(kind), MAX_NS,
				 &calibration.ns[kind]))
			return -EPROTO;
		measured += calibration.ns[kind] > 0;
	}
	if (!take_number(&text, "cold", MAX_COLD_PERCENT, &cold) || *text || !measured ||
	    !calibration.ns[CALIBRATION_CALL])
		return -EPROTO;
	calibration.cold_percent = (uint32_t)cold;
	*ret_calibration = calibration;
	return 0;
}
