/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_COMMON_H
#define GLEAKD_BASE_COMMON_H

/* Attributes and arithmetic every module uses. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	  (sizeof(a) / sizeof((a)[0]))
#define __must_check	  __attribute__((warn_unused_result))
#define __printf_fmt(f, a) __attribute__((format(printf, f, a)))
#define __maybe_unused	  __attribute__((unused))

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

#define min_of(a, b)               \
	({                         \
		__auto_type a_ = (a); \
		__auto_type b_ = (b); \
		a_ < b_ ? a_ : b_; \
	})

#define max_of(a, b)               \
	({                         \
		__auto_type a_ = (a); \
		__auto_type b_ = (b); \
		a_ > b_ ? a_ : b_; \
	})

#endif /* GLEAKD_BASE_COMMON_H */
