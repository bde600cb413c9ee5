// SPDX-License-Identifier: Apache-2.0
/*
 * Sites in programs built by real Go toolchains: $GLEAKD_TEST_BINARIES or build/tests/binaries,
 * one directory VERSION-KIND each, with the program `prog` in it.
 */
#include "probe/alloc_plan.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const char *directory(void)
{
	const char *path = getenv("GLEAKD_TEST_BINARIES");

	return path && *path ? path : "build/tests/binaries";
}

/*
 * From Go 1.26 on the start of the text is learnt from the live process; without one it is in the
 * symbol table, or the .text section where no C code has been linked in front. False without both.
 */
static bool set_text(struct go_binary *binary)
{
	static const char *const name = "runtime.text";
	struct elf_image *image = go_binary__image(binary);
	struct elf_symbol symbol = {0};
	struct elf_section text;

	if (pclntab__text(go_binary__pclntab(binary)))
		return true;
	if (elf_image__symbols(image, &name, &symbol, 1) != 1) {
		if (elf_image__is_dynamic(image) || elf_image__section(image, ".text", &text))
			return false;
		symbol.address = text.address;
	}
	pclntab__set_text(go_binary__pclntab(binary), symbol.address);
	return true;
}

static struct go_binary *open_binary(const char *entry)
{
	__cleanup_close int fd = -1;
	struct failure failure = {{0}};
	struct go_binary *binary;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/prog", directory(), entry);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	cr_assert_eq(go_binary__open(fd, &binary, &failure), 0, "%s: %s", entry, failure.text);
	if (set_text(binary))
		return binary;
	go_binary__free(binary);
	return NULL;
}

static void check_bytes(const struct go_binary *binary, const struct probe_site *site,
			const char *entry)
{
	uint8_t at_address[5], at_offset[5];

	cr_assert_eq(elf_image__read(go_binary__image(binary), site->address, at_address,
				     sizeof(at_address)),
		     0);
	cr_assert_eq(elf_image__read_offset(go_binary__image(binary), site->file_offset, at_offset,
					    sizeof(at_offset)),
		     0);
	cr_assert_arr_eq(at_address, at_offset, sizeof(at_address), "%s: %s", entry,
			 site->function);
	cr_assert_arr_eq(site->code, at_address, min_of((size_t)site->length, sizeof(at_address)));
	if (elf_image__machine(go_binary__image(binary)) != ELF_MACHINE_AMD64)
		return;
	cr_assert_eq(site->length,
		     at_address[0] == 0x55 ? 1 :
		     at_address[0] == 0x76 ? 2 :
		     at_address[0] == 0x0f ? 6 :
					     5,
		     "%s: %s", entry, site->function);
	if (site->guard == GL_GUARD_BRANCH_NOT_TAKEN)
		cr_assert(at_address[0] == 0x76 || (at_address[0] == 0x0f && at_address[1] == 0x86),
			  "%s: %s is not at a jbe", entry, site->function);
	else
		cr_assert(at_address[0] == 0x55 || at_address[0] == 0xe8,
			  "%s: %s is at neither push nor call", entry, site->function);
}

static void check_site(const struct go_binary *binary, const struct probe_site *site,
		       const char *entry, const char *function)
{
	cr_assert(site->present, "%s: %s", entry, site->reason);
	cr_assert_str_eq(site->function, function, "%s", entry);
	cr_assert_gt(site->func_offset, 0, "%s", entry);
	cr_assert_eq(site->class, PROBE_CLASS_EMULATED, "%s: %s", entry, site->reason);
	cr_assert_str_empty(site->reason);
	check_bytes(binary, site, entry);
}

static void check_plan(struct go_binary *binary, const char *entry)
{
	int minor = go_binary__build_info(binary)->version.minor;
	bool amd64 = elf_image__machine(go_binary__image(binary)) == ELF_MACHINE_AMD64;
	struct failure failure = {{0}};
	struct probe_plan plan;

	cr_assert_eq(probe_plan__make(binary, &plan, &failure), 0, "%s: %s", entry, failure.text);
	check_site(binary, &plan.sites[PROBE_EVENT_CREATE], entry, "runtime.newproc.func1");
	check_site(binary, &plan.sites[PROBE_EVENT_EXIT], entry,
		   minor >= 22 ? "runtime.gdestroy" : "runtime.goexit0");
	check_site(binary, &plan.sites[PROBE_EVENT_PARK], entry, "runtime.park_m");
	check_site(binary, &plan.sites[PROBE_EVENT_WAKE], entry, "runtime.ready");
	cr_assert_eq(plan.sites[PROBE_EVENT_WAKE].g_location, GL_G_IN_REG0);
	cr_assert_eq(plan.sites[PROBE_EVENT_CREATE].g_location, GL_G_IN_REG1);
	cr_assert_eq(plan.sites[PROBE_EVENT_EXIT].g_location, GL_G_IN_REG0);
	cr_assert_eq(plan.sites[PROBE_EVENT_PARK].g_location, GL_G_IN_REG0);
	/* Go 1.21 began to push the frame pointer right behind the stack check. */
	cr_assert_eq(plan.sites[PROBE_EVENT_PARK].guard == GL_GUARD_NONE, amd64 && minor >= 21,
		     "%s", entry);
}

