/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_CONTAINER_NAME_H
#define GLEAKD_DISCOVER_CONTAINER_NAME_H

/*
 * What people call a container. Control groups have its id alone; its names are where its runtime
 * keeps them.
 */
#include "base/common.h"
#include "host/cgroup.h"

/* Where Docker keeps a folder for each container, unless its data-root was moved. */
#define DOCKER_CONTAINERS "/var/lib/docker/containers"

/*
 * container_name__matches - whether process @pid of @proc_root, which runs in the container of @origin,
 * is what @name means: the container's id or the first six or more digits of it, as `docker ps` and
 * `crictl ps` show it; the name that Docker gave it (@docker_containers is DOCKER_CONTAINERS but in
 * tests); or its host name, which in Kubernetes is the name of the pod. False as well where that may
 * not be read, and for an id that somebody claims (host/cgroup.h).
 */
bool container_name__matches(const char *proc_root, pid_t pid, const struct process_origin *origin,
			     const char *docker_containers, const char *name);

#endif /* GLEAKD_DISCOVER_CONTAINER_NAME_H */
