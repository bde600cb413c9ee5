// SPDX-License-Identifier: Apache-2.0
#include "heap/resources/private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "heap/mark/private.h"
#include "heap/paths/private.h"
#include "heap/spans/specials.h"

#define VALUE_MAX \
	1024u /* bytes of a value that are read; the largest, a stream of HTTP/2, has 500 */
#define BATCH 256u

/* src/runtime/mheap.go specialfinalizer: what it is about, behind fn, nret and fint. */
#define FINALIZER_OT 24u

/* src/os/exec.go from Go 1.23 on, until 1.25 made it 32 bits wide: the lower ones count references. */
#define PROCESS_STATUS_SHIFT 62
/* src/os/exec.go: from this version on its handle has a cleanup, and the Process itself nothing. */
#define PROCESS_CLEANUP 25

/* src/syscall SOCK_STREAM, SOCK_SEQPACKET: what connections are accepted from. */
#define SOCK_STREAM_TYPE    1u
#define SOCK_SEQPACKET_TYPE 5u

/* net/http/internal/http2/server.go stateClosed, the same in all versions. */
#define STREAM_CLOSED 4u

/* The fields are those of Go 1.18 to 1.27; of several, those that a version has. */
static const struct resource_rule rules[] = {
	{"os", "file", RESOURCE_FILE, .id = "pfd.Sysfd", .detail = "name", .finalized = true},
	{"os", "root", RESOURCE_FILE, .id = "fd", .done = {"closed"}, .detail = "name",
	 .finalized = true},
	{"net", "netFD", RESOURCE_NET_CONN, .id = "pfd.Sysfd", .detail = "net", .finalized = true},
	{"os", "Process", RESOURCE_PROCESS, .id = "Pid", .done = {"isdone", "state"}},
	{"context", "cancelCtx", RESOURCE_CONTEXT, .done = {"err"}},
	{"context", "timerCtx", RESOURCE_CONTEXT, .done = {"err"}},
	{"context", "afterFuncCtx", RESOURCE_CONTEXT, .done = {"err"}},
	{"database/sql", "DB", RESOURCE_SQL_DB, .done = {"closed"}},
	{"database/sql", "driverConn", RESOURCE_SQL_CONN, .done = {"closed", "finalClosed"},
	 .in_use = "inUse"},
	{"database/sql", "Rows", RESOURCE_SQL_ROWS, .done = {"closed"}},
	{"database/sql", "Stmt", RESOURCE_SQL_STMT, .done = {"closed"}, .detail = "query"},
	{"database/sql", "Tx", RESOURCE_SQL_TX, .done = {"done"}},
	{"net/http", "bodyEOFSignal", RESOURCE_HTTP_BODY, .done = {"closed", "rerr"}},
	{"net/http", "http2clientStream", RESOURCE_HTTP_BODY,
	 .done = {"readClosed", "readAborted", "abortErr"}, .in_use = "res"},
	{"net/http/internal/http2", "ClientRequest", RESOURCE_HTTP_BODY,
	 .done = {"stream.readClosed", "stream.readAborted", "stream.abortErr"},
	 .in_use = "stream.res"},
	{"golang.org/x/sync/semaphore", "Weighted", RESOURCE_SEMAPHORE, .in_use = "cur"},
	{"net/http", "http2stream", RESOURCE_REQUEST, .done = {"state"}, .in_use = "id",
	 .server = "sc"},
	{"net/http/internal/http2", "stream", RESOURCE_REQUEST, .done = {"state"}, .in_use = "id",
	 .server = "sc"},
	{"golang.org/x/net/http2", "stream", RESOURCE_REQUEST, .done = {"state"}, .in_use = "id",
	 .server = "sc"},
	{"google.golang.org/grpc/internal/transport", "ServerStream", RESOURCE_REQUEST,
	 .in_use = "st", .server = "st"},
	/* Until grpc 1.69 a Stream is of either side. */
	{"google.golang.org/grpc/internal/transport", "Stream", RESOURCE_REQUEST, .in_use = "st",
	 .server = "st"},
	{"golang.org/x/net/http2", "clientStream", RESOURCE_HTTP_BODY,
	 .done = {"readClosed", "readAborted", "abortErr"}, .in_use = "res"},
};

