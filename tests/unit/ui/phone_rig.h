/**
 * @file phone_rig.h  What a front end is given, with a fake user agent behind
 */
#ifndef TEST_UI_PHONE_RIG_H
#define TEST_UI_PHONE_RIG_H

#include "offhook/timer.h"
#include "../command/fake_ua.h"
#include "priv.h"


static inline void phone_rig_open(struct phone *ph)
{
	assert_int_equal(libre_init(), 0);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(event_bus_alloc(&ph->bus), 0);
	assert_int_equal(config_alloc(&ph->config), 0);
	fake_reset(ph->bus);
	ph->ua = fake_ua();
}


/* No timer may be left */
static inline void phone_rig_close(struct phone *ph)
{
	mem_deref(ph->config);
	mem_deref(ph->bus);
	assert_int_equal(timers_count(), 0);
	timers_close();
	libre_close();
}

#endif
