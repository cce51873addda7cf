/**
 * @file media/device.h  A device as main has it (device.c, device_list.c)
 */
#ifndef OFFHOOK_MEDIA_DEVICE_H
#define OFFHOOK_MEDIA_DEVICE_H

#include "priv.h"

enum device_state {
	DEVICE_IDLE,                    /* nobody wants it                         */
	DEVICE_OPENING,
	DEVICE_OPEN,
	DEVICE_ABSENT,                  /* it could not be had; null stands in     */
	DEVICE_LOST,                    /* the same, and it is tried again         */
};

struct device {
	struct media *m;
	enum device_kind kind;
	media_device_h *h;
	void *arg;
	struct audio_spec spec;
	const struct audio_driver *drv;  /* NULL: none by choice            */
	bool hoped;              /* auto                                    */
	enum device_state state;
	bool wanted;
	uint32_t rate_hz;        /* of the sound, 0: nobody knows           */
	uint32_t asked_hz;       /* of the driver, when it was opened       */
	struct audio_dev *dev;
	struct audio_info info;
	bool attached;           /* lent to the engine                      */
	bool was_lost;           /* the user has been told                  */
	bool absent_told;        /* that there is none; once                */
	unsigned serial;         /* of the spec: older results are void     */
	int wake_fd;
	struct timer retry, linger, service;
};

/** The thread that opens devices: one for all, as PortAudio takes no two at
 *  once. @return 0, ENOMEM ... */
int device_worker(struct device *d);

#endif