_Static_assert(ARRAY_SIZE(rules) <= RESOURCE_MAX_TYPES, "each rule has its type");

const char *resource_kind__name(enum resource_kind kind)
{
	static const char *const names[RESOURCE_KINDS] = {
		[RESOURCE_FILE] = "file",	    [RESOURCE_NET_CONN] = "net.Conn",
		[RESOURCE_LISTENER] = "listener",   [RESOURCE_PROCESS] = "process",
		[RESOURCE_CONTEXT] = "context",	    [RESOURCE_SQL_DB] = "sql.DB",
		[RESOURCE_SQL_CONN] = "sql.Conn",   [RESOURCE_SQL_ROWS] = "sql.Rows",
		[RESOURCE_SQL_STMT] = "sql.Stmt",   [RESOURCE_SQL_TX] = "sql.Tx",
		[RESOURCE_HTTP_BODY] = "http body", [RESOURCE_TIMER] = "timer",
		[RESOURCE_TICKER] = "ticker",	    [RESOURCE_SEMAPHORE] = "semaphore",
		[RESOURCE_POOL] = "sync.Pool",	    [RESOURCE_DEFER] = "defer",
	};

	return kind < RESOURCE_KINDS ? names[kind] : "";
}

enum resource_kind resource_kind__find(const char *name)
{
	enum resource_kind kind = 0;

	while (kind < RESOURCE_KINDS && strcmp(resource_kind__name(kind), name) != 0)
		kind++;
	return kind;
}

/* --- types -------------------------------------------------------------------------------------- */

static struct heap_field_at find_field(struct heap_resources *resources, uint64_t type,
				       const char *name)
{
	return name ? heap_fields__find(resources->paths->types, type, name) :
		      (struct heap_field_at){0};
}

static void add_type(struct heap_resources *resources, const struct resource_rule *rule)
{
	uint64_t address =
		type_index__find(resources->paths->type_index, rule->package, rule->type);
	const struct heap_type *type =
		address ? heap_types__any(resources->paths->types, address) : NULL;
	struct resource_type *added = &resources->types[resources->n_types];
	bool tells = !rule->done[0];

	if (!type || type->kind != GO_KIND_STRUCT)
		return;
	*added = (struct resource_type){
		.rule = rule,
		.address = address,
		.size = type->size,
		.id = find_field(resources, address, rule->id),
		.in_use = find_field(resources, address, rule->in_use),
		.detail = find_field(resources, address, rule->detail),
		.server = find_field(resources, address, rule->server),
	};
	for (size_t i = 0; i < RESOURCE_MAX_STATES; i++) {
		added->done[i] = find_field(resources, address, rule->done[i]);
		tells = tells || added->done[i].size;
	}
	/* A version whose fields have other names is not guessed at. */
	if (tells && (!rule->id || added->id.size) && (!rule->in_use || added->in_use.size))
		resources->n_types++;
}

int heap_resources__new(const struct heap_runtime *runtime, struct heap_paths *paths,
			int64_t clock_offset, struct heap_resources **ret_resources)
{
	struct heap_resources *resources = calloc(1, sizeof(*resources));

	if (!resources)
		return -ENOMEM;
	resources->runtime = runtime;
	resources->paths = paths;
	resources->clock_offset = clock_offset;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		add_type(resources, &rules[i]);
	resources->timer_type = type_index__find(paths->type_index, "time", "Timer");
	resources->ticker_type = type_index__find(paths->type_index, "time", "Ticker");
	*ret_resources = resources;
	return 0;
}

void heap_resources__free(struct heap_resources *resources)
{
	if (!resources)
		return;
	free(resources->all);
	free(resources->early);
	free(resources);
}

const struct resource_type *resources__type_at(const struct heap_resources *resources,
					       uint64_t address)
{
	for (size_t i = 0; i < resources->n_types; i++) {
		if (resources->types[i].address == address)
			return &resources->types[i];
	}
	return NULL;
}

