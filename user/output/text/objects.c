// SPDX-License-Identifier: Apache-2.0
/*
 * What members of a site wait on, in as few lines as say it:
 *
 *	waiting on  all 97 wait on a channel of their own, such as 0xc000123040 (unbuffered, 1 sender,
 *	            no receiver)
 *
 *	waiting on  all 11 wait on one channel 0xc000123040 (buffer 5 of 5, 11 senders, no receiver)
 *
 *	holder      goroutine 41 seems to hold it, for 5m12s in chan send at main.fill (e3b0c442)
 *	other end   goroutine 7 seems to be it, for 5m12s in sync.Mutex.Lock at main.drain (0a3f55c1)
 *
 * Who holds a lock, or would serve a channel, Go does not write down: what is told is who seems to.
 */
#include "output/text/objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "output/text/block.h"

#define MAX_LINES 3  /* of one object */
#define PIECE	  80 /* two counts and what stands between them */
#define WORDS	  320

/* "no receiver", "1 receiver", "11 receivers" */
static void waiting_words(char out[PIECE], uint64_t n, bool more, const char *noun)
{
	char count[NUMBER_COUNT_SIZE];

	number__count(n, count);
	if (n == 0 && !more)
		snprintf(out, PIECE, "no %s", noun);
	else
		snprintf(out, PIECE, "%s%s %s%s", more ? "more than " : "", count, noun,
			 n == 1 && !more ? "" : "s");
}

/* "buffer 5 of 5, 11 senders, no receiver" */
static void channel_words(const struct wait_object *object, char out[WORDS])
{
	char length[NUMBER_COUNT_SIZE], capacity[NUMBER_COUNT_SIZE];
	char senders[PIECE], receivers[PIECE], buffer[PIECE] = "unbuffered";

	number__count(object->length, length);
	number__count(object->capacity, capacity);
	if (object->capacity)
		snprintf(buffer, sizeof(buffer), "buffer %s of %s", length, capacity);
	waiting_words(senders, object->senders, object->more_waiters && object->senders, "sender");
	waiting_words(receivers, object->receivers, object->more_waiters && object->receivers,
		      "receiver");
	snprintf(out, WORDS, "%s, %s, %s%s%s", buffer, senders, receivers,
		 object->closed ? ", closed" : "", object->timer ? ", of a timer" : "");
}

static void object_words(const struct wait_object *object, char out[WORDS])
{
	if (object->kind == WAIT_OBJECT_CHANNEL)
		channel_words(object, out);
	else
		waiting_words(out, object->waiters, object->more_waiters, "waiter");
}

/* "0xc000123040 (unbuffered, 1 sender, no receiver)" behind @before, to the end of the line. */
static void put_object(struct screen *screen, const char *before, const struct wait_object *object)
{
	char words[WORDS], text[2 * WORDS + 32];

	object_words(object, words);
	snprintf(text, sizeof(text), "%s0x%" PRIx64 " (%s)", before, object->address, words);
	screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
}

/* "all 97 wait", "11 of 97 wait", "it waits" */
static void who_waits(const struct report_site *site, uint64_t members, char out[PIECE])
{
	uint64_t looked_at = site->objects->looked_at;
	char some[NUMBER_COUNT_SIZE], all[NUMBER_COUNT_SIZE];

	number__count(members, some);
	number__count(looked_at, all);
	if (members < looked_at)
		snprintf(out, PIECE, "%s of %s wait%s", some, all, members == 1 ? "s" : "");
	else if (looked_at < site->view.goroutines)
		snprintf(out, PIECE, "all %s looked at wait", all);
	else if (looked_at == 1)
		snprintf(out, PIECE, "it waits");
	else
		snprintf(out, PIECE, "all %s wait", all);
}

/* Nobody waits on what another one waits on. */
static void put_own(struct screen *screen, const struct report_site *site, const char *kind)
{
	const struct wait_objects *objects = site->objects;
	char who[PIECE], text[WORDS], count[NUMBER_COUNT_SIZE];

	who_waits(site, objects->looked_at, who);
	number__count(objects->distinct, count);
	if (objects->distinct <= 1)
		snprintf(text, sizeof(text), "%s on %s ", who, kind);
	else if (objects->distinct == objects->looked_at)
		snprintf(text, sizeof(text), "%s on a %s of their own, such as ", who, kind);
	else
		snprintf(text, sizeof(text), "%s on %s objects, none of them shared, such as %s ",
			 who, count, kind);
	put_object(screen, text, &objects->top[0]);
}

