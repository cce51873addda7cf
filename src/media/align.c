/**
 * @file align.c  What was played, beside what is captured of it
 *
 * The echo canceller wants the reference so that the echo is always equally
 * far behind it.  To begin with the delay that the device tells is believed;
 * it breathes with the blocks that the device takes, so it is only followed
 * when it is far off for some time, and hardly any more once it has been seen
 * where the echo is (lag.c).  Clocks of microphone and loudspeaker that differ
 * show by an echo that wanders: the reference is read a little faster or
 * slower, between its samples.  An echo that has gone to another place for
 * good is followed in one step, so that what the canceller has learnt is right
 * again; the sooner when there is reason to think that it has gone (astray.c).
 * Silence that the device played for want of samples was played like them.
 *
 * Media thread.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <offhook/compat.h>
#include "align.h"
#include "lag.h"


enum {
	EARLY_MS  = 20,          /* the echo comes so long after its cause  */
	LEAST_MS  = 3, MOST_MS = 80,     /* where it may stay               */
	SLIP_MS   = 20,          /* further off it is put right             */
	SLIP_SURE_MS = 60,       /*   when the echo is seen                 */
	DOUBT_MS  = 14,          /* or so far, some of the time              */
	DOUBT_BLOCKS = 3, DOUBT_MAX = 30,
	SLIP_BLOCKS = 20,        /*   when it stays so                      */
	FAR_MS    = 1200,        /* kept of what was played                 */
	FRAME_MAX = 480,
	BLOCK_MS  = 10,
	PHASES    = 256, TAPS = 16,      /* to read between the samples     */
	SURE_TIMES = 3,
	SEARCHED  = 80,          /* blocks: all that is compared is new     */
	POINTS    = 24, POINTS_MIN = 6,  /* of a line: six seconds          */
	PAST      = 64,          /* blocks                                  */
};

#define SURE 10.0            /* sharp: it is the echo                    */
#define SAME_MS 0.3          /* ... and the same one                     */
#define SAME_SEARCH_MS 0.1   /* ... that is gone to at once               */
#define KEPT 0.5             /* of the clearest: still where it was      */
#define KEPT_SEARCH 0.65     /* ... who doubts it                        */
#define ODD_MS 0.08          /* off the line: the clock is another       */
#define PPM_MAX 2000.0
#define PULL 100.0           /* ppm for each ms that it is off           */
#define BIAS 0.05            /* of the device's delay, each time         */

struct align {
	uint32_t rate_hz;
	size_t frame;
	/* what was played */
	int16_t *far;
	size_t far_size;                 /* samples, a ring                 */
	uint64_t pushed;                 /* ever                            */
	size_t missed;
	/* where it is read */
	uint64_t at;                     /* end of the reference, and       */
	double frac;                     /* ... samples more, 0 to 1        */
	double ppm;                      /* faster                          */
	bool aligned;
	unsigned off, doubt;             /* blocks that it has been off     */
	double bias;                     /* the device's delay is wrong by  */
	float (*sinc)[TAPS];             /* [PHASES]                        */
	/* where the echo is */
	struct lag *lag;
	bool sure;                       /* it has been seen                */
	double want_ms, lag_ms;          /* where it is to stay, and is     */
	unsigned search;                 /* blocks that it was searched for */
	unsigned times;                  /* it was seen elsewhere,          */
	double there_ms;                 /*   there                         */
	double moved_ms;                 /* read faster or slower so far    */
	double past[PAST];               /* of that, a ring                 */
	unsigned blocks;
	struct {
		double s, ms;
	} points[POINTS];                /* how it wandered, latest first   */
	unsigned n_points;
	/* figures */
	size_t delay;
	uint64_t slips;
};


static void destructor(void *arg)
{
	struct align *a = arg;

	mem_deref(a->far);
	mem_deref(a->sinc);
	mem_deref(a->lag);
}


static void sinc_init(struct align *a)
{
	for (int p = 0; p < PHASES; p++) {
		double v[TAPS], sum = 0.0;

		for (int k = 0; k < TAPS; k++) {
			const double x = k - TAPS / 2 + 1 -
				(double)p / PHASES;
			const double w = cos(M_PI * x / (TAPS + 2));

			v[k] = fabs(x) < 1e-9 ? 1.0 :
				sin(M_PI * x) / (M_PI * x) * w * w;
			sum += v[k];
		}
		for (int k = 0; k < TAPS; k++)
			a->sinc[p][k] = (float)(v[k] / sum);
	}
}