/* Every argument is in its register at the stack check's branch, and right behind it. */
static void check_alloc_site(const struct go_binary *binary, const struct alloc_site_plan *site,
			     const char *entry)
{
	bool amd64 = elf_image__machine(go_binary__image(binary)) == ELF_MACHINE_AMD64;
	int minor = go_binary__build_info(binary)->version.minor;

	check_site(binary, &site->site, entry, site->site.function);
	cr_assert_eq(site->site.guard == GL_GUARD_NONE, amd64 && minor >= 21, "%s: %s", entry,
		     site->site.function);
	cr_assert_leq(site->site.func_offset, 20u, "%s: %s", entry, site->site.function);
}

static void check_alloc_plan(struct go_binary *binary, const char *entry)
{
	bool special = go_binary__build_info(binary)->version.minor >= 27;
	struct failure failure = {{0}};
	struct alloc_plan plan;

	cr_assert_eq(alloc_plan__make(binary, ALLOC_PLAN_SAMPLES, &plan, &failure), 0, "%s: %s",
		     entry, failure.text);
	cr_assert_eq(plan.n, 1);
	cr_assert_str_eq(plan.sites[0].site.function, "runtime.profilealloc");
	cr_assert_eq(plan.sites[0].kind, GL_ALLOC_SAMPLE);
	check_alloc_site(binary, &plan.sites[0], entry);
	cr_assert_eq(alloc_plan__make(binary, ALLOC_PLAN_ALL, &plan, &failure), 0, "%s: %s", entry,
		     failure.text);
	cr_assert_str_eq(plan.sites[0].site.function, "runtime.mallocgc");
	/* Seven classes with pointers, six without, and the tiny ones: up to 80 bytes. */
	cr_assert_eq(plan.n, (special ? 15 : 1) + 1, "%s: %zu", entry, plan.n);
	cr_assert_eq(plan.sites[0].min_size, special ? 81 : 0);
	for (size_t i = 0; i + 1 < plan.n; i++) {
		cr_assert_eq(plan.sites[i].kind, GL_ALLOC_CALL);
		check_alloc_site(binary, &plan.sites[i], entry);
	}
	/* What a large object's span is told by comes last. */
	cr_assert_eq(plan.sites[plan.n - 1].kind, GL_ALLOC_LARGE);
	cr_assert_str_eq(plan.sites[plan.n - 1].site.function, "runtime.(*mcache).allocLarge");
	cr_assert_eq(plan.sites[plan.n - 1].site.class, PROBE_CLASS_EMULATED);
	cr_assert_eq(alloc_plan__make(binary, ALLOC_PLAN_REFILLS, &plan, &failure), 0, "%s: %s",
		     entry, failure.text);
	cr_assert_eq(plan.n, 1);
	cr_assert_str_eq(plan.sites[0].site.function, "runtime.(*mcache).refill");
	cr_assert_eq(plan.sites[0].kind, GL_ALLOC_REFILL);
	check_alloc_site(binary, &plan.sites[0], entry);
}

Test(plan, finds_every_site_in_real_binaries)
{
	__cleanup_closedir DIR *dir = opendir(directory());
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		struct go_binary *binary = NULL;

		if (!strncmp(entry->d_name, "1.", 2))
			binary = open_binary(entry->d_name);
		if (!binary)
			continue;
		check_plan(binary, entry->d_name);
		check_alloc_plan(binary, entry->d_name);
		go_binary__free(binary);
		n++;
	}
	if (!n)
		cr_skip_test("needs Go programs in %s (make test-binaries)", directory());
}

Test(plan, names)
{
	cr_assert_str_eq(probe_class__name(PROBE_CLASS_EMULATED), "emulated");
	cr_assert_str_eq(probe_class__name((enum probe_class)77), "unknown");
}
