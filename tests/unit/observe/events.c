// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding needs nothing. Reading a ring needs somebody who fills one, and only a BPF program can:
 * those tests load one of six instructions, and are skipped where that is not permitted.
 */
#include "observe/events.h"

#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/ring_keeper.h"

struct seen {
	size_t n;
	struct gl_event head;
	struct gl_event_create create;
	bool created;
	struct gl_creator creator;
	bool woken;
	struct gl_event_wake wake;
	bool called;
};

static void see(void *ctx, const struct gl_event *head, const struct gl_event_create *create,
		const struct gl_creator *creator, const struct gl_event_wake *wake)
{
	struct seen *seen = ctx;

	seen->n++;
	seen->head = *head;
	seen->created = create != NULL;
	if (create)
		seen->create = *create;
	seen->called = creator != NULL;
	if (creator)
		seen->creator = *creator;
	seen->woken = wake != NULL;
	if (wake)
		seen->wake = *wake;
}

static struct gl_event_create record_of(uint8_t kind)
{
	return (struct gl_event_create){
		.head = {.kind = kind, .slot = 3, .tgid = 4711, .time_ns = 1000, .goid = 18},
		.creation_pc = 0x401234,
		.start_pc = 0x405678,
	};
}

/* From memory of exactly @size bytes, so that ASan sees a read beyond. */
static bool decode(uint8_t kind, size_t size, struct seen *seen)
{
	struct gl_event_create record = record_of(kind);
	uint8_t *exact = calloc(1, size ? size : 1);
	bool ok;

	cr_assert_not_null(exact);
	memcpy(exact, &record, min_of(size, sizeof(record)));
	memset(seen, 0, sizeof(*seen));
	ok = event_record__decode(exact, size, see, seen);
	free(exact);
	cr_assert_eq(seen->n, ok ? 1 : 0);
	return ok;
}

Test(event_record, create)
{
	struct gl_event_create expected = record_of(PROBE_EVENT_CREATE);
	struct seen seen;

	cr_assert(decode(PROBE_EVENT_CREATE, sizeof(expected), &seen));
	cr_assert(seen.created);
	cr_assert_arr_eq(&seen.create, &expected, sizeof(expected));
	cr_assert_arr_eq(&seen.head, &expected.head, sizeof(expected.head));
}

Test(event_record, create_with_the_stack_of_who_did)
{
	struct gl_event_called record = {
		.create = record_of(PROBE_EVENT_CREATE),
		.creator = {.goid = 17, .pcs = {0x401000, 0x401234, 0x402000}},
	};
	struct seen seen = {0};

	record.create.head.n_pcs = 3;
	cr_assert(event_record__decode(&record, sizeof(record), see, &seen));
	cr_assert(seen.created && seen.called);
	cr_assert_eq(seen.head.n_pcs, 3);
	cr_assert_eq(seen.creator.goid, 17);
	cr_assert_eq(seen.creator.pcs[2], 0x402000);
	cr_assert_not(event_record__decode(&record, sizeof(record) - 1, see, &seen), "cut short");
	record.create.head.n_pcs = GL_CREATOR_STACK + 1;
	cr_assert_not(event_record__decode(&record, sizeof(record), see, &seen), "too deep");
	record.create.head.n_pcs = 0;
	cr_assert(event_record__decode(&record, sizeof(record), see, &seen));
	cr_assert_not(seen.called);
}

Test(event_record, exit_and_park_are_heads)
{
	struct seen seen;

	cr_assert(decode(PROBE_EVENT_EXIT, sizeof(struct gl_event), &seen));
	cr_assert_not(seen.created);
	cr_assert_eq(seen.head.goid, 18);
	cr_assert(decode(PROBE_EVENT_PARK, sizeof(struct gl_event), &seen));
	cr_assert_not(seen.created);
}

Test(event_record, wake_with_where_it_waited)
{
	struct gl_event_wake record = {
		.head = {.kind = PROBE_EVENT_WAKE, .n_pcs = 2, .time_ns = 2000, .goid = 18},
		.creation_pc = 0x401234,
		.start_pc = 0x405678,
		.wait_reason = 14,
		.pcs = {0x406000, 0x406100},
	};
	struct seen seen = {0};

	cr_assert(event_record__decode(&record, sizeof(record), see, &seen));
	cr_assert(seen.woken && !seen.created && !seen.called);
	cr_assert_arr_eq(&seen.wake, &record, sizeof(record));
	cr_assert_not(event_record__decode(&record, sizeof(record) - 1, see, &seen), "cut short");
	record.head.n_pcs = GL_WAKE_STACK + 1;
	cr_assert_not(event_record__decode(&record, sizeof(record), see, &seen), "too deep");
}

