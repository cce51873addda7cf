/**
 * @file files.c  Files that a line names, looked at before anything starts
 *
 * A call is not begun for a sound that cannot be played or a recording that
 * cannot be written.  Main thread; it touches the disk.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "priv.h"


/* EINVAL of a file is: it is no such file as is needed */
static int wrong_file(struct cmd *x, int err, const char *text)
{
	(void)cmd_wrong(x, err == EINVAL ? "bad-file" : error_token(err),
			"%s", text);

	return err;
}


int cmd_file_check(struct cmd *x, const char *path)
{
	char show[160], text[UA_ERR];
	struct stat st;
	int err = 0;

	if (stat(path, &st))
		err = errno;
	else if (S_ISDIR(st.st_mode))
		err = EISDIR;
	else if (access(path, R_OK))
		err = errno;
	if (!err)
		return 0;

	snprintf(text, sizeof(text), "cannot read %s: %s",
		 text_escape(show, sizeof(show), path, strlen(path)),
		 strerror(err));

	return wrong_file(x, err, text);
}


int cmd_play_check(struct cmd *x, const char *path)
{
	char text[UA_ERR] = "";
	int err;

	err = cmd_file_check(x, path);
	if (err)
		return err;

	err = ua_sound_load(x->ph->ua, path, text);

	return err ? wrong_file(x, err, text) : 0;
}


/* Each %n, %d, %t and %p is to come. @return false: so the folder is not known */
static bool path_example(char *buf, size_t sz, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = 0;

	for (const char *p = path; *p && n + 1 < sz; p++) {

		const bool number = *p == '%' && p[1] &&
			strchr("ndtp", p[1]);

		if (number && slash && p < slash)
			return false;
		buf[n++] = number ? '0' : *p;
		p += number;
	}
	buf[n] = '\0';

	return true;
}


int cmd_record_check(struct cmd *x, const char *path, bool numbered)
{
	struct audio_spec spec = { .driver = "file" };
	char text[UA_ERR] = "";
	int err;

	if (!numbered)
		snprintf(spec.out, sizeof(spec.out), "%s", path);
	else if (!path_example(spec.out, sizeof(spec.out), path))
		return 0;

	err = audio_driver_find("file")->check(&spec, text, sizeof(text));

	return err ? wrong_file(x, err, text) : 0;
}
