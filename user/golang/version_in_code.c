// SPDX-License-Identifier: Apache-2.0
#include "golang/version_in_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "golang/code_refs.h"
#include "golang/layout.h"
#include "golang/pclntab.h"

/* A Go string is a pointer and a length; code that asks only for the length refers to that word. */
#define STRING_LENGTH_OFFSET 8

struct go_string {
	uint64_t data, length;
};

/* From Go 1.26 on the pclntab does not say where text begins; moduledata, in its section, does. */
static int find_text(struct elf_image *image, struct pclntab *tab)
{
	struct elf_section section;
	uint64_t text = 0;
	int err;

	if (pclntab__text(tab))
		return 0;
	err = elf_image__section(image, ".go.module", &section);
	if (!err)
		err = elf_image__read(image, section.address + go_layout__newest()->moduledata_text,
				      &text, sizeof(text));
	if (err || !text)
		return -ENOENT;
	pclntab__set_text(tab, text);
	return 0;
}

/* Whether a string at @address is a version. */
static bool read_version(struct elf_image *image, uint64_t address, struct go_version *ret_version)
{
	char text[sizeof(ret_version->text)];
	struct go_string string;

	if (elf_image__read(image, address, &string, sizeof(string)))
		return false;
	if (!string.length || string.length >= sizeof(text) ||
	    elf_image__read(image, string.data, text, (size_t)string.length))
		return false;
	text[string.length] = '\0';
	return strlen(text) == string.length && !go_version__parse(text, ret_version);
}

/* All candidates must name the same version: a guess would be worse than none. */
static int choose(struct elf_image *image, const struct code_refs *refs,
		  struct go_version *ret_version)
{
	struct go_version found = {0}, version;

	for (size_t i = 0; i < refs->n * 2; i++) {
		uint64_t address = refs->addresses[i / 2] - (i % 2 ? STRING_LENGTH_OFFSET : 0);

		if (!read_version(image, address, &version))
			continue;
		if (found.text[0] && strcmp(found.text, version.text) != 0)
			return -ENOENT;
		found = version;
	}
	if (!found.text[0])
		return -ENOENT;
	*ret_version = found;
	return 0;
}

static int look_in_schedinit(struct elf_image *image, struct pclntab *tab,
			     struct go_version *ret_version)
{
	static const char *const names[] = {"runtime.schedinit"};
	__cleanup_free struct code_refs *refs = malloc(sizeof(*refs));
	struct pclntab_func func = {0};
	int err;

	if (!refs)
		return -ENOMEM;
	err = find_text(image, tab);
	if (err)
		return err;
	err = pclntab__find(tab, names, &func, 1);
	if (err < 0)
		return err;
	if (!func.entry)
		return -ENOENT;
	err = code_refs__read(image, &func, refs);
	return err ? err : choose(image, refs, ret_version);
}

int go_version__from_code(struct elf_image *image, struct go_version *ret_version)
{
	struct pclntab *tab;
	int err = pclntab__open(image, &tab, NULL);

	if (err)
		return err;
	err = look_in_schedinit(image, tab, ret_version);
	pclntab__free(tab);
	return err;
}
