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
		struct quarantine_entry *entry = &quarantine->entries[i];

		if (entry->waits)
			entry->until_ns =
				max_of(entry->until_ns, now_ns + ACCESS_GUARD_QUARANTINE_NS);
		else if (now_ns >= entry->until_ns)
			forget_at(quarantine, i);
	}
}

/* Of those that nobody waits for; there are fewer who may wait than entries. */
static void forget_oldest(struct quarantine *quarantine)
{
	size_t i = 0;

	while (i + 1 < quarantine->n && quarantine->entries[i].waits)
		i++;
	forget_at(quarantine, i);
}

struct process_id quarantine__put(struct quarantine *quarantine, pid_t pid, uint64_t now_ns)
{
	struct process_id id = {.pid = pid};
	struct quarantine_entry *entry;
	uid_t uid = 0;

	forget_old(quarantine, now_ns);
	if (quarantine->n == QUARANTINE_MAX)
		forget_oldest(quarantine);
	/* Of one that has ended nothing more is known, and nothing will be asked. */
	(void)!process__identify(PROC_ROOT, pid, &id, &uid);
	entry = &quarantine->entries[quarantine->n++];
	*entry = (struct quarantine_entry){
		.id = id,
		.owner = owner__of(PROC_ROOT, pid, uid),
		.until_ns = now_ns + ACCESS_GUARD_QUARANTINE_NS,
	};
	return id;
}

static bool is_of(const struct quarantine_entry *entry, struct process_id id)
{
	return entry->id.pid == id.pid && entry->id.start_time == id.start_time;
}

/* The latest, if there are several. */
static struct quarantine_entry *entry_of(struct quarantine *quarantine, struct process_id id)
{
	for (size_t i = quarantine->n; i-- > 0;) {
		if (is_of(&quarantine->entries[i], id))
			return &quarantine->entries[i];
	}
	return NULL;
}

void quarantine__waits(struct quarantine *quarantine, struct process_id id)
{
	struct quarantine_entry *entry = entry_of(quarantine, id);

	if (entry)
		entry->waits++;
}

void quarantine__answered(struct quarantine *quarantine, struct process_id id, uint64_t now_ns)
{
	struct quarantine_entry *entry;

	/* From now on its time passes. */
	forget_old(quarantine, now_ns);
	entry = entry_of(quarantine, id);
	if (entry && entry->waits)
		entry->waits--;
}

static bool are_too_many(const struct quarantine *quarantine, uid_t owner)
{
	size_t strikes = 0, waits = 0;

	for (size_t i = 0; i < quarantine->n; i++) {
		if (quarantine->entries[i].owner != owner)
			continue;
		strikes++;
		waits += quarantine->entries[i].waits;
	}
	return owner__is_host(owner) ? waits >= QUARANTINE_HOST_WAITS :
				       strikes >= QUARANTINE_STRIKES;
}

static bool has_owner(const struct quarantine *quarantine, pid_t pid)
{
	struct process_id id;
	uid_t uid;

	for (size_t i = 0; i < quarantine->n; i++) {
		if (!are_too_many(quarantine, quarantine->entries[i].owner))
			continue;
		return !process__identify(PROC_ROOT, pid, &id, &uid) &&
		       are_too_many(quarantine, owner__of(PROC_ROOT, pid, uid));
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

void quarantine__resume(struct quarantine *quarantine, const struct quarantine_entry *entry,
			uint64_t now_ns)
{
	forget_old(quarantine, now_ns);
	/* One that has ended counts as well: of its user. */
	if (entry->until_ns <= now_ns || quarantine->n == QUARANTINE_MAX ||
	    entry_of(quarantine, entry->id))
		return;
	quarantine->entries[quarantine->n] = *entry;
	/* Those who waited did so for an earlier gleakd. */
	quarantine->entries[quarantine->n].waits = 0;
	quarantine->entries[quarantine->n++].until_ns =
		min_of(entry->until_ns, now_ns + ACCESS_GUARD_QUARANTINE_NS);
}
