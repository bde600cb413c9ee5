// SPDX-License-Identifier: Apache-2.0
#include "host/pids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "host/access.h"

struct pid_array {
	pid_t *pids;
	size_t n, size;
};

/* The number that is @name; -1 when it is none: "self", "sys", "007". */
static pid_t parse_number(const char *name)
{
	size_t digits = strspn(name, "0123456789");
	unsigned long number;

	/* Seven digits hold PIDS_MAX. */
	if (!digits || digits > 7 || name[digits] || (name[0] == '0' && digits > 1))
		return -1;
	number = strtoul(name, NULL, 10);
	return number <= PIDS_MAX ? (pid_t)number : -1;
}

static int add(struct pid_array *array, pid_t pid)
{
	if (array->n == PIDS_MAX)
		return -E2BIG;
	if (!array__reserve(array->pids, array->size, array->n + 1))
		return -ENOMEM;
	array->pids[array->n++] = pid;
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static int read_directory(DIR *dir, struct pid_array *array)
{
	const struct dirent *entry;
	int err = 0;

	while (!err) {
		pid_t number;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		number = parse_number(entry->d_name);
		if (number >= 0)
			err = add(array, number);
	}
	return err;
}

int pids__list(const char *path, pid_t **ret_numbers, size_t *ret_n)
{
	DIR *dir __cleanup_closedir = opendir(path);
	struct pid_array array = {0};
	int err;

	if (!dir)
		return -errno;
	err = read_directory(dir, &array);
	if (err) {
		free(array.pids);
		return err;
	}
	if (array.n)
		qsort(array.pids, array.n, sizeof(*array.pids), compare_pids);
	*ret_numbers = array.pids;
	*ret_n = array.n;
	return 0;
}

int pids__read(const char *proc_root, pid_t **ret_pids, size_t *ret_n)
{
	pid_t *pids;
	size_t n;
	int err = access__list(proc_root, &pids, &n);

	if (err)
		return err;
	/* No process has the number 0. */
	if (n && !pids[0])
		memmove(pids, pids + 1, --n * sizeof(*pids));
	*ret_pids = pids;
	*ret_n = n;
	return 0;
}

uint64_t process_id__uptime_ns(struct process_id id, uint64_t boottime_ns)
{
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t per_second = hz > 0 ? (uint64_t)hz : 100; /* USER_HZ of every architecture here */
	uint64_t started;

	/* Ticks of 584 years do not fit; what /proc says is not to be trusted that far. */
	if (id.start_time / per_second >= UINT64_MAX / NSEC_PER_SEC)
		return 0;
	started = id.start_time / per_second * NSEC_PER_SEC +
		  id.start_time % per_second * NSEC_PER_SEC / per_second;
	return boottime_ns > started ? boottime_ns - started : 0;
}

uint64_t process_id__boottime_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}