static void put_shared(struct screen *screen, const struct report_site *site,
		       const struct wait_object *object, const char *kind)
{
	char who[PIECE], text[WORDS];

	who_waits(site, object->members, who);
	snprintf(text, sizeof(text), "%s on %s%s ", who, object->members > 1 ? "one " : "", kind);
	put_object(screen, text, object);
}

/* "goroutine 41 seems to hold it, for 5m12s in chan send at (*Client).eventHijack.func1 (e3b0c442)" */
static void put_holder(struct screen *screen, const struct report_lock *lock)
{
	bool channel = lock && lock->kind == WAIT_OBJECT_CHANNEL;
	char text[2 * WORDS], waiting[DURATION_SIZE];

	for (size_t i = 0; lock && i < lock->n_holders; i++) {
		const struct report_lock_holder *holder = &lock->holders[i];
		const struct report_site *at = holder->at;

		duration__format(holder->waiting_ns, waiting);
		snprintf(text, sizeof(text),
			 "goroutine %" PRIu64 " seems to %s it, for %s in %s%s%s (%s)",
			 holder->goid, channel ? "be" : "hold", waiting,
			 at ? at->wait_reason : "another wait",
			 at && report__frame_known(&at->blocked_at) ? " at " : "",
			 at ? report__text(at->blocked_at.function) : "", holder->site);
		text_part__label(screen, i ? "" : channel ? "other end" : "holder");
		screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
	}
}

static void put_item(struct screen *screen, const struct report_site *site, size_t index)
{
	const struct wait_objects *objects = site->objects;
	const struct wait_object *object = &objects->top[index];
	const char *kind = wait_object_kind__name(object->kind);

	text_part__label(screen, index == 0 ? "waiting on" : "");
	if (objects->top[0].members > 1)
		put_shared(screen, site, object, kind);
	else
		put_own(screen, site, kind);
	put_holder(screen, report__lock_at(site, object->address));
}

/* "one rwmutex 0xc000123040, as it seems: 12 wait for it, in 771f2eb7 and 0a3f55c1" */
void text_part__holds(struct screen *screen, const struct report_site *site)
{
	for (size_t i = 0; i < site->n_locks; i++) {
		const struct report_lock *lock = &site->locks[i];
		char text[2 * WORDS], waiters[PIECE];
		int used;

		if (!report__holds(site, lock))
			continue;
		waiting_words(waiters, lock->waiters, lock->more_waiters, "goroutine");
		used = snprintf(text, sizeof(text),
				"%s%s 0x%" PRIx64 ", as it seems, that %s wait%s for: ",
				lock->kind == WAIT_OBJECT_CHANNEL ? "of " : "",
				wait_object_kind__name(lock->kind), lock->address, waiters,
				lock->waiters == 1 && !lock->more_waiters ? "s" : "");
		for (size_t j = 0; j < lock->n_sites && used < (int)sizeof(text) - 1; j++) {
			bool again = false;

			for (size_t k = 0; k < j; k++)
				again |= !strcmp(lock->sites[j], lock->sites[k]);
			if (!again)
				used += snprintf(text + used, sizeof(text) - (size_t)used, "%s%s",
						 j ? ", " : "", lock->sites[j]);
		}
		text_part__label(screen, lock->kind == WAIT_OBJECT_CHANNEL ? "other end" : "holds");
		screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
	}
}

static void put_more(struct screen *screen, uint64_t n)
{
	if (n == 0)
		return;
	text_part__label(screen, "");
	screen__put(screen, STYLE_DIM, "and ");
	screen__put_owned(screen, STYLE_DIM, number__counted(n, "more object"));
	screen__end_line(screen);
}

void text_part__objects(struct screen *screen, const struct report_site *site, size_t max)
{
	const struct wait_objects *objects = site->objects;
	size_t shown;
	bool shared;

	if (!objects || objects->looked_at == 0)
		return;
	shared = objects->n_top > 0 && objects->top[0].members > 1;
	shown = min_of(objects->n_top, shared ? max : (size_t)1);
	for (size_t i = 0; i < shown; i++)
		put_item(screen, site, i);
	if (shared)
		put_more(screen, objects->distinct - min_of(objects->distinct, (uint32_t)shown));
}
