/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_CLEANUP_H
#define GLEAKD_BASE_CLEANUP_H

/*
 * Scope-bound release of scratch resources. Staged initialisation keeps using goto labels; these
 * are for what lives and dies inside one function.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define __cleanup(fn) __attribute__((cleanup(fn)))

static inline void cleanup__free(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup__close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup__fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup__closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define __cleanup_free	   __cleanup(cleanup__free)
#define __cleanup_close	   __cleanup(cleanup__close)
#define __cleanup_fclose   __cleanup(cleanup__fclose)
#define __cleanup_closedir __cleanup(cleanup__closedir)

#endif /* GLEAKD_BASE_CLEANUP_H */
