// SPDX-License-Identifier: Apache-2.0
#include "cli/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/evidence_files.h"
#include "cli/patience.h"
#include "cli/trigger.h"
#include "host/access.h"
#include "session/heap/target_view.h"

/* Goroutines of a process that are looked at: what is found beside them takes as much memory again. */
#define MAX_LISTED 100000u
/* So many sites are remembered; more than that are flagged at one time by mistake. */
#define MAX_KNOWN 4096u
/* A process whose census takes longer is written without its goroutines. */
#define LISTING_NS (30 * NSEC_PER_SEC)
/* Censuses and reports wait for it. */
#define HEAP_NS	 (3 * NSEC_PER_SEC)
#define PAUSE_NS (2 * NSEC_PER_SEC)
#define LAST_NS	 (10 * NSEC_PER_SEC)

enum known_state {
	KNOWN_RISES, /* a trigger's figure is too high, and not yet for long enough */
	KNOWN_WAITS,
	KNOWN_UNDER_WAY,
	KNOWN_KEPT,
	KNOWN_FAILED, /* it is not tried again while it stays flagged */
};

/* A site that is flagged, or a trigger that is met. */
struct known {
	struct runtime_id id;
	char site[9];		       /* or the trigger's id */
	const struct trigger *trigger; /* NULL: it is a site */
	uint64_t since_ns;	       /* that it is met */
	enum known_state state;
	bool unused;  /* not so in the last report */
	char *folder; /* owned; NULL: none */
};

struct evidence {
	const struct options *options;
	char *path; /* owned: that which is open */
	struct evidence_limits limits;
	struct trigger triggers[REPORT_MAX_TRIGGERS];
	size_t n_triggers;
	struct known *known;
	size_t n, capacity;
	const struct report *report; /* NULL: gone */
	uint64_t begun_ns;	     /* of the one under way */
	uint64_t pause_end_ns;
	int failed; /* the last error that was logged */
};

static struct evidence_limits limits_of(const struct options *options)
{
	return (struct evidence_limits){options->max_evidence, options->max_evidence_size};
}

/* --- opening ------------------------------------------------------------------------------------- */

/* The texts have been checked. */
static int read_triggers(struct evidence *evidence, struct failure *failure)
{
	const struct option_list *list = &evidence->options->triggers;
	int err = 0;

	evidence->n_triggers = 0;
	for (unsigned int i = 0; i < list->n && i < REPORT_MAX_TRIGGERS && !err; i++) {
		err = trigger__parse(list->items[i], &evidence->triggers[i], failure);
		evidence->n_triggers += err ? 0 : 1;
	}
	return err;
}

int evidence__open(const struct options *options, struct evidence **ret_evidence,
		   struct failure *failure)
{
	struct access_evidence open = {
		.step = EVIDENCE_OPEN, .path = options->evidence, .limits = limits_of(options)};
	struct evidence *evidence;
	int err;

	*ret_evidence = NULL;
	if (!options->evidence)
		return 0;
	evidence = calloc(1, sizeof(*evidence));
	if (!evidence)
		return -ENOMEM;
	evidence->options = options;
	evidence->limits = open.limits;
	evidence->path = strdup(options->evidence);
	err = evidence->path ? read_triggers(evidence, failure) : -ENOMEM;
	if (!err)
		err = access__evidence(&open, failure);
	if (err) {
		evidence__close(evidence);
		return err;
	}
	*ret_evidence = evidence;
	return 0;
}

static void close_folder(void)
{
	const struct access_evidence close = {.step = EVIDENCE_CLOSE};

	/* -EBADF: it was not open. */
	(void)!access__evidence(&close, NULL);
}

void evidence__close(struct evidence *evidence)
{
	if (!evidence)
		return;
	close_folder();
	for (size_t i = 0; i < evidence->n; i++)
		free(evidence->known[i].folder);
	free(evidence->known);
	free(evidence->path);
	free(evidence);
}

/* What was kept of them the folder itself knows. */
static void forget_triggers(struct evidence *evidence)
{
	size_t kept = 0;

	for (size_t i = 0; i < evidence->n; i++) {
		struct known *known = &evidence->known[i];

		if (known->trigger)
			free(known->folder);
		else
			evidence->known[kept++] = *known;
	}
	evidence->n = kept;
}

