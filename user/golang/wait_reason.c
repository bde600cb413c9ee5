// SPDX-License-Identifier: Apache-2.0
/*
 * Words to classes. Words which no version in the table uses have no class: a wait of an unknown
 * kind must not be taken for a leak, nor for the runtime's own.
 */
#include "golang/wait_reason.h"

#include <string.h>

struct reason {
	const char *words;
	enum wait_class class;
};

/* src/runtime/runtime2.go waitReasonStrings of Go 1.18 to 1.27, without variants. */
static const struct reason reasons[] = {
	{"", WAIT_NONE},
	{"chan receive", WAIT_CHAN_RECEIVE},
	{"chan send", WAIT_CHAN_SEND},
	{"chan receive (nil chan)", WAIT_NIL_CHAN},
	{"chan send (nil chan)", WAIT_NIL_CHAN},
	{"select", WAIT_SELECT},
	{"select (no cases)", WAIT_SELECT_NONE},
	{"sync.Mutex.Lock", WAIT_LOCK},
	{"sync.RWMutex.RLock", WAIT_LOCK},
	{"sync.RWMutex.Lock", WAIT_LOCK},
	{"semacquire", WAIT_SEMAPHORE},
	{"sync.WaitGroup.Wait", WAIT_WAIT_GROUP},
	{"sync.Cond.Wait", WAIT_COND},
	{"IO wait", WAIT_IO},
	{"sleep", WAIT_SLEEP},
	{"coroutine", WAIT_COROUTINE},
	/* Until the goroutines of a test's bubble have ended, or are all blocked. */
	{"synctest.Run", WAIT_WAIT_GROUP},
	{"synctest.Wait", WAIT_WAIT_GROUP},
	{"GC assist marking", WAIT_RUNTIME},
	{"GC assist wait", WAIT_RUNTIME},
	{"GC mark termination", WAIT_RUNTIME},
	{"GC scavenge wait", WAIT_RUNTIME},
	{"GC sweep wait", WAIT_RUNTIME},
	{"GC weak to strong wait", WAIT_RUNTIME},
	{"GC worker (active)", WAIT_RUNTIME},
	{"GC worker (idle)", WAIT_RUNTIME},
	{"GOMAXPROCS updater (idle)", WAIT_RUNTIME},
	{"cleanup wait", WAIT_RUNTIME},
	{"debug call", WAIT_RUNTIME},
	{"dumping heap", WAIT_RUNTIME},
	{"finalizer wait", WAIT_RUNTIME},
	{"flushing proc caches", WAIT_RUNTIME},
	{"force gc (idle)", WAIT_RUNTIME},
	{"garbage collection", WAIT_RUNTIME},
	{"garbage collection scan", WAIT_RUNTIME},
	{"page trace flush", WAIT_RUNTIME},
	{"panicwait", WAIT_RUNTIME},
	{"preempted", WAIT_RUNTIME},
	{"stopping the world", WAIT_RUNTIME},
	{"timer goroutine (idle)", WAIT_RUNTIME},
	{"trace goroutine status", WAIT_RUNTIME},
	{"trace proc status", WAIT_RUNTIME},
	{"trace reader (blocked)", WAIT_RUNTIME},
	{"wait for GC cycle", WAIT_RUNTIME},
};

/* The same wait inside a testing/synctest bubble: Go 1.24 has the second, 1.25 on the first. */
static const char *const variants[] = {" (durable)", " (synctest)"};

static size_t length_without_variant(const char *words)
{
	size_t length = strlen(words);

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		size_t variant = strlen(variants[i]);

		if (length > variant && !strcmp(words + length - variant, variants[i]))
			return length - variant;
	}
	return length;
}

enum wait_class wait_class__of(const char *words)
{
	size_t length = length_without_variant(words);

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strlen(reasons[i].words) == length && !memcmp(reasons[i].words, words, length))
			return reasons[i].class;
	}
	return WAIT_NONE;
}
