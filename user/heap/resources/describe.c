// SPDX-License-Identifier: Apache-2.0
/* What a person calls a resource. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "golang/pclntab.h"
#include "heap/paths/private.h"
#include "heap/resources/private.h"
#include "heap/ways/contexts.h"

#define TEXT_MAX 96
#define ADDR_MAX 256u /* bytes of a net.Addr's value */

/* net.TCPAddr and net.UDPAddr: IP, Port; net.UnixAddr: Name. False: it is none of them. */
static bool put_address(struct heap_resources *resources, uint64_t interface, char *text,
			size_t size)
{
	struct heap_types *types = resources->paths->types;
	struct remote *remote = resources->runtime->remote;
	struct heap_field_at ip, port, name;
	uint64_t type, address, slice[2], number;
	char host[INET6_ADDRSTRLEN] = "";
	uint8_t bytes[16];

	if (!heap_fields__follow(types, remote, interface, &type, &address))
		return false;
	ip = heap_fields__find(types, type, "IP");
	port = heap_fields__find(types, type, "Port");
	name = heap_fields__find(types, type, "Name");
	if (!ip.size || !port.size) {
		text[0] = '\0';
		if (name.size)
			heap_fields__text(remote, address + name.offset, text, size);
		return *text;
	}
	if (remote__read(remote, address + ip.offset, slice, sizeof(slice)) ||
	    remote__read_u64(remote, address + port.offset, &number) || slice[1] > sizeof(bytes) ||
	    (slice[1] && remote__read(remote, slice[0], bytes, (size_t)slice[1])))
		return false;
	if (slice[1] == sizeof(struct in_addr))
		inet_ntop(AF_INET, bytes, host, sizeof(host));
	else if (slice[1] == sizeof(bytes))
		inet_ntop(AF_INET6, bytes, host, sizeof(host));
	snprintf(text, size, strchr(host, ':') ? "[%s]:%" PRIu64 : "%s:%" PRIu64, host, number);
	return true;
}

static void describe_socket(struct heap_resources *resources, const struct resource_type *type,
			    const struct heap_resource *resource, char *text, size_t size)
{
	const char *field = resource->kind == RESOURCE_LISTENER ? "laddr" : "raddr";
	struct heap_field_at address =
		heap_fields__find(resources->paths->types, type->address, field);
	char net[16], peer[TEXT_MAX] = "";

	heap_fields__text(resources->runtime->remote, resource->value + type->detail.offset, net,
			  sizeof(net));
	if (!address.size ||
	    !put_address(resources, resource->value + address.offset, peer, sizeof(peer)))
		peer[0] = '\0';
	snprintf(text, size, "fd %" PRIu64 " %s%s%s", resource->id, net, *peer ? " " : "", peer);
}

static uint64_t word_of(struct heap_resources *resources, uint64_t type, uint64_t value,
			const char *path)
{
	struct heap_field_at field = heap_fields__find(resources->paths->types, type, path);
	uint8_t bytes[sizeof(uint64_t)] = {0};
	uint64_t number = 0;

	if (field.size < sizeof(uint64_t) ||
	    remote__read(resources->runtime->remote, value + field.offset, bytes, sizeof(bytes)))
		return 0;
	memcpy(&number, bytes, sizeof(number));
	return number;
}

static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, size - length, format, args);
	va_end(args);
}

/* The second word of the slice; 0: there is no such one. */
static uint64_t length_of(struct heap_resources *resources, uint64_t type, uint64_t value,
			  const char *path)
{
	struct heap_field_at slice = heap_fields__find(resources->paths->types, type, path);
	uint64_t length = 0;

	if (slice.size != 24 ||
	    remote__read_u64(resources->runtime->remote, value + slice.offset + 8, &length))
		return 0;
	return length;
}

/*
 * src/database/sql/sql.go DB connRequests: until Go 1.22 a map, whose first word is how many it has, from then on
 * a connRequestSet with a slice.
 */
static uint64_t waiting_for(struct heap_resources *resources, uint64_t type, uint64_t value)
{
	struct heap_types *types = resources->paths->types;
	struct heap_field_at map = heap_fields__find(types, type, "connRequests");
	uint64_t at = 0, n = 0;

	if (heap_fields__find(types, type, "connRequests.s").size)
		return length_of(resources, type, value, "connRequests.s");
	if (map.size != sizeof(at) ||
	    remote__read_u64(resources->runtime->remote, value + map.offset, &at) || !at ||
	    remote__read_u64(resources->runtime->remote, at, &n))
		return 0;
	return n;
}

static void describe_db(struct heap_resources *resources, const struct resource_type *type,
			const struct heap_resource *resource, char *text, size_t size)
{
	uint64_t db = resource->value;
	uint64_t open = word_of(resources, type->address, db, "numOpen");
	uint64_t max = word_of(resources, type->address, db, "maxOpen");
	uint64_t waited = word_of(resources, type->address, db, "waitCount");
	uint64_t idle = length_of(resources, type->address, db, "freeConn");
	uint64_t waiting = waiting_for(resources, type->address, db);

	snprintf(text, size, "%" PRIu64 " open, %" PRIu64 " in use", open,
		 open - min_of(idle, open));
	if ((int64_t)max > 0)
		append(text, size, ", at most %" PRIu64, max);
	if (waiting)
		append(text, size, ", %" PRIu64 " wait%s for one", waiting,
		       waiting == 1 ? "s" : "");
	if (waited)
		append(text, size, ", %" PRIu64 " had to wait so far", waited);
}

