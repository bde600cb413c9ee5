// SPDX-License-Identifier: Apache-2.0
/* What is open, by look. */
#include "base/hash.h"
#include "record/recorder_private.h"

static const char *holder_of(const struct resource_line *line)
{
	return line->n_held_by ? line->held_by[0] : "";
}

/* Its number; 0: none. */
static uint32_t name_resource(struct recorded *recorded, const struct resource_line *line)
{
	struct recorder *recorder = recorded->recorder;
	uint64_t kind = hash__combine(recorded->number, line->place.kind);
	uint64_t key = names__add_text(names__add_text(kind, holder_of(line)), line->calls);
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_RESOURCE);
	bool is_new;
	uint32_t number = names__number(&recorder->resources, key, RECORD_MAX_RESOURCES, &is_new);

	if (!is_new)
		return number;
	record_bind__count(statement, 1, number);
	record_bind__count(statement, 2, recorded->number);
	record_bind__text(statement, 3, resource_kind__name(line->place.kind));
	record_bind__text(statement, 4, holder_of(line));
	record_bind__text(statement, 5, line->calls);
	recorder__put(recorder, PUT_RESOURCE);
	return number;
}

/* Of each line that was seen to open them. */
static void put_openers(struct recorder *recorder, uint32_t number,
			const struct resource_line *line, uint64_t now_ns)
{
	for (size_t i = 0; i < line->place.n_openers; i++) {
		const struct resource_opener *opener = &line->place.openers[i];
		const struct report_frame *at = line->opened_at[i].at;
		uint32_t frame = at ? record_names__frame(recorder, at) : 0;
		sqlite3_stmt *statement = recorder__bind(recorder, PUT_RESOURCE_OPENER);

		if (!frame)
			continue;
		record_bind__count(statement, 1, now_ns);
		record_bind__count(statement, 2, number);
		record_bind__count(statement, 3, frame);
		record_bind__count(statement, 4, opener->outstanding);
		record_bind__count(statement, 5, opener->opened);
		record_bind__count(statement, 6, opener->closed);
		recorder__put(recorder, PUT_RESOURCE_OPENER);
	}
}

static void put_point(struct recorded *recorded, const struct resource_line *line, uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorded->recorder, PUT_RESOURCE_POINT);
	const char *verdict = resource_verdict__name(line->place.verdict);
	uint32_t number = name_resource(recorded, line);

	if (!number) {
		recorded->left_out_points++;
		return;
	}
	record_bind__count(statement, 1, now_ns);
	record_bind__count(statement, 2, number);
	record_bind__count(statement, 3, line->place.outstanding);
	record_bind__count(statement, 4, line->place.opened);
	record_bind__count(statement, 5, line->place.closed);
	if (*verdict)
		record_bind__text(statement, 6, verdict);
	recorder__put(recorded->recorder, PUT_RESOURCE_POINT);
	put_openers(recorded->recorder, number, line, now_ns);
}

void record_resources__write(struct recorded *recorded, const struct resource_lines *lines,
			     uint64_t now_ns)
{
	if (!lines || lines->looks == recorded->resource_looks)
		return;
	recorded->resource_looks = lines->looks;
	if (recorder__room(recorded->recorder) == ROOM_FOR_REPORT) {
		recorded->left_out_points += lines->n;
		return;
	}
	for (size_t i = 0; i < lines->n; i++)
		put_point(recorded, &lines->all[i], now_ns);
}
