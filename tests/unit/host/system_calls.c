// SPDX-License-Identifier: Apache-2.0
#include "host/system_calls.h"

#include <criterion/criterion.h>
#include <sys/syscall.h>

Test(system_calls, names)
{
	cr_expect_str_eq(system_call__name(SYS_read), "read");
	cr_expect_str_eq(system_call__name(SYS_futex), "futex");
	cr_expect_str_eq(system_call__name(SYS_epoll_pwait), "epoll_pwait");
	cr_expect_null(system_call__name(-1));
	cr_expect_null(system_call__name(1 << 20));
	cr_expect_null(system_call__name(INT64_MIN));
}

Test(system_calls, arguments)
{
	cr_expect_eq(system_call__fd(SYS_read), 0);
	cr_expect_eq(system_call__path(SYS_read), SYSTEM_CALL_NO_ARGUMENT);
	cr_expect_eq(system_call__path(SYS_openat), 1);
	cr_expect_eq(system_call__fd(SYS_openat), SYSTEM_CALL_NO_ARGUMENT);
	cr_expect_eq(system_call__fd(SYS_futex), SYSTEM_CALL_NO_ARGUMENT);
	cr_expect_eq(system_call__fd(-7), SYSTEM_CALL_NO_ARGUMENT);
}
