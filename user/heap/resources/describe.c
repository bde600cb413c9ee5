// SPDX-License-Identifier: Apache-2.0
/* What a person calls a resource. */
#include <arpa/inet.h>
#include <inttypes.h>
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

/* src/database/sql/sql.go DB; the length of freeConn is the second word of the slice. */
static void describe_db(struct heap_resources *resources, const struct resource_type *type,
			const struct heap_resource *resource, char *text, size_t size)
{
	struct heap_field_at free_conn =
		heap_fields__find(resources->paths->types, type->address, "freeConn");
	uint64_t open = word_of(resources, type->address, resource->value, "numOpen");
	uint64_t max = word_of(resources, type->address, resource->value, "maxOpen");
	uint64_t waited = word_of(resources, type->address, resource->value, "waitCount"), idle = 0;
	int n;

	if (!free_conn.size || remote__read_u64(resources->runtime->remote,
						resource->value + free_conn.offset + 8, &idle))
		idle = 0;
	n = snprintf(text, size, "%" PRIu64 " open, %" PRIu64 " in use", open,
		     open - min_of(idle, open));
	if (n > 0 && (size_t)n < size && (int64_t)max > 0)
		n += snprintf(text + n, size - (size_t)n, ", at most %" PRIu64, max);
	if (n > 0 && (size_t)n < size && waited)
		snprintf(text + n, size - (size_t)n, ", %" PRIu64 " had to wait", waited);
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

static void describe_context(struct heap_resources *resources, const struct resource_type *type,
			     const struct heap_resource *resource, char *text, size_t size)
{
	struct heap_context context = {0};
	size_t length;

	heap_contexts__chain(resources->paths->types, resources->runtime->remote, resource->value,
			     type->address, &context, 1);
	snprintf(text, size, "%s 0x%" PRIx64, context.type, resource->value);
	length = strlen(text);
	if (context.children)
		snprintf(text + length, size - length, " with %" PRIu64 " that hang%s from it",
			 context.children, context.children == 1 ? "s" : "");
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
		snprintf(text, size, "pid %" PRIu64, resource->id);
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
