// SPDX-License-Identifier: Apache-2.0
#include "golang/version_in_code.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "real_binaries.h"

/* What the runtime says of itself is what the build information says. */
Test(version_in_code, agrees_with_the_build_information)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries)), checked = 0;

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct go_version version = {.minor = 77};
		struct go_build_info info;
		int err = go_version__from_code(image, &version);

		cr_assert_eq(go_build_info__read(image, &info, NULL), 0, "%s", binaries[i].name);
		if (err && elf_image__is_pie(image)) {
			/* The loader writes the pointers; not every linker does as well. */
			cr_expect_eq(version.minor, 77, "untouched on failure");
		} else {
			cr_expect_eq(err, 0, "%s: %d", binaries[i].name, err);
			cr_expect_str_eq(version.text, info.version.text, "%s", binaries[i].name);
			checked++;
		}
		elf_image__free(image);
	}
	cr_assert_gt(checked, 0);
}
