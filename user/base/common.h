/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_COMMON_H
#define GLEAKD_BASE_COMMON_H

/* Attributes and arithmetic every module uses. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	   (sizeof(a) / sizeof((a)[0]))
#define __must_check	   __attribute__((warn_unused_result))
#define __printf_fmt(f, a) __attribute__((format(printf, f, a)))
#define __maybe_unused	   __attribute__((unused))

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

/* Names differ so that one may be nested in the other without shadowing. */
#define min_of(a, b)                               \
	({                                         \
		__auto_type min_a_ = (a);          \
		__auto_type min_b_ = (b);          \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})

#define max_of(a, b)                               \
	({                                         \
		__auto_type max_a_ = (a);          \
		__auto_type max_b_ = (b);          \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

#endif /* GLEAKD_BASE_COMMON_H */
