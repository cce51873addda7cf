/**
 * @file sdp_file.c  --sdp-file: a description that the user has written
 *
 * It is sent as it is, and he is told what is wrong with it.  Main thread; it
 * touches the disk.
 */
#include <string.h>
#include "offhook/path.h"
#include "offhook/ua_sdp.h"
#include "priv.h"


int cmd_sdp_read(struct cmd *x, char **sdp)
{
	static const char *const others[] = {"late-offer", "calls", "bare"};
	const char *file = cmd_str(x, "sdp-file");
	char show[160];
	size_t len;
	int err;

	*sdp = NULL;
	if (!file)
		return 0;

	text_escape(show, sizeof(show), file, strlen(file));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!cmd_has(x, others[i]))
			continue;
		(void)cmd_wrong(x, "bad-argument", "--sdp-file describes the "
				"sound of one call: it does not go with --%s",
				others[i]);
		return EINVAL;
	}

	err = cmd_file_check(x, file);
	if (err)
		return err;

	err = path_read(sdp, &len, file, UA_SDP_MAX);
	if (!err && strlen(*sdp) == len)
		return 0;

	free(*sdp);
	*sdp = NULL;
	(void)cmd_wrong(x, "bad-file", err == EFBIG ? "%s is no description: "
			"too long" : "%s is no description", show);

	return err ? err : EINVAL;
}


int cmd_sdp_next(struct cmd *x, struct call *c, char **sdp)
{
	char err[UA_ERR] = "";
	int e = cmd_sdp_read(x, sdp);

	if (e || !*sdp)
		return e;

	e = call_describe(c, *sdp, err);
	if (e) {
		free(*sdp);
		*sdp = NULL;
		cmd_fail(x, e, err);
	}

	return e;
}


static void finding(unsigned line, const char *text, void *arg)
{
	struct cmd *x = arg;

	reply_row(x->reply, "finding");
	if (line)
		reply_int(x->reply, "line", line);
	reply_str(x->reply, "text", text);
}


void cmd_sdp_lint(struct cmd *x, const char *sdp)
{
	if (!sdp)
		return;

	reply_list(x->reply, "finding");
	(void)ua_sdp_lint(sdp, strlen(sdp), finding, x);
}
