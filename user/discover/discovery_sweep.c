// SPDX-License-Identifier: Apache-2.0
/* Looking through /proc: which processes are new or gone, run or have mapped something else by now. */
#include "discover/discovery_internal.h"

#include <errno.h>

#include "base/cleanup.h"
#include "discover/runtimes.h"
#include "host/exe_file.h"
#include "host/pids.h"

/* Most processes of a host load nothing from one sweep to the next. */
static bool has_mapped_more(struct discovery *discovery, struct process_entry *entry)
{
	uint64_t code, fingerprint;

	if (!entry->searched || entry->leaving ||
	    process__mapped_code(discovery->proc_root, entry->id.pid, &code) ||
	    code == entry->mapped_code ||
	    runtimes__fingerprint(discovery->proc_root, entry->id.pid, &fingerprint))
		return false;
	entry->mapped_code = code;
	return fingerprint != entry->fingerprint;
}

static void meet(struct discovery *discovery, pid_t pid)
{
	struct process_entry *entry = discovery__add(discovery, pid);
	bool first = discovery->sweeps == 1;
	uint64_t settle_ns = min_of(discovery->min_age_ns, DISCOVERY_SETTLE_NS);

	if (!entry)
		return;
	discovery->counts.found_by_sweep += !first;
	/* Its age is asked for when it is looked at. */
	process_table__schedule(discovery->table, entry,
				discovery->now_ns + (first ? 0 : settle_ns));
}

/*
 * Whether @entry, looked at before, runs something else now. Replacing the file of a running program
 * changes the ctime of the one it runs: what is known to be the same process is not bothered for that,
 * of others the file is looked at again.
 */
static bool runs_another(struct discovery *discovery, const struct process_entry *entry,
			 const struct exe_file *file)
{
	struct exe_knowledge knowledge;

	if (!entry->identified)
		return true; /* it could not be looked at before */
	if (entry->started)
		return !exe_file__same_file(&entry->image, file);
	if (exe_file__same_contents(&entry->image, file))
		return false;
	return !exe_cache__get(discovery->files, file, &knowledge) ||
	       knowledge.verdict != EXE_NOT_GO;
}

/* @file: NULL when it may not be looked at. */
static void meet_again(struct discovery *discovery, struct process_entry *entry,
		       const struct exe_file *file)
{
	bool reused = entry->started && !process__same(discovery->proc_root, entry->id);

	entry->sweep = discovery->sweeps;
	if (reused) {
		discovery->counts.seen++;
		discovery->counts.found_by_sweep++;
	}
	if (reused || (file ? runs_another(discovery, entry, file) : entry->identified))
		discovery__restart(discovery, entry,
				   discovery->now_ns +
					   min_of(discovery->min_age_ns, DISCOVERY_SETTLE_NS));
	else if (has_mapped_more(discovery, entry))
		process_table__schedule(discovery->table, entry, discovery->now_ns);
}

static void sweep_one(struct discovery *discovery, pid_t pid)
{
	struct process_entry *entry = process_table__find(discovery->table, pid);
	struct exe_file file;
	int err;

	if (pid == discovery->self)
		return;
	/* What was told and is not old enough is not touched: it is there, and that is all. */
	if (entry && entry->state == PROCESS_CANDIDATE) {
		entry->sweep = discovery->sweeps;
		return;
	}
	err = discovery__identify(discovery, pid, &file);
	if (err == -ESRCH)
		return; /* a kernel thread, or on its way out */
	if (entry)
		meet_again(discovery, entry, err ? NULL : &file);
	else
		meet(discovery, pid);
}

static void drop_unseen(void *ctx, struct process_entry *entry)
{
	struct discovery *discovery = ctx;

	if (entry->sweep != discovery->sweeps)
		discovery__drop(discovery, entry);
}

int discovery__sweep(struct discovery *discovery, uint64_t now_ns)
{
	__cleanup_free pid_t *pids = NULL;
	size_t n;
	int err = pids__read(discovery->proc_root, &pids, &n);

	if (err)
		return err;
	discovery->sweeps++;
	discovery->now_ns = now_ns;
	for (size_t i = 0; i < n; i++)
		sweep_one(discovery, pids[i]);
	process_table__each(discovery->table, drop_unseen, discovery);
	return 0;
}
