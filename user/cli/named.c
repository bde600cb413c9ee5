// SPDX-License-Identifier: Apache-2.0
#include "cli/named.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/one_line.h"
#include "cli/command.h"
#include "cli/options_table.h"
#include "discover/container_name.h"
#include "discover/process_find.h"
#include "host/pids.h"

/* A longer list is no help in choosing. */
#define MAX_LISTED 20
/* So many numbers still fit into a line to type. */
#define MAX_TYPED 8

/* --- several ------------------------------------------------------------------------------------- */

/* Where a process belongs, as its user knows it: "unit shop.service", "container 4f2e8c9d1a3b". */
static void describe_origin(const struct process_origin *origin, char *out, size_t size)
{
	out[0] = '\0';
	if (origin->container_id[0])
		snprintf(out, size, "  container %.12s", origin->container_id);
	else if (origin->unit[0])
		snprintf(out, size, "  unit %s", origin->unit);
}

static void list_one(const struct found_process *process, uint64_t boottime_ns)
{
	char exe[128], age[DURATION_SIZE], origin[300], line[300];

	one_line__copy(exe, sizeof(exe),
		       process->info.exe[0] ? process->info.exe : process->info.comm);
	duration__format(process_id__uptime_ns(process->info.id, boottime_ns), age);
	describe_origin(&process->origin, origin, sizeof(origin));
	one_line__copy(line, sizeof(line), origin);
	fprintf(stderr, "  gleakd --pid %-8d %s  up %s%s\n", process->info.id.pid, exe, age, line);
}

/* How to watch all of them at once. */
static void list_all_together(const struct process_find *find, const char *name)
{
	bool by_name = true;

	for (size_t i = 0; i < find->n_go && i < find->n; i++)
		by_name &= find->found[i].by_name;
	if (find->n_go > MAX_TYPED) {
		if (by_name)
			fprintf(stderr, "  gleakd --only '%s'  (all of them)\n", name);
		return;
	}
	fputs("  gleakd", stderr);
	for (size_t i = 0; i < find->n_go; i++)
		fprintf(stderr, " %d", find->found[i].info.id.pid);
	fputs("  (all of them)\n", stderr);
}

static void list_several(const struct process_find *find, const char *name)
{
	uint64_t boottime_ns = process_id__boottime_ns();
	size_t shown = min_of(find->n_go, (size_t)MAX_LISTED);

	log_error("%zu Go processes match '%s':", find->n_go, name);
	for (size_t i = 0; i < shown; i++)
		list_one(&find->found[i], boottime_ns);
	if (find->n_go > shown)
		fprintf(stderr, "  and %zu more\n", find->n_go - shown);
	list_all_together(find, name);
}

/* --- none ---------------------------------------------------------------------------------------- */

static void tell_none(const struct process_find *find, const char *name)
{
	const char *command = command__nearest(name);

	if (find->n_not_go)
		log_error(
			"process %d is called '%s' but runs no Go program; 'gleakd list' shows those "
			"that do",
			find->found[0].info.id.pid, name);
	else if (command)
		log_error("no Go process is called '%s'; did you mean 'gleakd %s'?", name, command);
	else
		log_error("no Go process is called '%s'; 'gleakd list' shows those there are",
			  name);
}

/* ------------------------------------------------------------------------------------------------- */

static int find_by_name(const char *name, pid_t *ret_pid)
{
	const struct process_find_options options = {
		.proc_root = PROC_ROOT,
		.docker_containers = DOCKER_CONTAINERS,
	};
	struct process_find *find __cleanup_free = NULL;
	struct failure failure = {""};
	char shown[128];
	int err = process_find__take(&options, name, &find, &failure);

	if (err)
		return command__failed(err, &failure);
	one_line__copy(shown, sizeof(shown), name);
	if (find->n_go == 1) {
		*ret_pid = find->found[0].info.id.pid;
		return 0;
	}
	if (find->n_go)
		list_several(find, shown);
	else
		tell_none(find, shown);
	return EXIT_CODE_USAGE;
}

static void add(struct named *named, pid_t pid)
{
	for (size_t i = 0; i < named->n; i++) {
		if (named->pids[i] == pid)
			return;
	}
	named->pids[named->n++] = pid;
}

int named__resolve(const struct option_list *list, struct named *ret_named)
{
	struct named named = {0};

	for (unsigned int i = 0; i < list->n; i++) {
		const char *text = list->items[i];
		pid_t pid = (pid_t)strtol(text, NULL, 10);
		bool is_number = text[strspn(text, "0123456789")] == '\0';
		int code = is_number ? 0 : find_by_name(text, &pid);

		if (code)
			return code;
		add(&named, pid);
	}
	*ret_named = named;
	return 0;
}
