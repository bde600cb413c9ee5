// SPDX-License-Identifier: Apache-2.0
/* Without symbols: what the code of real programs refers to, held against their symbols. */
#include "golang/profile_globals.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "real_binaries.h"

static uint64_t symbol(struct elf_image *image, const char *name)
{
	struct elf_symbol found = {0};

	return elf_image__symbols(image, &name, &found, 1) > 0 ? found.address : 0;
}

Test(profile_globals, the_rate_is_the_only_one_that_both_refer_to)
{
	struct real_binary *binaries = calloc(MAX_REAL_BINARIES, sizeof(*binaries));
	size_t n = real_binaries__list(binaries, MAX_REAL_BINARIES), seen = 0;
	static struct code_refs refs;

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		uint64_t rate = symbol(image, "runtime.MemProfileRate");
		struct failure failure;
		struct pclntab *tab;

		if (rate) {
			cr_assert_eq(pclntab__open(image, &tab, &failure), 0, "%s", failure.text);
			if (!pclntab__text(tab))
				pclntab__set_text(tab, symbol(image, "runtime.text"));
			cr_assert_eq(profile_globals__rate_refs(image, tab, &refs), 0, "%s",
				     binaries[i].name);
			cr_assert_eq(refs.n, 1, "%s: %zu", binaries[i].name, refs.n);
			cr_assert_eq(refs.addresses[0], rate, "%s", binaries[i].name);
			pclntab__free(tab);
			seen++;
		}
		elf_image__free(image);
	}
	cr_assert_gt(seen, 0);
	free(binaries);
}
