// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <criterion/criterion.h>

Test(bytes, numbers_wherever_they_stand)
{
	static const uint8_t data[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

	cr_expect_eq(bytes__u16(data, 1), 0x0201);
	cr_expect_eq(bytes__u32(data, 1), 0x04030201);
	cr_expect_eq(bytes__u64(data, 1), 0x0807060504030201);
	cr_expect_eq(bytes__u64(data, 0), 0x0706050403020100);
}
