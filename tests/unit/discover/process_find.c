// SPDX-License-Identifier: Apache-2.0
#include "discover/process_find.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fake_proc.h"

#define ID     "4f2e8c9d1a3b5c7d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f"
#define DOCKER "0::/system.slice/docker-" ID ".scope\n"
#define POD                                                                                            \
	"0::/kubepods.slice/kubepods-pod0b1c2d3e_4f50_6172_8394_a5b6c7d8e9f0.slice/cri-containerd-" ID \
	".scope\n"

TestSuite(process_find, .init = fake_proc__make, .fini = fake_proc__remove);

/* The pids that @name finds, Go programs first, as "7 9 | 12"; what is behind the bar is no Go. */
static const char *found(const char *name)
{
	static char text[1024];
	char docker[128];
	struct process_find_options options = {
		.proc_root = fake_proc__root(),
		.docker_containers = docker,
	};
	struct failure failure = {""};
	struct process_find *find;
	size_t used = 0;

	snprintf(docker, sizeof(docker), "%s/docker", fake_proc__root());
	cr_assert_eq(process_find__take(&options, name, &find, &failure), 0, "%s", failure.text);
	text[0] = '\0';
	for (size_t i = 0; i < find->n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%d", i ? " " : "",
					 i == find->n_go ? "| " : "", find->found[i].info.id.pid);
	cr_expect_eq(find->n, find->n_go + find->n_not_go);
	free(find);
	return text;
}

static void put_text(const char *path, const void *text, size_t size)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", fake_proc__root(), path);
	file = fopen(full, "w");
	cr_assert_not_null(file, "%s", full);
	cr_assert_eq(fwrite(text, 1, size, file), size);
	fclose(file);
}

static void put_docker_name(const char *id, const char *json)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/docker", fake_proc__root());
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/docker/%s", fake_proc__root(), id);
	cr_assert_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "docker/%s/config.v2.json", id);
	put_text(path, json, strlen(json));
}

Test(process_find, by_name_of_process_or_executable)
{
	fake_exe__put("shopd", FAKE_GO);
	fake_exe__put("nginx", FAKE_C);
	fake_process__put(&(struct fake_process){.pid = 7, .comm = "shop", .exe = "shopd"});
	fake_process__put(&(struct fake_process){.pid = 9, .comm = "api", .exe = "shopd"});
	fake_process__put(&(struct fake_process){.pid = 8, .comm = "shop", .exe = "nginx"});
	fake_process__put(&(struct fake_process){.pid = 5, .comm = "shop"}); /* a kernel thread */
	cr_expect_str_eq(found("shop"), "7 | 8");
	cr_expect_str_eq(found("shopd"), "7 9");
	cr_expect_str_eq(found("nginx"), "| 8");
	cr_expect_str_eq(found("sho"), "");
	cr_expect_str_eq(found("sho*"), "7 9 | 8");
	cr_expect_str_eq(found("Shop"), "");
	cr_expect_str_eq(found(""), "");
}

Test(process_find, by_path)
{
	char path[128];

	fake_exe__put("shopd", FAKE_GO);
	fake_process__put(&(struct fake_process){.pid = 7, .comm = "shop", .exe = "shopd"});
	snprintf(path, sizeof(path), "%s/bin/shopd", fake_proc__root());
	cr_expect_str_eq(found(path), "7");
	cr_expect_str_eq(found("/bin/shopd"), "");
	cr_expect_str_eq(found("*/bin/shopd"), "7");
}

/* The kernel keeps 15 bytes. */
Test(process_find, long_names_are_cut_by_the_kernel)
{
	fake_exe__put("x", FAKE_GO);
	fake_process__put(&(struct fake_process){.pid = 7, .comm = "payment-gateway", .exe = "x"});
	fake_process__put(&(struct fake_process){.pid = 8, .comm = "payment-gate", .exe = "x"});
	cr_expect_str_eq(found("payment-gateway-eu"), "7");
	cr_expect_str_eq(found("payment-gateway"), "7");
	cr_expect_str_eq(found("payment-gate-eu"), "");
}

Test(process_find, by_unit)
{
	const char *cgroup = "0::/system.slice/shop-api.service\n";

	fake_exe__put("x", FAKE_GO);
	fake_process__put(
		&(struct fake_process){.pid = 7, .comm = "a", .exe = "x", .cgroup = cgroup});
	fake_process__put(&(struct fake_process){.pid = 8, .comm = "b", .exe = "x"});
	cr_expect_str_eq(found("shop-api.service"), "7");
	cr_expect_str_eq(found("shop-api"), "7");
	cr_expect_str_eq(found("shop-api.socket"), "");
	cr_expect_str_eq(found("shop"), "");
}

