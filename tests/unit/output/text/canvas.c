// SPDX-License-Identifier: Apache-2.0
#include "output/text/canvas.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct canvas canvas;
static struct screen screen;

static void init(void)
{
	screen__init(&screen, &(struct screen_options){.columns = 20});
}

static void fini(void)
{
	screen__release(&screen);
	canvas__release(&canvas);
}

TestSuite(canvas, .init = init, .fini = fini);

/* What was put since the last call. */
static void expect_put(const char *text)
{
	cr_assert(screen.len == strlen(text) &&
			  (!screen.len || !memcmp(screen.data, text, screen.len)),
		  "screen holds:\n%.*s", (int)screen.len, screen.data);
	screen__release(&screen);
	init();
}

static void draw(const char *line, unsigned int rows)
{
	struct screen_mark top = canvas__begin(&canvas, &screen, rows);

	screen__put(&screen, STYLE_PLAIN, line);
	screen__end_line(&screen);
	canvas__end(&canvas, &screen, top, canvas__rows(rows));
}

Test(canvas, what_was_there_goes_up_once)
{
	draw("first", 3);
	expect_put("\n\n\n\033[H\033[Kfirst\n\033[J");
	draw("second", 3);
	expect_put("\033[H\033[Ksecond\n\033[J");
}

Test(canvas, messages_are_below_the_frame_and_never_in_it)
{
	draw("frame", 0);
	screen__release(&screen);
	init();
	canvas__message(&canvas, &screen, "pid 7 watched");
	expect_put("\r\033[Kpid 7 watched");
	canvas__message(&canvas, &screen, "disk full, but that is a long story");
	expect_put("\r\033[Kdisk full, but that" ELLIPSIS);
	draw("frame", 0);
	expect_put("\033[H\033[Kframe\n\033[Jdisk full, but that" ELLIPSIS);
}

Test(canvas, all_messages_stay_when_the_frame_is_gone)
{
	canvas__message(&canvas, &screen, "before");
	expect_put("");
	draw("frame", 0);
	screen__release(&screen);
	init();
	canvas__message(&canvas, &screen, "later");
	screen__release(&screen);
	init();
	canvas__leave(&canvas, &screen);
	expect_put("\033[H\033[Jbefore\nlater\n\n");
	canvas__leave(&canvas, &screen);
	expect_put("");
}

Test(canvas, of_many_messages_the_latest_are_kept)
{
	char line[32];

	for (int i = 0; i < CANVAS_MAX_MESSAGES + 17; i++) {
		snprintf(line, sizeof(line), "message %d.", i);
		canvas__message(&canvas, &screen, line);
	}
	canvas__leave(&canvas, &screen);
	screen__put(&screen, STYLE_PLAIN, "");
	cr_expect_eq(strncmp(screen.data, "17 messages before ", 19), 0, "%.40s", screen.data);
	cr_expect_not_null(memmem(screen.data, screen.len, "\nmessage 17.\n", 13));
	cr_expect_null(memmem(screen.data, screen.len, "message 16.", 11));
	cr_expect_not_null(memmem(screen.data, screen.len, "\nmessage 116.\n", 14));
}
