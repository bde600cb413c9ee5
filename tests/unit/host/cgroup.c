// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/cgroup as runtimes make it, by name of the runtime and of what drives its groups. */
#include "host/cgroup.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_tree.h"

#define ID    "3f4ab8c0d1e2f30415263748596a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6"
#define OUTER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UID   "6c6c9d3e-0b1a-4f55-8c1d-1f2e3d4c5b6a"
#define UID_  "6c6c9d3e_0b1a_4f55_8c1d_1f2e3d4c5b6a"

#define KUBE_SLICE "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/"

static const struct {
	const char *name;
	const char *text;
	const char *unit, *container, *pod;
} cases[] = {
	{"no group", "0::/\n", "", "", ""},
	{"service", "0::/system.slice/nginx.service\n", "nginx.service", "", ""},
	{"template", "0::/system.slice/system-getty.slice/getty@tty1.service\n",
	 "getty@tty1.service", "", ""},
	{"subgroup of a service", "0::/system.slice/app.service/workers\n", "app.service", "", ""},
	{"name escaped for the cgroup file system", "0::/system.slice/_cpu.service\n",
	 "cpu.service", "", ""},
	{"name escaped by systemd", "0::/system.slice/data-my\\x2ddisk.mount\n",
	 "data-my\\x2ddisk.mount", "", ""},
	{"session", "0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", "", ""},
	{"unit of a user",
	 "0::/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service\n",
	 "shop.service", "", ""},
	{"the user's systemd itself", "0::/user.slice/user-1000.slice/user@1000.service\n",
	 "user@1000.service", "", ""},
	{"desktop application",
	 "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/"
	 "vte-spawn-0b1c.scope\n",
	 "vte-spawn-0b1c.scope", "", ""},
	{"service that was stopped", "0::/system.slice/app.service (deleted)\n", "app.service", "",
	 ""},
	{"docker, systemd", "0::/system.slice/docker-" ID ".scope\n", "", ID, ""},
	{"docker, cgroupfs, v2", "0::/docker/" ID "\n", "", ID, ""},
	{"docker, cgroupfs, v1",
	 "12:memory:/docker/" ID "\n11:cpu,cpuacct:/docker/" ID "\n1:name=systemd:/docker/" ID
	 "\n0::/system.slice/containerd.service\n",
	 "", ID, ""},
	{"docker, rootless",
	 "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope\n",
	 "user@1000.service", ID, ""},
	{"docker in docker", "0::/docker/" OUTER "/docker/" ID "\n", "", ID, ""},
	{"compose project below a slice", "0::/shop.slice/docker-" ID ".scope\n", "", ID, ""},
	{"seen from another cgroup namespace", "0::/../docker-" ID ".scope\n", "", ID, ""},
	{"kubernetes, containerd", "0::" KUBE_SLICE "cri-containerd-" ID ".scope\n", "", ID, UID},
	{"kubernetes, guaranteed",
	 "0::/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID ".scope\n", "", ID,
	 UID},
	{"kubernetes, cri-o", "0::" KUBE_SLICE "crio-" ID ".scope\n", "", ID, UID},
	{"cri-o with crun", "0::" KUBE_SLICE "crio-" ID ".scope/container\n", "", ID, UID},
	{"cri-o's monitor", "0::" KUBE_SLICE "crio-conmon-" ID ".scope\n", "", "", UID},
	{"kubernetes, docker", "0::" KUBE_SLICE "docker-" ID ".scope\n", "", ID, UID},
	{"kubernetes, cgroupfs, v1",
	 "9:memory:/kubepods/burstable/pod" UID "/" ID
	 "\n1:name=systemd:/kubepods/burstable/pod" UID "/" ID "\n",
	 "", ID, UID},
	{"kubernetes, cgroupfs, guaranteed", "0::/kubepods/pod" UID "/" ID "\n", "", ID, UID},
	{"static pod", "0::/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" ID "\n", "",
	 ID, "0123456789abcdef0123456789abcdef"},
	{"containerd that expects the other driver",
	 "0::/system.slice/containerd.service/kubepods-burstable-pod" UID_
	 ".slice:cri-containerd:" ID "\n",
	 "", ID, UID},
	{"kind: a node in docker",
	 "0::/system.slice/docker-" OUTER ".scope/kubelet.slice/kubelet-kubepods.slice/"
	 "kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod" UID_
	 ".slice/cri-containerd-" ID ".scope\n",
	 "", ID, UID},
	{"podman", "0::/machine.slice/libpod-" ID ".scope/container\n", "", ID, ""},
	{"podman, rootless",
	 "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
	 ".scope/container\n",
	 "user@1000.service", ID, ""},
	{"podman's monitor", "0::/machine.slice/libpod-conmon-" ID ".scope\n",
	 "libpod-conmon-" ID ".scope", "", ""},
	{"podman, cgroupfs", "0::/libpod_parent/libpod-" ID "\n", "", ID, ""},
	{"podman, of a unit (split)", "0::/system.slice/shop.service/libpod-payload-" ID "\n",
	 "shop.service", ID, ""},
	{"podman, systemd inside",
	 "0::/machine.slice/libpod-" ID ".scope/container/system.slice/shop.service\n",
	 "shop.service", ID, ""},
	{"nerdctl", "0::/system.slice/nerdctl-" ID ".scope\n", "", ID, ""},
	{"nerdctl, cgroupfs", "0::/default/" ID "\n", "", ID, ""},
	{"ECS", "0::/ecs/0123456789abcdef0123456789abcdef/" ID "\n", "", ID, ""},
	{"lxc", "0::/lxc.payload.web/system.slice/shop.service\n", "shop.service", "", ""},
	{"lxc, v1", "4:memory:/lxc/web\n1:name=systemd:/lxc/web/init.scope\n", "init.scope", "",
	 ""},
	{"nspawn",
	 "0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/shop.service\n",
	 "shop.service", "", ""},
	{"nspawn, a program of its own", "0::/machine.slice/systemd-nspawn@web.service/payload\n",
	 "systemd-nspawn@web.service", "", ""},
	{"v1 and v2, systemd in both",
	 "11:pids:/system.slice/ssh.service\n2:cpuset:/\n1:name=systemd:/system.slice/"
	 "ssh.service\n0::/system.slice/ssh.service\n",
	 "ssh.service", "", ""},
	{"v2 has nothing to say", "1:name=systemd:/system.slice/ssh.service\n0::/\n", "ssh.service",
	 "", ""},
	{"another hierarchy says less", "5:cpu:/batch\n1:name=systemd:/system.slice/x.service\n",
	 "x.service", "", ""},

	/* What only looks like it. */
	{"id too short", "0::/docker/3f4ab8c0d1e2\n", "", "", ""},
	{"id too long", "0::/system.slice/docker-0" ID ".scope\n", "docker-0" ID ".scope", "", ""},
	{"id in capitals",
	 "0::/docker/3F4AB8C0D1E2F30415263748596A7B8C9D0E1F2A3B4C5D6E7F8091A2B3C4D5E6\n", "", "",
	 ""},
	{"unknown prefix", "0::/system.slice/foo-" ID ".scope\n", "foo-" ID ".scope", "", ""},
	{"uid with a dash astray", "0::/kubepods/pod6c6c9d3e0-b1a-4f55-8c1d-1f2e3d4c5b6a/x\n", "",
	 "", ""},
	{"pod outside of kubepods", "0::/games/pod" UID "\n", "", "", ""},
	{"kind of unit alone", "0::/.service/.scope\n", "", "", ""},
	{"colons in the path", "0::/system.slice/a:b:c.service\n", "a:b:c.service", "", ""},
	{"no line at all", "", "", "", ""},
	{"lines that are none", "::\n0\n:\n0:/x\n0::relative/x.service\n\n", "", "", ""},
	{"no newline at the end", "0::/system.slice/a.service", "a.service", "", ""},
};