const struct heap_resource *heap_resources__all(const struct heap_resources *resources,
						size_t *ret_n)
{
	*ret_n = resources->n;
	return resources->all;
}

struct heap_resource *heap_resources__of(struct heap_resources *resources, size_t *ret_n)
{
	*ret_n = resources->n;
	return resources->all;
}

uint64_t heap_resources__refused(const struct heap_resources *resources)
{
	return resources->refused;
}

/* --- what there was before ----------------------------------------------------------------------- */

static int walk_specials(struct heap_scan *scan, heap_special_fn fn, void *ctx)
{
	struct heap_specials *specials;
	int err = heap_specials__new(heap_mark__spans(heap_scan__mark(scan)), 0, &specials);

	if (err)
		return err;
	err = heap_specials__step(specials, fn, ctx, 0);
	heap_specials__free(specials);
	return min_of(err, 0);
}

static void note_early(void *ctx, const struct heap_special *special)
{
	struct heap_resources *resources = ctx;

	/* Without memory for it less is said of it. */
	if (special->kind == HEAP_SPECIAL_FINALIZER && resources->n_early < HEAP_MAX_RESOURCES &&
	    array__reserve(resources->early, resources->early_capacity, resources->n_early + 1))
		resources->early[resources->n_early++] = special->object;
}

