// SPDX-License-Identifier: Apache-2.0
#include "session/resources/target_openings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "naming/site_frames.h"
#include "session/resources/openings_private.h"
#include "session/target_internal.h"

#define MAX_STACKS  (1u << 16)
#define MAX_OPENERS (1u << 14)

/* Things whose words are read in one look to find out by what they are known. */
#define MAX_READ 2048

/* A program that has used its pools so little in that time will not be watched for ever for it. */
#define POOL_ENOUGH_NS (600 * NSEC_PER_SEC)

/* --- openers --------------------------------------------------------------------------------------- */

/* "net/http.(*Server).Serve": how much of it is the path of the package, with what begins its last part. */
static size_t package_length(const char *function)
{
	const char *slash = strrchr(function, '/');
	const char *dot = strchr(slash ? slash : function, '.');

	return dot ? (size_t)(dot - function) : strlen(function);
}

static bool is_same_package(const char *a, const char *b)
{
	size_t length = package_length(a);

	return length == package_length(b) && !memcmp(a, b, length);
}

/* The program's own line; else the first that is not of the package that opens it. */
static const struct report_frame *opening_line(const struct site_frames *frames)
{
	const char *opens = report__text(frames->stack[0].function);

	if (frames->blocked_at.own)
		return &frames->blocked_at;
	for (size_t i = 1; i < frames->n_stack; i++) {
		if (!is_same_package(opens, report__text(frames->stack[i].function)))
			return &frames->stack[i];
	}
	return &frames->blocked_at;
}

static uint64_t key_of(const struct report_frame *line)
{
	const char *function = report__text(line->function), *file = report__text(line->file);
	uint64_t hash = hash__keyed(function, strlen(function));

	return hash__combine(hash__combine(hash, hash__keyed(file, strlen(file))), line->line);
}

static bool is_same_function(const struct report_frame *a, const struct report_frame *b)
{
	return !strcmp(report__text(a->function), report__text(b->function)) &&
	       !strcmp(report__text(a->file), report__text(b->file));
}

static int add_opener(struct target_openings *openings, const struct site_frames *frames,
		      const struct report_frame *line)
{
	struct report_frame *copy = malloc((frames->n_stack + 1) * sizeof(*copy));
	uint32_t of_function = 0;
	int err = copy && array__reserve(openings->openers, openings->openers_capacity,
					 openings->n_openers + 1) ?
			  0 :
			  -ENOMEM;

	if (!err)
		err = index__add(openings->by_key, key_of(line), (uint32_t)openings->n_openers);
	if (err) {
		free(copy);
		return err;
	}
	while (of_function < openings->n_openers &&
	       !is_same_function(&openings->openers[of_function].frames[0], line))
		of_function++;
	copy[0] = *line;
	memcpy(&copy[1], frames->stack, frames->n_stack * sizeof(*copy));
	openings->openers[openings->n_openers++] = (struct opener){
		.key = key_of(line),
		.of_function = of_function + 1,
		.frames = copy,
		.n_stack = frames->n_stack,
	};
	return 0;
}

/* 0: it has no name, or there are too many. */
static uint32_t opener_of_frames(struct target_openings *openings, const struct site_frames *frames)
{
	const struct report_frame *line = opening_line(frames);
	struct index_search search = index__search(openings->by_key, key_of(line));

	while (index__next(&search)) {
		if (openings->openers[search.number].key == key_of(line))
			return search.number + 1;
	}
	if (!report__frame_known(line) || add_opener(openings, frames, line))
		return 0;
	return (uint32_t)openings->n_openers;
}

static uint32_t opener_of_stack(struct target *target, uint32_t stack)
{
	struct target_openings *openings = target->openings;
	struct site_frames *frames;

	if (stack == STACK_ID_NONE || stack == STACK_ID_OTHER)
		return 0;
	if (stack < openings->n_of_stack && openings->of_stack[stack])
		return openings->of_stack[stack];
	if (!array__reserve(openings->of_stack, openings->of_stack_capacity, (size_t)stack + 1))
		return 0;
	for (; openings->n_of_stack <= stack; openings->n_of_stack++)
		openings->of_stack[openings->n_of_stack] = 0;
	frames = malloc(sizeof(*frames));
	if (!frames)
		return 0;
	site_frames__resolve(target__symbolizer(target), openings->stacks, 0, 0, stack, frames);
	openings->of_stack[stack] = opener_of_frames(openings, frames);
	free(frames);
	return openings->of_stack[stack];
}

