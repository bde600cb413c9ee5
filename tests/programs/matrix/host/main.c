// SPDX-License-Identifier: Apache-2.0
/*
 * Runs the matrix program from a library: the first of its arguments, or the one that it is linked with
 * (-DARCHIVE). Further arguments are libraries whose runtimes only begin.
 */
#include <dlfcn.h>
#include <stdio.h>

#ifdef ARCHIVE
void Begin(void);
#endif

int main(int argc, char **argv)
{
	void (*begin)(void) = NULL;

	for (int i = 1; i < argc; i++) {
		void *handle = dlopen(argv[i], RTLD_NOW);

		if (!handle) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		if (!begin)
			begin = (void (*)(void))dlsym(handle, "Begin");
	}
#ifdef ARCHIVE
	begin = Begin;
#endif
	if (!begin)
		return 2;
	begin();
	return 0;
}
