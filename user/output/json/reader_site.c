// SPDX-License-Identifier: Apache-2.0
/* Sites and what is made of them, from JSON. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "golang/symbolize.h"
#include "output/json/reader_private.h"

static const char *verdict_name(unsigned int verdict)
{
	return verdict__name((enum verdict)verdict);
}

static const char *proof_name(unsigned int level)
{
	return proof_level__name((enum proof_level)level);
}

static const char *kind_name(unsigned int kind)
{
	return wait_object_kind__name((enum wait_object_kind)kind);
}

/* --- evidence ------------------------------------------------------------------------------------ */

static void read_points(struct report_reader *reader, const json_t *list,
			struct site_evidence *evidence)
{
	struct site_point *points = NULL;
	size_t n = read__array(reader, list, sizeof(*points), REPORT_READER_MAX_ITEMS, &points);

	for (size_t i = 0; i < n; i++) {
		const json_t *json = json_array_get(list, i);

		points[i] = (struct site_point){
			.ago_ns = read__seconds(json, "seconds_ago"),
			.goroutines = read__count32(json, "goroutines"),
			.arrivals = read__count32(json, "arrivals"),
			.departures = read__count32(json, "departures"),
		};
	}
	evidence->points = points;
	evidence->n_points = n;
}

static void read_cohorts(struct report_reader *reader, const json_t *list,
			 struct site_evidence *evidence)
{
	struct site_cohort *cohorts = NULL;
	size_t n = read__array(reader, list, sizeof(*cohorts), REPORT_READER_MAX_ITEMS, &cohorts);

	for (size_t i = 0; i < n; i++) {
		const json_t *json = json_array_get(list, i);

		cohorts[i] = (struct site_cohort){
			.from_ago_ns = read__seconds(json, "from_seconds_ago"),
			.to_ago_ns = read__seconds(json, "to_seconds_ago"),
			.created = read__count(json, "created"),
			.alive = read__count(json, "alive"),
		};
	}
	evidence->cohorts = cohorts;
	evidence->n_cohorts = n;
}

static void read_weights(struct report_reader *reader, const json_t *list,
			 struct site_evidence *evidence)
{
	struct site_weight *weights = NULL;
	size_t n = read__array(reader, list, sizeof(*weights), REPORT_READER_MAX_ITEMS, &weights);

	for (size_t i = 0; i < n; i++) {
		const json_t *json = json_array_get(list, i);

		weights[i] = (struct site_weight){
			.decibans = read__real(json, "decibans"),
			.text = read__text(json, "text"),
		};
	}
	evidence->weights = weights;
	evidence->n_weights = n;
}

static void read_evidence(struct report_reader *reader, const json_t *json,
			  struct site_evidence *evidence)
{
	const json_t *survivors = json_object_get(json, "survivors");

	evidence->observed_ns = read__seconds(json, "observed_seconds");
	evidence->arrivals = read__count(json, "arrivals");
	evidence->departures = read__count(json, "departures");
	evidence->stay_ns = read__seconds(json, "stay_seconds");
	evidence->stayed = read__count(json, "stayed");
	evidence->left = read__count(json, "left");
	for (size_t i = 0; i < SITE_AGE_STEPS; i++)
		evidence->ages[i] = read__count(json_array_get(survivors, i), "members");
	read_points(reader, json_object_get(json, "population"), evidence);
	read_cohorts(reader, json_object_get(json, "cohorts"), evidence);
	read_weights(reader, json_object_get(json, "weights"), evidence);
}

/* --- objects ------------------------------------------------------------------------------------- */

static struct wait_object read_object(const json_t *json)
{
	return (struct wait_object){
		.kind = (enum wait_object_kind)read__word(json, "kind", kind_name,
							  WAIT_OBJECT_SEMAPHORE + 2),
		.address = read__address(json, "address"),
		.members = read__count32(json, "members"),
		.receivers = read__count32(json, "receivers"),
		.senders = read__count32(json, "senders"),
		.waiters = read__count32(json, "waiters"),
		.more_waiters = read__bool(json, "more_waiters"),
		.length = read__count(json, "length"),
		.capacity = read__count(json, "capacity"),
		.closed = read__bool(json, "closed"),
		.timer = read__bool(json, "timer"),
	};
}

static const struct wait_objects *read_objects(struct report_reader *reader, const json_t *json)
{
	const json_t *items = json_object_get(json, "items");
	struct wait_objects *objects;

	if (!json_is_object(json))
		return NULL;
	objects = arena__take(&reader->arena, 1, sizeof(*objects));
	if (!objects)
		return NULL;
	objects->looked_at = read__count32(json, "looked_at");
	objects->distinct = read__count32(json, "distinct");
	objects->n_top = min_of(json_array_size(items), (size_t)WAIT_OBJECTS_TOP);
	for (size_t i = 0; i < objects->n_top; i++)
		objects->top[i] = read_object(json_array_get(items, i));
	objects->shared_by = objects->n_top ? objects->top[0].members : 0;
	return objects;
}

