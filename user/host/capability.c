// SPDX-License-Identifier: Apache-2.0
#include "host/capability.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * Numbers of include/uapi/linux/capability.h. Spelled out here because CAP_PERFMON and CAP_BPF
 * came with Linux 5.8, after the headers that some build hosts still have.
 */
static const struct {
	int cap;
	const char *name;
} known_caps[] = {
	{0, "CAP_CHOWN"},      {1, "CAP_DAC_OVERRIDE"},	 {2, "CAP_DAC_READ_SEARCH"},
	{6, "CAP_SETGID"},     {7, "CAP_SETUID"},	 {8, "CAP_SETPCAP"},
	{12, "CAP_NET_ADMIN"}, {14, "CAP_IPC_LOCK"},	 {19, "CAP_SYS_PTRACE"},
	{21, "CAP_SYS_ADMIN"}, {24, "CAP_SYS_RESOURCE"}, {34, "CAP_SYSLOG"},
	{38, "CAP_PERFMON"},   {39, "CAP_BPF"},		 {40, "CAP_CHECKPOINT_RESTORE"},
};

const char *capability__name(int cap)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_caps); i++) {
		if (known_caps[i].cap == cap)
			return known_caps[i].name;
	}
	return NULL;
}

/*
 * The Name line comes first and holds a comm that anybody may choose; the kernel escapes its
 * newlines (fs/proc/array.c proc_task_name), so a match at the start of a line is the real one.
 * A line longer than the buffer (Groups) arrives in pieces, whose starts are digits.
 */
int capability__effective(const char *status_path, uint64_t *ret_set)
{
	FILE *file __cleanup_fclose = fopen(status_path, "re");
	char line[256];
	uint64_t set;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff:%" SCNx64, &set) == 1) {
			*ret_set = set;
			return 0;
		}
	}
	return ferror(file) ? -EIO : -EPROTO;
}

static uint64_t own_set(void)
{
	uint64_t set = 0;

	/* Without /proc nothing is known, and nothing else will work either. */
	if (capability__effective("/proc/self/status", &set))
		return 0;
	return set;
}

static bool in_set(uint64_t set, int cap)
{
	return cap >= 0 && cap < 64 && (set >> cap & 1);
}

bool capability__has(int cap)
{
	return in_set(own_set(), cap);
}

/* Append @name, or "capability 41" when it has none; what does not fit is cut. */
static void append_name(char *out, size_t out_size, const char *name, int cap)
{
	size_t used = strlen(out);
	const char *comma = used ? ", " : "";

	if (name)
		snprintf(out + used, out_size - used, "%s%s", comma, name);
	else
		snprintf(out + used, out_size - used, "%scapability %d", comma, cap);
}

size_t capability__missing(const int *caps, size_t n_caps, char *out, size_t out_size)
{
	uint64_t set = own_set();
	size_t n_missing = 0;

	if (out_size)
		out[0] = '\0';
	for (size_t i = 0; i < n_caps; i++) {
		if (in_set(set, caps[i]))
			continue;
		n_missing++;
		if (out_size)
			append_name(out, out_size, capability__name(caps[i]), caps[i]);
	}
	return n_missing;
}
