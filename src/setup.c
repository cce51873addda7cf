/**
 * @file setup.c  The phone's parts, in the order of being reachable
 *
 * Options first, then SIP listens, then accounts and the front end; what is
 * wrong is told once on stderr and becomes an exit code.  Main thread,
 * before the loop runs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "offhook/log.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "main.h"

#define LOG_MODULE "main"


void fatal(const struct app *a, const char *token, const char *text)
{
	char line[2 * CONFIG_ERR], *json;

	/* not through stdio, which may lead to the log */
	dprintf(STDERR_FILENO, "error: %s: %s\n", token,
		text_escape(line, sizeof(line), text, strlen(text)));

	if (!a->args.json)
		return;

	json = reply_error_json(token, text);
	if (json)
		dprintf(a->out_fd >= 0 ? a->out_fd : STDOUT_FILENO, "%s\n",
			json);
	free(json);
}


void fatal_file(const struct app *a, const char *file, int err)
{
	char text[CONFIG_ERR];

	snprintf(text, sizeof(text), "%.400s: %s", file, strerror(err));
	fatal(a, error_token(err), text);
}


/* Configuration ---------------------------------------------------------- */

static int account_add(const struct account_conf *ac, void *arg)
{
	struct app *a = arg;
	struct account_conf full = *ac;
	char err[UA_ERR] = "";
	int e = 0;

	if (ac->password_command[0] && !ac->password[0])
		e = secret_read(full.password, sizeof(full.password),
				ac->password_command, err);
	if (!e)
		e = ua_account_add(a->ph.ua, &full, err);

	explicit_bzero(full.password, sizeof(full.password));

	if (e)
		fatal(a, "bad-account", err[0] ? err : strerror(e));

	return e;
}


static int accounts_start(struct app *a)
{
	char path[1024], err[CONFIG_ERR] = "";
	int e = 0;

	for (size_t i = 0; i < a->args.accountc && !e; i++) {

		struct account_conf ac;

		e = account_parse(&ac, a->args.accounts[i], err);
		if (!e)
			e = account_add(&ac, a);
		explicit_bzero(&ac, sizeof(ac));
	}

	if (!e && a->ph.config_dir[0]) {
		e = path_join(path, sizeof(path), a->ph.config_dir,
			      "accounts");
		if (!e)
			e = accounts_load(path, account_add, a, err);
	}

	/* account_add() told its own */
	if (e && err[0])
		fatal(a, "bad-account", err);

	return e;
}


/* The usual one may be missing, one that was named may not */
int config_dir_find(struct app *a, char *err)
{
	const char *dir = a->args.config_dir;
	char shown[256];
	struct stat st;
	int e;

	if (!dir) {
		if (path_base(a->ph.config_dir, sizeof(a->ph.config_dir),
			      PATH_CONFIG, NULL))
			a->ph.config_dir[0] = '\0';
		return 0;
	}

	e = text_copy(a->ph.config_dir, sizeof(a->ph.config_dir), dir,
		      strlen(dir));
	if (!e && stat(dir, &st))
		e = errno;
	if (!e && !S_ISDIR(st.st_mode))
		e = ENOTDIR;
	if (!e && access(dir, R_OK | X_OK))
		e = errno;
	if (e)
		snprintf(err, CONFIG_ERR, "--config '%s': %s",
			 text_escape(shown, sizeof(shown), dir, strlen(dir)),
			 strerror(e));

	return e;
}


int config_start(struct app *a)
{
	char path[1024], err[CONFIG_ERR] = "";
	int e;

	e = config_alloc(&a->ph.config);
	if (!e)
		e = config_dir_find(a, err);

	if (!e && a->ph.config_dir[0]) {
		e = path_join(path, sizeof(path), a->ph.config_dir,
			      "offhook.conf");
		if (!e)
			e = config_load(a->ph.config, path, err);
	}

	config_set_origin(a->ph.config, CONFIG_ARGUMENT);
	for (size_t i = 0; i < a->args.setc && !e; i++) {

		const char *s = a->args.sets[i], *eq = strchr(s, '=');
		char name[64];

		if (!eq) {
			snprintf(err, sizeof(err), "--set takes NAME=VALUE");
			e = EINVAL;
			break;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(eq - s), s);
		e = config_set(a->ph.config, name, eq + 1, err);
	}

	config_set_origin(a->ph.config, CONFIG_COMMAND);

	if (e)
		fatal(a, "bad-config", err[0] ? err : strerror(e));

	return e;
}