Test(event_record, short_records_are_malformed)
{
	struct seen seen;

	for (size_t size = 0; size < sizeof(struct gl_event); size++) {
		cr_assert_not(decode(PROBE_EVENT_EXIT, size, &seen));
		cr_assert_not(decode(PROBE_EVENT_PARK, size, &seen));
	}
	for (size_t size = 0; size < sizeof(struct gl_event_create); size++)
		cr_assert_not(decode(PROBE_EVENT_CREATE, size, &seen));
}

Test(event_record, longer_records_are_taken)
{
	struct seen seen;

	cr_assert(decode(PROBE_EVENT_EXIT, sizeof(struct gl_event) + 8, &seen));
	cr_assert_not(seen.created, "what follows a head is not looked at");
	cr_assert(decode(PROBE_EVENT_CREATE, sizeof(struct gl_event_create) + 100, &seen));
	cr_assert_eq(seen.create.start_pc, 0x405678);
}

Test(event_record, unknown_kinds_are_malformed)
{
	struct seen seen;

	for (unsigned int kind = 0; kind < 256; kind++) {
		bool known = kind == PROBE_EVENT_CREATE || kind == PROBE_EVENT_EXIT ||
			     kind == PROBE_EVENT_PARK;

		cr_assert_eq(decode((uint8_t)kind, 64, &seen), known, "kind %u", kind);
	}
}

Test(event_record, goroutine_zero_is_malformed)
{
	struct gl_event_create record = record_of(PROBE_EVENT_CREATE);
	struct seen seen = {0};

	record.head.goid = 0;
	cr_assert_not(event_record__decode(&record, sizeof(record), see, &seen));
	cr_assert_eq(seen.n, 0);
}

Test(event_record, need_not_be_aligned)
{
	struct gl_event_create record = record_of(PROBE_EVENT_CREATE);
	uint8_t bytes[sizeof(record) + 1];
	struct seen seen = {0};

	memcpy(bytes + 1, &record, sizeof(record));
	cr_assert(event_record__decode(bytes + 1, sizeof(record), see, &seen));
	cr_assert_eq(seen.create.creation_pc, 0x401234);
}

/* --- a ring ------------------------------------------------------------------------------------- */

#define RING_BYTES 4096
#define FRAME_SIZE 64 /* what a socket filter is given in a test run: at least an Ethernet header */

static struct bpf_insn insn(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	return (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm};
}

/* A program which writes one record of @size bytes per run: @kind, goid 18, else zero. */
static int load_producer(int ring_fd, uint8_t kind, int size, int flags)
{
	const struct bpf_insn program[] = {
		insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -24, kind),
		insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, 0),
		insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 18),
		insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring_fd),
		insn(0, 0, 0, 0, 0),
		insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
		insn(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -24),
		insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, size),
		insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, flags),
		insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output),
		insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", program, ARRAY_SIZE(program),
			     NULL);
}

static void produce_with(int ring_fd, uint8_t kind, int size, int times, int flags)
{
	uint8_t frame[FRAME_SIZE] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = times);
	int program = load_producer(ring_fd, kind, size, flags);

	cr_assert_geq(program, 0, "program: %s", strerror(errno));
	cr_assert_eq(bpf_prog_test_run_opts(program, &opts), 0);
	close(program);
}

static void produce(int ring_fd, uint8_t kind, int size, int times)
{
	produce_with(ring_fd, kind, size, times, 0);
}

static int new_ring(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "test_ring", 0, 0, RING_BYTES, NULL);

	if (fd == -EPERM || fd == -EINVAL)
		cr_skip_test("needs CAP_BPF and ring buffers (Linux 5.8)");
	cr_assert_geq(fd, 0);
	return fd;
}

static bool count_record(void *ctx, const void *data __maybe_unused, size_t size __maybe_unused)
{
	++*(int *)ctx;
	return true;
}

Test(event_reader, consumes_what_is_there)
{
	struct event_reader *reader;
	struct seen seen = {0};
	int ring_fd = new_ring();

	cr_assert_eq(event_reader__new(ring_fd, RING_BYTES, see, &seen, &reader), 0);
	cr_assert_eq(event_reader__consume(reader), 0);
	produce(ring_fd, PROBE_EVENT_EXIT, sizeof(struct gl_event), 5);
	cr_assert_eq(event_reader__consume(reader), 5);
	cr_assert_eq(seen.n, 5);
	cr_assert_eq(seen.head.kind, PROBE_EVENT_EXIT);
	cr_assert_eq(seen.head.goid, 18);
	cr_assert_eq(event_reader__consume(reader), 0);
	cr_assert_eq(event_reader__consumed(reader), 5);
	cr_assert_eq(event_reader__malformed(reader), 0);
	event_reader__free(reader);
	close(ring_fd);
}