int evidence__use(struct evidence **evidence, const struct options *options,
		  struct failure *failure)
{
	struct evidence_limits limits = limits_of(options);
	struct evidence *old = *evidence;

	if (old && options->evidence && !strcmp(old->path, options->evidence) &&
	    old->limits.items == limits.items && old->limits.bytes == limits.bytes) {
		old->options = options;
		forget_triggers(old);
		return read_triggers(old, failure);
	}
	evidence__close(old);
	return evidence__open(options, evidence, failure);
}

/* --- what is flagged, and what is met ------------------------------------------------------------- */

static struct known *find(const struct evidence *evidence, const struct runtime_id *id,
			  const char *site, const struct trigger *trigger)
{
	for (size_t i = 0; i < evidence->n; i++) {
		struct known *known = &evidence->known[i];

		if (known->trigger == trigger && !strcmp(known->site, site) &&
		    runtime_id__same(&known->id, id))
			return known;
	}
	return NULL;
}

static const char *folder_of(void *ctx, const struct runtime_id *id, const char *site)
{
	const struct known *known = ctx ? find(ctx, id, site, NULL) : NULL;

	return known ? known->folder : NULL;
}

/* NULL: there is no room. */
static struct known *add(struct evidence *evidence, const struct runtime_id *id, const char *site,
			 const struct trigger *trigger, enum known_state state)
{
	struct known *known;

	if (evidence->n == MAX_KNOWN ||
	    !array__reserve(evidence->known, evidence->capacity, evidence->n + 1))
		return NULL;
	known = &evidence->known[evidence->n++];
	*known = (struct known){.id = *id, .trigger = trigger, .state = state};
	memcpy(known->site, site, sizeof(known->site));
	return known;
}

static void note_site(struct evidence *evidence, const struct runtime_id *id, const char *site)
{
	struct known *known = find(evidence, id, site, NULL);

	if (!known)
		known = add(evidence, id, site, NULL, KNOWN_WAITS);
	if (known)
		known->unused = false;
}

static struct known *note_met(struct evidence *evidence, const struct runtime_id *id,
			      const struct trigger *trigger, uint64_t now_ns)
{
	struct known *known = find(evidence, id, trigger->id, trigger);

	if (!known) {
		known = add(evidence, id, trigger->id, trigger, KNOWN_RISES);
		if (!known)
			return NULL;
		known->since_ns = now_ns;
	}
	known->unused = false;
	if (known->state == KNOWN_RISES && now_ns - known->since_ns >= trigger->for_ns)
		known->state = KNOWN_WAITS;
	return known;
}

static size_t triggers_of(void *ctx, const struct runtime_id *id,
			  const struct report_target *target, uint64_t now_ns,
			  struct report_trigger *triggers, size_t max)
{
	struct evidence *evidence = ctx;
	size_t n = 0;

	for (size_t i = 0; evidence && i < evidence->n_triggers && n < max; i++) {
		const struct trigger *trigger = &evidence->triggers[i];
		bool met = trigger__is_met(trigger, target);
		const struct known *known = met ? note_met(evidence, id, trigger, now_ns) :
						  find(evidence, id, trigger->id, trigger);

		if (known && known->state != KNOWN_RISES)
			triggers[n++] = (struct report_trigger){trigger->text, met, known->folder};
	}
	return n;
}

const struct report_evidence_ops evidence_ops = {.folder = folder_of, .triggers = triggers_of};

/* What is under way is written all the same, it was so; and so is what a trigger waits for its turn with. */
static bool is_to_stay(const struct known *known)
{
	return !known->unused || known->state == KNOWN_UNDER_WAY ||
	       (known->trigger && known->state == KNOWN_WAITS);
}

static void forget_unused(struct evidence *evidence)
{
	size_t kept = 0;

	for (size_t i = 0; i < evidence->n; i++) {
		struct known *known = &evidence->known[i];

		if (!is_to_stay(known)) {
			free(known->folder);
			continue;
		}
		evidence->known[kept] = *known;
		evidence->known[kept++].unused = true;
	}
	evidence->n = kept;
}

void evidence__forget_report(struct evidence *evidence)
{
	if (!evidence || !evidence->report)
		return;
	evidence->report = NULL;
	/* It has named their folders; the next says what is so from now on. */
	forget_unused(evidence);
}