struct resource_opened_at target_openings__at(const struct target *target, uint32_t number)
{
	const struct target_openings *openings = target->openings;
	const struct opener *opener;

	if (!openings || !number || number > openings->n_openers)
		return (struct resource_opened_at){0};
	opener = &openings->openers[number - 1];
	return (struct resource_opened_at){
		.at = &opener->frames[0],
		.stack = &opener->frames[1],
		.n_stack = opener->n_stack,
	};
}

/* --- hits ------------------------------------------------------------------------------------------ */

/* Get and Put are told apart by functions, and are to be seen for the same time. */
static void note_use(struct target_openings *openings, const struct gl_alloc *record,
		     uint32_t opener)
{
	const struct open_lane *lane = &openings->lanes[OPEN_WATCH_POOLS];
	bool put = GL_ALLOC_OPEN_FUNCTION(record->type) == OPEN_POOL_PUT;

	if (record->time_ns < lane->opened_ns ||
	    (lane->closed_ns && record->time_ns > lane->closed_ns))
		return;
	if (opener)
		opener = openings->openers[opener - 1].of_function;
	(void)!pool_uses__note(openings->pools, record->object, opener, put);
}

void target_openings__take(struct target *target, const struct gl_alloc *record)
{
	struct target_openings *openings = target->openings;
	unsigned int function = GL_ALLOC_OPEN_FUNCTION(record->type);
	uint64_t pcs[GL_ALLOC_STACK], object;
	uint32_t opener;

	bool of_pools = function == OPEN_POOL_GET || function == OPEN_POOL_PUT;

	openings->lanes[of_pools ? OPEN_WATCH_POOLS : OPEN_WATCH_OPENINGS].records++;
	if (function >= OPEN_FUNCTIONS || !record->object)
		return;
	for (size_t i = 0; i < record->n_pcs; i++)
		pcs[i] = target__module_pc(target, record->pcs[i]);
	opener = opener_of_stack(target, stack_table__intern(openings->stacks, pcs, record->n_pcs));
	/* Without memory for it less is known. */
	if (of_pools) {
		note_use(openings, record, opener);
		return;
	}
	object = open_function__object((enum open_function)function, record->object,
				       go_binary__layout(target->executable->binary)->minor);
	if (opener)
		(void)!openings__note(openings->seen, (enum open_function)function, object, opener);
}

double target_openings__spent_ns(const struct target_openings *openings,
				 const struct open_lane *lane)
{
	return (double)lane->counts.hits * openings->cost.hit_ns +
	       (double)(lane->records + lane->counts.lost) * openings->cost.record_ns;
}

/* --- looks ----------------------------------------------------------------------------------------- */

struct lead {
	const struct openings *seen;
	unsigned int functions;
	uint32_t opener;
};

static bool is_lead(void *ctx, uint64_t word)
{
	struct lead *lead = ctx;

	lead->opener = openings__find(lead->seen, lead->functions, word);
	return lead->opener;
}

/* Behind a header its value has an address of its own. */
static uint32_t known_by_itself(const struct openings *seen, const struct heap_resource *resource)
{
	unsigned int functions = openings__of_itself(resource->kind);
	uint32_t opener = openings__find(seen, functions, resource->object);

	if (!opener && resource->value != resource->object)
		opener = openings__find(seen, functions, resource->value);
	if (!opener && resource->id)
		opener = openings__find(seen, openings__of_id(resource->kind), resource->id);
	return opener;
}

void target_openings__fill(struct target *target, struct heap_resources *resources,
			   struct heap_scan *scan, const struct resource_tracker *tracker)
{
	struct target_openings *openings = target->openings;
	struct heap_resource *all;
	size_t n, read = 0;

	if (!openings)
		return;
	open_watch__drain(openings->watch);
	if (openings__is_empty(openings->seen))
		return;
	all = heap_resources__of(resources, &n);
	for (size_t i = 0; i < n; i++) {
		struct lead lead = {openings->seen, openings__of_what_it_leads_to(all[i].kind), 0};

		if (resource_tracker__knows(tracker, &all[i]))
			continue;
		all[i].opener = known_by_itself(openings->seen, &all[i]);
		if (all[i].opener || !lead.functions || read == MAX_READ)
			continue;
		read++;
		if (heap_resources__find_lead(resources, scan, &all[i], is_lead, &lead))
			all[i].opener = lead.opener;
	}
}

