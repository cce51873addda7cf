/**
 * @file device.c  The array of audio drivers and what -A may say
 *
 * Constant data and pure functions; any thread.  What to do when a device
 * fails is decided in media/, not here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <offhook/text.h>
#include "priv.h"


static const struct audio_driver *const table[] = {
	&audio_portaudio,
	&audio_file,
	&audio_pipe,
	&audio_tone,
	&audio_silence,
	&audio_null,
	NULL
};

/* what may follow the name */
enum args {
	ARGS_NONE,
	ARGS_NAME,       /* one name, for both ways, optional               */
	ARGS_PAIR,       /* IN,OUT: either may be empty                     */
	ARGS_NUMBER,     /* Hz                                              */
};

static const struct form {
	const char *driver;
	enum args args;
	const char *usage;
} forms[] = {
	{ "auto",      ARGS_NONE,   "auto"                                },
	{ "portaudio", ARGS_NAME,   "portaudio or portaudio:NAME"         },
	{ "null",      ARGS_NONE,   "null"                                },
	{ "file",      ARGS_PAIR,   "file:IN.wav, file:IN.wav,OUT.wav or "
				    "file:,OUT.wav"                       },
	{ "tone",      ARGS_NUMBER, "tone:HZ, 20 to 20000"                },
	{ "silence",   ARGS_NONE,   "silence"                             },
	{ "pipe",      ARGS_PAIR,   "pipe:IN,OUT, pipe:IN or pipe:,OUT"   },
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };


const struct audio_driver *const *audio_table(void)
{
	return table;
}


const struct audio_driver *audio_driver_find(const char *name)
{
	if (!name)
		return NULL;
	if (0 == strcmp(name, "auto"))
		return &audio_portaudio;

	for (size_t i = 0; table[i]; i++) {
		if (0 == strcmp(table[i]->name, name))
			return table[i];
	}

	return NULL;
}


static const char *form_name(size_t i, const void *arg)
{
	(void)arg;

	return i < FORMS ? forms[i].driver : NULL;
}


static const struct form *form_find(const char *name, size_t len)
{
	for (size_t i = 0; i < FORMS; i++) {
		if (strlen(forms[i].driver) == len &&
		    0 == memcmp(forms[i].driver, name, len))
			return &forms[i];
	}

	return NULL;
}


static int unknown(const char *name, size_t len, char *err, size_t errsz)
{
	char shown[64], word[32];
	const char *near = NULL;

	if (!text_copy(word, sizeof(word), name, len))
		near = text_nearest(word, form_name, NULL);

	text_escape(shown, sizeof(shown), name, len);
	if (near)
		(void)snprintf(err, errsz, "no kind of sound '%s'; "
			       "did you mean '%s'?", shown, near);
	else
		(void)snprintf(err, errsz, "no kind of sound '%s'; there are "
			       "auto, portaudio, null, file, tone, silence "
			       "and pipe", shown);

	return EINVAL;
}


/*
 * IN,OUT at the first comma; "\," is a comma of a name and "\\" a backslash,
 * any other backslash stands for itself
 */
static int split_pair(struct audio_spec *as, const char *p)
{
	char *dst[2] = { as->in, as->out };
	const size_t room = sizeof(as->in);
	size_t k = 0, n = 0;

	for (; *p; p++) {
		if (*p == ',') {
			if (k++)
				return EINVAL;
			n = 0;
			continue;
		}
		if (*p == '\\' && (p[1] == ',' || p[1] == '\\'))
			++p;
		if (n + 1 >= room)
			return EOVERFLOW;
		dst[k][n++] = *p;
		dst[k][n] = '\0';
	}

	return as->in[0] || as->out[0] ? 0 : EINVAL;
}


int audio_spec_parse(struct audio_spec *as, const char *text,
		     char *err, size_t errsz)
{
	struct audio_spec got = { "", "", "" };
	const struct form *form;
	const char *arg;
	size_t len;
	double hz;
	int e = 0;

	if (!as || !text || !err || !errsz)
		return EINVAL;

	len  = strcspn(text, ":");
	arg  = text[len] ? text + len + 1 : "";
	form = form_find(text, len);
	if (!form)
		return unknown(text, len, err, errsz);

	switch (form->args) {

	case ARGS_NONE:
		e = *arg ? EINVAL : 0;
		break;

	case ARGS_NAME:
		e = text_copy(got.in, sizeof(got.in), arg, strlen(arg));
		if (!e)
			e = text_copy(got.out, sizeof(got.out), arg,
				      strlen(arg));
		break;

	case ARGS_PAIR:
		e = split_pair(&got, arg);
		break;

	case ARGS_NUMBER:
		e = text_double(&hz, arg, 20.0, 20000.0);
		if (!e)
			e = text_copy(got.in, sizeof(got.in), arg,
				      strlen(arg));
		break;
	}

	if (e == EOVERFLOW) {
		(void)snprintf(err, errsz, "the name after '%s:' is longer "
			       "than %zu characters", form->driver,
			       sizeof(got.in) - 1);
		return EINVAL;
	}
	if (e) {
		char shown[64];

		text_escape(shown, sizeof(shown), text, strlen(text));
		(void)snprintf(err, errsz, "'%s' is not understood; right is "
			       "%s", shown, form->usage);
		return EINVAL;
	}

	(void)snprintf(got.driver, sizeof(got.driver), "%s", form->driver);
	*as = got;

	return 0;
}
