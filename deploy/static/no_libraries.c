// SPDX-License-Identifier: Apache-2.0
/*
 * A static program loads nothing. SQLite could load extensions, which nobody here lets it do
 * (sqlite3_load_extension(3)); what it would call for that is replaced (ld --wrap), and whatever else wants a
 * dynamic linker is an error of the link.
 */
#include <stddef.h>

/* NOLINTBEGIN(bugprone-reserved-identifier): names that the linker makes */
void *__wrap_dlopen(const char *file, int mode);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dlclose(void *handle);
char *__wrap_dlerror(void);

void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	(void)handle;
	(void)name;
	return NULL;
}

int __wrap_dlclose(void *handle)
{
	(void)handle;
	return -1;
}

char *__wrap_dlerror(void)
{
	static char words[] = "a static program loads no libraries";

	return words;
}
/* NOLINTEND(bugprone-reserved-identifier) */