Test(cgroup, recorded_lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct process_origin origin;

		cgroup__parse(cases[i].text, &origin);
		cr_expect_str_eq(origin.unit, cases[i].unit, "%s: unit %s", cases[i].name,
				 origin.unit);
		cr_expect_str_eq(origin.container_id, cases[i].container, "%s: container %s",
				 cases[i].name, origin.container_id);
		cr_expect_str_eq(origin.pod_uid, cases[i].pod, "%s: pod %s", cases[i].name,
				 origin.pod_uid);
	}
}

/* --- whose word names are ----------------------------------------------------------------------- */

#define MANAGER "/user.slice/user-1000.slice/user@1000.service"

static const struct {
	const char *path;
	const char *unit, *container, *pod, *cgroup; /* who claims them */
} claims[] = {
	{"/system.slice/shop.service", "", "", "", ""},
	{"/user.slice/user-1000.slice/session-3.scope", "", "", "", ""},
	{MANAGER, "", "", "", ""},
	{MANAGER "/app.slice/shop.service", "user 1000", "", "", "user 1000"},
	{MANAGER "/user.slice/docker-" ID ".scope", "", "user 1000", "", "user 1000"},
	{MANAGER KUBE_SLICE "crio-" ID ".scope", "", "user 1000", "user 1000", "user 1000"},
	{"/user.slice/user-0.slice/user@0.service/app.slice/shop.service", "", "", "", ""},
	{KUBE_SLICE "crio-" ID ".scope/container", "", "", "", "container 3f4ab8c0d1e2"},
	{"/docker/" OUTER "/docker/" ID, "", "container 001122334455", "",
	 "container 001122334455"},
	{"/docker/" OUTER "/system.slice/shop.service", "container 001122334455", "", "",
	 "container 001122334455"},
	{"/lxc.payload.web/system.slice/shop.service", "container lxc.payload.web", "", "",
	 "container lxc.payload.web"},
	{"/docker/" OUTER MANAGER "/x.service", "container 001122334455", "", "",
	 "container 001122334455"},
};

