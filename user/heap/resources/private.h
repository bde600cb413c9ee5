/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_RESOURCES_PRIVATE_H
#define GLEAKD_HEAP_RESOURCES_PRIVATE_H

/* What census.c (who there is), timers.c, defers.c, connections.c and describe.c share. */
#include "heap/resources/resources.h"
#include "heap/types/fields.h"

#define RESOURCE_MAX_STATES 3

/* A type whose values are resources, and what tells that one of them is open. */
struct resource_rule {
	const char *package, *type;
	enum resource_kind kind;
	const char *id;			       /* the field with a descriptor or process; NULL */
	const char *done[RESOURCE_MAX_STATES]; /* all of it is zero while it is open; NULL: none */
	const char *in_use;		       /* not zero while it is; NULL: always */
	const char *detail;		       /* a string that describes it; NULL */
	const char *server;		       /* of a request: what answers on its connection */
	bool finalized;			       /* each has a finalizer, by which it is found */
};

/* A rule for the types of one process. */
struct resource_type {
	const struct resource_rule *rule;
	uint64_t address; /* of the type; 0: the program does not have it */
	uint64_t size;	  /* of a value */
	struct heap_field_at id, done[RESOURCE_MAX_STATES], in_use, detail, server;
};

#define RESOURCE_MAX_TYPES 24

/* On which descriptor a server answers requests. */
struct resource_connection {
	uint64_t server, fd; /* fd 0: it is not known */
};

#define RESOURCE_CONNECTIONS 256 /* that are remembered during a look */

struct heap_resources {
	const struct heap_runtime *runtime;
	struct heap_paths *paths;
	int64_t clock_offset;
	int64_t now_ns; /* of the target's monotonic clock, when they were taken */
	struct resource_type types[RESOURCE_MAX_TYPES];
	size_t n_types;
	uint64_t timer_type, ticker_type; /* time.Timer, time.Ticker; 0 */
	uint64_t *early; /* objects with finalizers before anything was marked, rising */
	size_t n_early, early_capacity;
	struct heap_resource *all;
	size_t n, capacity;
	uint64_t refused;
	struct resource_connection connections[RESOURCE_CONNECTIONS];
};

/* resources__add - -ENOMEM. */
int resources__add(struct heap_resources *resources, const struct heap_resource *resource);

/* resources__type_at - what the target has at @address: one of its types, or NULL. */
const struct resource_type *resources__type_at(const struct heap_resources *resources,
					       uint64_t address);

/* resource_connection__fd - on which descriptor the @request, at its address, has come; 0: it is not known. */
uint64_t resource_connection__fd(struct heap_resources *resources, const struct resource_type *of,
				 uint64_t request);

/* resource_timers__take - those that are armed. Errors: as heap_resources__take(). */
int resource_timers__take(struct heap_resources *resources, struct heap_scan *scan);

/* resource_defers__take - those of loops. Errors: as heap_resources__take(). */
int resource_defers__take(struct heap_resources *resources, const struct heap_scan *scan);

/* resource_objects__each - marked objects of the heap that stand at nodes of @type. */
typedef int (*resource_object_fn)(void *ctx, uint16_t node, const struct heap_span *span,
				  uint64_t object);
int resource_objects__each(struct heap_resources *resources, struct heap_scan *scan,
			   const bool *wanted, resource_object_fn fn, void *ctx);

#endif /* GLEAKD_HEAP_RESOURCES_PRIVATE_H */
