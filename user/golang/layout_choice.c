// SPDX-License-Identifier: Apache-2.0
#include "golang/layout_choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "golang/layout_dwarf.h"

/* "go1.26" or "go1.26.8", with nothing after it, and built with the experiments of that release. */
static bool is_plain_release(const struct go_build_info *info)
{
	const struct go_version *version = &info->version;
	char plain[32];

	if (info->experiments[0])
		return false;
	snprintf(plain, sizeof(plain), "go1.%d", version->minor);
	if (!strcmp(version->text, plain))
		return true;
	snprintf(plain, sizeof(plain), "go1.%d.%d", version->minor, version->patch);
	return !strcmp(version->text, plain);
}

static int refuse_old(struct elf_image *image, const struct go_version *version,
		      struct failure *failure)
{
	return failure__set(failure, -EOPNOTSUPP,
			    "%s was built with %s, but this gleakd knows the runtime of Go 1.%d to "
			    "1.%d; rebuild the program with one of these",
			    elf_image__name(image), version->text, go_layout__oldest()->minor,
			    go_layout__newest()->minor);
}

/* What is not known by its version behaves like the release whose structs are most like its own. */
static void choose_minor(const struct go_version *version, struct layout_choice *choice)
{
	choice->layout.minor = version->minor;
	if (version->minor == GO_MINOR_UNKNOWN)
		choice->layout.minor = go_layout__nearest(&choice->layout)->minor;
}

int layout_choice__make(struct elf_image *image, const struct go_build_info *info,
			struct layout_choice *ret_choice, struct failure *failure)
{
	const struct go_version *version = &info->version;
	const struct go_layout *row = go_layout__find(version->minor);
	struct layout_choice choice = {.source = LAYOUT_TABLE};
	int err;

	if (!row && version->minor != GO_MINOR_UNKNOWN &&
	    version->minor < go_layout__newest()->minor)
		return refuse_old(image, version, failure);
	choice.layout = row ? *row : *go_layout__newest();
	choice.row = choice.layout.minor;
	if (!row || !is_plain_release(info)) {
		choice.source = LAYOUT_DWARF;
		err = layout_dwarf__read(image, &choice.layout, failure);
		if (err && err != -ENOENT)
			return err;
		if (err)
			choice.source = LAYOUT_GUESS;
		choose_minor(version, &choice);
	}
	*ret_choice = choice;
	return 0;
}
