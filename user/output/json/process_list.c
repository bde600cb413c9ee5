// SPDX-License-Identifier: Apache-2.0
#include "output/process_list.h"

#include "output/json/execution.h"
#include "output/json/writer.h"

static void put_fact(struct json *json, const char *name, enum file_fact fact)
{
	switch (fact) {
	case FACT_UNKNOWN:
		json__null(json, name);
		return;
	case FACT_NO:
		json__bool(json, name, false);
		return;
	case FACT_YES:
		json__bool(json, name, true);
		return;
	}
}

static void put_build(struct json *json, const struct listed_build *build)
{
	json__object(json, "build");
	put_fact(json, "stripped", build->stripped);
	put_fact(json, "pie", build->pie);
	put_fact(json, "cgo", build->cgo);
	put_fact(json, "static", build->statically_linked);
	put_fact(json, "race", build->race);
	json__end_object(json);
}

/* A name is never null: what is not known of it is "". */
static void put_process(struct json *json, const struct listed_process *process)
{
	json__object(json, NULL);
	json__count(json, "pid", (uint64_t)process->pid);
	json__count(json, "uid", process->uid);
	json__text(json, "comm", process->comm);
	json__text(json, "exe", process->exe);
	json__object(json, "claimed_by");
	json__text_or_null(json, "exe", process->exe_claimant);
	json__bool(json, "exe_elsewhere", process->exe_elsewhere);
	json__end_object(json);
	json__object(json, "runtime");
	json__text(json, "file", process->runtime_file);
	json__text_or_null(json, "build_id", process->build_id);
	json__end_object(json);
	json__real(json, "uptime_seconds", process->uptime_seconds);
	if (process->counted)
		json__count(json, "goroutines", process->goroutines);
	else
		json__null(json, "goroutines");
	json__execution(json, &process->execution);
	json__text_or_null(json, "go_version", process->go_version);
	json__text_or_null(json, "module", process->module);
	json__text_or_null(json, "module_version", process->module_version);
	put_build(json, &process->build);
	json__bool(json, "supported", process->supported);
	json__text_or_null(json, "reason", process->reason);
	json__end_object(json);
}

int process_list__write_json(FILE *out, const struct process_list *list)
{
	struct json json;

	json__begin_dated(&json, LIST_SCHEMA_VERSION, list->realtime_ns);
	json__array(&json, "processes");
	for (size_t i = 0; i < list->n_processes; i++)
		put_process(&json, &list->processes[i]);
	json__end_array(&json);
	json__object(&json, "looked_at");
	json__count(&json, "processes", list->looked_at);
	json__count(&json, "not_readable", list->not_readable);
	json__count(&json, "not_opened", list->not_opened);
	json__end_object(&json);
	json__end_object(&json);
	return json__finish(&json, out);
}