/* --- site ---------------------------------------------------------------------------------------- */

static void read_proof(const json_t *json, struct site_proof *proof)
{
	const char *path = read__text(json, "reachable_by");

	proof->level = (enum proof_level)read__word(json, "level", proof_name, PROOF_PROVEN + 1);
	proof->goroutines = read__count32(json, "goroutines");
	proof->heap_bytes = read__count(json, "retained_heap_bytes");
	proof->stack_bytes = read__count(json, "retained_stack_bytes");
	proof->objects = read__count(json, "retained_objects");
	if (!*path)
		return;
	for (int i = HOLDER_VARIABLE; i <= HOLDER_GOROUTINE; i++) {
		if (!strcmp(report__text(proof_holder__text((enum proof_holder)i)), path))
			proof->holder = (enum proof_holder)i;
	}
	if (proof->holder)
		return;
	proof->holder = HOLDER_VARIABLE;
	proof->path = path;
}

/* report__why() says by itself when a verdict is due. */
static const char *without_due(struct report_reader *reader, const char *why)
{
	const char *due = strstr(why, ": due at ");
	char *copy;

	if (!due)
		return why;
	copy = arena__take(&reader->arena, 1, (size_t)(due - why) + 1);
	if (!copy)
		return why;
	memcpy(copy, why, (size_t)(due - why));
	return copy;
}

static void read_why(struct report_reader *reader, const json_t *list, struct report_site *site)
{
	const char **why = NULL;
	size_t n = read__array(reader, list, sizeof(*why), REPORT_READER_MAX_ITEMS, &why);

	for (size_t i = 0; i < n; i++) {
		why[i] = report__text(json_string_value(json_array_get(list, i)));
		if (!i && site->due_ns && site->view.verdict == VERDICT_GROWING)
			why[i] = without_due(reader, why[i]);
	}
	site->view.why = why;
	site->view.n_why = n;
}

static void read_opinion(struct report_reader *reader, const json_t *json, uint64_t realtime_ns,
			 struct report_site *site)
{
	struct site_view *view = &site->view;
	const char *silenced = read__text(json, "silenced");

	snprintf(site->id, sizeof(site->id), "%s", read__text(json, "id"));
	view->verdict =
		(enum verdict)read__word(json, "verdict", verdict_name, VERDICT_LEAKING + 1);
	view->confidence = read__real(json, "confidence");
	site->suppressed = json_is_string(json_object_get(json, "silenced"));
	site->suppressed_reason = silenced;
	site->evidence_folder = read__text(json, "evidence_folder");
	site->meaning = read__text(json, "meaning");
	/* The time 0 is none. */
	if (clock__from_rfc3339(read__text(json, "due"), &site->due_ns))
		site->due_ns += !site->due_ns;
	if (site->due_ns > realtime_ns)
		view->due_ns = site->due_ns - realtime_ns;
	read_why(reader, json_object_get(json, "why"), site);
}

static const struct go_dependency *read_library(struct report_reader *reader, const json_t *json)
{
	struct go_dependency *library;

	if (!json_is_object(json))
		return NULL;
	library = arena__take(&reader->arena, 1, sizeof(*library));
	if (!library)
		return NULL;
	library->path = read__text(json, "module");
	library->version = read__text(json, "version");
	return library;
}

static const struct report_source *read_source(struct report_reader *reader, const json_t *json)
{
	const json_t *lines = json_object_get(json, "lines");
	size_t n = min_of(json_array_size(lines), (size_t)REPORT_SOURCE_LINES);
	struct report_source *source = n ? arena__take(&reader->arena, 1, sizeof(*source)) : NULL;

	if (!source)
		return NULL;
	*source = (struct report_source){
		.line = (uint32_t)min_of(read__count(json, "line"), (uint64_t)UINT32_MAX),
		.first = (uint32_t)min_of(read__count(json, "first"), (uint64_t)INT32_MAX),
		.n = (unsigned int)n,
	};
	snprintf(source->path, sizeof(source->path), "%s", read__text(json, "file"));
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(lines, i));

		snprintf(source->text[i], sizeof(source->text[i]), "%s", report__text(text));
	}
	return source;
}

static void find_own(struct report_frame *frame, const struct go_build_info *info)
{
	frame->own = report__frame_known(frame) &&
		     frame_owner__of(frame->function, frame->file, info) == FRAME_MAIN;
}

