// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/cgroup, which users with groups of their own can fill with names of their liking. */
#include "host/cgroup.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static bool is_hex(const char *text, size_t length)
{
	return strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

static bool is_uid(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36 && text[8] == '-' &&
	       text[13] == '-' && text[18] == '-' && text[23] == '-';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	char *text = fuzz_input__text(&input, '\0');
	struct process_origin origin;

	cgroup__parse(text, &origin);
	fuzz__require(memchr(origin.cgroup, '\0', sizeof(origin.cgroup)));
	fuzz__require(memchr(origin.unit, '\0', sizeof(origin.unit)));
	fuzz__require(!origin.cgroup[0] || origin.cgroup[0] == '/');
	fuzz__require(!strchr(origin.cgroup, '\n') && !strpbrk(origin.unit, "/\n"));
	fuzz__require(!origin.container_id[0] || is_hex(origin.container_id, 64));
	fuzz__require(!origin.pod_uid[0] || is_hex(origin.pod_uid, 32) || is_uid(origin.pod_uid));
	cgroup__look("/nowhere", &origin);
	fuzz__require(memchr(origin.claimant, '\0', sizeof(origin.claimant)));
	/* Whose word a name is, is told where there is a name. */
	fuzz__require(!*cgroup__claimed(&origin, origin.unit_at) || origin.claimant[0]);
	fuzz__require(origin.unit_at < PATH_MAX * 2 || !origin.unit[0]);
	free(text);
	return 0;
}
