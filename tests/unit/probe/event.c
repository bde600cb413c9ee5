// SPDX-License-Identifier: Apache-2.0
#include "probe/event.h"

#include <bpf/libbpf.h>
#include <criterion/criterion.h>

#include "gleakd.skel.h"

Test(event, names)
{
	cr_expect_str_eq(probe_event__name(PROBE_EVENT_CREATE), "create");
	cr_expect_str_eq(probe_event__name(PROBE_EVENT_EXIT), "exit");
	cr_expect_str_eq(probe_event__name(PROBE_EVENT_PARK), "park");
	cr_expect_str_eq(probe_event__name(PROBE_EVENT_WAKE), "wake");
	cr_expect_str_eq(probe_event__name(PROBE_EVENT_COUNT), "unknown");
	cr_expect_str_eq(probe_mode__name(PROBE_MODE_CENSUS), "census");
	cr_expect_str_eq(probe_mode__name(PROBE_MODE_LIFECYCLE), "lifecycle");
	cr_expect_str_eq(probe_mode__name(PROBE_MODE_FULL), "full");
	cr_expect_str_eq(probe_mode__name(PROBE_MODE_WAITS), "waits");
	cr_expect_str_eq(probe_mode__name((enum probe_mode)9), "unknown");
}

Test(event, modes)
{
	cr_expect_eq(probe_mode__events(PROBE_MODE_CENSUS), 0);
	cr_expect_eq(probe_mode__events(PROBE_MODE_LIFECYCLE),
		     1u << PROBE_EVENT_CREATE | 1u << PROBE_EVENT_EXIT);
	cr_expect_eq(probe_mode__events(PROBE_MODE_WAITS), (1u << PROBE_EVENT_COUNT) - 1);
	cr_expect_eq(probe_mode__events(PROBE_MODE_FULL),
		     probe_mode__events(PROBE_MODE_WAITS) & ~(1u << PROBE_EVENT_WAKE));
}

/* An event without a program, or a program that is attached for no event, is half a change. */
Test(event, each_has_its_own_program)
{
	struct gleakd_bpf *skeleton = gleakd_bpf__open();
	struct bpf_program *program;
	int programs = 0;

	cr_assert_not_null(skeleton);
	for (int event = 0; event < PROBE_EVENT_COUNT; event++)
		cr_expect(bpf_object__find_program_by_name(skeleton->obj,
							   probe_event__info(event)->program),
			  "%s", probe_event__name(event));
	bpf_object__for_each_program(program, skeleton->obj) programs++;
	cr_expect_eq(programs, PROBE_EVENT_COUNT);
	gleakd_bpf__destroy(skeleton);
}