static uint64_t watched_ns(const struct open_lane *lane, uint64_t now_ns)
{
	return lane->watched_ns +
	       (lane->attached && now_ns > lane->opened_ns ? now_ns - lane->opened_ns : 0);
}

void target_openings__want(struct target *target, bool wanted)
{
	struct target_openings *openings = target->openings;

	if (!openings)
		return;
	openings->lanes[OPEN_WATCH_OPENINGS].wanted = wanted;
	openings->lanes[OPEN_WATCH_POOLS].wanted =
		pool_uses__count(openings->pools) < POOL_ENOUGH_USES &&
		watched_ns(&openings->lanes[OPEN_WATCH_POOLS], clock__monotonic_ns()) <
			POOL_ENOUGH_NS;
}

void target_openings__next(struct target *target)
{
	if (target->openings)
		openings__next(target->openings->seen);
}

uint64_t target_openings__watched_ns(const struct target *target, uint64_t now_ns)
{
	const struct target_openings *openings = target->openings;

	return openings ? watched_ns(&openings->lanes[OPEN_WATCH_OPENINGS], now_ns) : 0;
}

uint64_t target_openings__cost_ns(const struct target *target)
{
	const struct target_openings *openings = target->openings;
	double ns = 0;

	for (size_t i = 0; openings && i < OPEN_WATCHED; i++)
		ns += target_openings__spent_ns(openings, &openings->lanes[i]);
	return (uint64_t)ns;
}

const struct pool_uses *target_openings__pools(const struct target *target)
{
	return target->openings ? target->openings->pools : NULL;
}

bool target_openings__get(const struct target *target, struct resource_openings *ret_openings)
{
	const struct target_openings *openings = target->openings;
	const struct open_lane *opens, *pools;

	if (!openings)
		return false;
	opens = &openings->lanes[OPEN_WATCH_OPENINGS];
	pools = &openings->lanes[OPEN_WATCH_POOLS];
	*ret_openings = (struct resource_openings){
		.windows = opens->n_windows,
		.seen = opens->records,
		.lost = opens->counts.lost + openings__refused(openings->seen),
		.cost_ns = (uint64_t)target_openings__spent_ns(openings, opens),
		.pool_windows = pools->n_windows,
		.pool_seen = pools->records,
		.pool_lost = pools->counts.lost + pool_uses__refused(openings->pools),
		.pool_cost_ns = (uint64_t)target_openings__spent_ns(openings, pools),
		.missing = opens->missing.text,
	};
	return true;
}

/* --- its life -------------------------------------------------------------------------------------- */

int target_openings__open(struct target *target, struct open_watch *watch)
{
	struct target_openings *openings = calloc(1, sizeof(*openings));
	int err;

	if (!openings)
		return -ENOMEM;
	target->openings = openings;
	openings->watch = watch;
	err = openings__new(&openings->seen);
	if (!err)
		err = pool_uses__new(&openings->pools);
	for (size_t i = 0; i < OPEN_WATCHED && !err; i++) {
		struct open_lane *lane = &openings->lanes[i];

		lane->modules = calloc(ALLOC_MAX_MODULES, sizeof(*lane->modules));
		err = lane->modules ? 0 : -ENOMEM;
	}
	if (!err)
		err = stack_table__new(MAX_STACKS, &openings->stacks);
	if (!err)
		err = index__new(MAX_OPENERS, &openings->by_key);
	return err;
}

void target_openings__close(struct target *target)
{
	struct target_openings *openings = target->openings;

	if (!openings)
		return;
	open_watch__forget(openings->watch, target);
	for (size_t i = 0; i < OPEN_WATCHED; i++) {
		struct open_lane *lane = &openings->lanes[i];

		alloc_modules__detach(&(struct alloc_modules){lane->modules, lane->n_modules});
		free(lane->modules);
	}
	openings__free(openings->seen);
	pool_uses__free(openings->pools);
	stack_table__free(openings->stacks);
	index__free(openings->by_key);
	for (size_t i = 0; i < openings->n_openers; i++)
		free(openings->openers[i].frames);
	free(openings->openers);
	free(openings->of_stack);
	free(openings);
	target->openings = NULL;
}