/* Whose code a frame is in is not told: it follows from the module, but for other folders that were built with it. */
static void find_own_frames(struct report_site *site, const char *module)
{
	struct go_build_info info = {0};
	struct report_frame *stack = (struct report_frame *)site->stack;

	snprintf(info.module_path, sizeof(info.module_path), "%s", module);
	find_own(&site->created_by, &info);
	find_own(&site->called_from, &info);
	find_own(&site->blocked_at, &info);
	for (size_t i = 0; i < site->n_stack; i++)
		find_own(&stack[i], &info);
}

void read__site(struct report_reader *reader, const json_t *json, uint64_t realtime_ns,
		const char *module, struct report_site *site)
{
	struct site_view *view = &site->view;

	read_opinion(reader, json, realtime_ns, site);
	view->goroutines = read__count(json, "goroutines");
	view->parked = read__count(json, "parked");
	view->running = read__count(json, "running");
	view->created = read__count(json, "created");
	view->exited = read__count(json, "exited");
	site->wait_reason = read__text(json, "wait_reason");
	view->wait_class = wait_class__of(site->wait_reason);
	view->in_syscall = view->wait_class == WAIT_SYSCALL;
	site->created_by = read__frame(json_object_get(json, "created_by"));
	site->called_from = read__frame(json_object_get(json, "called_from"));
	view->called =
		(uint32_t)min_of(read__count(json, "called_from_goroutines"), (uint64_t)UINT32_MAX);
	site->blocked_at = read__frame(json_object_get(json, "blocked_at"));
	site->start_function = read__text(json, "start_function");
	site->library = read_library(reader, json_object_get(json, "library"));
	site->stack = read__stack(reader, json_object_get(json, "stack"), &site->n_stack);
	find_own_frames(site, module);
	view->oldest_park_ns = read__seconds(json, "oldest_park_seconds");
	view->oldest_age_ns = read__seconds(json, "oldest_age_seconds");
	view->growth_per_minute = read__real(json, "growth_per_minute");
	read_evidence(reader, json_object_get(json, "evidence"), &view->evidence);
	site->objects = read_objects(reader, json_object_get(json, "objects"));
	read_proof(json_object_get(json, "proof"), &view->proof);
	site->source = read_source(reader, json_object_get(json, "source"));
}

/* --- findings ------------------------------------------------------------------------------------ */

static struct report_site *find_site(const struct report_target *target, const char *id)
{
	for (size_t i = 0; i < target->n_sites; i++) {
		if (!strcmp(target->sites[i].id, id))
			return (struct report_site *)&target->sites[i];
	}
	return NULL;
}

/* The lock that joins the sites of @finding, which is what it is said to be. */
static const struct report_lock *lock_of(struct report_finding *finding, const char *what)
{
	const struct report_site *site = finding->n_sites ? finding->sites[0] : NULL;
	char text[REPORT_WHAT_SIZE];

	for (size_t i = 0; site && i < site->n_locks; i++) {
		finding->lock = &site->locks[i];
		if (!strcmp(report_finding__what(finding, text), what))
			return finding->lock;
	}
	return NULL;
}

/* False: it names no site, so that there is nothing to show it by. */
static bool read_finding(struct report_reader *reader, const json_t *json,
			 const struct report_target *target, struct report_finding *finding)
{
	const json_t *ids = json_object_get(json, "sites");
	const struct report_site **sites = NULL;
	size_t n = read__array(reader, ids, sizeof(*sites), REPORT_READER_MAX_SITES, &sites);

	*finding = (struct report_finding){
		.sites = sites,
		.verdict = (enum verdict)read__word(json, "verdict", verdict_name,
						    VERDICT_LEAKING + 1),
		.confidence = read__real(json, "confidence"),
		.goroutines = read__count(json, "goroutines"),
		.units = read__count(json, "units"),
		.per_minute = read__real(json, "per_minute"),
	};
	for (size_t i = 0; i < n; i++) {
		const char *id = report__text(json_string_value(json_array_get(ids, i)));
		struct report_site *site = find_site(target, id);

		if (!site || site->finding)
			continue;
		site->finding = finding;
		sites[finding->n_sites++] = site;
	}
	finding->lock = lock_of(finding, read__text(json, "what"));
	return finding->n_sites;
}

void read__findings(struct report_reader *reader, const json_t *list, struct report_target *target)
{
	struct report_finding *findings = NULL;
	size_t n = read__array(reader, list, sizeof(*findings), REPORT_READER_MAX_SITES, &findings);

	for (size_t i = 0; i < n; i++)
		target->n_findings += read_finding(reader, json_array_get(list, i), target,
						   &findings[target->n_findings]);
	target->findings = findings;
}
