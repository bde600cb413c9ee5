// SPDX-License-Identifier: Apache-2.0
#include "track/openings.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

struct opening {
	uint64_t object;
	uint32_t opener;
	uint8_t function;
};

/* Those between two looks. */
struct generation {
	struct opening *all;
	size_t n, capacity;
	struct index *by_object;
};

struct openings {
	struct generation now, before;
	uint64_t refused;
};

int openings__new(struct openings **ret_openings)
{
	struct openings *openings = calloc(1, sizeof(*openings));
	int err = openings ? index__new(OPENINGS_MAX, &openings->now.by_object) : -ENOMEM;

	if (!err)
		err = index__new(OPENINGS_MAX, &openings->before.by_object);
	if (err) {
		openings__free(openings);
		return err;
	}
	*ret_openings = openings;
	return 0;
}

void openings__free(struct openings *openings)
{
	if (!openings)
		return;
	index__free(openings->now.by_object);
	index__free(openings->before.by_object);
	free(openings->now.all);
	free(openings->before.all);
	free(openings);
}

static struct opening *find(const struct generation *generation, unsigned int functions,
			    uint64_t object)
{
	struct index_search search = index__search(generation->by_object, hash__keyed_word(object));
	struct opening *last = NULL;

	while (index__next(&search)) {
		struct opening *opening = &generation->all[search.number];

		if (opening->object == object && functions >> opening->function & 1 &&
		    (!last || opening > last))
			last = opening;
	}
	return last;
}

int openings__note(struct openings *openings, enum open_function function, uint64_t object,
		   uint32_t opener)
{
	struct generation *now = &openings->now;
	struct opening *known = find(now, 1u << function, object);

	if (known) {
		known->opener = opener;
		return 0;
	}
	if (now->n == OPENINGS_MAX) {
		openings->refused++;
		return 0;
	}
	if (!array__reserve(now->all, now->capacity, now->n + 1))
		return -ENOMEM;
	now->all[now->n] = (struct opening){object, opener, (uint8_t)function};
	return index__add(now->by_object, hash__keyed_word(object), (uint32_t)now->n++);
}

uint32_t openings__find(const struct openings *openings, unsigned int functions, uint64_t object)
{
	const struct opening *opening = find(&openings->now, functions, object);

	if (!opening)
		opening = find(&openings->before, functions, object);
	return opening ? opening->opener : 0;
}

void openings__next(struct openings *openings)
{
	struct generation oldest = openings->before;

	openings->before = openings->now;
	oldest.n = 0;
	index__clear(oldest.by_object);
	openings->now = oldest;
}

bool openings__is_empty(const struct openings *openings)
{
	return !openings->now.n && !openings->before.n;
}

uint64_t openings__refused(const struct openings *openings)
{
	return openings->refused;
}

#define BIT(function) (1u << (function))

unsigned int openings__of_itself(enum resource_kind kind)
{
	switch (kind) {
	case RESOURCE_FILE:
	case RESOURCE_NET_CONN:
	case RESOURCE_LISTENER:
	case RESOURCE_PROCESS:
		return BIT(OPEN_FINALIZER);
	case RESOURCE_CONTEXT:
		return BIT(OPEN_CONTEXT);
	case RESOURCE_TIMER:
	case RESOURCE_TICKER:
		return BIT(OPEN_TIMER);
	case RESOURCE_SQL_ROWS:
		return BIT(OPEN_ROWS);
	case RESOURCE_SQL_CONN:
		return BIT(OPEN_CONN);
	case RESOURCE_HTTP_BODY:
		return BIT(OPEN_HTTP2);
	case RESOURCE_SQL_DB:
	case RESOURCE_SQL_STMT:
	case RESOURCE_SQL_TX:
	case RESOURCE_KINDS:
	case RESOURCE_POOL:
	case RESOURCE_SEMAPHORE:
	case RESOURCE_DEFER:
	case RESOURCE_REQUEST:
		break;
	}
	return 0;
}

unsigned int openings__of_id(enum resource_kind kind)
{
	return kind == RESOURCE_PROCESS ? BIT(OPEN_PROCESS) : 0;
}

/* A handle of a database and a transaction have a context of their own, which they cancel in the end. */
unsigned int openings__of_what_it_leads_to(enum resource_kind kind)
{
	switch (kind) {
	case RESOURCE_SQL_DB:
	case RESOURCE_SQL_TX:
		return BIT(OPEN_CONTEXT);
	case RESOURCE_SQL_STMT:
		return BIT(OPEN_STMT);
	case RESOURCE_HTTP_BODY:
		return BIT(OPEN_HTTP_CONN) | BIT(OPEN_HTTP2);
	default:
		return 0;
	}
}
