// SPDX-License-Identifier: Apache-2.0
/*
 * Words to classes. Words which no version in the table uses have no class: a wait of an unknown
 * kind must not be taken for a leak, nor for the runtime's own.
 */
#include "golang/wait_reason.h"

#include <string.h>

struct reason {
	const char *text;
	enum wait_class class;
	bool durable;
};

/* clang-format off */
#define REASON(text, class)  {text, class, false}
#define DURABLE(text, class) {text, class, true} /* see wait_reason__is_durable() */
/* clang-format on */

/* src/runtime/runtime2.go waitReasonStrings of Go 1.18 to 1.27, without variants. */
static const struct reason reasons[] = {
	REASON("", WAIT_NONE),
	REASON("chan receive", WAIT_CHAN_RECEIVE),
	REASON("chan send", WAIT_CHAN_SEND),
	DURABLE("chan receive (nil chan)", WAIT_NIL_CHAN),
	DURABLE("chan send (nil chan)", WAIT_NIL_CHAN),
	REASON("select", WAIT_SELECT),
	DURABLE("select (no cases)", WAIT_SELECT_NONE),
	REASON("sync.Mutex.Lock", WAIT_LOCK),
	REASON("sync.RWMutex.RLock", WAIT_LOCK),
	REASON("sync.RWMutex.Lock", WAIT_LOCK),
	REASON("semacquire", WAIT_SEMAPHORE),
	REASON("sync.WaitGroup.Wait", WAIT_WAIT_GROUP),
	DURABLE("sync.Cond.Wait", WAIT_COND),
	REASON("IO wait", WAIT_IO),
	DURABLE("sleep", WAIT_SLEEP),
	DURABLE("coroutine", WAIT_COROUTINE),
	/* Until the goroutines of a test's bubble have ended, or are all blocked. */
	DURABLE("synctest.Run", WAIT_WAIT_GROUP),
	DURABLE("synctest.Wait", WAIT_WAIT_GROUP),
	REASON("GC assist marking", WAIT_RUNTIME),
	REASON("GC assist wait", WAIT_RUNTIME),
	REASON("GC mark termination", WAIT_RUNTIME),
	REASON("GC scavenge wait", WAIT_RUNTIME),
	REASON("GC sweep wait", WAIT_RUNTIME),
	REASON("GC weak to strong wait", WAIT_RUNTIME),
	REASON("GC worker (active)", WAIT_RUNTIME),
	REASON("GC worker (idle)", WAIT_RUNTIME),
	REASON("GOMAXPROCS updater (idle)", WAIT_RUNTIME),
	REASON("cleanup wait", WAIT_RUNTIME),
	REASON("debug call", WAIT_RUNTIME),
	REASON("dumping heap", WAIT_RUNTIME),
	REASON("finalizer wait", WAIT_RUNTIME),
	REASON("flushing proc caches", WAIT_RUNTIME),
	REASON("force gc (idle)", WAIT_RUNTIME),
	REASON("garbage collection", WAIT_RUNTIME),
	REASON("garbage collection scan", WAIT_RUNTIME),
	REASON("page trace flush", WAIT_RUNTIME),
	REASON("panicwait", WAIT_RUNTIME),
	REASON("preempted", WAIT_RUNTIME),
	REASON("stopping the world", WAIT_RUNTIME),
	REASON("timer goroutine (idle)", WAIT_RUNTIME),
	REASON("trace goroutine status", WAIT_RUNTIME),
	REASON("trace proc status", WAIT_RUNTIME),
	REASON("trace reader (blocked)", WAIT_RUNTIME),
	REASON("wait for GC cycle", WAIT_RUNTIME),
};

/* The same wait inside a testing/synctest bubble: Go 1.24 has the second, 1.25 on the first. */
static const char *const variants[] = {" (durable)", " (synctest)"};

static size_t length_without_variant(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		size_t variant = strlen(variants[i]);

		if (length > variant && !strcmp(text + length - variant, variants[i]))
			return length - variant;
	}
	return length;
}

/* The first, which is no reason, when there is none with these text. */
static const struct reason *find(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strlen(reasons[i].text) == length && !memcmp(reasons[i].text, text, length))
			return &reasons[i];
	}
	return &reasons[0];
}

enum wait_class wait_class__of(const char *text)
{
	return find(text, length_without_variant(text))->class;
}

bool wait_reason__in_bubble(const char *text)
{
	return length_without_variant(text) < strlen(text);
}

bool wait_reason__is_durable(const char *text)
{
	return find(text, strlen(text))->durable;
}

const struct wait_class_facts *wait_class__facts(enum wait_class class)
{
	static const struct wait_class_facts facts[] = {
#define X(class, can_leak, for_ever, by_nature, may_serve, on) \
	[class] = {can_leak, for_ever, by_nature, may_serve, on},
		WAIT_CLASS_TABLE(X)
#undef X
	};

	return &facts[class < WAIT_CLASSES ? class : WAIT_NONE];
}
