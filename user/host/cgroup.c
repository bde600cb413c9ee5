// SPDX-License-Identifier: Apache-2.0
/*
 * One line for each hierarchy, "ID:CONTROLLERS:PATH" (cgroups(7)): cgroup v2 has one, v1 some
 * twelve. In v1 only some of them have a path that says something, which ones depends on the
 * software that created the groups, so the path that says most is used. The components of a path
 * are read from the outermost inwards, and a later one counts more (a container in a container, the
 * user's systemd in the system's).
 */
#include "host/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/access.h"
#include "host/proc_error.h"

/* The kernel writes at most PATH_MAX bytes a path; v1 has 14 hierarchies at most. */
#define MAX_BYTES (64u << 10)

#define ID_DIGITS  64
#define UID_DIGITS 32

#define MAX_INNER 48 /* of the name of a container that has no id */

/* A piece of text inside a longer one. */
struct part {
	const char *at;
	size_t n;
};

static bool part__is(struct part part, const char *text)
{
	return part.n == strlen(text) && !memcmp(part.at, text, part.n);
}

static bool part__begins(struct part part, const char *text)
{
	return part.n >= strlen(text) && !memcmp(part.at, text, strlen(text));
}

static bool part__ends(struct part part, const char *text)
{
	size_t n = strlen(text);

	return part.n >= n && !memcmp(part.at + part.n - n, text, n);
}

static struct part part__skip(struct part part, size_t n)
{
	return (struct part){part.at + n, part.n - n};
}

static struct part part__cut(struct part part, const char *ending)
{
	if (part__ends(part, ending))
		part.n -= strlen(ending);
	return part;
}

static void part__copy(struct part part, char *out, size_t size)
{
	size_t n = min_of(part.n, size - 1);

	memcpy(out, part.at, n);
	out[n] = '\0';
}

static bool is_hex(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text__hex_digit(text[i]) < 0)
			return false;
	return true;
}

/* --- containers ---------------------------------------------------------------------------------- */

/*
 * What container runtimes put before the id. Names of groups: moby daemon/oci_linux.go, containerd
 * internal/cri cgroup paths, cri-o internal/config/cgmgr, podman
 * libpod/container_internal_linux.go, nerdctl pkg/cmd/container. The monitor that cri-o and podman
 * run beside each container ("crio-conmon-") is outside of it and not listed.
 */
static const char *const prefixes[] = {
	"docker-", "cri-containerd-", "nerdctl-",	 "crio-",
	"libpod-", "libpod-payload-", "cri-containerd:",
};

static bool is_runtimes_prefix(struct part prefix)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (part__is(prefix, prefixes[i]))
			return true;
	return false;
}

/* "PREFIX-<id>.scope", "PREFIX-<id>", "<slice>:PREFIX:<id>", or "<id>" alone. */
static bool take_container(struct part component, struct process_origin *origin)
{
	struct part name = part__cut(component, ".scope");
	struct part prefix, id;
	const char *colon;

	if (name.n < ID_DIGITS)
		return false;
	id = part__skip(name, name.n - ID_DIGITS);
	if (!is_hex(id.at, id.n))
		return false;
	prefix = (struct part){name.at, name.n - ID_DIGITS};
	colon = prefix.n ? memchr(prefix.at, ':', prefix.n) : NULL;
	if (colon)
		prefix = part__skip(prefix, (size_t)(colon + 1 - prefix.at));
	if (prefix.n && !is_runtimes_prefix(prefix))
		return false;
	part__copy(id, origin->container_id, sizeof(origin->container_id));
	return true;
}

/* A bare uid is that of a static pod, which the kubelet makes from a hash. */
static bool take_uid(struct part text, struct process_origin *origin)
{
	static const size_t dashes[] = {8, 13, 18, 23};
	char uid[CGROUP_POD_UID_SIZE];

	if (text.n != UID_DIGITS && text.n != sizeof(uid) - 1)
		return false;
	part__copy(text, uid, sizeof(uid));
	for (size_t i = 0; text.n != UID_DIGITS && i < ARRAY_SIZE(dashes); i++) {
		if (uid[dashes[i]] != '-' && uid[dashes[i]] != '_')
			return false;
		uid[dashes[i]] = '0';
	}
	if (!is_hex(uid, text.n))
		return false;
	for (size_t i = 0; text.n != UID_DIGITS && i < ARRAY_SIZE(dashes); i++)
		uid[dashes[i]] = '-';
	memcpy(origin->pod_uid, uid, text.n + 1);
	return true;
}

