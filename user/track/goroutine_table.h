/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_GOROUTINE_TABLE_H
#define GLEAKD_TRACK_GOROUTINE_TABLE_H

/*
 * Records of goroutines, found by goid or by handle.
 *
 * Records live in chunks that never move, so growing copies none of them and a burst's memory goes
 * back when its chunks empty. A handle is the position of a record: 24 bits, never 0. It may be
 * reused: code that keeps a handle has to compare the goid, which Go never reuses.
 *
 * The index is a hash table of cache lines with 15 entries each: a handle and 8 bits of hash, so
 * that a search reads another record only once in 256 entries. Go hands goids to its Ps in batches
 * (src/runtime/proc.go _GoidCacheBatch), so goroutines of one time have neighbouring goids: these
 * share a line.
 *
 * Cost: 28 bytes a record; the index is filled to 6 to 12 of 15 entries a line once it has grown,
 * 5.3 to 10.7 bytes a goroutine. With at most one partly filled chunk that is 34 to 39 bytes.
 */
#include "base/common.h"

#define GOROUTINE_MAX_HANDLE ((1u << 24) - 1)

enum goroutine_flag {
	GOROUTINE_PARKED = 1 << 0,
	GOROUTINE_SYSTEM = 1 << 1,   /* the runtime's own */
	GOROUTINE_CREATED = 1 << 2,  /* counted as created since the attach */
	GOROUTINE_REPAIRED = 1 << 3, /* its creation was counted as repaired */
	GOROUTINE_SIGHTED = 1 << 4,  /* a census saw it parked: its site is a park site */
	GOROUTINE_MOVED = 1 << 5,    /* has parked since the last census: its site may be stale */
	GOROUTINE_BY_EVENT = 1 << 6, /* the begin of its park is a park event's time */
	GOROUTINE_TOLD = 1 << 7,     /* tracker__tell_alive() has told of it */
};

/* Fields are split so that 28 bytes need no packing; use the accessors. */
struct goroutine {
	uint32_t goid_low, goid_high; /* goid 0: the slot is free */
	uint32_t last_news_low;	      /* ticks of the latest event or accepted sighting */
	uint32_t parked_since_low;    /* ticks when the current park began, or the last one ended */
	uint32_t existed_since_low;   /* ticks of the earliest proof that it existed */
	uint8_t last_news_high, parked_since_high, existed_since_high;
	uint8_t flags;
	uint8_t epoch; /* number of the last census that saw it, mod 256 */
	uint8_t site_high;
	uint16_t site_low;
};

_Static_assert(sizeof(struct goroutine) == 28, "the memory budget counts on 28 bytes");

#define DEFINE_TICKS_ACCESSORS(name)                                                  \
	static inline uint64_t goroutine__##name(const struct goroutine *g)           \
	{                                                                             \
		return (uint64_t)g->name##_high << 32 | g->name##_low;                \
	}                                                                             \
	static inline void goroutine__set_##name(struct goroutine *g, uint64_t ticks) \
	{                                                                             \
		g->name##_low = (uint32_t)ticks;                                      \
		g->name##_high = (uint8_t)(ticks >> 32);                              \
	}
DEFINE_TICKS_ACCESSORS(last_news)
DEFINE_TICKS_ACCESSORS(parked_since)
DEFINE_TICKS_ACCESSORS(existed_since)
#undef DEFINE_TICKS_ACCESSORS

static inline uint64_t goroutine__goid(const struct goroutine *g)
{
	return (uint64_t)g->goid_high << 32 | g->goid_low;
}

static inline uint32_t goroutine__site(const struct goroutine *g)
{
	return (uint32_t)g->site_high << 16 | g->site_low;
}

static inline void goroutine__set_site(struct goroutine *g, uint32_t site)
{
	g->site_low = (uint16_t)site;
	g->site_high = (uint8_t)(site >> 16);
}

struct goroutine_table;

/* goroutine_table__new - for at most @max goroutines (cut to what handles can name). */
int goroutine_table__new(size_t max, struct goroutine_table **ret_table) __must_check;
/* goroutine_table__set_max - records beyond @max that are there already stay. */
void goroutine_table__set_max(struct goroutine_table *table, size_t max);
void goroutine_table__free(struct goroutine_table *table);

/* goroutine_table__find - NULL when @goid has no record. */
struct goroutine *goroutine_table__find(const struct goroutine_table *table, uint64_t goid,
					uint32_t *ret_handle);
/* goroutine_table__at - the record behind @handle; NULL when it does not hold @goid (any more). */
struct goroutine *goroutine_table__at(const struct goroutine_table *table, uint32_t handle,
				      uint64_t goid);
/* goroutine_table__peek - the record behind @handle, of any goroutine; NULL when there is none. */
struct goroutine *goroutine_table__peek(const struct goroutine_table *table, uint32_t handle);
/*
 * goroutine_table__add - a zeroed record for @goid, which must not be 0 and must have none. NULL
 * when the limit is reached or memory is not to be had.
 */
struct goroutine *goroutine_table__add(struct goroutine_table *table, uint64_t goid,
				       uint32_t *ret_handle);
void goroutine_table__remove(struct goroutine_table *table, uint32_t handle);

/*
 * goroutine_table__next - the record after *@handle, NULL after the last one. Start with 0. The
 * current record may be removed during the walk.
 */
struct goroutine *goroutine_table__next(const struct goroutine_table *table, uint32_t *handle);

/* goroutine_table__trim - give the index's memory back when few are left of many. */
void goroutine_table__trim(struct goroutine_table *table);

size_t goroutine_table__count(const struct goroutine_table *table);
/* goroutine_table__memory - bytes in use by records and index. */
size_t goroutine_table__memory(const struct goroutine_table *table);

#endif /* GLEAKD_TRACK_GOROUTINE_TABLE_H */