Test(process_find, by_container_id)
{
	fake_exe__put("x", FAKE_GO);
	fake_process__put(
		&(struct fake_process){.pid = 7, .comm = "a", .exe = "x", .cgroup = DOCKER});
	fake_process__put(&(struct fake_process){.pid = 8, .comm = "b", .exe = "x"});
	cr_expect_str_eq(found(ID), "7");
	cr_expect_str_eq(found("4f2e8c9d1a3b"), "7");
	cr_expect_str_eq(found("4f2e8c"), "7");
	cr_expect_str_eq(found("4f2e8"), "", "could be anything");
	cr_expect_str_eq(found("5f2e8c9d1a3b"), "");
}

Test(process_find, by_the_name_that_docker_gave)
{
	fake_exe__put("x", FAKE_GO);
	fake_process__put(
		&(struct fake_process){.pid = 7, .comm = "a", .exe = "x", .cgroup = DOCKER});
	put_docker_name(
		ID, "{\"StreamConfig\":{},\"Name\":\"/web\",\"RestartPolicy\":{\"Name\":\"no\"}}");
	cr_expect_str_eq(found("web"), "7");
	cr_expect_str_eq(found("we"), "");
	cr_expect_str_eq(found("webb"), "");
	cr_expect_str_eq(found("no"), "");
}

Test(process_find, a_cut_file_of_docker_names_nothing)
{
	fake_exe__put("x", FAKE_GO);
	fake_process__put(
		&(struct fake_process){.pid = 7, .comm = "a", .exe = "x", .cgroup = DOCKER});
	put_docker_name(ID, "{\"Name\":\"/we");
	cr_expect_str_eq(found("we"), "");
	cr_expect_str_eq(found("web"), "");
}

Test(process_find, by_the_name_of_the_pod)
{
	static const char env[] = "PATH=/bin\0HOSTNAME=shop-7d9f-x2\0XHOSTNAME=other\0";

	fake_exe__put("x", FAKE_GO);
	fake_process__put(&(struct fake_process){.pid = 7, .comm = "a", .exe = "x", .cgroup = POD});
	put_text("7/environ", env, sizeof(env) - 1);
	/* Not in a container: its HOSTNAME is that of the host. */
	fake_process__put(&(struct fake_process){.pid = 8, .comm = "b", .exe = "x"});
	put_text("8/environ", env, sizeof(env) - 1);
	cr_expect_str_eq(found("shop-7d9f-x2"), "7");
	cr_expect_str_eq(found("shop"), "");
	cr_expect_str_eq(found("other"), "");
}

Test(process_find, what_may_not_be_read_may_be_go)
{
	fake_exe__put("x", FAKE_C);
	fake_process__put(
		&(struct fake_process){.pid = 7, .comm = "a", .exe = "x", .on_fuse = true});
	cr_expect_str_eq(found("a"), "7");
}

Test(process_find, go_programs_take_the_place_of_others)
{
	struct process_find_options options = {.proc_root = fake_proc__root(),
					       .docker_containers = "/nonexistent"};
	struct process_find *find;

	fake_exe__put("go", FAKE_GO);
	fake_exe__put("c", FAKE_C);
	for (int pid = 101; pid <= 101 + PROCESS_FIND_MAX; pid++)
		fake_process__put(&(struct fake_process){.pid = pid, .comm = "a", .exe = "c"});
	for (int pid = 1001; pid < 1001 + PROCESS_FIND_MAX - 1; pid++)
		fake_process__put(&(struct fake_process){.pid = pid, .comm = "a", .exe = "go"});
	cr_assert_eq(process_find__take(&options, "a", &find, NULL), 0);
	cr_expect_eq(find->n, PROCESS_FIND_MAX);
	cr_expect_eq(find->n_go, PROCESS_FIND_MAX - 1);
	cr_expect_eq(find->n_not_go, PROCESS_FIND_MAX + 1);
	cr_expect_eq(find->found[0].info.id.pid, 1001);
	cr_expect_eq(find->found[PROCESS_FIND_MAX - 2].kind, FOUND_GO);
	cr_expect_eq(find->found[PROCESS_FIND_MAX - 1].info.id.pid, 101);
	free(find);
}

Test(process_find, without_proc)
{
	struct process_find_options options = {.proc_root = "/nonexistent",
					       .docker_containers = "/nonexistent"};
	struct failure failure = {""};
	struct process_find *find;

	cr_expect_eq(process_find__take(&options, "shop", &find, &failure), -ENOENT);
	cr_expect_str_eq(failure.text,
			 "cannot look for 'shop' in /nonexistent: No such file or directory");
}
