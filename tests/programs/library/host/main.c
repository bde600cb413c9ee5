// SPDX-License-Identifier: Apache-2.0
/*
 * A program in C that loads libraries with Go in them. It obeys commands on stdin, each with one line
 * that ends in what runtime.NumGoroutine of that library says; WHO is its number, in the order of
 * loading, from 1 on:
 *
 *	load FILE    load a library
 *	memfd FILE   load a copy of it that has no name
 *	park WHO N   N goroutines that stay
 *	run WHO N    N goroutines that are gone when acknowledged
 *	lose WHO N   N goroutines that nobody can wake, and more that somebody may
 *	count WHO    nothing
 *	fork WHO     a child that only waits; its pid follows the number of goroutines
 *	leave WHO    the first thread ends, another one obeys from then on
 *
 * Linked with a library (-DARCHIVE), that one is number 1 from the start.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX 8

struct library {
	void (*park)(int n);
	void (*run)(int n);
	void (*lose)(int n);
	int (*count)(void);
};

static struct library libraries[MAX];
static int n_libraries;

#ifdef ARCHIVE
void Park(int n);
void Run(int n);
void Lose(int n);
int Count(void);
#endif

static int load(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW);
	struct library *library = &libraries[n_libraries];

	if (!handle || n_libraries == MAX) {
		printf("no: %s\n", dlerror());
		exit(1);
	}
	library->park = (void (*)(int))dlsym(handle, "Park");
	library->run = (void (*)(int))dlsym(handle, "Run");
	library->lose = (void (*)(int))dlsym(handle, "Lose");
	library->count = (int (*)(void))dlsym(handle, "Count");
	return ++n_libraries;
}

static int load_copy(const char *path)
{
	int from = open(path, O_RDONLY), to = memfd_create("copy", 0);
	char name[64];
	struct stat size;

	if (from < 0 || to < 0 || fstat(from, &size) || sendfile(to, from, NULL, size.st_size) < 0)
		exit(2);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", to);
	load(name);
	close(from);
	close(to);
	return n_libraries;
}

static int make_child(void)
{
	int pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	return pid;
}

static void *obey(void *ctx)
{
	char line[4096], what[16], argument[4000];

	while (fgets(line, sizeof(line), stdin)) {
		int who = 0, n = 0, pid = 0;
		pthread_t thread;

		if (sscanf(line, "%15s %3999s %d", what, argument, &n) < 2)
			exit(3);
		if (!strcmp(what, "load"))
			who = load(argument);
		else if (!strcmp(what, "memfd"))
			who = load_copy(argument);
		else
			who = (int)strtol(argument, NULL, 10);
		if (who < 1 || who > n_libraries)
			exit(4);
		if (!strcmp(what, "park"))
			libraries[who - 1].park(n);
		else if (!strcmp(what, "run"))
			libraries[who - 1].run(n);
		else if (!strcmp(what, "lose"))
			libraries[who - 1].lose(n);
		else if (!strcmp(what, "fork"))
			pid = make_child();
		if (!strcmp(what, "leave")) {
			printf("ok leave\n");
			fflush(stdout);
			if (pthread_create(&thread, NULL, obey, NULL))
				exit(5);
			pthread_exit(NULL);
		}
		printf("ok %s %d", what, libraries[who - 1].count());
		if (pid)
			printf(" %d", pid);
		printf("\n");
		fflush(stdout);
	}
	(void)ctx;
	exit(0);
}

int main(void)
{
#ifdef ARCHIVE
	libraries[n_libraries++] = (struct library){Park, Run, Lose, Count};
#endif
	printf("ready\n");
	fflush(stdout);
	obey(NULL);
	return 0;
}