static void expect_claims(const struct process_origin *origin, size_t i)
{
	const char *unit = origin->unit[0] ? cgroup__claimed(origin, origin->unit_at) : "";

	cr_expect_str_eq(unit, claims[i].unit, "%s: unit: %s", claims[i].path, unit);
	cr_expect_str_eq(cgroup__claimed(origin, origin->container_at), claims[i].container, "%s",
			 claims[i].path);
	cr_expect_str_eq(cgroup__claimed(origin, origin->pod_at), claims[i].pod, "%s",
			 claims[i].path);
	cr_expect_str_eq(cgroup__claimed(origin, strlen(origin->cgroup)), claims[i].cgroup, "%s",
			 claims[i].path);
}

Test(cgroup, names_that_somebody_claims)
{
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		struct process_origin origin;
		char line[512];

		snprintf(line, sizeof(line), "0::%s\n", claims[i].path);
		cgroup__parse(line, &origin);
		expect_claims(&origin, i);
	}
}

/* The owners of directories tell more than names do. */
Test(cgroup, groups_that_were_given_away)
{
	const char *root = made_tree__new();
	struct process_origin origin;

	made_tree__put_folder("unified/batch/job/shop.service");
	cgroup__parse("0::/batch/job/shop.service\n", &origin);
	cgroup__look(root, &origin);
	if (geteuid() != 0) {
		cr_expect_eq(origin.trusted, 0, "whose the root is, his is all of it");
	} else {
		cr_expect_str_eq(cgroup__claimed(&origin, origin.unit_at), "");
		cr_assert_eq(chown(made_tree__path("unified/batch/job"), 1000, 1000), 0);
		cgroup__look(root, &origin);
		cr_expect_str_eq(cgroup__claimed(&origin, origin.unit_at), "user 1000");
		cr_expect_eq(origin.trusted, strlen("/batch/job"));
		cr_assert_eq(chmod(made_tree__path("unified/batch"), 0757), 0);
		cgroup__look(root, &origin);
		cr_expect_str_eq(cgroup__claimed(&origin, origin.unit_at), "anybody");
	}
	made_tree__remove();
}

Test(cgroup, the_group_itself)
{
	struct process_origin origin;

	cgroup__parse("0::/system.slice/app.service/a b (deleted)\n", &origin);
	cr_expect_str_eq(origin.cgroup, "/system.slice/app.service/a b");
	cgroup__parse("3:cpu:/\n1:name=systemd:/docker/" ID "\n0::/other\n", &origin);
	cr_expect_str_eq(origin.cgroup, "/docker/" ID, "the one that the rest is from");
	cgroup__parse("5:cpu:/batch\n0::/interactive\n", &origin);
	cr_expect_str_eq(origin.cgroup, "/interactive", "systemd's before others");
	cgroup__parse("", &origin);
	cr_expect_str_eq(origin.cgroup, "");
}

Test(cgroup, longer_than_anything_is_cut)
{
	static char text[3 * PATH_MAX];
	struct process_origin origin;

	memcpy(text, "0::/", 4);
	memset(text + 4, 'x', sizeof(text) - 5);
	memcpy(text + sizeof(text) - 9, ".service", 8);
	cgroup__parse(text, &origin);
	cr_expect_eq(strlen(origin.cgroup), PATH_MAX - 1);
	cr_expect_eq(strlen(origin.unit), CGROUP_UNIT_SIZE - 1);
}

/* --- the file ----------------------------------------------------------------------------------- */

static int read_file(const char *text, struct process_origin *origin)
{
	const char *root = made_tree__new();
	int err;

	if (text)
		made_tree__put("77/cgroup", text);
	err = cgroup__read(root, 77, origin);
	made_tree__remove();
	return err;
}

Test(cgroup, from_proc)
{
	struct process_origin origin = {.unit = "untouched"};

	cr_expect_eq(read_file(NULL, &origin), -ESRCH);
	cr_expect_str_eq(origin.unit, "untouched", "outputs stay untouched on failure");
	cr_expect_eq(read_file("0::/system.slice/app.service\n", &origin), 0);
	cr_expect_str_eq(origin.unit, "app.service");
	cr_expect_eq(cgroup__read("/proc", getpid(), &origin), 0);
}

Test(cgroup, more_than_the_kernel_writes)
{
	size_t size = 1u << 20;
	struct process_origin origin;
	char *text = malloc(size + 1);

	cr_assert_not_null(text);
	memset(text, '\n', size);
	memcpy(text, "0::/a.service\n", 14);
	memcpy(text + size - 20, "0::/docker/" ID, 20);
	text[size] = '\0';
	cr_expect_eq(read_file(text, &origin), 0);
	cr_expect_str_eq(origin.unit, "a.service");
	free(text);
}