/* golang.org/x/sync/semaphore Weighted */
static void describe_semaphore(struct heap_resources *resources, const struct resource_type *type,
			       const struct heap_resource *resource, char *text, size_t size)
{
	uint64_t taken = word_of(resources, type->address, resource->value, "cur");
	uint64_t of = word_of(resources, type->address, resource->value, "size");
	uint64_t waiting = word_of(resources, type->address, resource->value, "waiters.len");
	int n = snprintf(text, size, "%" PRIu64 " of %" PRIu64 " taken", taken, of);

	if (n > 0 && (size_t)n < size && waiting)
		snprintf(text + n, size - (size_t)n, ", %" PRIu64 " wait%s", waiting,
			 waiting == 1 ? "s" : "");
}

/* How far it is from its root, and with how many others it waits for a parent that is to be cancelled. */
static void describe_context(struct heap_resources *resources, const struct resource_type *type,
			     const struct heap_resource *resource, char *text, size_t size)
{
	struct heap_context chain[HEAP_MAX_CONTEXTS] = {0};
	size_t n = heap_contexts__chain(resources->paths->types, resources->runtime->remote,
					resource->value, type->address, chain, HEAP_MAX_CONTEXTS);
	size_t parent = 1;

	snprintf(text, size, "%s 0x%" PRIx64, chain[0].type, resource->value);
	if (chain[0].children)
		append(text, size, " with %" PRIu64 " that hang%s from it", chain[0].children,
		       chain[0].children == 1 ? "s" : "");
	if (n > 1)
		append(text, size, ", depth %zu", n - 1);
	while (parent < n && !chain[parent].children)
		parent++;
	if (parent == n)
		return;
	if (chain[parent].children == 1)
		append(text, size, ", the one that hangs");
	else
		append(text, size, ", one of %" PRIu64 " that hang", chain[parent].children);
	append(text, size, " from %s 0x%" PRIx64, chain[parent].type, chain[parent].address);
}

void heap_resources__function(const struct heap_resources *resources,
			      const struct heap_resource *resource, char *name, size_t size)
{
	struct pclntab_func func;

	if (!resource->function || !resources->runtime->tab ||
	    pclntab__lookup(resources->runtime->tab, resource->function, &func) ||
	    pclntab__name(resources->runtime->tab, &func, name, size) < 0)
		name[0] = '\0';
}

static void describe_timer(struct heap_resources *resources, const struct heap_resource *resource,
			   int64_t now_ns, char *text, size_t size)
{
	int64_t left = (int64_t)resource->id - now_ns;
	char duration[DURATION_SIZE], name[TEXT_MAX];

	if (resource->kind == RESOURCE_TICKER)
		left = (int64_t)resource->id;
	duration__format(left > 0 ? (uint64_t)left : 0, duration);
	heap_resources__function(resources, resource, name, sizeof(name));
	snprintf(text, size, "%s %s%s%s", resource->kind == RESOURCE_TICKER ? "every" : "due in",
		 duration, *name ? ", calls " : "", name);
}

void heap_resources__describe(struct heap_resources *resources,
			      const struct heap_resource *resource, char *text, size_t size)
{
	const struct resource_type *type = &resources->types[resource->type];
	char detail[TEXT_MAX] = "";

	text[0] = '\0';
	if (resource->kind == RESOURCE_TIMER || resource->kind == RESOURCE_TICKER) {
		describe_timer(resources, resource, resources->now_ns, text, size);
		return;
	}
	switch (resource->kind) {
	case RESOURCE_SEMAPHORE:
		describe_semaphore(resources, type, resource, text, size);
		break;
	case RESOURCE_DEFER:
		snprintf(text, size, "by goroutine %" PRIu64, resource->id);
		break;
	case RESOURCE_NET_CONN:
	case RESOURCE_LISTENER:
		describe_socket(resources, type, resource, text, size);
		break;
	case RESOURCE_CONTEXT:
		describe_context(resources, type, resource, text, size);
		break;
	case RESOURCE_SQL_DB:
		describe_db(resources, type, resource, text, size);
		break;
	case RESOURCE_PROCESS:
		snprintf(text, size, "pid %" PRIu64 "%s", resource->id,
			 resource->ended ? ", has ended" : "");
		break;
	default:
		if (type->detail.size)
			heap_fields__text(resources->runtime->remote,
					  resource->value + type->detail.offset, detail,
					  sizeof(detail));
		if (resource->kind == RESOURCE_FILE)
			snprintf(text, size, "fd %" PRIu64 " %s", resource->id, detail);
		else if (*detail)
			snprintf(text, size, "%s", detail);
		else
			snprintf(text, size, "%s.%s at 0x%" PRIx64,
				 strrchr(type->rule->package, '/') ?
					 strrchr(type->rule->package, '/') + 1 :
					 type->rule->package,
				 type->rule->type, resource->value);
	}
}