/* Each is lost and found for itself; microphone and loudspeaker are one */
static unsigned device_bit(const char *role)
{
	return !role ? 1 : !strcmp(role, "ring") ? 2 :
		!strcmp(role, "monitor") ? 4 : 1;
}


/* Start ------------------------------------------------------------------ */

static void device_handler(const struct media_device_event *de, void *arg)
{
	struct app *a = arg;
	const bool lost = de->state == MEDIA_DEV_LOST;
	const bool broken = de->state == MEDIA_DEV_BROKEN;
	const unsigned which = device_bit(de->role);
	struct event ev;

	a->broken_off = a->broken_off || broken;

	/* no device by choice has nothing to say */
	if (de->text && *de->text)
		log_write(broken ? LOGL_ERROR :
			  de->state == MEDIA_DEV_NONE || lost ? LOGL_WARN :
			  LOGL_INFO, LOG_MODULE, "%s", de->text);

	if (!lost && !(a->device_lost & which && de->state == MEDIA_DEV_OPEN))
		return;

	a->device_lost = lost ? a->device_lost | which :
		a->device_lost & ~which;

	event_init(&ev, lost ? EVENT_DEVICE_LOST : EVENT_DEVICE_FOUND);
	snprintf(ev.u.device.device, sizeof(ev.u.device.device), "%s",
		 de->name ? de->name : "");
	snprintf(ev.u.device.role, sizeof(ev.u.device.role), "%s",
		 de->role ? de->role : "");
	snprintf(ev.u.device.text, sizeof(ev.u.device.text), "%s",
		 de->text ? de->text : "");
	event_publish(a->ph.bus, &ev);
}


/* Somebody listens, as against null, a tone, a file */
static bool audio_is_device(const struct audio_spec *as)
{
	return 0 == strcmp(as->driver, "auto") ||
		0 == strcmp(as->driver, "portaudio");
}


/* Those of the options, unless --audio has named one. @return 0 or errno */
static int devices_choose(struct app *a, char err[UA_ERR])
{
	const struct config *conf = a->ph.config;
	int e = 0;

	if (conf->audio_mic[0] && !a->ph.audio.in[0])
		e = media_set_device(a->ph.media, MEDIA_ROLE_MIC,
				     conf->audio_mic, err, UA_ERR);
	if (!e && conf->audio_speaker[0] && !a->ph.audio.out[0])
		e = media_set_device(a->ph.media, MEDIA_ROLE_SPEAKER,
				     conf->audio_speaker, err, UA_ERR);
	if (!e && conf->audio_ring[0])
		e = media_set_device(a->ph.media, MEDIA_ROLE_RING,
				     conf->audio_ring, err, UA_ERR);
	if (!e && conf->audio_monitor[0])
		e = media_set_device(a->ph.media, MEDIA_ROLE_MONITOR,
				     conf->audio_monitor, err, UA_ERR);

	return e;
}


/* @return an exit code */
static int sound_start(struct app *a)
{
	struct media_conf mc;
	char err[UA_ERR] = "";
	int e;

	e = audio_spec_parse(&a->ph.audio, a->args.audio ? a->args.audio :
			     "auto", err, sizeof(err));
	a->ph.audio_given = a->args.audio != NULL;

	if (!e) {
		phone_media_conf(&mc, a->ph.config);
		e = media_alloc(&a->ph.media, &mc, device_handler, a);
	}
	if (!e)
		e = media_set_audio(a->ph.media, &a->ph.audio, err,
				    sizeof(err));
	if (!e && audio_is_device(&a->ph.audio))
		e = devices_choose(a, err);
	if (e)
		fatal(a, "bad-audio", err[0] ? err : strerror(e));

	return e ? EXIT_USAGE : 0;
}


