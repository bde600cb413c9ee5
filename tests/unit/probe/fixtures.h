/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_PROBE_FIXTURES_H
#define GLEAKD_TESTS_PROBE_FIXTURES_H

/*
 * Functions of the Go runtime as real toolchains compiled them (CGO_ENABLED=0, default flags), at
 * the addresses they had. Those that end in the middle were cut after their first call.
 */
#include "probe/path.h"

struct fixture {
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
	bool arm64;
};

extern const struct fixture newproc_func1_go124; /* nop5 in front of the call of runqput */
extern const struct fixture newproc_func1_go122; /* without */
extern const struct fixture goexit0_go119;	 /* prologue without push */
extern const struct fixture gdestroy_go126;	 /* prologue with push */
extern const struct fixture newproc_func1_go126_arm64;
extern const struct fixture goexit0_go120_arm64;

#define NEWPROC1_GO124	     0x4431e0
#define RUNQPUT_GO124	     0x447520
#define NEWPROC1_GO122	     0x43f5c0
#define RUNQPUT_GO122	     0x443a20
#define NEWPROC1_GO126_ARM64 0x5f420
#define RUNQPUT_GO126_ARM64  0x64570

struct code fixture__code(const struct fixture *fixture);

#endif /* GLEAKD_TESTS_PROBE_FIXTURES_H */
