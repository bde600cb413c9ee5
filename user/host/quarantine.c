// SPDX-License-Identifier: Apache-2.0
#include "host/quarantine.h"

#include <string.h>

#include "host/access_guard.h"
#include "host/owner.h"

static void forget_at(struct quarantine *quarantine, size_t i)
{
	quarantine->n--;
	memmove(&quarantine->entries[i], &quarantine->entries[i + 1],
		(quarantine->n - i) * sizeof(quarantine->entries[0]));
}

static void forget_old(struct quarantine *quarantine, uint64_t now_ns)
{
	for (size_t i = quarantine->n; i-- > 0;) {
		if (now_ns >= quarantine->entries[i].until_ns)
			forget_at(quarantine, i);
	}
}

void quarantine__put(struct quarantine *quarantine, pid_t pid, uint64_t now_ns)
{
	struct process_id id = {.pid = pid};
	struct quarantine_entry *entry;
	uid_t uid = 0;

	forget_old(quarantine, now_ns);
	if (quarantine->n == QUARANTINE_MAX)
		forget_at(quarantine, 0);
	/* Of one that has ended nothing more is known, and nothing will be asked. */
	(void)!process__identify(PROC_ROOT, pid, &id, &uid);
	entry = &quarantine->entries[quarantine->n++];
	*entry = (struct quarantine_entry){
		.id = id,
		.owner = owner__of(PROC_ROOT, pid, uid),
		.until_ns = now_ns + ACCESS_GUARD_QUARANTINE_NS,
	};
}

static size_t strikes(const struct quarantine *quarantine, uid_t owner)
{
	size_t n = 0;

	for (size_t i = 0; i < quarantine->n && !owner__is_host(owner); i++)
		n += quarantine->entries[i].owner == owner;
	return n;
}

static bool has_owner(const struct quarantine *quarantine, pid_t pid)
{
	struct process_id id;
	uid_t uid;

	for (size_t i = 0; i < quarantine->n; i++) {
		if (strikes(quarantine, quarantine->entries[i].owner) < QUARANTINE_STRIKES)
			continue;
		return !process__identify(PROC_ROOT, pid, &id, &uid) &&
		       strikes(quarantine, owner__of(PROC_ROOT, pid, uid)) >= QUARANTINE_STRIKES;
	}
	return false;
}

bool quarantine__has(struct quarantine *quarantine, pid_t pid, uint64_t now_ns)
{
	forget_old(quarantine, now_ns);
	for (size_t i = 0; i < quarantine->n; i++) {
		const struct quarantine_entry *entry = &quarantine->entries[i];

		if (entry->id.pid == pid && process__same(PROC_ROOT, entry->id))
			return true;
	}
	return has_owner(quarantine, pid);
}

size_t quarantine__count(struct quarantine *quarantine, uint64_t now_ns)
{
	forget_old(quarantine, now_ns);
	return quarantine->n;
}

static bool is_known(const struct quarantine *quarantine, const struct process_id *id)
{
	for (size_t i = 0; i < quarantine->n; i++) {
		if (quarantine->entries[i].id.pid == id->pid &&
		    quarantine->entries[i].id.start_time == id->start_time)
			return true;
	}
	return false;
}

void quarantine__resume(struct quarantine *quarantine, const struct quarantine_entry *entry,
			uint64_t now_ns)
{
	forget_old(quarantine, now_ns);
	/* One that has ended counts as well: of its user. */
	if (entry->until_ns <= now_ns || quarantine->n == QUARANTINE_MAX ||
	    is_known(quarantine, &entry->id))
		return;
	quarantine->entries[quarantine->n] = *entry;
	quarantine->entries[quarantine->n++].until_ns =
		min_of(entry->until_ns, now_ns + ACCESS_GUARD_QUARANTINE_NS);
}
