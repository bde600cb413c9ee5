// SPDX-License-Identifier: Apache-2.0
#include "discover/container_name.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/read.h"
#include "host/access.h"

/* Fewer digits of an id could be the name of something else. */
#define MIN_ID_DIGITS 6

#define MAX_FILE (1u << 20)

static bool begins_id(const char *id, const char *name)
{
	size_t length = strlen(name);

	return length >= MIN_ID_DIGITS && strncmp(id, name, length) == 0;
}

/* All of the file @path with a NUL behind it, its length in @ret_length; NULL when it cannot be had. */
static char *read_text(const char *path, size_t *ret_length)
{
	int fd __cleanup_close = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = fd < 0 ? NULL : malloc(MAX_FILE + 1);
	ssize_t length = text ? read__whole(fd, text, MAX_FILE + 1) : -1;

	if (length < 0 || (size_t)length > MAX_FILE) {
		free(text);
		return NULL;
	}
	text[length] = '\0';
	*ret_length = (size_t)length;
	return text;
}

/*
 * Docker writes {"...","Name":"/web",...}; only the name of a container begins with a slash
 * (github.com/moby/moby daemon/container/container.go, Container.Name).
 */
static bool docker_calls_it(const char *docker_containers, const char *id, const char *name)
{
	static const char key[] = "\"Name\":\"/";
	char path[PATH_MAX];
	char *text __cleanup_free = NULL;
	const char *at;
	size_t size, length = strlen(name);

	snprintf(path, sizeof(path), "%s/%s/config.v2.json", docker_containers, id);
	text = read_text(path, &size);
	at = text ? strstr(text, key) : NULL;
	return at && strncmp(at + strlen(key), name, length) == 0 &&
	       at[strlen(key) + length] == '"';
}

/* The environment that the runtime began the process with; of what the process changed nothing shows. */
static bool host_is_called(const char *proc_root, pid_t pid, const char *name)
{
	char host[HOST_NAME_MAX];
	ssize_t length = access__hostname(proc_root, pid, host, sizeof(host));

	return length >= 0 && (size_t)length == strlen(name) && !memcmp(host, name, (size_t)length);
}

bool container_name__matches(const char *proc_root, pid_t pid, const struct process_origin *origin,
			     const char *docker_containers, const char *name)
{
	if (!origin->container_id[0] || *cgroup__claimed(origin, origin->container_at))
		return false;
	return begins_id(origin->container_id, name) ||
	       docker_calls_it(docker_containers, origin->container_id, name) ||
	       host_is_called(proc_root, pid, name);
}
