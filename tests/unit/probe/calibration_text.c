// SPDX-License-Identifier: Apache-2.0
#include "probe/calibration_text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sample_calibration.h"

static const struct calibration_scope scope = {
	.boot = "6c6c9d3e-0b1a-4f55-8c1d-1f2e3d4c5b6a",
	.kernel = "6.18.44-amd64 #1 SMP",
	.build = "0.1.0 0123456789ab",
	.now_ns = 7 * CALIBRATION_MAX_AGE_NS,
};

static char text[CALIBRATION_TEXT_SIZE];

static int read_back(const struct calibration_scope *then)
{
	struct calibration got = {.cold_percent = 77};
	int err;

	calibration_text__write(&sample_calibration, &scope, text);
	err = calibration_text__read(text, then, &got);
	if (err)
		cr_assert_eq(got.cold_percent, 77, "outputs stay untouched on failure");
	else
		sample_calibration__check(&got);
	return err;
}

Test(calibration_text, is_read_back)
{
	struct calibration_scope later = scope;

	cr_assert_eq(read_back(&scope), 0);
	later.now_ns += CALIBRATION_MAX_AGE_NS;
	cr_assert_eq(read_back(&later), 0);
}

Test(calibration_text, holds_for_one_boot_kernel_build_and_hour)
{
	struct calibration_scope other = scope;

	other.boot[0] = '7';
	cr_expect_eq(read_back(&other), -ESTALE);
	other = scope;
	other.kernel[0] = '7';
	cr_expect_eq(read_back(&other), -ESTALE);
	other = scope;
	other.build[0] = '7';
	cr_expect_eq(read_back(&other), -ESTALE);
	other = scope;
	other.now_ns += CALIBRATION_MAX_AGE_NS + 1;
	cr_expect_eq(read_back(&other), -ESTALE);
	other.now_ns = scope.now_ns - 1;
	cr_expect_eq(read_back(&other), -ESTALE, "of the future");
}

Test(calibration_text, a_long_scope_fits)
{
	struct calibration_scope longest = scope;
	struct calibration got, most = sample_calibration;

	memset(longest.boot, 'b', sizeof(longest.boot) - 1);
	memset(longest.kernel, 'k', sizeof(longest.kernel) - 1);
	memset(longest.build, 'g', sizeof(longest.build) - 1);
	longest.now_ns = INT64_MAX;
	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++)
		most.ns[kind] = UINT64_MAX;
	cr_assert_lt(calibration_text__write(&most, &longest, text), CALIBRATION_TEXT_SIZE - 1);
	cr_assert_eq(calibration_text__read(text, &longest, &got), -EPROTO, "no hit takes so long");
	calibration_text__write(&sample_calibration, &longest, text);
	cr_assert_eq(calibration_text__read(text, &longest, &got), 0);
}

Test(calibration_text, every_byte_counts)
{
	struct calibration got = {.cold_percent = 77};
	size_t n = calibration_text__write(&sample_calibration, &scope, text);

	for (size_t i = 0; i < n; i++) {
		char was = text[i];

		text[i] = '\0';
		cr_expect_neq(calibration_text__read(text, &scope, &got), 0, "cut at %zu", i);
		text[i] = '\n';
		cr_expect(was == '\n' || calibration_text__read(text, &scope, &got), "%zu", i);
		text[i] = '-';
		cr_expect(was == '-' || calibration_text__read(text, &scope, &got), "%zu", i);
		text[i] = was;
	}
	cr_expect_eq(got.cold_percent, 77);
	text[n] = 'x';
	text[n + 1] = '\0';
	cr_expect_eq(calibration_text__read(text, &scope, &got), -EPROTO);
}

static int read_with(const char *line, const char *instead)
{
	struct calibration got;
	char changed[CALIBRATION_TEXT_SIZE + 256];
	char *at;

	calibration_text__write(&sample_calibration, &scope, text);
	at = strstr(text, line);
	cr_assert_not_null(at, "%s", line);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, instead,
		 at + strlen(line));
	return calibration_text__read(changed, &scope, &got);
}

Test(calibration_text, numbers_have_bounds)
{
	cr_expect_eq(read_with("call 503\n", "call 504\n"), 0);
	cr_expect_eq(read_with("call 503\n", "call 0\n"), -EPROTO, "every machine has calls");
	cr_expect_eq(read_with("call 503\n", "call 3000001\n"), -EPROTO);
	cr_expect_eq(read_with("call 503\n", "call 99999999999999999999999\n"), -EPROTO);
	cr_expect_eq(read_with("call 503\n", "call -1\n"), -EPROTO);
	cr_expect_eq(read_with("call 503\n", "call +1\n"), -EPROTO);
	cr_expect_eq(read_with("call 503\n", "call 5 \n"), -EPROTO);
	cr_expect_eq(read_with("call 503\n", "call \n"), -EPROTO);
	cr_expect_eq(read_with("call 503\n", ""), -EPROTO);
	cr_expect_eq(read_with("cold 210\n", "cold 1001\n"), -EPROTO);
	cr_expect_eq(read_with("made ", "made x"), -EPROTO);
}