/*
 * kubernetes pkg/kubelet/cm/pod_container_manager_linux.go: "pod<uid>" below "kubepods", or a slice
 * "[kubelet-]kubepods[-burstable|-besteffort]-pod<uid>.slice" with dashes turned to underscores.
 * Where containerd expects the other driver, the container's id follows behind ":".
 */
static bool take_pod(struct part component, bool in_kubepods, struct process_origin *origin)
{
	const char *colon = component.n ? memchr(component.at, ':', component.n) : NULL;
	struct part name = component;
	const char *at;

	if (colon)
		name.n = (size_t)(colon - name.at);
	if (in_kubepods && part__begins(name, "pod"))
		return take_uid(part__skip(name, 3), origin);
	at = memmem(name.at, name.n, "kubepods", strlen("kubepods"));
	if (!at || !part__ends(name, ".slice"))
		return false;
	name = part__cut(name, ".slice");
	at = memmem(at, (size_t)(name.at + name.n - at), "-pod", strlen("-pod"));
	if (!at)
		return false;
	return take_uid(part__skip(name, (size_t)(at + 4 - name.at)), origin);
}

/* --- units --------------------------------------------------------------------------------------- */

/* systemd src/basic/cgroup-util.c cg_escape: names that the kernel could take for files of its own. */
static struct part unescape(struct part component)
{
	return part__begins(component, "_") ? part__skip(component, 1) : component;
}

