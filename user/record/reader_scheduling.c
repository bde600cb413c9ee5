// SPDX-License-Identifier: Apache-2.0
/* What was held up, by census. */
#include "record/reader_private.h"

#define POINTS_ALWAYS                                                           \
	"SELECT time_ns, over_10ms, late, longest_late_ns, hogs, stuck_calls, " \
	"throttled_ns, run_delay_ns"
#define POINTS_OF " FROM scheduling WHERE target = ? ORDER BY time_ns"

/* The first of those that had, knew of fewer things. */
static const char *points_query(struct recording *recording)
{
	size_t found = 0;

	rows__count(recording,
		    "SELECT count(*) FROM pragma_table_info('scheduling') WHERE name "
		    "IN ('stolen_ns', 'threads_in_calls', 'locked_goroutines')",
		    3, &found);
	return found == 3 ? POINTS_ALWAYS
		       ", stolen_ns, threads_in_calls, locked_goroutines" POINTS_OF :
			    POINTS_ALWAYS ", NULL, NULL, NULL" POINTS_OF;
}

static void read_points(struct recording *recording, struct reading *reading)
{
	sqlite3_stmt *rows = rows__begin(recording, points_query(recording), reading->id);
	uint64_t throttled_ns = 0, run_delay_ns = 0, stolen_ns = 0;
	struct series series;

	_Static_assert(sizeof(struct timeline_scheduling) <= sizeof(series.last), "a point fits");
	series__begin(&series, sizeof(struct timeline_scheduling));
	while (rows__next(recording, &rows)) {
		struct timeline_scheduling point = {
			.time_ns = row__count(rows, 0),
			.latencies_known = row__known(rows, 1),
			.over_10ms = row__count(rows, 1),
			.late = row__count(rows, 2),
			.longest_late_ns = row__count(rows, 3),
			.hogs = row__count(rows, 4),
			.stuck = row__count(rows, 5),
			.in_calls = row__count(rows, 9),
			.locked = row__count(rows, 10),
		};

		/* Sums, so that a point that is left out takes nothing with it. */
		throttled_ns += row__count(rows, 6);
		run_delay_ns += row__count(rows, 7);
		point.throttled_ns = throttled_ns;
		point.run_delay_ns = run_delay_ns;
		stolen_ns += row__count(rows, 8);
		point.stolen_ns = stolen_ns;
		series__add(recording, &series, &point);
	}
	reading->target.scheduling = series__end(recording, &series, &reading->target.n_scheduling);
}

static void read_calls(struct recording *recording, struct reading *reading)
{
	struct timeline_call *calls =
		arena__take(&recording->arena, TIMELINE_MAX_CALLS, sizeof(*calls));
	sqlite3_stmt *rows = rows__begin(recording,
					 "SELECT goid, thread, call, in_c, begin_ns, lasted_ns "
					 "FROM stuck_calls WHERE target = ? "
					 "ORDER BY lasted_ns DESC, id",
					 reading->id);
	uint64_t end_ns = recording->timeline.end_ns;
	size_t n = 0;

	while (rows__next(recording, &rows)) {
		uint64_t begin_ns = min_of(row__count(rows, 4), end_ns);

		if (!calls || n == TIMELINE_MAX_CALLS) {
			reading->target.left_out++;
			continue;
		}
		calls[n++] = (struct timeline_call){
			.goid = row__count(rows, 0),
			.thread = row__count(rows, 1),
			.call = row__text(recording, rows, 2),
			.in_c = row__count(rows, 3),
			.begin_ns = begin_ns,
			.end_ns = begin_ns + min_of(row__count(rows, 5), end_ns - begin_ns),
		};
	}
	reading->target.calls = calls;
	reading->target.n_calls = n;
}

void reader_scheduling__read(struct recording *recording)
{
	/* The first gleakds that recorded had no such tables. */
	if (!rows__have_tables(recording, "scheduling", "stuck_calls"))
		return;
	for (size_t i = 0; i < recording->n_readings; i++) {
		read_points(recording, &recording->readings[i]);
		read_calls(recording, &recording->readings[i]);
	}
}
