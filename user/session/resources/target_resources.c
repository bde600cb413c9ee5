// SPDX-License-Identifier: Apache-2.0
#include "session/resources/target_resources.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "host/children.h"
#include "host/process.h"
#include "host/sockets.h"
#include "session/heap/target_heap.h"
#include "session/resources/deferred_lines.h"
#include "session/resources/target_openings.h"
#include "session/resources/target_pools.h"
#include "session/target_internal.h"
#include "track/resource_judge.h"

#define TEXT_MAX      256
#define PATH_TEXT_MAX 1024

struct target_resources {
	/* NULL but while a look is made: names of nodes may go afterwards */
	struct heap_resources *census;
	const struct heap_runtime *runtime; /* likewise */
	struct resource_tracker *tracker;
	struct resource_lines lines;
	struct deferred_lines deferred;
	struct target_pools pools;
};

/* Of the scan that counts: the last one, of those that a look needs to be sure of all roots. */
struct look {
	struct target *target;
	const struct heap_runtime *runtime;
	uint64_t now_ns;
	struct ended_child *ended; /* when it began */
	size_t n_ended;
};

static void clear_lines(struct resource_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		for (size_t n = 0; n < RESOURCE_HOLDERS; n++)
			free(lines->all[i].held_by[n]);
		free(lines->all[i].calls);
		for (size_t e = 0; e < RESOURCE_EXAMPLES; e++)
			free(lines->all[i].examples[e]);
		for (size_t w = 0; w < RESOURCE_MAX_WHY; w++)
			free(lines->all[i].why[w]);
	}
	free(lines->all);
	*lines = (struct resource_lines){0};
}

/* --- words -------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool is_timer(enum resource_kind kind)
{
	return kind == RESOURCE_TIMER || kind == RESOURCE_TICKER;
}

/* Timers hang from the Ps, whose variable has a name only where there are symbols. */
static bool is_runtimes(const struct heap_runtime *runtime, const char *path)
{
	char ps[64];

	snprintf(ps, sizeof(ps), "variable at 0x%" PRIx64, runtime->allp - runtime->bias);
	return begins(path, "runtime.") || (runtime->allp && begins(path, ps));
}

/*
 * The way to @number. "" where it goes through something of no known type, and where it says of a timer no more than
 * that it is armed.
 */
static void find_way(const struct heap_runtime *runtime, const struct path_tree *tree,
		     enum resource_kind kind, uint16_t number, char path[PATH_TEXT_MAX])
{
	path[0] = '\0';
	if (number != PATH_NONE && !path_tree__node(tree, number)->below_unknown)
		path_tree__path(tree, number, path, PATH_TEXT_MAX);
	if (is_timer(kind) && is_runtimes(runtime, path))
		path[0] = '\0';
}

static bool add_holder(const struct target *target, uint16_t number, struct resource_line *line)
{
	const struct path_tree *tree = heap_paths__tree(target_view__paths(target));
	char path[PATH_TEXT_MAX] = "";

	if (line->place.held)
		find_way(target->resources->runtime, tree, line->place.kind, number, path);
	if (!*path)
		return true;
	line->held_by[line->n_held_by] = strdup(path);
	return line->held_by[line->n_held_by++];
}

static char *describe(const struct target *target, const struct heap_resource *resource)
{
	char text[TEXT_MAX];

	heap_resources__describe(target->resources->census, resource, text, sizeof(text));
	return strdup(text);
}

static bool add_why(struct resource_line *line, const char *text)
{
	line->why[line->n_why] = strdup(text);
	line->n_why += line->why[line->n_why] != NULL;
	return line->n_why;
}

/* What grows may be clients that come and stay: what they hold open is their business. */
static bool explain_clients(struct resource_line *line)
{
	const struct resource_place *place = &line->place;
	char text[TEXT_MAX];
	bool complete = true;

	if (place->served && place->served == place->outstanding)
		complete = add_why(line, "accepted, and their clients are connected");
	else if (place->served) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " of them accepted, and their clients are connected",
			 place->served);
		complete = add_why(line, text);
	}
	if (place->clients) {
		snprintf(text, sizeof(text),
			 "no more than %d for each of %" PRIu64
			 " clients that came meanwhile and are connected",
			 RESOURCE_PER_CLIENT, place->clients);
		complete = complete && add_why(line, text);
	}
	return complete;
}

/* What will show whether they become more. */
static bool explain_timers(struct resource_line *line)
{
	char within[DURATION_SIZE], after[DURATION_SIZE], text[TEXT_MAX];
	uint64_t left_ns = line->place.left_ns;

	duration__format(left_ns, within);
	duration__format(resource_timers__told_after(left_ns), after);
	snprintf(text, sizeof(text),
		 "each goes by itself when it is due, within %s: whether they become more shows "
		 "after %s",
		 within, after);
	return add_why(line, text);
}

