/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_NUMBER_H
#define GLEAKD_BASE_NUMBER_H

/* Numbers as people read them. */
#include "base/common.h"

/* number__count - "1,234,567" */
#define NUMBER_COUNT_SIZE sizeof("18,446,744,073,709,551,615")
void number__count(uint64_t n, char out[NUMBER_COUNT_SIZE]);

/* number__counted - "1 site", "1,234 sites", to free(). */
char *number__counted(uint64_t n, const char *noun) __must_check;

/* number__rate - with as many digits as say something: "0.03", "1.5", "20.5", "1,204". */
#define NUMBER_RATE_SIZE 40
void number__rate(double rate, char out[NUMBER_RATE_SIZE]);

/* number__bytes - in powers of 1,000, as memory is sold: "712 B", "2.4 MB", "128 MB". */
#define NUMBER_BYTES_SIZE 24
void number__bytes(uint64_t bytes, char out[NUMBER_BYTES_SIZE]);

/* number__parse_size - "512M", "2G" (powers of 1,024), or plain bytes. -EINVAL; -ERANGE: 64 bits do not hold it. */
int number__parse_size(const char *text, uint64_t *ret_bytes) __must_check;

#endif /* GLEAKD_BASE_NUMBER_H */
