// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_windows.h"

#include <math.h>

#include "base/clock.h"
#include "probe/cost.h"

/* Of a window that may never close. */
#define FIRST_PRICE_NS ((double)(10 * NSEC_PER_MSEC))

/* Of those that see each allocation; see alloc_windows__price(). */
#define MIN_PRICE_NS	((double)(2 * NSEC_PER_MSEC))
#define PRICE_PERIOD_NS ((double)(32 * NSEC_PER_MSEC)) /* what comes in during that, of a core */

/* Hits all the time take twice that. */
#define MIN_LENGTH_PART 0.5
#define MAX_LENGTH	(10 * NSEC_PER_SEC)

/* What one brings into the account while another begins late is not lost. */
#define MAX_PRICES 2

/* One begins so many times later than what it costs, at most. */
#define MAX_DELAYS 10

/* A window that has taken less than this part of what was there for it goes on. */
#define CHEAP 0.25

/* What is dear is looked for in spans of so much of the price, and forgotten by half in so long. */
#define SPAN_PART      0.5
#define FORGET_HALF_NS ((double)(10 * NSEC_PER_SEC))

/* What has cost no less than this part of what is dearest is as dear. */
#define DEAR_PART 0.25

/* Who may spend half of its time in hits hardly ever uses a window up. */
#define NEARLY_ALL 0.5

/*
 * While it waits, it is looked at about as often as it would be if it kept a processor busy. Were that more often, what
 * comes first behind a wait would be seen more than what comes next, and otherwise less.
 */
#define MAX_CHEAP_DELAY_NS ((double)NSEC_PER_SEC)

uint64_t alloc_windows__price(double max_overhead)
{
	return (uint64_t)fmin(fmax(max_overhead * PRICE_PERIOD_NS, MIN_PRICE_NS), FIRST_PRICE_NS);
}

void alloc_windows__init(struct alloc_windows *windows, double max_overhead, uint64_t price_ns,
			 uint64_t random)
{
	*windows = (struct alloc_windows){
		.max_overhead = max_overhead,
		.price_ns = (double)price_ns,
		.credit_ns = FIRST_PRICE_NS,
		.opens_ns = 1,
		.length_ns = (uint64_t)FIRST_PRICE_NS,
		.random = random | 1,
	};
}

/* Until one was used up, and when that was long ago, it is meant to go on. */
static double price(const struct alloc_windows *windows)
{
	return windows->dearest * (double)MAX_LENGTH > FIRST_PRICE_NS ? windows->price_ns :
									FIRST_PRICE_NS;
}

/* Marsaglia's xorshift. */
static uint64_t next_random(struct alloc_windows *windows)
{
	windows->random ^= windows->random << 13;
	windows->random ^= windows->random >> 7;
	windows->random ^= windows->random << 17;
	return windows->random;
}

/* Of which a share may be used. */
static double basis(double elapsed_ns, double cpu_ns)
{
	return fmax(cpu_ns, COST_BASE_SHARE * elapsed_ns);
}

double alloc_windows__share(uint64_t elapsed_ns, uint64_t cpu_ns, double cost_ns)
{
	double all_ns = basis((double)elapsed_ns, (double)cpu_ns);

	return all_ns > 0 ? cost_ns / all_ns : 0;
}

bool alloc_windows__is_used_up(const struct alloc_windows *windows)
{
	return windows->credit_ns < price(windows);
}

/* Until the price comes in, on average, of a processor. */
static uint64_t cheap_delay_ns(struct alloc_windows *windows)
{
	double max_ns = fmin(2 * price(windows) / windows->max_overhead, MAX_CHEAP_DELAY_NS);

	return windows->cheap ? next_random(windows) % (uint64_t)max_ns : 0;
}

static bool opens(struct alloc_windows *windows)
{
	uint64_t max_delay_ns = (uint64_t)(MAX_DELAYS * price(windows));

	if (alloc_windows__is_used_up(windows))
		return false;
	if (!windows->opens_ns) {
		windows->opens_ns = windows->time_ns + cheap_delay_ns(windows);
		windows->opens_ns += next_random(windows) % max_delay_ns;
	}
	return windows->time_ns >= windows->opens_ns;
}