/* "rose at each of 9 looks in 2m, 12 to 60; of 48 that were opened meanwhile none was closed" */
static bool explain(const struct resource_tracker *tracker, struct resource_line *line)
{
	const struct resource_place *place = &line->place;
	char duration[DURATION_SIZE], text[TEXT_MAX];
	bool complete = explain_clients(line);

	if (place->too_soon)
		complete = complete && explain_timers(line);
	duration__format(resource_tracker__elapsed_ns(tracker), duration);
	if (place->verdict == RESOURCE_GROWING) {
		snprintf(text, sizeof(text),
			 "more at each of %zu looks in %s, %" PRIu64 " to %" PRIu64 "; of %" PRIu64
			 " opened meanwhile %" PRIu64 " closed",
			 resource_tracker__looks(tracker), duration, place->first,
			 place->outstanding, place->opened, place->closed);
		complete = complete && add_why(line, text);
	}
	if (place->kind == RESOURCE_DEFER && place->verdict == RESOURCE_GROWING)
		complete =
			complete && add_why(line, "deferred in a loop: they run when the function "
						  "returns, not at the end of each turn");
	if (!place->held && place->outstanding && place->kind == RESOURCE_PROCESS)
		complete = complete &&
			   add_why(line, "nothing was found to lead to them: if so, nobody can "
					 "wait for them, and they stay when they end");
	else if (!place->held && place->outstanding && place->kind != RESOURCE_TIMER &&
		 place->kind != RESOURCE_TICKER)
		complete = complete && add_why(line, "nothing was found to lead to them: if so, "
						     "they are open until a collection");
	return complete;
}

/* Which function it waits for, and at which line: "main.rotate log.go:44". */
static bool add_deferred(const struct target *target, struct resource_line *line)
{
	struct resource_place *place = &line->place;
	struct resource_opened_at *opened = &line->opened_at[0];
	char text[PATH_TEXT_MAX];
	const char *file;

	if (deferred_lines__at(
		    &target->resources->deferred, target,
		    target__module_pc(target, place->function + target->resources->runtime->bias),
		    opened))
		return false;
	if (!opened->at)
		return true;
	place->n_openers = 1;
	place->openers[0] = (struct resource_opener){
		.outstanding = place->outstanding,
		.opened = place->opened,
		.closed = place->closed,
		.per_minute = place->per_minute,
		.oldest_ns = place->oldest_ns,
		.verdict = place->verdict,
	};
	file = strrchr(report__text(opened->at->file), '/');
	snprintf(text, sizeof(text), "%s %s:%u", report__text(opened->at->function),
		 file ? file + 1 : report__text(opened->at->file), opened->at->line);
	line->held_by[0] = strdup(text);
	line->n_held_by = line->held_by[0] != NULL;
	return line->n_held_by;
}

static int make_line(const struct target *target, const struct resource_place *place,
		     struct resource_line *line)
{
	struct target_resources *r = target->resources;
	size_t n;
	const struct heap_resource *all = heap_resources__all(r->census, &n);
	char name[TEXT_MAX] = "";
	bool complete;

	*line = (struct resource_line){
		.place = *place,
	};
	if (place->n_examples && place->kind != RESOURCE_DEFER)
		heap_resources__function(r->census, &all[place->examples[0]], name, sizeof(name));
	line->calls = strdup(name);
	complete = line->calls && explain(r->tracker, line);
	for (size_t i = 0; i < place->n_openers; i++)
		line->opened_at[i] = target_openings__at(target, place->openers[i].number);
	if (place->kind == RESOURCE_DEFER)
		complete = complete && add_deferred(target, line);
	for (size_t i = 0; i < place->n_nodes && place->kind != RESOURCE_DEFER; i++)
		complete = complete && add_holder(target, place->nodes[i], line);
	for (size_t i = 0; i < place->n_examples; i++) {
		line->examples[i] = describe(target, &all[place->examples[i]]);
		complete = complete && line->examples[i];
	}
	return complete ? 0 : -ENOMEM;
}

static int make_pool_line(const struct target *target, const struct target_pool *pool,
			  struct resource_line *line)
{
	char text[TEXT_MAX];
	bool complete;

	*line = (struct resource_line){
		.place = target_pools__place(pool, target_openings__pools(target)),
		.calls = strdup(""),
		.held_by = {strdup(pool->name)},
		.n_held_by = 1,
	};
	complete = line->calls && line->held_by[0];
	for (size_t i = 0; i < line->place.n_openers; i++)
		line->opened_at[i] = target_openings__at(target, line->place.openers[i].number);
	if (complete && line->place.verdict == RESOURCE_REUSE_LOST) {
		snprintf(text, sizeof(text),
			 "of %" PRIu64 " that were seen to be taken %" PRIu64
			 " were put back: reuse lost, no leak",
			 line->place.opened, line->place.closed);
		complete = add_why(line, text);
	}
	return complete ? 0 : -ENOMEM;
}