/* @return an exit code */
static int ua_start(struct app *a)
{
	struct ua_conf uc = {
		.config = a->ph.config,
		.bus = a->ph.bus,
		.media = a->ph.media,
		.addrv = a->args.listens,
		.addrc = a->args.listenc,
		.trace_h = diagnosis_message,
		.arg = a,
	};
	char err[UA_ERR] = "";
	int e;

	if (diagnosis_start(a))
		return 1;

	e = ua_alloc(&a->ph.ua, &uc, err);
	if (e) {
		fatal(a, e == EADDRINUSE ? "port-taken" : "network",
		      err[0] ? err : strerror(e));
		return e == EINVAL ? EXIT_USAGE : EXIT_NETWORK;
	}

	if (diagnosis_follow(a))
		return EXIT_USAGE;
	ua_set_device(a->ph.ua, audio_is_device(&a->ph.audio));

	if (accounts_start(a))
		return EXIT_USAGE;

	/* its rules go before the answer */
	if (forward_alloc(&a->ph.forward, a->ph.ua, a->ph.bus, a->ph.config))
		return 1;
	if (answer_alloc(&a->ph.answer, a->ph.ua, a->ph.bus, end_answer, a))
		return 1;
	answer_set_config(a->ph.answer, a->ph.config);

	if (audio_is_device(&a->ph.audio) &&
	    devices_alloc(&a->ph.devices, a->ph.ua, a->ph.bus, a->ph.media,
			  &a->ph.audio))
		return 1;

	if (ringer_alloc(&a->ph.ringer, a->ph.ua, a->ph.bus, a->ph.media,
			 a->ph.config))
		return 1;
	ringer_set_device(a->ph.ringer, audio_is_device(&a->ph.audio));

	if (a->args.auto_answer) {
		const struct answer_rule rule = {
			.on = true, .code = a->args.answer_code,
		};

		answer_set(a->ph.answer, &rule);
	}

	return 0;
}


/* Where lines come from. @return an exit code */
static int input_open(struct app *a, struct ui_conf *uc)
{
	const char *file = a->args.file;

	uc->in_fd = -1;
	if (a->args.command)
		return 0;

	if (file && strcmp(file, "-")) {
		uc->in_name = file;
		uc->in_fd = open(file, O_RDONLY | O_CLOEXEC);
		if (uc->in_fd < 0) {
			fatal_file(a, file, errno);
			return EXIT_USAGE;
		}
		return 0;
	}

	uc->in_name = "stdin";
	uc->in_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	a->person = !file && !a->args.json && isatty(STDIN_FILENO) &&
		isatty(a->out_fd);

	return 0;
}


static int ui_start(struct app *a)
{
	struct ui_conf uc = {
		.out_fd = a->out_fd,
		.err_fd = STDERR_FILENO,
		.json = a->args.json,
		.quiet = a->args.quiet,
		.end_h = end_script,
		.lost_h = end_output,
		.junit = a->args.junit,
		.reply_h = diagnosis_reply,
		.arg = a,
	};
	char lines[512] = "";
	int code, err;

	if (a->screen)
		return screen_start(a);

	/* what cannot be written is told before anything is run */
	err = a->args.junit ? path_write(a->args.junit, "", 0, 0666) : 0;
	if (err) {
		fatal_file(a, a->args.junit, err);
		return EXIT_USAGE;
	}

	code = input_open(a, &uc);
	if (code)
		return code;

	/* lines of a program that reads the replies are requests */
	if (a->person)
		screen_lines(a, lines, sizeof(lines));
	uc.lines = lines;
	uc.person = a->person;
	uc.keep = a->person || (a->args.json && !a->args.command &&
				!a->args.file);

	err = ui_script_alloc(&a->ui, &a->ph, &uc);
	if (err)
		fatal_file(a, uc.in_name ? uc.in_name : "output", err);

	return err == EISDIR ? EXIT_USAGE : err ? 1 : 0;
}


int phone_start(struct app *a)
{
	int code = sound_start(a);

	if (!code && !(a->args.command && command_alone(a->args.command)))
		code = ua_start(a);
	if (!code)
		code = place_kept(a);

	if (!code)
		code = ui_start(a);

	/* once there is somebody to read it */
	if (!code && a->ph.ua && ua_note(a->ph.ua)[0])
		log_warn("%s", ua_note(a->ph.ua));

	return code;
}
