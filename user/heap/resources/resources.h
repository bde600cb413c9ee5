/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_RESOURCES_RESOURCES_H
#define GLEAKD_HEAP_RESOURCES_RESOURCES_H

/*
 * What a program has opened and not closed, by what its heap says now: files and connections by
 * their finalizers, contexts, rows, statements, transactions and bodies by the fields that tell
 * whether they are done, armed timers by the heaps of the Ps, deferred calls by the lists of
 * goroutines. No probe: what was opened and closed before is not seen.
 */
#include "heap/paths/paths.h"
#include "heap/scan/scan.h"

enum resource_kind {
	RESOURCE_FILE, /* os.File, os.Root */
	RESOURCE_NET_CONN,
	RESOURCE_LISTENER,
	RESOURCE_PROCESS, /* started and not waited for */
	RESOURCE_CONTEXT, /* that can be cancelled, and was not */
	RESOURCE_SQL_DB,
	RESOURCE_SQL_CONN, /* taken from the pool of a sql.DB */
	RESOURCE_SQL_ROWS,
	RESOURCE_SQL_STMT,
	RESOURCE_SQL_TX,
	RESOURCE_HTTP_BODY, /* of a response, neither read to its end nor closed */
	RESOURCE_TIMER,
	RESOURCE_TICKER,
	RESOURCE_POOL,	    /* a sync.Pool: objects that lie in it (pools.h) */
	RESOURCE_SEMAPHORE, /* of x/sync, of which something is taken */
	RESOURCE_DEFER,	    /* a deferred call of a loop that waits for its function to return */
	RESOURCE_KINDS,
	RESOURCE_REQUEST, /* of a client by HTTP/2 that is being answered: nothing that is shown */
};

const char *resource_kind__name(enum resource_kind kind); /* "file", "net.Conn", ... */

/* resource_kind__find - the kind with that name, or RESOURCE_KINDS. */
enum resource_kind resource_kind__find(const char *name);

struct heap_resource {
	enum resource_kind kind;
	uint8_t type; /* heap_resources__describe() needs it */
	/* of the paths, where it stands; PATH_NONE: nothing is known to lead to it */
	uint16_t node;
	bool held; /* something leads to it: else the collector will find it, and close it or not */
	uint64_t object; /* its start */
	uint64_t value;	 /* where the value begins, behind a header */
	/*
	 * descriptor, of a request that of its connection; process, when a timer is due, the
	 * goroutine that defers; 0: it has none
	 */
	uint64_t id;
	/* Link-time: of a timer that calls one the function's entry, of a deferred call where it was deferred; 0. */
	uint64_t function;
	uint64_t left_ns; /* of a timer, until it is due */
	bool ended;	  /* a process that has, and was not waited for */
	bool served;	  /* it lives for as long as a client of another process stays connected */
	/* who was seen to open it, by the numbers of whoever fills it in; 0: nobody */
	uint32_t opener;
};

#define HEAP_MAX_RESOURCES (1u << 20)

struct heap_resources;

/*
 * heap_resources__new - @runtime and @paths, whose types they are, must outlive it. @clock_offset: ns that
 * the target's monotonic clock is ahead. -ENOMEM.
 */
int heap_resources__new(const struct heap_runtime *runtime, struct heap_paths *paths,
			int64_t clock_offset, struct heap_resources **ret_resources) __must_check;
void heap_resources__free(struct heap_resources *resources);

/*
 * heap_resources__prepare - when @scan is ready and has marked nothing yet: what is there by then and will not
 * have been reached in the end is held by nothing. What came later may have been passed by. As
 * heap_resources__take().
 */
int heap_resources__prepare(struct heap_resources *resources, struct heap_scan *scan) __must_check;

/*
 * heap_resources__take - what there is after @scan, a whole one that the paths have visited. In the
 * monotonic time @now_ns of the host. Errors: -ENOMEM, -ESRCH.
 */
int heap_resources__take(struct heap_resources *resources, struct heap_scan *scan,
			 uint64_t now_ns) __must_check;

/* heap_resources__all - of the last time, in no order. */
const struct heap_resource *heap_resources__all(const struct heap_resources *resources,
						size_t *ret_n);

/* heap_resources__refused - how many were beyond HEAP_MAX_RESOURCES, or could not be read. */
uint64_t heap_resources__refused(const struct heap_resources *resources);

/*
 * heap_resources__describe - what a person calls @resource: "fd 7 /var/log/shop", "fd 9 tcp 10.0.0.1:5432",
 * "pid 4242", as the target has it now.
 */
void heap_resources__describe(struct heap_resources *resources,
			      const struct heap_resource *resource, char *text, size_t size);

/* heap_resources__function - the name of what a timer calls, or of the function that defers; "". */
void heap_resources__function(const struct heap_resources *resources,
			      const struct heap_resource *resource, char *name, size_t size);

/*
 * heap_resources__find_lead - the first word of @resource, no timer, or of the objects that it points to, that @fn is
 * looking for; 0: none, or it could not be read. @scan: that of heap_resources__take().
 */
typedef bool (*resource_lead_fn)(void *ctx, uint64_t word);
uint64_t heap_resources__find_lead(const struct heap_resources *resources, struct heap_scan *scan,
				   const struct heap_resource *resource, resource_lead_fn fn,
				   void *ctx);

/*
 * heap_resources__add_ended - process @number, which has ended and was not waited for, and to which
 * nothing leads any more.
 * -ENOMEM.
 */
int heap_resources__add_ended(struct heap_resources *resources, uint64_t number) __must_check;

/* heap_resources__of - to fill in what the heap does not tell: their openers, what is served, what has ended. */
struct heap_resource *heap_resources__of(struct heap_resources *resources, size_t *ret_n);

#endif /* GLEAKD_HEAP_RESOURCES_RESOURCES_H */
