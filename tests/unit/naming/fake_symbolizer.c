// SPDX-License-Identifier: Apache-2.0
#include "fake_symbolizer.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* For tests that bring none of their own. */
static const struct fake_pc fake_pcs[] = {
	{0x10, {"runtime.gopark", "proc.go", 460, FRAME_RUNTIME, false, false, "", 0}, BEHIND_CALL},
	{0x20,
	 {"runtime.chansend1", "chan.go", 160, FRAME_RUNTIME, false, false, "", 0},
	 BEHIND_CALL},
	{0x30,
	 {"example.com/lib.(*Pool).put", "pool.go", 33, FRAME_DEPENDENCY, false, false, "", 0},
	 BEHIND_CALL},
	{0x40,
	 {"example.com/svc/api.fetch", "fetch.go", 17, FRAME_MAIN, true, false, "", 0},
	 BEHIND_CALL},
	{0x50,
	 {"example.com/svc/api.(*T).run", "t.go", 5, FRAME_MAIN, false, true, "", 0},
	 BEHIND_CALL},
	{0x60,
	 {"internal/poll.runtime_pollWait", "netpoll.go", 351, FRAME_RUNTIME, false, false, "", 0},
	 BEHIND_CALL},
	{0x70,
	 {"net/http.(*conn).serve", "server.go", 1991, FRAME_STDLIB, false, false, "", 0},
	 BEHIND_CALL},
	{0x78,
	 {"internal/poll.(*FD).Read", "fd_unix.go", 165, FRAME_STDLIB, false, false, "", 0},
	 BEHIND_CALL},
	{0x80, {"main.main", "main.go", 9, FRAME_MAIN, false, false, "", 0}, BEHIND_CALL},
	{0x90,
	 {"runtime.Goexit", "panic.go", 600, FRAME_RUNTIME, false, false, "", 0},
	 BEHIND_CALL},
	{0xa0,
	 {"runtime.gopanic", "panic.go", 860, FRAME_RUNTIME, false, false, "", 0},
	 BEHIND_CALL},
	{0xb0,
	 {"runtime.sigpanic", "signal_unix.go", 900, FRAME_RUNTIME, false, false, "", 0},
	 BEHIND_CALL},
	{0xc0, {"main.faults", "main.go", 33, FRAME_MAIN, false, false, "", 0}, EXACT},
	{0xd0,
	 {"_cgoexp_8a2c_callback", "_cgo_gotypes.go", 71, FRAME_RUNTIME, false, false, "", 0},
	 BEHIND_CALL},
	{0xe0, {"runtime.corostart", "coro.go", 69, FRAME_RUNTIME, false, false, "", 0}, ENTRY},
	{0x1000, {"main.worker", "main.go", 50, FRAME_MAIN, false, false, "", 0}, ENTRY},
	{0x1100, {"main.worker2", "main.go", 60, FRAME_MAIN, false, false, "", 0}, ENTRY},
};

static const struct fake_pc *table = fake_pcs;
static size_t table_size = ARRAY_SIZE(fake_pcs), asked;

void fake_symbolizer__use(const struct fake_pc *pcs, size_t n)
{
	table = pcs;
	table_size = n;
	asked = 0;
}

size_t fake_symbolizer__asked(void)
{
	return asked;
}

/* Everybody else's are alike: what is asked about is the pc only. */
static struct frame unknown(uint64_t pc)
{
	static char names[64][24];
	static size_t next;
	char *name = names[next++ % ARRAY_SIZE(names)];

	snprintf(name, sizeof(names[0]), "0x%llx", (unsigned long long)pc);
	return (struct frame){.function = name, .file = "", .owner = FRAME_RUNTIME};
}

size_t symbolizer__frames(struct symbolizer *symbolizer, uint64_t pc, bool return_address,
			  struct frame *frames, size_t max)
{
	size_t n = 0;

	(void)symbolizer;
	cr_assert(max > 0);
	asked++;
	for (size_t i = 0; i < table_size; i++) {
		if (table[i].pc != pc)
			continue;
		cr_assert_eq(return_address, table[i].lookup == BEHIND_CALL, "%#lx", pc);
		if (n < max)
			frames[n++] = table[i].frame;
	}
	if (!n)
		frames[n++] = unknown(pc);
	return n;
}

bool symbolizer__is_entry(struct symbolizer *symbolizer, uint64_t pc)
{
	(void)symbolizer;
	for (size_t i = 0; i < table_size; i++) {
		if (table[i].pc == pc)
			return table[i].lookup == ENTRY;
	}
	return false;
}

const char *symbolizer__function(struct symbolizer *symbolizer, uint64_t pc)
{
	const char *name = "?";

	(void)symbolizer;
	for (size_t i = 0; i < table_size; i++) {
		if (table[i].pc == pc)
			name = table[i].frame.function;
	}
	return name;
}
