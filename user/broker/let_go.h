/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_LET_GO_H
#define GLEAKD_BROKER_LET_GO_H

/*
 * A worker that waits for a file beyond the reach of signals is left behind by its broker, and holds what it has open
 * until the file system answers. A thread of it, which waits for nothing but the broker, lets go of what others
 * wait for: whoever reads what gleakd writes would wait for the end of it as long.
 */

/*
 * let_go__start - when the broker ends its side of @channel, for writing or altogether, this
 * process' standard input, output and error become @null, a descriptor of /dev/null (-1: are
 * closed), and @channel is closed. Where there can be no thread nothing is let go of.
 */
void let_go__start(int channel, int null);

#endif /* GLEAKD_BROKER_LET_GO_H */
