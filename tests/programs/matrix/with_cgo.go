// SPDX-License-Identifier: Apache-2.0
//go:build cgo

package main

/*
#include <pthread.h>
#include <unistd.h>

extern void callbackOnForeignThread(void);
extern void callbackFromC(void);

static void block_in_c(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
}

static void call_back(void)
{
	callbackFromC();
}

static void *foreign_thread(void *nothing)
{
	callbackOnForeignThread();
	return nothing;
}

static int start_foreign_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, foreign_thread, NULL);
}
*/
import "C"

//export callbackOnForeignThread
func callbackOnForeignThread() { <-never }

//export callbackFromC
func callbackFromC() { <-never }

//go:noinline
func blockInC(fd int) { C.block_in_c(C.int(fd)) }

//go:noinline
func callThroughC() { C.call_back() }

func parkInC() {
	go blockInC(emptyPipe())
	go callThroughC()
	if C.start_foreign_thread() != 0 {
		panic("no thread")
	}
	way("blockInC/syscall")
	way("callThroughC/chan")
	way("callbackOnForeignThread/chan")
}