/* Those of which reuse is lost come before all others. */
static int add_pools(const struct target *target, struct resource_lines *lines, bool lost)
{
	const struct target_pools *pools = &target->resources->pools;
	int err = 0;

	for (size_t i = 0; i < pools->n && !err; i++) {
		struct resource_place place =
			target_pools__place(&pools->all[i], target_openings__pools(target));

		if ((place.verdict == RESOURCE_REUSE_LOST) != lost ||
		    (!place.outstanding && !place.opened && !place.closed))
			continue;
		if (lines->n == lines->capacity)
			lines->left_out++;
		else
			err = make_pool_line(target, &pools->all[i], &lines->all[lines->n++]);
	}
	return err;
}

static int make_lines(const struct target *target)
{
	struct target_resources *r = target->resources;
	struct resource_lines *lines = &r->lines;
	size_t n;
	const struct resource_place *places = resource_tracker__places(r->tracker, &n);
	size_t i = 0;
	int err = 0;

	clear_lines(lines);
	lines->capacity = min_of(n + r->pools.n, (size_t)RESOURCE_MAX_LINES);
	lines->all = calloc(lines->capacity + 1, sizeof(*lines->all));
	if (!lines->all)
		return -ENOMEM;
	lines->looks = resource_tracker__looks(r->tracker);
	lines->elapsed_ns = resource_tracker__elapsed_ns(r->tracker);
	lines->refused = heap_resources__refused(r->census);
	lines->watched = target_openings__get(target, &lines->openings);
	while (i < n && places[i].verdict == RESOURCE_GROWING && lines->n < lines->capacity && !err)
		err = make_line(target, &places[i++], &lines->all[lines->n++]);
	if (!err)
		err = add_pools(target, lines, true);
	while (i < n && lines->n < lines->capacity && !err)
		err = make_line(target, &places[i++], &lines->all[lines->n++]);
	lines->left_out += n - i;
	return err ? err : add_pools(target, lines, false);
}

/* ------------------------------------------------------------------------------------------------ */

/* Where they are not known, what a process has of them in memory is all that is told. */
static void find_ended(struct look *look)
{
	free(look->ended);
	look->ended = NULL;
	look->n_ended = 0;
	if (process__ended_children(look->target->options.proc_root, target__pid(look->target),
				    &look->ended, &look->n_ended) == -E2BIG)
		log_debug("process %d: too many processes to look for ended children",
			  target__pid(look->target));
}

static int ready(void *ctx, struct heap_scan *scan, struct heap_paths *paths)
{
	struct look *look = ctx;
	struct target *target = look->target;
	struct target_resources *r = target->resources;
	int64_t offset = process__clock_offset(target->options.proc_root, target__pid(target));
	int err;

	heap_resources__free(r->census);
	r->census = NULL;
	r->runtime = look->runtime;
	find_ended(look);
	err = heap_resources__new(look->runtime, paths, offset, &r->census);
	return err ? err : heap_resources__prepare(r->census, scan);
}

static bool is_connection(const struct heap_resource *resource)
{
	return resource->kind == RESOURCE_NET_CONN;
}

/* A request of which nobody knows on which connection it has come is taken for another process's. */
static void note_peer(const struct socket_peer *peers, size_t n, struct heap_resource *resource)
{
	const struct socket_peer *peer = socket_peer__find(peers, n, (int)resource->id);

	if (is_connection(resource))
		resource->served = peer && !peer->itself;
	else if (resource->kind == RESOURCE_REQUEST)
		resource->served = !peer || !peer->itself;
}

/* What is there for clients; where that cannot be found out, no connection is taken for one of theirs. */
static int note_clients(const struct target *target, struct heap_resources *resources)
{
	size_t n, n_fds = 0;
	struct heap_resource *all = heap_resources__of(resources, &n);
	__cleanup_free int *fds = malloc((n + 1) * sizeof(*fds));
	__cleanup_free struct socket_peer *peers = malloc((n + 1) * sizeof(*peers));
	ssize_t n_peers = 0;

	if (!fds || !peers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (is_connection(&all[i]))
			fds[n_fds++] = (int)all[i].id;
	}
	if (n_fds)
		n_peers = process__peers(target->options.proc_root, target__pid(target), fds, n_fds,
					 peers);
	for (size_t i = 0; i < n; i++)
		note_peer(peers, (size_t)max_of(n_peers, (ssize_t)0), &all[i]);
	return 0;
}

