// SPDX-License-Identifier: Apache-2.0
#include "probe/kernel.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "host/capability.h"

static const struct kernel_features all = {
	.btf = true,
	.ring_buffer = true,
	.attach_cookie = true,
	.uprobe_pmu = true,
	.uprobe_multi = true,
};

static bool may_load(void)
{
	return capability__has(CAP_SYS_ADMIN) ||
	       (capability__has(CAP_BPF) && capability__has(CAP_PERFMON));
}

static void refuses(struct kernel_features features, const char *word)
{
	struct failure failure = {{0}};

	if (!may_load())
		cr_skip_test("needs CAP_BPF and CAP_PERFMON");
	cr_assert_eq(kernel__check(&features, &failure), -EOPNOTSUPP);
	cr_assert_not_null(strstr(failure.text, word), "%s", failure.text);
}

Test(kernel, names_what_is_missing)
{
	struct kernel_features features = all;

	features.btf = false;
	refuses(features, "CONFIG_DEBUG_INFO_BTF");
	features = all;
	features.ring_buffer = false;
	refuses(features, "ring buffer");
	features = all;
	features.attach_cookie = false;
	refuses(features, "5.15");
	features = all;
	features.uprobe_multi = features.uprobe_pmu = false;
	refuses(features, "/sys is not mounted");
}

Test(kernel, either_kind_of_uprobe_will_do)
{
	struct kernel_features features = all;
	struct failure failure = {{0}};

	if (!capability__has(CAP_SYS_ADMIN))
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_eq(kernel__check(&features, &failure), 0, "%s", failure.text);
	features.uprobe_pmu = false;
	cr_assert_eq(kernel__check(&features, &failure), 0, "%s", failure.text);
	features = all;
	features.uprobe_multi = false;
	cr_assert_eq(kernel__check(&features, &failure), 0, "%s", failure.text);
}

Test(kernel, without_privileges_it_names_the_capabilities)
{
	struct failure failure = {{0}};

	if (may_load())
		cr_skip_test("needs to run without CAP_BPF and CAP_PERFMON");
	cr_assert_eq(kernel__check(&all, &failure), -EPERM);
	cr_assert_not_null(strstr(failure.text, "CAP_"), "%s", failure.text);
}