/* Findings, where nothing else was asked for. */
static bool is_wanted(const struct evidence *evidence, const struct report_site *site)
{
	for (size_t i = 0; i < evidence->n_triggers; i++) {
		if (trigger__wants(&evidence->triggers[i], site))
			return report__leads(site);
	}
	return !evidence->n_triggers && report__flagged(site) && report__leads(site);
}

void evidence__note(struct evidence *evidence, const struct session *session,
		    const struct report *report)
{
	if (!evidence)
		return;
	evidence->report = report;
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];
		struct runtime_id id = target__id(session__target(session, t));

		for (size_t i = 0; i < target->n_sites; i++) {
			if (is_wanted(evidence, &target->sites[i]))
				note_site(evidence, &id, target->sites[i].id);
		}
	}
}

/* --- one of them --------------------------------------------------------------------------------- */

static struct target *find_target(const struct session *session, const struct runtime_id *id)
{
	for (size_t i = 0; i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);
		struct runtime_id own = target__id(target);

		if (runtime_id__same(&own, id))
			return target;
	}
	return NULL;
}

static const struct report_site *find_site(const struct report_target *target, const char *id)
{
	for (size_t i = 0; i < target->n_sites; i++) {
		if (!strcmp(target->sites[i].id, id))
			return &target->sites[i];
	}
	return NULL;
}

/* False: the report does not have it any more. */
static bool find_reported(const struct evidence *evidence, const struct known *known,
			  struct evidence_finding *ret_finding)
{
	const struct report *report = evidence->report;

	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];
		const struct report_site *site = NULL;

		if (target->pid != known->id.process.pid || target->runtime != known->id.moduledata)
			continue;
		if (!known->trigger)
			site = find_site(target, known->site);
		if (!site && !known->trigger)
			continue;
		*ret_finding =
			(struct evidence_finding){.report = report, .target = target, .site = site};
		return true;
	}
	return false;
}

static void fail(struct evidence *evidence, struct known *known, int err)
{
	known->state = KNOWN_FAILED;
	if (err != evidence->failed)
		log_warn("--evidence: %s: of process %d nothing is kept: %s", evidence->path,
			 known->id.process.pid,
			 err == -EFBIG ? "it is larger than --max-evidence-size allows" :
					 strerror(-err));
	evidence->failed = err;
}

static void set_folder(const struct evidence *evidence, struct known *known, const char *name)
{
	known->state = KNOWN_KEPT;
	/* Without memory it is kept and not named. */
	if (asprintf(&known->folder, "%s/%s", evidence->path, name) < 0)
		known->folder = NULL;
}

/* True: a census has begun. */
static bool begin(struct evidence *evidence, struct known *known, struct session *session,
		  uint64_t now_ns)
{
	struct target *target = find_target(session, &known->id);
	char name[EVIDENCE_NAME_SIZE] = "";
	const struct access_evidence begin = {
		.step = EVIDENCE_BEGIN,
		.pid = known->id.process.pid,
		.site = (uint32_t)strtoul(known->site, NULL, 16),
		.name = name,
	};
	int err = access__evidence(&begin, NULL);
	struct failure failure;

	if (err == -EEXIST && *name) {
		set_folder(evidence, known, name);
		return false;
	}
	if (err) {
		fail(evidence, known, err);
		return false;
	}
	known->state = KNOWN_UNDER_WAY;
	evidence->begun_ns = now_ns;
	if (!target || target__state(target) != TARGET_LIVE ||
	    target__list_once(target, MAX_LISTED))
		return false;
	/* What is wrong with it the next round will tell. */
	return !session__census_start_of(session, target, &failure) &&
	       target__census_under_way(target);
}

static bool look_at_heap(const struct options *options, struct rounds *rounds,
			 struct target *target)
{
	struct patience patience = {
		.rounds = rounds,
		.end_ns = clock__monotonic_ns() + HEAP_NS,
		.unto_end = true,
	};
	const struct target_view_options view = {
		.max_memory = options->max_memory,
		.interrupted = patience__is_over,
		.ctx = &patience,
	};
	struct failure failure;
	int err;

	if (options->no_heap || !target || target__state(target) != TARGET_LIVE ||
	    target_view__get(target))
		return false;
	err = target_view__take(target, &view, &failure);
	if (err == -EINTR)
		log_debug("evidence of process %d: its heap takes too long to read",
			  target__pid(target));
	else if (err)
		log_debug("evidence: %s", failure.text);
	return !err;
}