static int compare_words(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int heap_resources__prepare(struct heap_resources *resources, struct heap_scan *scan)
{
	int err;

	resources->n_early = 0;
	err = walk_specials(scan, note_early, resources);
	if (resources->n_early)
		qsort(resources->early, resources->n_early, sizeof(resources->early[0]),
		      compare_words);
	return err;
}

static bool was_early(const struct heap_resources *resources, uint64_t object)
{
	return resources->n_early && bsearch(&object, resources->early, resources->n_early,
					     sizeof(object), compare_words);
}

/* --- values ------------------------------------------------------------------------------------- */

struct value {
	const struct resource_type *type;
	uint16_t node;
	bool held;
	uint64_t object, address;
	uint32_t room; /* bytes from there to the end of the object */
};

/* What has been found, to be read as many at a time. */
struct census {
	struct heap_resources *resources;
	struct heap_scan *scan;
	const struct resource_type *of_node[PATH_MAX_NODES + 1];
	bool wanted[PATH_MAX_NODES + 1];
	struct value values[BATCH];
	struct remote_span reads[BATCH];
	uint8_t data[BATCH][VALUE_MAX];
	size_t n;
	int err;
};

int resources__add(struct heap_resources *resources, const struct heap_resource *resource)
{
	if (resources->n == HEAP_MAX_RESOURCES) {
		resources->refused++;
		return 0;
	}
	if (!array__reserve(resources->all, resources->capacity, resources->n + 1))
		return -ENOMEM;
	resources->all[resources->n++] = *resource;
	return 0;
}

int heap_resources__add_ended(struct heap_resources *resources, uint64_t number)
{
	const struct heap_resource process = {
		.kind = RESOURCE_PROCESS,
		.node = PATH_NONE,
		.id = number,
		.ended = true,
	};

	return resources__add(resources, &process);
}

static bool is_done(const struct resource_type *type, const struct heap_field_at *field,
		    const uint8_t *value, size_t size)
{
	if (type->rule->kind == RESOURCE_PROCESS && field->size == sizeof(uint64_t))
		return heap_fields__number(field, value, size) >> PROCESS_STATUS_SHIFT;
	if (type->rule->kind == RESOURCE_REQUEST)
		return heap_fields__number(field, value, size) == STREAM_CLOSED;
	return !heap_fields__is_zero(field, value, size);
}

static bool is_open(const struct resource_type *type, const uint8_t *value, size_t size)
{
	for (size_t i = 0; i < RESOURCE_MAX_STATES; i++) {
		if (is_done(type, &type->done[i], value, size))
			return false;
	}
	return !type->in_use.size || !heap_fields__is_zero(&type->in_use, value, size);
}

/* What listens has nobody at its other end, and is of a sort that connections are made with. */
static bool is_listener(struct heap_resources *resources, const struct resource_type *type,
			const uint8_t *value, size_t size)
{
	struct heap_field_at peer = find_field(resources, type->address, "raddr");
	struct heap_field_at sort = find_field(resources, type->address, "sotype");
	uint64_t number = heap_fields__number(&sort, value, size);

	return peer.size && heap_fields__is_zero(&peer, value, size) &&
	       (number == SOCK_STREAM_TYPE || number == SOCK_SEQPACKET_TYPE);
}

static int take_value(struct census *census, const struct value *value, const uint8_t *data)
{
	const struct resource_type *type = value->type;
	size_t size = (size_t)min_of(type->size, (uint64_t)value->room);
	struct heap_resource found = {
		.kind = type->rule->kind,
		.type = (uint8_t)(type - census->resources->types),
		.node = value->node,
		.held = value->held,
		.object = value->object,
		.value = value->address,
		.id = heap_fields__number(&type->id, data, size),
	};

	/* What came to be while the heap was scanned has no place yet: the next look will find it. */
	if (!is_open(type, data, size) ||
	    path_tree__is_young(heap_paths__tree(census->resources->paths), value->node) ||
	    (!value->held && !was_early(census->resources, value->object)))
		return 0;
	/* What was closed, was never begun, or has become something else meanwhile. */
	if (type->rule->id && found.id > INT_MAX)
		return 0;
	/* The three that each process begins with. */
	if (type->rule->kind == RESOURCE_FILE && found.id <= 2)
		return 0;
	if (type->rule->kind == RESOURCE_PROCESS && !found.id)
		return 0;
	if (type->rule->kind == RESOURCE_NET_CONN &&
	    is_listener(census->resources, type, data, size))
		found.kind = RESOURCE_LISTENER;
	if (found.kind == RESOURCE_REQUEST) {
		found.served = true;
		found.id = resource_connection__fd(census->resources, type, value->address);
	}
	return resources__add(census->resources, &found);
}

static int flush(struct census *census)
{
	struct heap_resources *resources = census->resources;
	int err = remote__read_spans(resources->runtime->remote, census->reads, census->n);

	for (size_t i = 0; i < census->n && !err; i++) {
		if (census->reads[i].result)
			resources->refused++;
		else
			err = take_value(census, &census->values[i], census->data[i]);
	}
	census->n = 0;
	return err;
}

static int see(struct census *census, const struct resource_type *type, uint16_t node,
	       const struct heap_span *span, uint64_t object, bool held)
{
	uint64_t header = paths__header_size(census->resources->paths, span);
	uint64_t room = span->elemsize - min_of(header, (uint64_t)span->elemsize);
	struct value *value = &census->values[census->n];

	if (room < min_of(type->size, (uint64_t)VALUE_MAX))
		return 0;
	*value = (struct value){type,
				node,
				held,
				object,
				object + header,
				(uint32_t)min_of(room, (uint64_t)VALUE_MAX)};
	census->reads[census->n] = (struct remote_span){
		.address = value->address,
		.buffer = census->data[census->n],
		.size = (uint32_t)min_of(type->size, (uint64_t)value->room),
	};
	return ++census->n == BATCH ? flush(census) : 0;
}

/* --- objects that something leads to ------------------------------------------------------------ */

int resource_objects__each(struct heap_resources *resources, struct heap_scan *scan,
			   const bool *wanted, resource_object_fn fn, void *ctx)
{
	const struct heap_mark *mark = heap_scan__mark(scan);
	const struct heap_spans *spans = mark->spans;
	int err = 0;

	for (size_t i = 0; i < spans->n && !err; i++) {
		const struct heap_span *span = &spans->all[i];

		for (uint32_t word = 0; word * 64 < span->nelems && !err; word++) {
			uint64_t left = mark->marked.words[span->first_word + word] &
					~mark->hidden.words[span->first_word + word];

			for (; left && !err; left &= left - 1) {
				uint32_t index = word * 64 + (uint32_t)__builtin_ctzll(left);
				uint64_t slot = (uint64_t)span->first_word * 64 + index;
				uint16_t node = heap_paths__at(resources->paths, slot);

				if (node && wanted[node])
					err = fn(ctx, node, span, heap_span__object(span, index));
			}
		}
	}
	return err;
}

static bool is_array(const struct census *census, uint16_t node)
{
	return path_tree__node(heap_paths__tree(census->resources->paths), node)->role ==
	       PATH_ARRAY;
}

static int see_object(void *ctx, uint16_t node, const struct heap_span *span, uint64_t object)
{
	struct census *census = ctx;
	const struct resource_type *type = census->of_node[node];

	/* What leads into a value rather than to its start might be an array of them: not with room for one. */
	if (2 * type->size <= span->elemsize && is_array(census, node))
		return 0;
	return see(census, type, node, span, object, true);
}

/* os.Process has a finalizer until Go 1.24. */
static bool is_finalized(const struct heap_resources *resources, const struct resource_type *type)
{
	return type->rule->finalized || (type->rule->kind == RESOURCE_PROCESS &&
					 resources->runtime->layout->minor < PROCESS_CLEANUP);
}

static int see_objects(struct census *census)
{
	struct heap_resources *resources = census->resources;
	const struct path_tree *tree = heap_paths__tree(resources->paths);
	size_t n = path_tree__count(tree);

	for (size_t i = 1; i < n; i++) {
		const struct path_node *node = path_tree__node(tree, (uint16_t)i);
		const struct resource_type *type =
			node->role == PATH_VALUE || node->role == PATH_ARRAY ?
				resources__type_at(resources, node->type) :
				NULL;

		census->of_node[i] = type;
		census->wanted[i] = type && !is_finalized(resources, type);
	}
	return resource_objects__each(resources, census->scan, census->wanted, see_object, census);
}

/* --- objects with finalizers -------------------------------------------------------------------- */

static void see_special(void *ctx, const struct heap_special *special)
{
	struct census *census = ctx;
	const struct heap_runtime *runtime = census->resources->runtime;
	struct heap_mark *mark = heap_scan__mark(census->scan);
	const struct heap_span *span = &mark->spans->all[special->span];
	const struct heap_type *pointer;
	const struct heap_shape *shape;
	const struct resource_type *type;
	uint64_t ot, slot;
	uint16_t node;

	if (special->kind != HEAP_SPECIAL_FINALIZER || census->err)
		return;
	if (remote__read_u64(runtime->remote,
			     special->address + runtime->layout->special_sizeof + FINALIZER_OT,
			     &ot)) {
		census->resources->refused++;
		return;
	}
	pointer = heap_types__any(census->resources->paths->types, ot);
	shape = pointer ? heap_types__shape(census->resources->paths->types, pointer) : NULL;
	type = shape && pointer->kind == GO_KIND_POINTER ?
		       resources__type_at(census->resources, shape->elem) :
		       NULL;
	if (!type || !is_finalized(census->resources, type))
		return;
	slot = (uint64_t)span->first_word * 64 + heap_span__index(span, special->object);
	node = heap_paths__at(census->resources->paths, slot);
	census->err = see(census, type, node, span, special->object,
			  heap_mark__is_marked(mark, special->object));
}

static int see_finalizers(struct census *census)
{
	int err = walk_specials(census->scan, see_special, census);

	return err ? err : census->err;
}

/* ------------------------------------------------------------------------------------------------ */

int heap_resources__take(struct heap_resources *resources, struct heap_scan *scan, uint64_t now_ns)
{
	struct census *census = calloc(1, sizeof(*census));
	int err;

	if (!census)
		return -ENOMEM;
	resources->n = 0;
	resources->refused = 0;
	memset(resources->connections, 0, sizeof(resources->connections));
	census->resources = resources;
	census->scan = scan;
	err = see_objects(census);
	if (!err)
		err = see_finalizers(census);
	if (!err)
		err = flush(census);
	free(census);
	resources->now_ns = (int64_t)now_ns + resources->clock_offset;
	if (!err)
		err = resource_timers__take(resources, scan);
	return err ? err : resource_defers__take(resources, scan);
}