static void begin(struct alloc_windows *windows, uint64_t now_ns)
{
	windows->closes_ns = now_ns + windows->length_ns;
	windows->began_ns = now_ns;
	windows->began_spent_ns = windows->spent_ns;
	windows->began_credit_ns = windows->credit_ns;
}

/* It costs more than there is: what is dearest in it is what windows have to be made for. */
static bool use_up(struct alloc_windows *windows)
{
	windows->dearest = fmax(windows->dearest, windows->window_dearest);
	return false;
}

static bool is_cheap(const struct alloc_windows *windows)
{
	return windows->credit_ns > 0 &&
	       windows->credit_ns >= windows->began_credit_ns - CHEAP * price(windows);
}

/* Hits as dear as they were could not go on for the longest window that there is, and these are cheaper. */
static bool waits_for_dearer(const struct alloc_windows *windows)
{
	double spent_ns = windows->spent_ns - windows->began_spent_ns;
	double length_ns = (double)(windows->time_ns - windows->began_ns);

	return windows->max_overhead < NEARLY_ALL &&
	       windows->dearest * (double)MAX_LENGTH > price(windows) &&
	       spent_ns < DEAR_PART * windows->dearest * length_ns;
}

static bool stays_open(struct alloc_windows *windows)
{
	/* It costs twice what it was meant to. */
	if (windows->credit_ns < -price(windows))
		return use_up(windows);
	if (windows->time_ns < windows->closes_ns)
		return true;
	if (!is_cheap(windows))
		return use_up(windows);
	if (waits_for_dearer(windows))
		return false;
	windows->length_ns = min_of(2 * windows->length_ns, (uint64_t)MAX_LENGTH);
	begin(windows, windows->time_ns);
	return true;
}

/* A hit that is counted a moment late makes a short time dear. */
static void look_for_dearest(struct alloc_windows *windows, double elapsed_ns, double spent_ns)
{
	windows->dearest *= exp2(-elapsed_ns / FORGET_HALF_NS);
	if (!windows->open)
		return;
	windows->span_ns += elapsed_ns;
	windows->span_spent_ns += spent_ns;
	if (windows->span_ns < SPAN_PART * price(windows))
		return;
	windows->window_dearest =
		fmax(windows->window_dearest, windows->span_spent_ns / windows->span_ns);
	windows->span_ns = windows->span_spent_ns = 0;
}

bool alloc_windows__tick(struct alloc_windows *windows, uint64_t now_ns, uint64_t cpu_ns,
			 double spent_ns)
{
	if (windows->max_overhead <= 0)
		return true;
	if (windows->time_ns && now_ns > windows->time_ns) {
		double elapsed = (double)(now_ns - windows->time_ns);
		double cpu = (double)(cpu_ns - min_of(cpu_ns, windows->cpu_ns));
		double spent = fmax(0, spent_ns - windows->spent_ns);

		look_for_dearest(windows, elapsed, spent);
		windows->credit_ns += windows->max_overhead * basis(elapsed, cpu) - spent;
		windows->credit_ns = fmin(windows->credit_ns, MAX_PRICES * price(windows));
	}
	windows->time_ns = now_ns;
	windows->cpu_ns = cpu_ns;
	windows->spent_ns = spent_ns;
	return windows->open ? stays_open(windows) : opens(windows);
}

/* By what this one has cost in its time. */
static void choose_length(struct alloc_windows *windows, uint64_t now_ns)
{
	double spent_ns = windows->spent_ns - windows->began_spent_ns;
	double length_ns = (double)(now_ns - min_of(windows->began_ns, now_ns));

	length_ns *= spent_ns > 0 ? fmin(price(windows) / spent_ns, 2) : 2;
	if (windows->dearest > 0)
		length_ns = price(windows) / windows->dearest;
	windows->length_ns =
		(uint64_t)fmin(fmax(length_ns, MIN_LENGTH_PART * price(windows)), MAX_LENGTH);
}

void alloc_windows__set(struct alloc_windows *windows, bool open, uint64_t now_ns)
{
	if (open) {
		begin(windows, now_ns);
		windows->window_dearest = windows->span_ns = windows->span_spent_ns = 0;
	} else if (windows->open) {
		windows->cheap = windows->max_overhead < NEARLY_ALL && is_cheap(windows);
		choose_length(windows, now_ns);
	}
	windows->opens_ns = 0;
	windows->open = open;
}
