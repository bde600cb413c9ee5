// SPDX-License-Identifier: Apache-2.0
/* What is named once in a recording: frames, sites. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "record/recorder_private.h"

uint32_t names__number(struct names *names, uint64_t key, size_t max, bool *ret_new)
{
	struct index_search search;

	*ret_new = false;
	if (!names->index && index__new(max, &names->index))
		return 0;
	search = index__search(names->index, key);
	while (index__next(&search)) {
		if (names->keys[search.number] == key)
			return search.number + 1;
	}
	if (names->n == max || !array__reserve(names->keys, names->capacity, names->n + 1) ||
	    index__add(names->index, key, (uint32_t)names->n))
		return 0;
	names->keys[names->n] = key;
	*ret_new = true;
	return (uint32_t)++names->n;
}

void names__free(struct names *names)
{
	index__free(names->index);
	free(names->keys);
}

uint64_t names__add_text(uint64_t hash, const char *text)
{
	return hash__combine(hash, hash__keyed(report__text(text), strlen(report__text(text))));
}

uint32_t record_names__frame(struct recorder *recorder, const struct report_frame *frame)
{
	uint64_t key = names__add_text(names__add_text(frame->line, frame->function), frame->file);
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_FRAME);
	uint32_t number;
	bool is_new;

	if (!report__frame_known(frame))
		return 0;
	number = names__number(&recorder->frames, names__add_text(key, frame->module),
			       RECORD_MAX_FRAMES, &is_new);
	if (!is_new)
		return number;
	record_bind__count(statement, 1, number);
	record_bind__text(statement, 2, frame->function);
	record_bind__text(statement, 3, frame->file);
	record_bind__count(statement, 4, frame->line);
	record_bind__text(statement, 5, frame->module);
	recorder__put(recorder, PUT_FRAME);
	return number;
}

static void bind_frame(struct recorder *recorder, sqlite3_stmt *statement, int at,
		       const struct report_frame *frame)
{
	uint32_t number = record_names__frame(recorder, frame);

	if (number)
		record_bind__count(statement, at, number);
}

static void put_stack(struct recorder *recorder, uint32_t site, const struct report_frame *stack,
		      size_t n)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_SITE_STACK);

	for (size_t i = 0; i < n; i++) {
		uint32_t frame = record_names__frame(recorder, &stack[i]);

		if (!frame)
			continue;
		record_bind__count(statement, 1, site);
		record_bind__count(statement, 2, i);
		record_bind__count(statement, 3, frame);
		recorder__put(recorder, PUT_SITE_STACK);
	}
}

uint32_t record_names__site(struct recorder *recorder, uint32_t target,
			    const struct site_name *name)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_SITE);
	uint32_t number;
	bool is_new;

	if (!*name->id)
		return 0;
	number = names__number(&recorder->sites, names__add_text(target, name->id),
			       RECORD_MAX_SITES, &is_new);
	if (!is_new)
		return number;
	record_bind__count(statement, 1, number);
	record_bind__count(statement, 2, target);
	record_bind__text(statement, 3, name->id);
	record_bind__text(statement, 4, name->wait_reason);
	record_bind__text(statement, 5, name->start_function);
	bind_frame(recorder, statement, 6, name->created_by);
	bind_frame(recorder, statement, 7, name->blocked_at);
	recorder__put(recorder, PUT_SITE);
	put_stack(recorder, number, name->stack, name->n_stack);
	return number;
}
