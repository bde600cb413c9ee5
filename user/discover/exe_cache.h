/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_EXE_CACHE_H
#define GLEAKD_DISCOVER_EXE_CACHE_H

/*
 * What was found out about executables, so that each is opened once however often it is started. Of
 * bounded size: what was not asked for in a while makes room (the clock algorithm).
 */
#include "base/common.h"
#include "host/exe_file.h"

enum exe_verdict {
	EXE_NOT_GO,
	EXE_MAY_BLOCK,	 /* on a file system that could hold a reader up: not opened */
	EXE_GO,		 /* made by the standard toolchain */
	EXE_MAYBE_GO,	 /* nothing to tell by */
	EXE_UNSUPPORTED, /* Go, and cannot be watched */
};

struct exe_knowledge {
	enum exe_verdict verdict;
	pid_t pid; /* EXE_UNSUPPORTED: with which process it was found out */
};

struct exe_cache;

#define EXE_CACHE_MAX 65536

/* exe_cache__new - for @max files, at most EXE_CACHE_MAX; memory is taken as it is needed. */
int exe_cache__new(size_t max, struct exe_cache **ret_cache) __must_check;
void exe_cache__free(struct exe_cache *cache);

/* exe_cache__get - false when nothing is known. */
bool exe_cache__get(struct exe_cache *cache, const struct exe_file *file,
		    struct exe_knowledge *ret_knowledge);

/* exe_cache__put - keep it, or what replaces it. Without memory it is just not kept. */
void exe_cache__put(struct exe_cache *cache, const struct exe_file *file,
		    struct exe_knowledge knowledge);

size_t exe_cache__count(const struct exe_cache *cache);
uint64_t exe_cache__evicted(const struct exe_cache *cache);

#endif /* GLEAKD_DISCOVER_EXE_CACHE_H */
