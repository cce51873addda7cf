/**
 * @file rig.h  A client on a fake phone, whose replies are kept
 */
#ifndef RIG_H
#define RIG_H

#include "fake_ua.h"

struct rig {
	struct phone ph;
	struct client *cl;
	char replies[65536];     /* JSON lines                               */
	char print[4096];        /* the last one for people, without error   */
	char lines[1024];
	unsigned events;
	unsigned idles;
	unsigned failed;
	int exit;                /* of the last reply                        */
	int quit;                /* code given to quit_h, -2 none            */
	char trace[128];
	bool flush_on_failure;
};

int  rig_setup(void **state);
int  rig_teardown(void **state);
/** Submit, and forget the replies so far. @return the replies */
const char *rig_run(struct rig *r, const char *line);
/** The same without forgetting */
void rig_submit(struct rig *r, const char *line);
/** Let time pass, forgetting replies; 0: only what is due now, and what was
 *  replied before counts. @return the replies */
const char *rig_pass(struct rig *r, uint64_t ms);

#endif
