/**
 * @file app/selftest.h  Inside the self-test: its calls and its report
 */
#ifndef OFFHOOK_APP_SELFTEST_H
#define OFFHOOK_APP_SELFTEST_H

#include <offhook/compat.h>
#include <offhook/app.h>
#include <offhook/timer.h>

enum { SELFTEST_CASES = 8 };

enum selftest_station {
	ST_DONE = 0,
	ST_CALLING, ST_SETTLE, ST_SPEECH, ST_TAIL, ST_DIGITS,
	ST_HOLD, ST_RESUME, ST_FLOW, ST_HANGUP,
};

struct selftest_case {
	struct selftest *st;
	const struct codec *codec;
	enum sip_transp tp;
	bool device;                /* the caller's end meets the sound card */
	char name[32];              /* "opus-udp": the caller's user part    */
	char far_file[160];         /* what the other side heard             */
	char near_file[160];        /* what came back                        */
	enum selftest_station station;
	struct timer tmr;           /* of the station                        */
	unsigned near_id, far_id;   /* calls                                 */
	uint64_t dial_ms, setup_ms;
	uint64_t flow_from;         /* packets received at resume            */
	char heard[40];             /* digits                                */
	bool digits_ok, hold_ok, pass;
	double mos;
	struct stream_stats stats;  /* of the caller, before hang-up         */
	char why[256];              /* first thing that went wrong           */
};

struct selftest_phone {
	struct config *config;
	struct event_bus *bus;
	struct event_sub *sub;
	struct media *media;
	struct ua *ua;
	enum media_device_state device_state;
	uint64_t device_ms;
	char device[128];
	char device_text[256];
};

struct selftest {
	struct selftest_phone caller, callee;
	struct selftest_case casev[SELFTEST_CASES];
	unsigned casec;             /* calls of this round                   */
	unsigned round;
	unsigned closing;           /* user agents not closed yet            */
	struct timer tmr;
	char dir[128];              /* recordings                            */
	char speech[512];
	uint64_t speech_ms;
	uint64_t begin_ms;
	bool use_device, ok;
	unsigned passed, failed;
	selftest_line_h *line_h;
	selftest_result_h *result_h;
	selftest_done_h *done_h;
	void *arg;
};

void selftest_tail(void *arg);

/* selftest_phone.c */

/** Both must be freed, whatever comes of this. h hears all its events */
int  selftest_phone_alloc(struct selftest_phone *p,
			  const struct selftest_conf *conf, event_h *h,
			  void *arg, char *err);
void selftest_phone_free(struct selftest_phone *p);
/** audio: as option --audio */
int  selftest_phone_audio(struct selftest_phone *p, const char *audio,
			  char *err);
/** @return false: it does not listen for that */
bool selftest_phone_port(const struct selftest_phone *p, enum sip_transp want,
			 uint16_t *port);

/* selftest_report.c */
void selftest_report_begin(struct selftest *st);
/** Judge the recordings of a case and tell: sets c->pass */
void selftest_report_case(struct selftest_case *c);
void selftest_report_text(struct selftest *st, const char *text);
void selftest_report_end(struct selftest *st);
void selftest_report_clean(struct selftest_case *c);   /* its recordings */

#endif
