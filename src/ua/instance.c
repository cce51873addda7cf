/**
 * @file instance.c  Who this phone is among those of the same user
 *
 * RFC 5626 4.1: a URN that stays the same over restarts, so that a registrar
 * knows our old binding when we come back.  It is made by chance (RFC 4122
 * 4.4) and kept in the state directory; without one it lasts for this run.
 * Main thread; touches the disk.
 */
#include <stdio.h>
#include <offhook/random.h>
#include "offhook/path.h"
#include "priv.h"
#include "account.h"

static const char prefix[] = "urn:uuid:";

enum { UUID_LEN = 36, FILE_MAX_LEN = 128 };


static bool uuid_ok(const char *s)
{
	for (size_t i = 0; i < UUID_LEN; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' :
		    !s[i] || !strchr("0123456789abcdef", s[i]))
			return false;
	}

	return !s[UUID_LEN] || s[UUID_LEN] == '\n';
}


static void uuid_make(char *buf, size_t sz)
{
	uint8_t b[16];

	random_fill(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);

	(void)snprintf(buf, sz, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		       "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
		       b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
		       b[12], b[13], b[14], b[15]);
}


/* @return 0 or errno: it is good for this run only */
static int uuid_keep(const char *path, const char *uuid)
{
	char dir[1024], text[UUID_LEN + 2];
	const char *slash = strrchr(path, '/');
	int err;

	if (!slash)
		return ENOENT;

	err = text_copy(dir, sizeof(dir), path, (size_t)(slash - path));
	if (!err)
		err = path_mkdirs(dir);
	if (err)
		return err;

	(void)snprintf(text, sizeof(text), "%s\n", uuid);

	return path_write(path, text, strlen(text), 0600);
}


int instance_get(char *buf, size_t sz)
{
	char path[1024], uuid[UUID_LEN + 1] = "";
	char *text = NULL;
	size_t len;
	int err;

	if (sz < sizeof(prefix) + UUID_LEN)
		return EOVERFLOW;

	err = path_base(path, sizeof(path), PATH_STATE, "instance");
	if (!err && !path_read(&text, &len, path, FILE_MAX_LEN) &&
	    uuid_ok(text))
		(void)text_copy(uuid, sizeof(uuid), text, UUID_LEN);
	free(text);

	if (!uuid[0]) {
		uuid_make(uuid, sizeof(uuid));
		if (!err)
			err = uuid_keep(path, uuid);
		if (err)
			log_info("the phone's instance is not kept: %s",
				 strerror(err));
	}

	(void)snprintf(buf, sz, "%s%s", prefix, uuid);

	return 0;
}
