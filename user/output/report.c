// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"

const char *report_end__words(enum report_end end)
{
	switch (end) {
	case REPORT_GOES_ON:
		return "";
	case REPORT_ONCE:
		return "once";
	case REPORT_PROOF:
		return "proof";
	case REPORT_INTERRUPTED:
		return "interrupted";
	case REPORT_TERMINATED:
		return "terminated";
	case REPORT_DURATION_OVER:
		return "duration over";
	case REPORT_TARGET_EXITED:
		return "target exited";
	case REPORT_TARGET_EXECUTED:
		return "target executed another program";
	case REPORT_NOTHING_TO_EXPLAIN:
		return "nothing to explain";
	}
	return "";
}

const char *report__due(uint64_t due_ns, char out[REPORT_DUE_SIZE])
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(due_ns, time);
	snprintf(out, REPORT_DUE_SIZE, "due at %.8s UTC if it goes on",
		 time + sizeof("2026-01-02T") - 1);
	return out;
}

const char *report__why(const struct report_site *site, size_t i, char out[REPORT_WHY_SIZE])
{
	char due[REPORT_DUE_SIZE];

	if (i || !site->due_ns || site->view.verdict != VERDICT_GROWING)
		return site->view.why[i];
	snprintf(out, REPORT_WHY_SIZE, "%s: %s", report__text(site->view.why[i]),
		 report__due(site->due_ns, due));
	return out;
}

const char *report__named_by(const struct report_target *target)
{
	const struct report_claims *claims = &target->claims;
	const char *const all[] = {claims->exe_elsewhere ? claims->exe : "", claims->unit,
				   claims->container_id, claims->pod_uid};

	/* That what runs in a container has its own files goes without saying. */
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (!strncmp(report__text(all[i]), "user ", 5))
			return all[i];
	}
	return "";
}

bool report__waits_for(const struct report_site *site, const struct report_lock *lock)
{
	for (size_t i = 0; i < lock->n_sites; i++) {
		if (!strcmp(lock->sites[i], site->id))
			return true;
	}
	return false;
}

bool report__holds(const struct report_site *site, const struct report_lock *lock)
{
	for (size_t i = 0; i < lock->n_holders; i++) {
		if (!strcmp(lock->holders[i].site, site->id))
			return true;
	}
	return false;
}

const struct report_lock *report__lock_at(const struct report_site *site, uint64_t address)
{
	for (size_t i = 0; i < site->n_locks; i++) {
		if (site->locks[i].address == address)
			return &site->locks[i];
	}
	return NULL;
}

/* "ssh.NewClient" of "golang.org/x/crypto/ssh.NewClient". */
static const char *without_path(const char *function)
{
	const char *slash = strrchr(function, '/');

	return slash ? slash + 1 : function;
}

/* The meaning of @site, else what started it, else what it runs. */
static const char *name_of(const struct report_site *site)
{
	if (*report__text(site->meaning))
		return site->meaning;
	if (report__frame_known(&site->created_by) && site->finding && site->finding->n_sites > 1)
		return without_path(site->created_by.function);
	return without_path(report__text(site->start_function));
}

/* "12 wait for one rwmutex, which goroutine 41 seems to hold" */
static const char *what_of_lock(const struct report_lock *lock, char out[REPORT_WHAT_SIZE])
{
	char waiters[NUMBER_COUNT_SIZE];
	int used;

	number__count(lock->waiters, waiters);
	used = snprintf(out, REPORT_WHAT_SIZE, "%s%s wait%s for one %s",
			lock->more_waiters ? "more than " : "", waiters,
			lock->waiters == 1 && !lock->more_waiters ? "s" : "",
			wait_object_kind__name(lock->kind));
	if (lock->n_holders && lock->kind == WAIT_OBJECT_CHANNEL)
		snprintf(out + used, REPORT_WHAT_SIZE - (size_t)used,
			 ", whose other end goroutine %" PRIu64 "%s seems to be",
			 lock->holders[0].goid, lock->n_holders > 1 ? " or another" : "");
	else if (lock->n_holders)
		snprintf(out + used, REPORT_WHAT_SIZE - (size_t)used,
			 ", which goroutine %" PRIu64 "%s seems to hold", lock->holders[0].goid,
			 lock->n_holders > 1 ? " or another" : "");
	return out;
}

const char *report_finding__what(const struct report_finding *finding, char out[REPORT_WHAT_SIZE])
{
	char units[NUMBER_COUNT_SIZE], each[NUMBER_COUNT_SIZE];

	if (finding->lock)
		return what_of_lock(finding->lock, out);
	number__count(finding->units, units);
	snprintf(out, REPORT_WHAT_SIZE, "%s × %s", units, name_of(finding->sites[0]));
	if (finding->n_sites > 1 && finding->units) {
		size_t used = strlen(out);

		number__count((finding->goroutines + finding->units / 2) / finding->units, each);
		snprintf(out + used, REPORT_WHAT_SIZE - used, ": %s goroutines each", each);
	}
	return out;
}

const char *report_alloc_by__name(enum report_alloc_by by)
{
	static const char *const names[] = {
		[REPORT_ALLOC_BY_ALL] = "all",
		[REPORT_ALLOC_BY_SITE] = "site",
		[REPORT_ALLOC_BY_TYPE] = "type",
		[REPORT_ALLOC_BY_HOLDER] = "holder",
		[REPORT_ALLOC_BY_GOROUTINE] = "goroutine",
		[REPORT_ALLOC_BY_CREATION] = "creation",
		[REPORT_ALLOC_BY_LABEL] = "label",
	};

	return names[by];
}
