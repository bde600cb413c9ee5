// SPDX-License-Identifier: Apache-2.0
#include "record/schema.h"

#include <errno.h>

const char record_schema[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID;"
	"CREATE TABLE clocks (monotonic_ns INTEGER PRIMARY KEY, realtime_ns INTEGER NOT NULL,"
	" boottime_ns INTEGER NOT NULL);"
	"CREATE TABLE targets (id INTEGER PRIMARY KEY, pid INTEGER NOT NULL,"
	" started_seconds INTEGER NOT NULL, attached_ns INTEGER NOT NULL,"
	" clock_offset_ns INTEGER NOT NULL, comm TEXT NOT NULL, exe TEXT NOT NULL,"
	" runtime_file TEXT NOT NULL, build_id TEXT NOT NULL, go_version TEXT NOT NULL);"
	"CREATE TABLE frames (id INTEGER PRIMARY KEY, function TEXT NOT NULL, file TEXT NOT NULL,"
	" line INTEGER NOT NULL, module TEXT NOT NULL);"
	"CREATE TABLE sites (id INTEGER PRIMARY KEY, target INTEGER NOT NULL, site TEXT NOT NULL,"
	" wait_reason TEXT NOT NULL, start_function TEXT NOT NULL, created_by INTEGER,"
	" blocked_at INTEGER, called_from INTEGER, UNIQUE (target, site));"
	"CREATE TABLE site_stacks (site INTEGER NOT NULL, depth INTEGER NOT NULL,"
	" frame INTEGER NOT NULL, PRIMARY KEY (site, depth)) WITHOUT ROWID;"
	"CREATE TABLE places (id INTEGER PRIMARY KEY, target INTEGER NOT NULL, site INTEGER);"
	"CREATE TABLE goroutines (target INTEGER NOT NULL, goid INTEGER NOT NULL,"
	" place INTEGER NOT NULL, begin_ns INTEGER NOT NULL, created INTEGER NOT NULL,"
	" lived_ns INTEGER, parked_since_ns INTEGER, PRIMARY KEY (target, goid)) WITHOUT ROWID;"
	"CREATE TABLE parks (target INTEGER NOT NULL, goid INTEGER NOT NULL, place INTEGER NOT NULL,"
	" begin_ns INTEGER NOT NULL, parked_ns INTEGER NOT NULL);"
	"CREATE TABLE populations (time_ns INTEGER NOT NULL, site INTEGER NOT NULL,"
	" goroutines INTEGER NOT NULL, parked INTEGER NOT NULL, created INTEGER NOT NULL,"
	" exited INTEGER NOT NULL);"
	"CREATE TABLE verdicts (time_ns INTEGER NOT NULL, site INTEGER NOT NULL,"
	" verdict TEXT NOT NULL, confidence REAL, silenced TEXT, why TEXT NOT NULL);"
	"CREATE TABLE memory (time_ns INTEGER NOT NULL, target INTEGER NOT NULL,"
	" gc_cycles INTEGER, rss_bytes INTEGER, heap_bytes INTEGER, allocated_bytes INTEGER,"
	" allocated_objects INTEGER, live_bytes INTEGER, stack_bytes INTEGER,"
	" runtime_bytes INTEGER, threads INTEGER, goal_bytes INTEGER, gc_pause_ns INTEGER,"
	" gc_assist_ns INTEGER, released_bytes INTEGER);"
	"CREATE TABLE allocations (id INTEGER PRIMARY KEY, target INTEGER NOT NULL,"
	" site TEXT NOT NULL, type TEXT, allocated_at INTEGER, UNIQUE (target, site));"
	"CREATE TABLE allocation_stacks (allocation INTEGER NOT NULL, depth INTEGER NOT NULL,"
	" frame INTEGER NOT NULL, PRIMARY KEY (allocation, depth)) WITHOUT ROWID;"
	"CREATE TABLE allocation_points (time_ns INTEGER NOT NULL, allocation INTEGER NOT NULL,"
	" in_use_bytes INTEGER NOT NULL, in_use_objects INTEGER NOT NULL,"
	" alloc_bytes INTEGER NOT NULL, alloc_objects INTEGER NOT NULL);"
	"CREATE TABLE allocators (id INTEGER PRIMARY KEY, target INTEGER NOT NULL,"
	" by TEXT NOT NULL, name TEXT, goid INTEGER, created_by INTEGER,"
	" start_function TEXT NOT NULL);"
	"CREATE TABLE allocator_points (time_ns INTEGER NOT NULL, allocator INTEGER NOT NULL,"
	" alloc_bytes INTEGER NOT NULL, alloc_objects INTEGER NOT NULL, in_use_bytes INTEGER);"
	"CREATE TABLE resources (id INTEGER PRIMARY KEY, target INTEGER NOT NULL,"
	" kind TEXT NOT NULL, held_by TEXT NOT NULL, calls TEXT NOT NULL);"
	"CREATE TABLE resource_points (time_ns INTEGER NOT NULL, resource INTEGER NOT NULL,"
	" outstanding INTEGER NOT NULL, opened INTEGER NOT NULL, closed INTEGER NOT NULL,"
	" verdict TEXT);"
	"CREATE TABLE resource_openers (time_ns INTEGER NOT NULL, resource INTEGER NOT NULL,"
	" opened_at INTEGER NOT NULL, outstanding INTEGER NOT NULL, opened INTEGER NOT NULL,"
	" closed INTEGER NOT NULL);"
	"CREATE TABLE scheduling (time_ns INTEGER NOT NULL, target INTEGER NOT NULL,"
	" over_10ms INTEGER, late INTEGER NOT NULL, longest_late_ns INTEGER NOT NULL,"
	" hogs INTEGER NOT NULL, stuck_calls INTEGER NOT NULL, throttled_ns INTEGER,"
	" run_delay_ns INTEGER, delayed_by TEXT, stolen_ns INTEGER, threads_in_calls INTEGER,"
	" locked_goroutines INTEGER);"
	"CREATE TABLE stuck_calls (id INTEGER PRIMARY KEY, target INTEGER NOT NULL,"
	" goid INTEGER NOT NULL, thread INTEGER NOT NULL, call TEXT NOT NULL,"
	" in_c INTEGER NOT NULL, site TEXT NOT NULL, begin_ns INTEGER NOT NULL,"
	" lasted_ns INTEGER NOT NULL);"
	"CREATE TABLE losses (target INTEGER NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL,"
	" PRIMARY KEY (target, kind)) WITHOUT ROWID;"
	"CREATE TABLE report (id INTEGER PRIMARY KEY CHECK (id = 1), time_ns INTEGER NOT NULL,"
	" final INTEGER NOT NULL, json TEXT NOT NULL);"
	/* For people: who ever asks by hand asks for these. */
	"CREATE VIEW lives AS SELECT g.target, g.goid, s.site, s.start_function, s.wait_reason,"
	" g.begin_ns, g.lived_ns, g.created FROM goroutines g"
	" LEFT JOIN places p ON p.id = g.place LEFT JOIN sites s ON s.id = p.site;"
	"CREATE VIEW long_parks AS SELECT k.target, k.goid, s.site, s.start_function,"
	" s.wait_reason, k.begin_ns, k.parked_ns FROM parks k"
	" LEFT JOIN places p ON p.id = k.place LEFT JOIN sites s ON s.id = p.site;";

int record__errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return -EPROTO;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_INTERRUPT:
		return -EINTR;
	default:
		return -EIO;
	}
}

static const char *advice(int err)
{
	switch (err) {
	case -ENOSPC:
		return "; what was written before is whole: make room, or choose a smaller "
		       "--max-size";
	case -EPROTO:
		return "; it is no recording, or a damaged one";
	case -EBUSY:
		return "; another program writes to it";
	default:
		return "";
	}
}

int record__failed(sqlite3 *db, const char *path, struct failure *failure)
{
	int err = db ? record__errno(sqlite3_errcode(db)) : -ENOMEM;

	return failure__set(failure, err, "%s: %s%s", path,
			    db ? sqlite3_errmsg(db) : "out of memory", advice(err));
}