/* systemd src/basic/unit-def.c: of its kinds these run processes. */
static bool is_unit(struct part name)
{
	static const char *const kinds[] = {".service", ".scope", ".socket", ".mount", ".swap"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (name.n > strlen(kinds[i]) && part__ends(name, kinds[i]))
			return true;
	return false;
}

/* Containers of LXC and systemd-nspawn: below them another systemd may name the groups. */
static bool is_boundary(struct part component)
{
	return part__begins(component, "lxc.payload") || part__is(component, "lxc") ||
	       part__begins(component, "systemd-nspawn@");
}

/* Below a user manager are that user's units; the manager's own group is "init.scope". */
static bool is_user_manager(struct part name)
{
	return part__begins(name, "user@") && part__ends(name, ".service");
}

/* --- one path ------------------------------------------------------------------------------------ */

struct walk {
	struct process_origin *origin;
	const char *path; /* its beginning */
	struct part parent;
	struct part unit;
	bool in_kubepods;
	bool inner; /* units of another systemd may follow */
};

/* What follows behind @end, unless it is somebody's word already. */
__attribute__((format(printf, 3, 4))) static void give_away(struct process_origin *origin,
							    size_t end, const char *format, ...)
{
	va_list args;

	if (origin->trusted <= end)
		return;
	origin->trusted = end;
	va_start(args, format);
	vsnprintf(origin->claimant, sizeof(origin->claimant), format, args);
	va_end(args);
}

/* systemd lets a user make the groups below his manager's, "user@1000.service". */
static void give_to_user(struct walk *walk, struct part name, size_t end)
{
	struct part uid = part__cut(part__skip(name, strlen("user@")), ".service");

	if (uid.n && uid.n <= UID_DIGITS && strspn(uid.at, "0123456789") >= uid.n &&
	    !(uid.n == 1 && *uid.at == '0'))
		give_away(walk->origin, end, "user %.*s", (int)uid.n, uid.at);
}

static void step(struct walk *walk, struct part component)
{
	struct process_origin *origin = walk->origin;
	struct part name = unescape(component);
	bool boundary = is_boundary(component);
	size_t at = (size_t)(component.at - walk->path), end = at + component.n;

	if (part__ends(walk->parent, "kubepods") || part__is(walk->parent, "kubepods.slice"))
		walk->in_kubepods = true;
	if (take_pod(component, walk->in_kubepods, origin)) {
		walk->unit.n = 0; /* containerd.service around it is not its unit */
		origin->pod_at = at;
	}
	if (take_container(component, origin)) {
		origin->container_at = at;
		give_away(origin, end, "container %.12s", origin->container_id);
		return;
	}
	if (boundary)
		give_away(origin, end, "container %.*s",
			  (int)min_of(component.n, (size_t)MAX_INNER), component.at);
	walk->inner |= boundary || part__is(component, "payload");
	if (is_unit(name) && (!walk->unit.n || walk->inner)) {
		walk->unit = name;
		origin->unit_at = at;
		walk->inner = is_user_manager(name) || boundary;
		if (is_user_manager(name))
			give_to_user(walk, name, end);
	}
}

/* Returns how much the path says: a container more than a unit, a unit more than nothing. */
static int read_path(struct part path, struct process_origin *origin)
{
	struct walk walk = {.origin = origin, .path = path.at, .parent = {"", 0}, .unit = {"", 0}};

	path = part__cut(path, " (deleted)");
	origin->trusted = SIZE_MAX;
	part__copy(path, origin->cgroup, sizeof(origin->cgroup));
	while (path.n) {
		const char *slash = memchr(path.at, '/', path.n);
		struct part component = {path.at, slash ? (size_t)(slash - path.at) : path.n};

		path = part__skip(path, component.n + (slash ? 1 : 0));
		if (!component.n || part__is(component, ".."))
			continue;
		step(&walk, component);
		walk.parent = component;
	}
	if (!origin->pod_uid[0])
		part__copy(walk.unit, origin->unit, sizeof(origin->unit));
	return (origin->container_id[0] || origin->pod_uid[0] ? 4 : 0) + (origin->unit[0] ? 2 : 0) +
	       (origin->cgroup[0] && origin->cgroup[1] ? 1 : 0);
}

/* --- the file ------------------------------------------------------------------------------------ */

/* "ID:CONTROLLERS:PATH"; the controllers may be "name=systemd". */
static bool path_of(struct part line, struct part *ret_path, struct part *ret_controllers)
{
	const char *first = line.n ? memchr(line.at, ':', line.n) : NULL;
	const char *second;
	struct part rest;

	if (!first)
		return false;
	rest = part__skip(line, (size_t)(first + 1 - line.at));
	second = rest.n ? memchr(rest.at, ':', rest.n) : NULL;
	if (!second)
		return false;
	*ret_path = part__skip(rest, (size_t)(second + 1 - rest.at));
	rest.n = (size_t)(second - rest.at);
	*ret_controllers = rest;
	return ret_path->n && ret_path->at[0] == '/';
}

void cgroup__parse(const char *text, struct process_origin *ret_origin)
{
	struct process_origin origin;
	int best = -1;

	memset(ret_origin, 0, sizeof(*ret_origin));
	while (*text) {
		struct part line = {text, strcspn(text, "\n")}, path, controllers;
		bool named;
		int score;

		text += line.n + (text[line.n] == '\n');
		if (!path_of(line, &path, &controllers))
			continue;
		/* Those that systemd keeps: the unified one and, before there was one, its own. */
		named = !controllers.n || part__is(controllers, "name=systemd");
		memset(&origin, 0, sizeof(origin));
		part__copy(controllers, origin.controllers, sizeof(origin.controllers));
		score = 2 * read_path(path, &origin) + named;
		if (score <= best)
			continue;
		best = score;
		*ret_origin = origin;
	}
}

int cgroup__read(const char *proc_root, pid_t pid, struct process_origin *ret_origin)
{
	__cleanup_free char *text = malloc(MAX_BYTES);
	char path[PATH_MAX];
	ssize_t length;
	int n;

	if (!text)
		return -ENOMEM;
	n = snprintf(path, sizeof(path), "%s/%d/cgroup", proc_root, pid);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	/* The beginning of a longer file is enough. */
	length = access__read_public(path, text, MAX_BYTES - 1);
	if (length < 0)
		return proc_error((int)-length);
	text[length] = '\0';
	cgroup__parse(text, ret_origin);
	cgroup__look(CGROUP_ROOT, ret_origin);
	return 0;
}