int align_alloc(struct align **ap, uint32_t rate_hz, size_t frame)
{
	struct align *a;
	int err;

	if (!frame || frame > FRAME_MAX)
		return EINVAL;

	a = mem_zalloc(sizeof(*a), destructor);
	if (!a)
		return ENOMEM;

	a->rate_hz = rate_hz;
	a->frame = frame;
	a->far_size = (size_t)rate_hz * FAR_MS / 1000;
	a->far = mem_zalloc(a->far_size * sizeof(*a->far), NULL);
	a->sinc = mem_zalloc(PHASES * sizeof(*a->sinc), NULL);
	err = a->far && a->sinc ? lag_alloc(&a->lag, rate_hz) : ENOMEM;
	if (err) {
		mem_deref(a);
		return err;
	}

	sinc_init(a);
	*ap = a;

	return 0;
}


void align_played(struct align *a, const int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a->far[(a->pushed + i) % a->far_size] = v[i];

	a->pushed += n;
}


void align_missed(struct align *a, size_t missed)
{
	size_t more = missed - a->missed;

	a->missed = missed;
	if (!more)
		return;

	a->doubt = DOUBT_MAX;
	if (more > a->far_size)
		more = a->far_size;
	for (size_t i = 0; i < more; i++)
		a->far[(a->pushed + i) % a->far_size] = 0;

	a->pushed += more;
}


static int16_t far_at(const struct align *a, uint64_t k)
{
	return k >= a->pushed || k + a->far_size < a->pushed ? 0 :
		a->far[k % a->far_size];
}


void align_past(const struct align *a, unsigned back, int16_t *ref)
{
	const uint64_t from = a->at - (uint64_t)(back + 1) * a->frame;

	for (size_t i = 0; i < a->frame; i++)
		ref[i] = far_at(a, from + i);
}


/* The reference jumps: what it was before is now what it would have been.
 * last 0: with the block that is captured now */
static void jump(struct align *a, size_t last)
{
	const size_t n = lag_blocks(a->lag, a->frame);
	int16_t ref[FRAME_MAX];

	for (size_t i = n; i-- > 0;) {
		align_past(a, (unsigned)(i + last), ref);
		lag_again(a->lag, ref, a->frame, i == n - 1);
	}
	a->n_points = 0;
	a->times = 0;
	a->off = 0;
}


static void read_between(const struct align *a, int16_t *ref)
{
	const double step = 1e-6 * a->ppm;
	const uint64_t from = a->at - a->frame - TAPS / 2;
	float far[FRAME_MAX + TAPS + 2];

	for (size_t i = 0; i < a->frame + TAPS + 2; i++)
		far[i] = far_at(a, from + i);

	for (size_t i = 0; i < a->frame; i++) {
		/* not below 0 and, within a block, not beyond 2 */
		const double x = a->frac + step * (double)i + 1.0;
		const size_t whole = (size_t)x;
		const float *w = a->sinc[(size_t)((x - (double)whole) *
						  PHASES)];
		const float *v = far + i + whole;
		float y = 0.0f;

		for (unsigned t = 0; t < TAPS; t++)
			y += w[t] * v[t];
		ref[i] = (int16_t)lrintf(fmaxf(-32768.0f,
					       fminf(32767.0f, y)));
	}
}


/* On by a block, as the microphone has it */
static void advance(struct align *a)
{
	const double more = (double)a->frame * 1e-6 * a->ppm;
	double whole;

	a->frac += more;
	whole = floor(a->frac);
	a->frac -= whole;
	a->at += a->frame + (uint64_t)(int64_t)whole;
	a->moved_ms += BLOCK_MS * 1e-6 * a->ppm;
	a->past[a->blocks % PAST] = a->moved_ms;
	++a->blocks;
}


static uint64_t told(const struct align *a)
{
	const size_t early = (size_t)a->rate_hz * EARLY_MS / 1000;
	const size_t back = a->delay > early + TAPS / 2 ? a->delay - early :
		TAPS / 2;

	return a->pushed > back ? a->pushed - back : 0;
}


void align_reference(struct align *a, size_t delay, int16_t *ref)
{
	const double slip = (double)a->rate_hz *
		(a->sure ? SLIP_SURE_MS : SLIP_MS) / 1000;
	const double some = (double)a->rate_hz * DOUBT_MS / 1000;
	double diff;
	uint64_t want;

	a->delay = delay;
	want = told(a);

	/* nothing of what was played has been in the room yet */
	if (!a->aligned && want < a->frame + TAPS) {
		memset(ref, 0, a->frame * sizeof(*ref));
		return;
	}

	advance(a);
	diff = (double)(int64_t)(want - a->at) - a->bias;
	a->off = fabs(diff) > slip ? a->off + 1 : 0;
	if (fabs(diff) > some)
		a->doubt += a->doubt < DOUBT_MAX;
	else
		a->doubt -= a->doubt > 0;
	if (!a->aligned || a->off > SLIP_BLOCKS) {
		a->slips += a->aligned;
		a->aligned = true;
		a->at = want - (uint64_t)(int64_t)a->bias;
		jump(a, 1);
	}

	if (a->ppm == 0.0 && a->frac == 0.0) {
		for (size_t i = 0; i < a->frame; i++)
			ref[i] = far_at(a, a->at - a->frame + i);
	}
	else
		read_between(a, ref);
}


