// SPDX-License-Identifier: Apache-2.0
#include "probe/calibrate.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "probe/insn.h"
#include "probe/own_text.h"
#include "probe/trials.h"

#ifdef __x86_64__
#define DECODE insn_amd64__decode
#else
#define DECODE insn_arm64__decode
#endif

static const struct calibration measured = {
	.ns =
		{
			[CALIBRATION_CALL] = 503,
			[CALIBRATION_JUMP] = 461,
			[CALIBRATION_BRANCH] = 467,
			[CALIBRATION_PUSH] = 541,
			[CALIBRATION_SINGLE_STEP] = 17389,
		},
};

static struct probe_site site_of(enum probe_class class)
{
	return (struct probe_site){.present = true, .class = class};
}

#define TRAP ((461 + 467 + 541) / 3)

Test(calibrate, each_event_and_class_has_its_cost)
{
	const struct probe_site emulated = site_of(PROBE_CLASS_EMULATED);
	const struct probe_site stepped = site_of(PROBE_CLASS_SINGLE_STEP);
	struct calibration cold = measured;

	cr_assert_eq(calibration__ns(&measured, PROBE_EVENT_CREATE, &emulated), 503);
	cr_assert_eq(calibration__ns(&measured, PROBE_EVENT_EXIT, &emulated), TRAP);
	cr_assert_eq(calibration__ns(&measured, PROBE_EVENT_PARK, &emulated), TRAP);
	cr_assert_eq(calibration__ns(&measured, PROBE_EVENT_CREATE, &stepped), 17389);
	cold.cold_percent = 210;
	cr_assert_eq(calibration__ns(&cold, PROBE_EVENT_CREATE, &emulated), 503 * 210 / 100);
	cr_assert_eq(calibration__ns(&cold, PROBE_EVENT_EXIT, &emulated), TRAP * 210 / 100);
	cr_assert_eq(calibration__ns(&cold, PROBE_EVENT_EXIT, &stepped), 17389,
		     "a trap's caches are little of that");
	cold.cold_percent = 90;
	cr_assert_eq(calibration__ns(&cold, PROBE_EVENT_EXIT, &emulated), TRAP,
		     "never less than in a loop");
}

Test(calibrate, kinds_that_the_machine_lacks_do_not_count)
{
	const struct probe_site emulated = site_of(PROBE_CLASS_EMULATED);
	struct calibration arm = measured;

	arm.ns[CALIBRATION_PUSH] = 0;
	cr_assert_eq(calibration__ns(&arm, PROBE_EVENT_PARK, &emulated), (461 + 467) / 2);
}

Test(calibrate, nothing_costs_nothing)
{
	const struct calibration none = {.cold_percent = 0};
	const struct probe_site absent = {.class = PROBE_CLASS_SINGLE_STEP};

	cr_assert_eq(calibration__ns(&measured, PROBE_EVENT_CREATE, &absent), 0);
	for (enum probe_event event = 0; event < PROBE_EVENT_COUNT; event++) {
		const struct probe_site emulated = site_of(PROBE_CLASS_EMULATED);
		const struct probe_site stepped = site_of(PROBE_CLASS_SINGLE_STEP);

		cr_assert_eq(calibration__ns(&none, event, &emulated), 0);
		cr_assert_eq(calibration__ns(&none, event, &stepped), 0);
	}
}

Test(calibrate, every_kind_has_a_name)
{
	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++)
		cr_assert_str_neq(calibration_kind__name(kind), "unknown");
	cr_assert_str_eq(calibration_kind__name(CALIBRATION_KINDS), "unknown");
}

/* The loops run unprobed, come back, and what plans would make of their instructions is right. */
Test(calibrate, trials_run_and_are_what_they_are_called)
{
	static const enum probe_class classes[CALIBRATION_KINDS] = {
		[CALIBRATION_CALL] = PROBE_CLASS_EMULATED,
		[CALIBRATION_JUMP] = PROBE_CLASS_EMULATED,
		[CALIBRATION_BRANCH] = PROBE_CLASS_EMULATED,
		[CALIBRATION_PUSH] = PROBE_CLASS_EMULATED,
		[CALIBRATION_SINGLE_STEP] = PROBE_CLASS_SINGLE_STEP,
	};
	size_t n = 0;

	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++) {
		const struct trial trial = trial__get(kind);
		struct insn insn = {0};

		if (!trial.run)
			continue;
		trial.run("", 1009);
		cr_assert_eq(DECODE((const uint8_t *)trial.address, 16, trial.address, &insn), 0);
		cr_assert(insn.probeable, "%s", calibration_kind__name(kind));
		cr_assert_eq(insn.class, classes[kind], "%s", calibration_kind__name(kind));
		n++;
	}
	cr_assert_geq(n, 4);
}

Test(calibrate, own_text_is_found_in_the_file)
{
	const struct trial trial = trial__get(CALIBRATION_CALL);
	const uint64_t offset = own_text__file_offset(trial.address);
	FILE *file = fopen("/proc/self/exe", "re");
	char bytes[16];

	cr_assert_not_null(file);
	cr_assert_neq(offset, 0);
	cr_assert_eq(fseek(file, (long)offset, SEEK_SET), 0);
	cr_assert_eq(fread(bytes, sizeof(bytes), 1, file), 1);
	fclose(file);
	cr_assert_arr_eq(bytes, (const char *)trial.address, sizeof(bytes));
	cr_assert_eq(own_text__file_offset((uintptr_t)bytes), 0);
}
