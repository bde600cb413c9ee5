// SPDX-License-Identifier: Apache-2.0
#include "process_list_sample.h"

#include <math.h>
#include <string.h>

/* 2026-01-02T03:04:05.678Z */
#define TIME_NS (1767323045ULL * NSEC_PER_SEC + 678 * NSEC_PER_MSEC)

static const struct listed_process host[] = {
	{.pid = 812,
	 .uid = 107,
	 .user = "etcd",
	 .comm = "etcd",
	 .exe = "/usr/bin/etcd",
	 .runtime_file = "/usr/bin/etcd",
	 .build_id = "3655528fa41c1decc26a8d55e4b78a3d43d626b6",
	 .uptime_seconds = 3 * 86400 + 4 * 3600 + 59.5,
	 .counted = true,
	 .goroutines = 12345,
	 .go_version = "go1.19.13",
	 .module = "go.etcd.io/etcd/server/v3",
	 .module_version = "v3.5.16",
	 .build = {.stripped = FACT_YES,
		   .pie = FACT_YES,
		   .cgo = FACT_NO,
		   .statically_linked = FACT_NO,
		   .race = FACT_NO},
	 .supported = true},
	{.pid = 4194304,
	 .uid = 4242,
	 .user = "",
	 .comm = "cart-service-wi",
	 .exe = "/srv/shop/bin/cart-service-with-a-name",
	 .runtime_file = "/srv/shop/bin/cart-service-with-a-name",
	 .uptime_seconds = 12.3456,
	 .execution = {.state = EXECUTION_STOPPED},
	 .counted = true,
	 .goroutines = 7,
	 .go_version = "go1.27-devel_0123456789ab Tue Jan 13 10:11:12 2026 +0000 X:greenteagc",
	 .module = "gitlab.example.org/retail/platform/services/shopping/cart",
	 .module_version = "v0.0.0-20260102030405-0123456789ab",
	 .build = {.stripped = FACT_NO,
		   .pie = FACT_YES,
		   .cgo = FACT_YES,
		   .statically_linked = FACT_YES,
		   .race = FACT_YES},
	 .supported = true},
	{.pid = 77,
	 .uid = 0,
	 .user = "root",
	 .comm = "go",
	 .exe = "/usr/lib/go/bin/go",
	 .runtime_file = "/usr/lib/go/bin/go",
	 .uptime_seconds = 0,
	 .execution = {.tracer = 4711, .tracer_comm = "strace"},
	 .go_version = "go1.26.8",
	 .main_path = "cmd/go",
	 .build = {.stripped = FACT_NO,
		   .pie = FACT_NO,
		   .cgo = FACT_NO,
		   .statically_linked = FACT_YES,
		   .race = FACT_NO},
	 .reason = "reading the memory of process 77 is not permitted: CAP_SYS_PTRACE is missing; "
		   "run gleakd with sudo"},
	{.pid = 812,
	 .uid = 107,
	 .user = "etcd",
	 .comm = "etcd",
	 .exe = "/usr/bin/etcd",
	 .runtime_file = "/usr/lib/libbackup.so.1",
	 .another = true,
	 .uptime_seconds = 3 * 86400 + 4 * 3600 + 59.5,
	 .reason =
		 "/usr/lib/libbackup.so.1, which process 812 has mapped, cannot be opened: that needs "
		 "CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; run gleakd with sudo"},
	{.pid = 900,
	 .uid = 1000,
	 .user = "joe",
	 .comm = "firmware-tool",
	 .exe = "/home/joe/firmware-tool",
	 .runtime_file = "/home/joe/firmware-tool",
	 .uptime_seconds = 86400,
	 .main_path = "command-line-arguments",
	 .reason = "/home/joe/firmware-tool: the program is 32-bit"},
};

struct process_list list_sample__host(void)
{
	return (struct process_list){
		.realtime_ns = TIME_NS,
		.processes = host,
		.n_processes = ARRAY_SIZE(host),
		.looked_at = 203,
		.not_readable = 31,
		.not_opened = 2,
	};
}

struct process_list list_sample__empty(void)
{
	return (struct process_list){
		.realtime_ns = TIME_NS, .looked_at = 87, .not_readable = 1, .privileged = true};
}

struct process_list list_sample__hostile(void)
{
	static char endless[5000];
	static struct listed_process process = {
		.pid = 1,
		.uid = UINT32_MAX,
		.user = "\033[2Jroot",
		.comm = "a\nb\033]0;x\a\xff\xc3",
		.exe = "/\xff/\xe2\x80\xae/x",
		.uptime_seconds = INFINITY,
		.counted = true,
		.goroutines = UINT64_MAX,
		.go_version = "go1.\x9b"
			      "31m",
		.module = endless,
		.module_version = "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
		.reason = endless,
	};

	memset(endless, 'x', sizeof(endless) - 1);
	return (struct process_list){.realtime_ns = TIME_NS,
				     .processes = &process,
				     .n_processes = 1,
				     .looked_at = SIZE_MAX};
}
