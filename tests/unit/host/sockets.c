// SPDX-License-Identifier: Apache-2.0
/* On a tree made here, with rows as Linux 6.18 writes them. */
#include "host/sockets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "made_tree.h"

/* Process 77 with an open file for each of @links. */
static void make_tree(const char *const *links, size_t n)
{
	char name[32];

	made_tree__make();
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "77/fd/%zu", i);
		made_tree__put_link(name, links[i]);
	}
}

#define TCP_TITLES                                                                            \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  " \
	"timeout inode\n"
#define TCP(local, remote, state, inode)                                                         \
	"   0: " local " " remote " " state " 00000000:00000000 00:00000000 00000000  1000     " \
	"   0 " inode " 1 0000000000000000 20 4 30 10 -1\n"
/* 127.0.0.1, 10.0.0.5 */
#define HERE  "0100007F"
#define THERE "0500000A"

static struct process_sockets look(int wanted)
{
	struct process_sockets sockets = {.accepted = 77777};

	cr_assert_eq(process__sockets(made_tree__path(""), 77, &sockets), wanted);
	return sockets;
}

Test(sockets, who_opened_them, .fini = made_tree__remove)
{
	static const char *const links[] = {"socket:[11]", "socket:[12]", "socket:[13]",
					    "socket:[14]", "socket:[15]", "/dev/null",
					    "pipe:[16]",   "socket:[17]"};
	struct process_sockets sockets;

	make_tree(links, ARRAY_SIZE(links));
	made_tree__put("77/net/tcp",
		       TCP_TITLES TCP(HERE ":1F90", "00000000:0000", "0A", "11")
			       TCP(HERE ":1F90", THERE ":C001", "01", "12")
				       TCP(HERE ":9001", THERE ":0016", "01", "13")
					       TCP(HERE ":9002", THERE ":0016", "08", "14")
						       TCP(HERE ":9003", THERE ":1538", "02", "15")
		       /* Somebody else's, in the same network namespace. */
		       TCP(HERE ":9004", THERE ":1538", "01", "99")
			       TCP("00000000:9005", "00000000:0000", "0A", "98"));
	sockets = look(0);
	cr_expect_eq(sockets.accepted, 2, "%lu: 12, and 17 that no table has", sockets.accepted);
	cr_expect_eq(sockets.dialled, 3, "%lu", sockets.dialled);
	cr_expect_eq(sockets.with_itself, 0, "%lu", sockets.with_itself);
	cr_expect_eq(sockets.to_peer, 2);
	cr_expect_str_eq(sockets.peer, "10.0.0.5:22");
}

/* A listener for IPv6 takes IPv4 calls, too: their addresses are mapped at its end only. */
Test(sockets, both_ends_of_its_own, .fini = made_tree__remove)
{
	static const char *const links[] = {"socket:[11]", "socket:[12]", "socket:[13]",
					    "socket:[14]"};
	struct process_sockets sockets;

	make_tree(links, ARRAY_SIZE(links));
	made_tree__put("77/net/tcp6",
		       TCP_TITLES TCP("00000000000000000000000000000000:1F90",
				      "00000000000000000000000000000000:0000", "0A", "11")
			       TCP("0000000000000000FFFF0000" HERE ":1F90",
				   "0000000000000000FFFF0000" HERE ":9001", "01", "12")
				       TCP("0000000000000000FFFF0000" HERE ":1F90",
					   "0000000000000000FFFF0000" THERE ":9001", "01", "14"));
	made_tree__put("77/net/tcp", TCP_TITLES TCP(HERE ":9001", HERE ":1F90", "01", "13"));
	sockets = look(0);
	cr_expect_eq(sockets.accepted, 1, "%lu: from 10.0.0.5", sockets.accepted);
	cr_expect_eq(sockets.dialled, 2, "%lu", sockets.dialled);
	cr_expect_eq(sockets.with_itself, 2, "%lu", sockets.with_itself);
}

/* CLOSE_WAIT: a call that was accepted, one that was made, and one that goes on. */
Test(sockets, whose_other_end_has_hung_up, .fini = made_tree__remove)
{
	static const char *const links[] = {"socket:[11]", "socket:[12]", "socket:[13]",
					    "socket:[14]"};
	struct process_sockets sockets;

	make_tree(links, ARRAY_SIZE(links));
	made_tree__put("77/net/tcp", TCP_TITLES TCP(HERE ":1F90", "00000000:0000", "0A", "11")
					     TCP(HERE ":1F90", THERE ":9001", "08",
						 "12") TCP(HERE ":9002", THERE ":0016", "08", "13")
						     TCP(HERE ":1F90", THERE ":9003", "01", "14"));
	sockets = look(0);
	cr_expect_eq(sockets.accepted, 2, "%lu", sockets.accepted);
	cr_expect_eq(sockets.hung_up, 1, "%lu", sockets.hung_up);
	cr_expect_eq(sockets.dialled, 1, "%lu", sockets.dialled);
}

