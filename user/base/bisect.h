/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_BISECT_H
#define GLEAKD_BASE_BISECT_H

/*
 * bisect - of the numbers 0 to @n - 1, named @i, that are in the order of what they stand for, the first of which
 * @before, an expression, does not hold; @n if it holds of all.
 *
 *	size_t at = bisect(steps->n, i, steps->ticks[i] < ticks);
 */
#define bisect(n, i, before)                                                       \
	({                                                                         \
		size_t bisect_low_ = 0, bisect_high_ = (n);                        \
		while (bisect_low_ < bisect_high_) {                               \
			size_t i = bisect_low_ + (bisect_high_ - bisect_low_) / 2; \
			if (before)                                                \
				bisect_low_ = i + 1;                               \
			else                                                       \
				bisect_high_ = i;                                  \
		}                                                                  \
		bisect_low_;                                                       \
	})

#endif /* GLEAKD_BASE_BISECT_H */
