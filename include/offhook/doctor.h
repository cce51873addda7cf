/**
 * @file doctor.h  Is everything well? And what to do where it is not
 *
 * Looks at the configuration, the way to each account's server, its
 * certificates, registration, NAT, sound and clock, one after the other, and
 * tells a line about each.  Main thread; what blocks is done by a worker, and
 * every step has a bound.
 */
#ifndef OFFHOOK_DOCTOR_H
#define OFFHOOK_DOCTOR_H

#include "offhook/ua.h"

enum doctor_verdict {
	DOCTOR_NOTE = 0,         /* for your information                     */
	DOCTOR_PASS,
	DOCTOR_WARN,
	DOCTOR_FAIL,
};
/** "note", "pass", "warn", "fail" */
const char *doctor_verdict_name(enum doctor_verdict v);

/** Strings live during the call */
struct doctor_line {
	const char *area;        /* "dns", "udp", "registration" ...         */
	enum doctor_verdict verdict;
	const char *text;        /* what was seen                            */
	const char *advice;      /* what to do next, "" nothing              */
};
typedef void (doctor_line_h)(const struct doctor_line *l, void *arg);
typedef void (doctor_done_h)(void *arg);

struct doctor_conf {
	struct ua *ua;
	struct media *media;
	const struct config *config;
	const char *config_dir;  /* "" none                                  */
	const char *account;     /* only this one; NULL: all                 */
	const char *stun;        /* "ADDR[:PORT]" or a name, NULL: no test   */
	bool quick;              /* no calls to oneself                      */
	bool use_device;         /* ... over the sound card too              */
};

struct doctor;
/** conf is borrowed until mem_deref; done is called once, never from inside.
 *  @return 0 or errno */
int doctor_start(struct doctor **dp, const struct doctor_conf *conf,
		 doctor_line_h *line_h, doctor_done_h *done_h, void *arg);

#endif