static int write_files(const struct evidence *evidence, const struct known *known,
		       struct rounds *rounds, struct target *target)
{
	const struct goroutine_list *list = target ? target__listed_once(target) : NULL;
	bool heap = look_at_heap(evidence->options, rounds, target);
	struct report_target with_heap;
	struct evidence_finding finding;
	int err;

	if (!find_reported(evidence, known, &finding))
		return -ENOENT;
	if (list)
		finding.goroutines = goroutine_list__list(list, &finding.n_goroutines);
	with_heap = *finding.target;
	with_heap.heap = heap ? target_view__get(target) : NULL;
	finding.target = &with_heap;
	err = evidence_files__write(&finding);
	if (target)
		target_view__release(target);
	return err;
}

static void tell_trigger(const struct known *known, const struct report_target *target)
{
	char figure[TRIGGER_FIGURE_SIZE];
	uint64_t n = 0;

	trigger__figure(known->trigger, target, &n);
	trigger__figure_text(known->trigger, n, figure);
	log_info("process %d (%s): %s: it is %s now; what is known of it is kept in %s",
		 target->pid, target->comm, known->trigger->text, figure,
		 report__text(known->folder));
}

static void tell_kept(const struct evidence *evidence, const struct known *known)
{
	struct evidence_finding finding;

	if (!find_reported(evidence, known, &finding))
		return;
	if (known->trigger) {
		tell_trigger(known, finding.target);
		return;
	}
	log_info("process %d (%s): %s is %s; what is known of it is kept in %s",
		 finding.target->pid, finding.target->comm,
		 report__text(finding.site->start_function),
		 verdict__name(finding.site->view.verdict), report__text(known->folder));
}

static void finish(struct evidence *evidence, struct known *known, struct rounds *rounds,
		   struct target *target, uint64_t now_ns)
{
	char name[EVIDENCE_NAME_SIZE] = "";
	int err = write_files(evidence, known, rounds, target);

	if (target)
		target__forget_list(target);
	if (!err)
		err = access__evidence(
			&(struct access_evidence){.step = EVIDENCE_KEEP, .name = name}, NULL);
	else
		(void)!access__evidence(&(struct access_evidence){.step = EVIDENCE_DISCARD}, NULL);
	evidence->pause_end_ns = now_ns + PAUSE_NS;
	if (err) {
		fail(evidence, known, err);
		return;
	}
	evidence->failed = 0;
	set_folder(evidence, known, name);
	tell_kept(evidence, known);
}

/* --- one after the other ------------------------------------------------------------------------- */

static struct known *first_in(const struct evidence *evidence, enum known_state state)
{
	for (size_t i = 0; i < evidence->n; i++) {
		if (evidence->known[i].state == state)
			return &evidence->known[i];
	}
	return NULL;
}

/* Whether all is there that will be. */
static bool is_complete(const struct evidence *evidence, const struct target *target,
			uint64_t now_ns)
{
	return !target || target__state(target) != TARGET_LIVE || target__listed_once(target) ||
	       now_ns - evidence->begun_ns >= LISTING_NS;
}

bool evidence__step(struct evidence *evidence, struct rounds *rounds, uint64_t now_ns)
{
	struct known *known;
	struct target *target;

	if (!evidence || !evidence->report)
		return false;
	known = first_in(evidence, KNOWN_UNDER_WAY);
	if (known) {
		target = find_target(rounds->session, &known->id);
		if (is_complete(evidence, target, now_ns))
			finish(evidence, known, rounds, target, now_ns);
		return false;
	}
	known = now_ns < evidence->pause_end_ns ? NULL : first_in(evidence, KNOWN_WAITS);
	return known && begin(evidence, known, rounds->session, now_ns);
}

void evidence__finish(struct evidence *evidence, struct rounds *rounds)
{
	uint64_t now_ns = clock__monotonic_ns(), end_ns = now_ns + LAST_NS;
	struct failure failure;

	while (evidence && now_ns < end_ns &&
	       (first_in(evidence, KNOWN_UNDER_WAY) || first_in(evidence, KNOWN_WAITS))) {
		evidence->pause_end_ns = 0;
		evidence__step(evidence, rounds, now_ns);
		while (session__census_step(rounds->session, SESSION_SLICE_NS, &failure) == 1 &&
		       clock__monotonic_ns() < end_ns)
			;
		now_ns = clock__monotonic_ns();
	}
}
