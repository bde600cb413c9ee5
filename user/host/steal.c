// SPDX-License-Identifier: Apache-2.0
#include "host/steal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/access.h"

/* The first line: eleven numbers. */
#define LINE_BYTES 256

/* "cpu  10132153 290696 3084719 46828483 16683 0 25195 175628 0 0": the eighth (proc_stat(5)). */
static int parse(const char *text, struct steal *ret_steal)
{
	long per_second = sysconf(_SC_CLK_TCK), processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t ticks;

	if (strncmp(text, "cpu ", 4) != 0)
		return -EPROTO;
	if (sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &ticks) != 1 ||
	    per_second <= 0 || processors <= 0)
		return -EOPNOTSUPP;
	*ret_steal =
		(struct steal){ticks * (NSEC_PER_SEC / (uint64_t)per_second), (uint64_t)processors};
	return 0;
}

int host__steal(const char *proc_root, struct steal *ret_steal)
{
	char path[PATH_MAX], text[LINE_BYTES];
	ssize_t n;

	if ((size_t)snprintf(path, sizeof(path), "%s/stat", proc_root) >= sizeof(path))
		return -ENAMETOOLONG;
	n = access__read_public(path, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return parse(text, ret_steal);
}