/* Armed timers of which no more is known are at one place, whichever P has them. */
static int note_armed(const struct heap_runtime *runtime, struct heap_paths *paths,
		      struct heap_resources *resources)
{
	const struct path_tree *tree = heap_paths__tree(paths);
	enum { NOT_ASKED, HAS_WAY, HAS_NONE };
	size_t n;
	struct heap_resource *all = heap_resources__of(resources, &n);
	__cleanup_free uint8_t *known = calloc(UINT16_MAX + 1, 1);
	char path[PATH_TEXT_MAX];

	if (!known)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint8_t *way = &known[all[i].node];

		if (!is_timer(all[i].kind))
			continue;
		if (*way == NOT_ASKED) {
			find_way(runtime, tree, all[i].kind, all[i].node, path);
			*way = *path ? HAS_WAY : HAS_NONE;
		}
		if (*way == HAS_NONE)
			all[i].node = PATH_NONE;
	}
	return 0;
}

/*
 * Children that had ended before the scan, and are there still: what is waited for at all is waited
 * for sooner. Those that the heap does not know of have no os.Process any more.
 */
static int note_ended(struct look *look, struct heap_resources *resources)
{
	size_t n,
		left = ended_children__keep(look->target->options.proc_root,
					    target__pid(look->target), look->ended, look->n_ended);
	struct heap_resource *all = heap_resources__of(resources, &n);
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		struct ended_child *child =
			all[i].kind == RESOURCE_PROCESS ?
				ended_children__find(look->ended, left, all[i].id) :
				NULL;

		if (!child)
			continue;
		all[i].ended = true;
		child->pid = 0;
	}
	for (size_t i = 0; i < left && !err; i++) {
		if (look->ended[i].pid)
			err = heap_resources__add_ended(resources, look->ended[i].number);
	}
	return err;
}

static int scanned(void *ctx, struct heap_scan *scan, struct heap_paths *paths)
{
	struct look *look = ctx;
	struct target_resources *r = look->target->resources;
	int err;

	look->now_ns = clock__monotonic_ns();
	err = heap_resources__take(r->census, scan, look->now_ns);
	if (!err)
		err = note_armed(look->runtime, paths, r->census);
	if (!err)
		err = note_clients(look->target, r->census);
	if (!err)
		err = note_ended(look, r->census);
	if (!err)
		target_openings__fill(look->target, r->census, scan, r->tracker);
	if (!err)
		err = target_pools__take(&r->pools, look->target, look->runtime, paths, scan,
					 target_openings__pools(look->target), look->now_ns);
	return err;
}

static int open_resources(struct target *target)
{
	if (target->resources)
		return 0;
	target->resources = calloc(1, sizeof(*target->resources));
	return target->resources ? resource_tracker__new(&target->resources->tracker) : -ENOMEM;
}

/* What the census of this look has found is added to what the others have. */
static int note_look(struct target *target, uint64_t now_ns, struct failure *failure)
{
	struct target_resources *r = target->resources;
	size_t n;
	const struct heap_resource *all = heap_resources__all(r->census, &n);
	int err;

	resource_tracker__set_watched(r->tracker, target_openings__watched_ns(target, now_ns));
	err = resource_tracker__take(r->tracker, all, n, now_ns);

	if (!err) {
		target_openings__next(target);
		target_openings__want(target, resource_tracker__wants_openers(r->tracker));
	}
	if (!err)
		err = make_lines(target);
	return err ? failure__set(failure, err, "process %d: what it has open: %s",
				  target__pid(target), strerror(-err)) :
		     0;
}

int target_resources__take(struct target *target, const struct target_view_options *options,
			   struct failure *failure)
{
	struct target_view_options view = *options;
	struct look look = {.target = target};
	int err = target_heap__runtime(target, &look.runtime, failure);

	if (err)
		return err;
	view.scanned = scanned;
	view.ready = ready;
	view.scan_ctx = &look;
	err = open_resources(target);
	if (err)
		return failure__set(failure, err, "out of memory");
	err = target_view__take(target, &view, failure);
	if (!err)
		err = note_look(target, look.now_ns, failure);
	free(look.ended);
	heap_resources__free(target->resources->census);
	target->resources->census = NULL;
	return err;
}

bool target_resources__wants_openers(const struct target *target)
{
	return target->resources && resource_tracker__wants_openers(target->resources->tracker);
}

const struct resource_lines *target_resources__get(const struct target *target)
{
	return target->resources && target->resources->lines.looks ? &target->resources->lines :
								     NULL;
}

void target_resources__close(struct target *target)
{
	struct target_resources *r = target->resources;

	if (!r)
		return;
	clear_lines(&r->lines);
	deferred_lines__release(&r->deferred);
	target_pools__release(&r->pools);
	heap_resources__free(r->census);
	resource_tracker__free(r->tracker);
	free(r);
	target->resources = NULL;
}
