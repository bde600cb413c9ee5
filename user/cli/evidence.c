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
#include "host/access.h"
#include "session/target_view.h"

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
	KNOWN_WAITS,
	KNOWN_UNDER_WAY,
	KNOWN_KEPT,
	KNOWN_FAILED, /* it is not tried again while it stays flagged */
};

/* A site that is flagged. */
struct known {
	struct runtime_id id;
	char site[9];
	enum known_state state;
	bool unused;  /* not flagged in the last report */
	char *folder; /* owned; NULL: none */
};

struct evidence {
	const struct options *options;
	char *path; /* owned: that which is open */
	struct evidence_limits limits;
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
	err = evidence->path ? access__evidence(&open, failure) : -ENOMEM;
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

int evidence__use(struct evidence **evidence, const struct options *options,
		  struct failure *failure)
{
	struct evidence_limits limits = limits_of(options);
	struct evidence *old = *evidence;

	if (old && options->evidence && !strcmp(old->path, options->evidence) &&
	    old->limits.items == limits.items && old->limits.bytes == limits.bytes) {
		old->options = options;
		return 0;
	}
	evidence__close(old);
	return evidence__open(options, evidence, failure);
}

/* --- what is flagged ----------------------------------------------------------------------------- */

static struct known *find(const struct evidence *evidence, const struct runtime_id *id,
			  const char *site)
{
	for (size_t i = 0; i < evidence->n; i++) {
		struct known *known = &evidence->known[i];

		if (runtime_id__same(&known->id, id) && !strcmp(known->site, site))
			return known;
	}
	return NULL;
}

const char *evidence__folder(void *ctx, const struct runtime_id *id, const char *site)
{
	const struct known *known = ctx ? find(ctx, id, site) : NULL;

	return known ? known->folder : NULL;
}

static void note_site(struct evidence *evidence, const struct runtime_id *id, const char *site)
{
	struct known *known = find(evidence, id, site);

	if (!known) {
		if (evidence->n == MAX_KNOWN ||
		    !array__reserve(evidence->known, evidence->capacity, evidence->n + 1))
			return;
		known = &evidence->known[evidence->n++];
		*known = (struct known){.id = *id};
		memcpy(known->site, site, sizeof(known->site));
	}
	known->unused = false;
}

static void forget_unused(struct evidence *evidence)
{
	size_t kept = 0;

	for (size_t i = 0; i < evidence->n; i++) {
		struct known *known = &evidence->known[i];

		/* What is under way is written all the same: it was so. */
		if (known->unused && known->state != KNOWN_UNDER_WAY) {
			free(known->folder);
			continue;
		}
		evidence->known[kept++] = *known;
	}
	evidence->n = kept;
}

void evidence__forget_report(struct evidence *evidence)
{
	if (!evidence)
		return;
	evidence->report = NULL;
	/* It has named their folders. */
	forget_unused(evidence);
}

void evidence__note(struct evidence *evidence, const struct session *session,
		    const struct report *report)
{
	if (!evidence)
		return;
	evidence->report = report;
	for (size_t i = 0; i < evidence->n; i++)
		evidence->known[i].unused = true;
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];
		struct runtime_id id = target__id(session__target(session, t));

		for (size_t i = 0; i < target->n_sites; i++) {
			if (report__flagged(&target->sites[i]) && report__leads(&target->sites[i]))
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

/* False: the report does not have it any more. */
static bool find_reported(const struct evidence *evidence, const struct known *known,
			  struct evidence_finding *ret_finding)
{
	const struct report *report = evidence->report;

	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		if (target->pid != known->id.process.pid || target->runtime != known->id.moduledata)
			continue;
		for (size_t i = 0; i < target->n_sites; i++) {
			if (strcmp(target->sites[i].id, known->site) != 0)
				continue;
			*ret_finding = (struct evidence_finding){
				.report = report, .target = target, .site = &target->sites[i]};
			return true;
		}
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

static void tell_kept(const struct evidence *evidence, const struct known *known)
{
	struct evidence_finding finding;

	if (!find_reported(evidence, known, &finding))
		return;
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
