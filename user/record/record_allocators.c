// SPDX-License-Identifier: Apache-2.0
/* Who allocates, by interval: goroutines, go statements, labels or types, whichever is asked for. */
#include "base/hash.h"
#include "record/recorder_private.h"

/* Those with most: no more than so many of a runtime. */
#define MAX_GROUPS 200

/* Its number; 0: none. */
static uint32_t name_group(struct recorded *recorded, enum report_alloc_by by,
			   const struct report_alloc_group *group)
{
	struct recorder *recorder = recorded->recorder;
	const char *name = group->unknown ? "(labels that were gone too soon)" : group->name;
	uint64_t of = hash__combine(hash__combine(recorded->number, by), group->goid);
	uint32_t frame = record_names__frame(recorder, &group->created_by);
	uint64_t key = names__add_text(hash__combine(of, frame), group->start_function);
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_ALLOCATOR);
	bool is_new;
	uint32_t number = names__number(&recorder->allocators, names__add_text(key, name),
					RECORD_MAX_GROUPS, &is_new);

	if (!is_new)
		return number;
	record_bind__count(statement, 1, number);
	record_bind__count(statement, 2, recorded->number);
	record_bind__text(statement, 3, report_alloc_by__name(by));
	if (name)
		record_bind__text(statement, 4, name);
	if (by == REPORT_ALLOC_BY_GOROUTINE)
		record_bind__count(statement, 5, group->goid);
	if (frame)
		record_bind__count(statement, 6, frame);
	record_bind__text(statement, 7, group->start_function);
	recorder__put(recorder, PUT_ALLOCATOR);
	return number;
}

static void put_point(struct recorded *recorded, const struct report_alloc_groups *groups,
		      const struct report_alloc_group *group, uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorded->recorder, PUT_ALLOCATOR_POINT);
	uint32_t number = name_group(recorded, groups->by, group);

	if (!number) {
		recorded->left_out_points++;
		return;
	}
	record_bind__count(statement, 1, now_ns);
	record_bind__count(statement, 2, number);
	record_bind__count(statement, 3, group->alloc_bytes);
	record_bind__count(statement, 4, group->alloc_objects);
	if (groups->in_use_known)
		record_bind__count(statement, 5, group->in_use_bytes);
	recorder__put(recorded->recorder, PUT_ALLOCATOR_POINT);
}

void record_allocators__write(struct recorded *recorded, const struct report_alloc_groups *groups,
			      uint64_t now_ns)
{
	size_t n = groups ? min_of(groups->n_groups, (size_t)MAX_GROUPS) : 0;

	if (recorder__room(recorded->recorder) == ROOM_FOR_REPORT) {
		recorded->left_out_points += n;
		return;
	}
	for (size_t i = 0; i < n; i++)
		put_point(recorded, groups, &groups->groups[i], now_ns);
}