Test(event_reader, counts_malformed_records)
{
	struct event_reader *reader;
	struct seen seen = {0};
	int ring_fd = new_ring();

	cr_assert_eq(event_reader__new(ring_fd, RING_BYTES, see, &seen, &reader), 0);
	produce(ring_fd, 9, 24, 2);
	produce(ring_fd, PROBE_EVENT_CREATE, 24, 3);
	produce(ring_fd, PROBE_EVENT_PARK, 23, 4);
	produce(ring_fd, PROBE_EVENT_PARK, 24, 1);
	cr_assert_eq(event_reader__consume(reader), 10);
	cr_assert_eq(event_reader__malformed(reader), 9);
	cr_assert_eq(seen.n, 1);
	event_reader__free(reader);
	close(ring_fd);
}

/* Keeps the ring filled from inside the callback: as a target that is faster than we are. */
static void see_and_produce(void *ctx, const struct gl_event *head,
			    const struct gl_event_create *create, const struct gl_creator *creator,
			    const struct gl_event_wake *wake)
{
	int *ring_fd = ctx;

	(void)create;
	(void)creator;
	(void)wake;
	produce(*ring_fd, head->kind, sizeof(struct gl_event), 2);
}

Test(event_reader, a_round_ends_although_records_keep_coming, .timeout = 30)
{
	struct event_reader *reader;
	int ring_fd = new_ring();

	cr_assert_eq(event_reader__new(ring_fd, RING_BYTES, see_and_produce, &ring_fd, &reader), 0);
	produce(ring_fd, PROBE_EVENT_EXIT, sizeof(struct gl_event), 1);
	cr_assert_eq(event_reader__consume(reader), RING_BYTES / 32);
	cr_assert_eq(event_reader__consume(reader), RING_BYTES / 32, "none is stuck or repeated");
	cr_assert_eq(event_reader__consumed(reader), 2 * RING_BYTES / 32);
	event_reader__free(reader);
	close(ring_fd);
}

Test(event_reader, epoll_fd_becomes_readable)
{
	struct event_reader *reader;
	struct seen seen = {0};
	int ring_fd = new_ring();
	struct pollfd poll_fd = {.events = POLLIN};

	cr_assert_eq(event_reader__new(ring_fd, RING_BYTES, see, &seen, &reader), 0);
	poll_fd.fd = event_reader__epoll_fd(reader);
	cr_assert_eq(poll(&poll_fd, 1, 0), 0);
	produce(ring_fd, PROBE_EVENT_EXIT, sizeof(struct gl_event), 1);
	cr_assert_eq(poll(&poll_fd, 1, 10000), 1);
	event_reader__consume(reader);
	cr_assert_eq(poll(&poll_fd, 1, 0), 0);
	event_reader__free(reader);
	close(ring_fd);
}

/* Nobody reads for as long as it takes to fill the ring several times. */
Test(event_reader, what_a_busy_reader_leaves_in_the_ring_is_kept, .timeout = 30)
{
	const int half = RING_BYTES / 2 / 32, times = 2 * RING_KEEPER_RINGS - 1;
	struct ring_keeper *keeper;
	int ring_fd = new_ring(), n = 0;

	cr_assert_eq(ring_keeper__new(ring_fd, RING_BYTES, &keeper), 0);
	for (int i = 1; i <= times; i++) {
		produce_with(ring_fd, PROBE_EVENT_EXIT, sizeof(struct gl_event), half,
			     BPF_RB_FORCE_WAKEUP);
		while (ring_keeper__kept(keeper) < (uint64_t)i * RING_BYTES / 2)
			sched_yield();
	}
	produce(ring_fd, PROBE_EVENT_EXIT, sizeof(struct gl_event), 3);
	ring_keeper__consume(keeper, count_record, &n);
	cr_expect_eq(n, times * half + 3);
	/* And begins anew. */
	produce(ring_fd, PROBE_EVENT_EXIT, sizeof(struct gl_event), 7);
	ring_keeper__consume(keeper, count_record, &n);
	cr_expect_eq(n, times * half + 10);
	ring_keeper__free(keeper);
	close(ring_fd);
}

Test(event_reader, refuses_what_is_no_ring)
{
	struct event_reader *reader = NULL;
	int map_fd;

	cr_assert_lt(event_reader__new(-1, RING_BYTES, see, NULL, &reader), 0);
	close(new_ring());
	map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test_array", 4, 8, 1, NULL);
	cr_assert_geq(map_fd, 0);
	cr_assert_lt(event_reader__new(map_fd, RING_BYTES, see, NULL, &reader), 0);
	close(map_fd);
	map_fd = new_ring();
	cr_assert_lt(event_reader__new(map_fd, 2 * RING_BYTES, see, NULL, &reader), 0);
	cr_assert_eq(event_reader__new(map_fd, 4097, see, NULL, &reader), -EINVAL);
	cr_assert_null(reader);
	event_reader__free(NULL);
	close(map_fd);
}