/* Where the echo is to stay: where it is, when the canceller sees it well
 * there, and it goes there in one step */
static void move_to(struct align *a, double lag_ms)
{
	double by;

	if (!a->sure)
		a->want_ms = lag_ms < LEAST_MS || lag_ms > MOST_MS ?
			EARLY_MS : lag_ms;
	a->sure = true;
	a->lag_ms = a->want_ms;
	a->times = 0;
	by = round((lag_ms - a->want_ms) * a->rate_hz / 1000.0);
	if (by == 0.0)
		return;

	if (by > 0.0 && (uint64_t)by > a->at)
		return;
	a->at -= (uint64_t)(int64_t)by;
	a->bias += by;
	++a->slips;
	jump(a, 0);
}


/* It was clearest at another place than where it was */
static bool elsewhere(struct align *a, const struct lag_seen *seen)
{
	const uint64_t slips = a->slips;

	if (seen->sharp < SURE) {
		a->times = 0;
		return false;
	}

	if (a->times && fabs(seen->ms - a->there_ms) >
	    (a->search ? SAME_SEARCH_MS : SAME_MS))
		a->times = 0;
	a->there_ms = seen->ms;
	if (++a->times >= SURE_TIMES)
		move_to(a, seen->ms);

	return a->slips > slips;
}


/* By least squares. @return ms in a second; *off: of the latest from it */
static double line(const struct align *a, unsigned from, unsigned n,
		   double *off)
{
	double s = 0.0, ms = 0.0, ss = 0.0, sm = 0.0, slope;

	for (unsigned i = from; i < n; i++) {
		s += a->points[i].s;
		ms += a->points[i].ms;
	}
	s /= n - from;
	ms /= n - from;
	for (unsigned i = from; i < n; i++) {
		const double x = a->points[i].s - s;

		ss += x * x;
		sm += x * (a->points[i].ms - ms);
	}
	slope = ss > 0.0 ? sm / ss : 0.0;
	*off = a->points[0].ms - ms - slope * (a->points[0].s - s);

	return slope;
}


/* It is where it was but for a little: how the clocks differ */
static void wanders(struct align *a, double lag_ms)
{
	const unsigned age = LAG_AGE_MS / BLOCK_MS;
	double off, slope, ppm;

	a->times = 0;
	a->lag_ms = lag_ms;
	a->bias += BIAS * ((double)(int64_t)(told(a) - a->at) - a->bias);

	memmove(a->points + 1, a->points, sizeof(a->points) -
		sizeof(*a->points));
	a->points[0].s = a->blocks * BLOCK_MS / 1000.0;
	a->points[0].ms = a->past[(a->blocks - 1 - age) % PAST] - lag_ms;
	if (a->n_points < POINTS)
		++a->n_points;
	if (a->blocks < PAST || a->n_points < POINTS_MIN)
		return;

	(void)line(a, 1, a->n_points, &off);
	if (fabs(off) > ODD_MS)
		a->n_points = POINTS_MIN;
	slope = line(a, 0, a->n_points, &off);
	ppm = 1000.0 * slope - PULL * (lag_ms - a->want_ms);
	a->ppm = fmax(-PPM_MAX, fmin(PPM_MAX, ppm));
}


void align_search(struct align *a)
{
	if (!a->search) {
		a->search = 1;
		a->times = 0;
		lag_fresh(a->lag);
	}
}


enum align_seen align_look(struct align *a, const int16_t *mic,
			   const int16_t *ref)
{
	struct lag_seen seen;
	bool near;

	a->search += a->search > 0;
	if (!a->aligned || !lag_run(a->lag, mic, ref, a->frame,
				    a->sure ? a->lag_ms : NAN,
				    a->search > 0, &seen))
		return ALIGN_NOTHING;

	/* who searches takes the clearest; it must be all new to be there */
	near = a->sure && seen.near_sharp >= SURE && seen.near_sharp >
		(a->search ? KEPT_SEARCH : KEPT) * seen.sharp;
	if (near && a->search) {
		if (a->search < SEARCHED)
			return ALIGN_NOTHING;
		a->search = 0;
		return ALIGN_THERE;
	}
	if (near) {
		wanders(a, seen.near_ms);
		return ALIGN_NOTHING;
	}
	if (!elsewhere(a, &seen))
		return ALIGN_NOTHING;

	a->search = 0;

	return ALIGN_MOVED;
}


void align_figures(const struct align *a, struct align_figures *f)
{
	f->delay = a->delay;
	f->slips = a->slips;
	f->sure = a->sure;
	f->lag_ms = a->lag_ms;
	f->ppm = a->ppm;
	f->doubt = a->doubt >= DOUBT_BLOCKS;
}