/* Those of others that have not hung up, not 12 (CLOSE_WAIT) and 13 (dialled); and its own two ends, 15 and 16. */
Test(sockets, who_is_at_the_other_end, .fini = made_tree__remove)
{
	static const char *const links[] = {"socket:[11]", "/dev/null",	  "socket:[14]",
					    "socket:[12]", "socket:[13]", "socket:[15]",
					    "socket:[16]", "socket:[17]"};
	static const int fds[] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct socket_peer peers[ARRAY_SIZE(fds)];

	make_tree(links, ARRAY_SIZE(links));
	made_tree__put("77/net/tcp",
		       TCP_TITLES TCP(HERE ":1F90", "00000000:0000", "0A",
				      "11") TCP(HERE ":1F90", THERE ":9001", "08",
						"12") TCP(HERE ":9002", THERE ":0016", "01", "13")
			       TCP(HERE ":1F90", THERE ":9003", "01",
				   "14") TCP(HERE ":1F90", HERE ":9004", "01", "15")
				       TCP(HERE ":9004", HERE ":1F90", "01", "16")
					       TCP(HERE ":1F90", THERE ":9005", "01", "17"));
	cr_assert_eq(process__peers(made_tree__path(""), 77, fds, ARRAY_SIZE(fds), peers), 4);
	for (int fd = 0; fd < 8; fd++) {
		const struct socket_peer *peer = socket_peer__find(peers, 4, fd);

		cr_expect_eq(peer != NULL, fd == 2 || fd >= 5, "%d", fd);
		cr_expect(!peer || peer->itself == (fd == 5 || fd == 6), "%d", fd);
	}
}

Test(sockets, of_other_families, .fini = made_tree__remove)
{
	static const char *const links[] = {"socket:[11]", "socket:[12]", "socket:[13]",
					    "socket:[14]", "socket:[15]"};
	struct process_sockets sockets;

	make_tree(links, ARRAY_SIZE(links));
	made_tree__put("77/net/udp", TCP_TITLES TCP(HERE ":9001", THERE ":0035", "01", "11"));
	made_tree__put("77/net/unix",
		       "Num       RefCount Protocol Flags    Type St Inode Path\n"
		       "0000000000000000: 00000002 00000000 00010000 0001 01    12 /run/app.sock\n"
		       "0000000000000000: 00000003 00000000 00000000 0001 03    13 /run/app.sock\n"
		       "0000000000000000: 00000003 00000000 00000000 0001 03    14\n");
	sockets = look(0);
	cr_expect_eq(sockets.accepted, 3, "%lu: 13, 14, and 15 of nobody knows which family",
		     sockets.accepted);
	cr_expect_eq(sockets.dialled, 1, "%lu: 11", sockets.dialled);
	cr_expect_str_eq(sockets.peer, "");
}

Test(sockets, tables_that_make_no_sense, .fini = made_tree__remove)
{
	static const char *const links[] = {"socket:[11]", "socket:[99999999999999999999999]"};
	struct process_sockets sockets;

	make_tree(links, ARRAY_SIZE(links));
	made_tree__put("77/net/tcp", TCP_TITLES TCP("7F:1F90", "x", "0A", "11") "\n: : :\n" TCP(
					     HERE ":-001", HERE ":-F90", "0A", "11")
					     TCP(HERE ":FFFFF", THERE ":0016", "01", "11"));
	sockets = look(0);
	cr_expect_eq(sockets.accepted + sockets.dialled, 2, "%lu, %lu", sockets.accepted,
		     sockets.dialled);
}

Test(sockets, of_a_process_that_is_gone, .fini = made_tree__remove)
{
	made_tree__make();
	cr_expect_eq(look(-ESRCH).accepted, 77777, "untouched");
}

Test(sockets, of_this_process)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), calls = socket(AF_INET, SOCK_STREAM, 0);
	struct process_sockets before, after;
	socklen_t size = sizeof(at);

	cr_assert_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&at, &size), 0);
	cr_assert_eq(process__sockets("/proc", getpid(), &before), 0);
	cr_assert_eq(connect(calls, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(process__sockets("/proc", getpid(), &after), 0);
	cr_expect_eq(after.dialled, before.dialled + 1);
	cr_expect_geq(after.to_peer, 1);
	close(calls);
	close(listener);
}
