// SPDX-License-Identifier: Apache-2.0
/*
 * floor - the least that a probe can cost: a BPF program of two instructions on given places.
 *
 * Attaches it as gleakd attaches its own (one uprobe_multi link with a pid filter), says
 * "attached" and holds on until its stdin ends. What a target pays beyond this is gleakd's own.
 *
 *	floor PID FILE OFFSET...	file offsets in hexadecimal
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define MAX_SITES 4096

/* include/uapi/linux/bpf.h of 6.6 on; Debian 12's header is older than the feature. */
#define UPROBE_MULTI_ATTACH_TYPE 48

struct uprobe_multi_attr {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t padding;
};

_Static_assert(sizeof(struct uprobe_multi_attr) == 64, "layout of union bpf_attr.link_create");

/* load_empty - "return 0" as a program for uprobe_multi; its descriptor or a negative errno. */
static int load_empty(void)
{
	static const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "floor", "GPL", program,
			     sizeof(program) / sizeof(program[0]), &options);
}

static int attach(int program, uint32_t pid, const char *file, const uint64_t *offsets,
		  uint32_t count)
{
	struct uprobe_multi_attr attr = {
		.prog_fd = (uint32_t)program,
		.attach_type = UPROBE_MULTI_ATTACH_TYPE,
		.path = (uint64_t)(uintptr_t)file,
		.offsets = (uint64_t)(uintptr_t)offsets,
		.count = count,
		.pid = pid,
	};
	long link = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return link < 0 ? -errno : (int)link;
}

/* parse - a whole number and nothing else. */
static int parse(const char *text, int base, uint64_t *ret_value)
{
	char *end = NULL;

	errno = 0;
	unsigned long long value = strtoull(text, &end, base);
	if (errno || end == text || *end)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t offsets[MAX_SITES], pid;
	uint32_t count = 0;
	char byte;

	if (argc < 4 || argc - 3 > MAX_SITES || parse(argv[1], 10, &pid)) {
		fprintf(stderr, "usage: floor PID FILE OFFSET...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		if (parse(argv[i], 16, &offsets[count++])) {
			fprintf(stderr, "floor: not a hexadecimal offset: %s\n", argv[i]);
			return 2;
		}
	}
	int program = load_empty();
	if (program < 0) {
		fprintf(stderr, "floor: no program for uprobe_multi: %s\n", strerror(-program));
		return 3;
	}
	int link = attach(program, (uint32_t)pid, argv[2], offsets, count);
	if (link < 0) {
		fprintf(stderr, "floor: cannot attach: %s\n", strerror(-link));
		return 3;
	}
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	close(link);
	close(program);
	return 0;
}
