// SPDX-License-Identifier: Apache-2.0
/*
 * On which descriptor a request of HTTP/2 has come: from its stream to the server's connection, and from there through
 * whatever is around a socket (TLS, limits, counters), which has what it is around in a field.
 */
#include <limits.h>

#include "heap/paths/private.h"
#include "heap/resources/private.h"

/* A server's connection, TLS, and what a program puts around its connections. */
#define MAX_DEPTH 8

/* net.TCPConn and net.UnixConn; crypto/tls Conn and servers; what embeds net.Conn. */
#define OF_NET "fd"
static const char *const around[] = {"conn", "Conn"};

static uint64_t pointed_type(struct heap_resources *resources, uint64_t type)
{
	struct heap_types *types = resources->paths->types;
	const struct heap_type *pointer = type ? heap_types__any(types, type) : NULL;
	const struct heap_shape *shape = pointer ? heap_types__shape(types, pointer) : NULL;

	return shape && pointer->kind == GO_KIND_POINTER ? shape->elem : 0;
}

/* What the field of a value at @at leads to: a pointer or an interface. */
static bool step(struct heap_resources *resources, const struct heap_field_at *field, uint64_t at,
		 uint64_t *type, uint64_t *value)
{
	struct remote *remote = resources->runtime->remote;
	uint64_t pointed;

	if (field->size == 2 * sizeof(*value))
		return heap_fields__follow(resources->paths->types, remote, at + field->offset,
					   type, value);
	pointed = field->size == sizeof(*value) ? pointed_type(resources, field->type) : 0;
	if (!pointed || remote__read_u64(remote, at + field->offset, value) || !*value)
		return false;
	*type = pointed;
	return true;
}

/* Of what is behind net.Conn; 0: it is nothing that is known. */
static uint64_t fd_of(struct heap_resources *resources, uint64_t type, uint64_t value)
{
	struct heap_types *types = resources->paths->types;

	for (size_t depth = 0; depth < MAX_DEPTH; depth++) {
		struct heap_field_at next = heap_fields__find(types, type, OF_NET);
		struct heap_field_at fd = heap_fields__find(types, type, "pfd.Sysfd");
		uint64_t number;

		if (fd.size == sizeof(number))
			return !remote__read_u64(resources->runtime->remote, value + fd.offset,
						 &number) &&
					       number <= INT_MAX ?
				       number :
				       0;
		for (size_t i = 0; i < ARRAY_SIZE(around) && next.size < sizeof(value); i++)
			next = heap_fields__find(types, type, around[i]);
		if (!step(resources, &next, value, &type, &value))
			return 0;
	}
	return 0;
}

uint64_t resource_connection__fd(struct heap_resources *resources, const struct resource_type *of,
				 uint64_t request)
{
	struct resource_connection *known;
	uint64_t type, value;

	if (!step(resources, &of->server, request, &type, &value))
		return 0;
	/* One connection has many requests. */
	known = &resources->connections[value / 64 % RESOURCE_CONNECTIONS];
	if (known->server != value)
		*known = (struct resource_connection){value, fd_of(resources, type, value)};
	return known->fd;
}
