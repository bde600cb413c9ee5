// SPDX-License-Identifier: Apache-2.0
/*
 * A host has some hundred processes, so here the whole list becomes one tree. As in reports,
 * everything outside ASCII is escaped: a name cannot steer the terminal it happens to be shown on.
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "output/json/dump.h"
#include "discover/process_list.h"

/* Each of these gives NULL without memory, which json_pack() then passes on. */

static json_t *text_or_null(const char *value)
{
	__cleanup_free char *repaired = NULL;

	if (!value || !*value)
		return json_null();
	repaired = utf8__repair(value);
	return repaired ? json_string_nocheck(repaired) : NULL;
}

/* A name is never null: what is not known of it is "". */
static json_t *text(const char *value)
{
	return value && *value ? text_or_null(value) : json_string("");
}

static json_t *count_or_null(bool known, uint64_t n)
{
	return known ? json_integer((json_int_t)min_of(n, (uint64_t)INT64_MAX)) : json_null();
}

static json_t *fact(enum file_fact value)
{
	return value == FACT_UNKNOWN ? json_null() : json_boolean(value == FACT_YES);
}

/* One field a line. */
/* clang-format off */

static json_t *build_json(const struct listed_build *build)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "stripped", fact(build->stripped),
			 "pie", fact(build->pie),
			 "cgo", fact(build->cgo),
			 "static", fact(build->statically_linked),
			 "race", fact(build->race));
}

static json_t *process_json(const struct listed_process *process)
{
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}",
			 "pid", (json_int_t)process->pid,
			 "uid", (json_int_t)process->uid,
			 "comm", text(process->comm),
			 "exe", text(process->exe),
			 "uptime_seconds", json_dump__real(process->uptime_seconds),
			 "goroutines",
			 count_or_null(process->counted, process->goroutines),
			 "go_version", text_or_null(process->go_version),
			 "module", text_or_null(process->module),
			 "module_version", text_or_null(process->module_version),
			 "build", build_json(&process->build),
			 "supported", process->supported,
			 "reason", text_or_null(process->reason));
}

/* clang-format on */

static json_t *processes_json(const struct process_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n_processes; i++) {
		if (json_array_append_new(array, process_json(&list->processes[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* clang-format off */
static json_t *list_json(const struct process_list *list)
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(list->realtime_ns, time);
	return json_pack("{s:i, s:s, s:o, s:{s:I, s:I, s:I}}",
			 "schema_version", LIST_SCHEMA_VERSION,
			 "time", time,
			 "processes", processes_json(list),
			 "looked_at",
			 "processes", (json_int_t)list->looked_at,
			 "not_readable", (json_int_t)list->not_readable,
			 "not_opened", (json_int_t)list->not_opened);
}
/* clang-format on */

int process_list__write_json(FILE *out, const struct process_list *list)
{
	return json_dump__line(out, list_json(list));
}
