/**
 * @file errors.c  Every error token, and which one an errno is
 *
 * A token is what programs branch on: one a meaning, never changed.  The
 * manual lists them from here.  Const data.
 */
#include <errno.h>
#include "priv.h"


static const struct error_row rows[] = {
	{ "accounts-failed", "of many accounts some did not register" },
	{ "already", "it is so already" },
	{ "assert-failed", "a figure is not as `assert` demands" },
	{ "bad-account", "an account is described wrongly, or its password "
		"cannot be had" },
	{ "bad-argument", "a value is not of the kind that is asked for" },
	{ "bad-audio", "what --audio names is no source or sink of sound" },
	{ "bad-config", "the configuration is wrong or cannot be read" },
	{ "bad-file", "a file is of another kind: a directory, not sound" },
	{ "bad-line", "a line cannot be taken apart: an open quote, a NUL" },
	{ "bad-request", "a JSON request is none" },
	{ "bad-target", "whom to call is no address, or one of a kind that is "
		"not spoken here" },
	{ "busy", "it is in use" },
	{ "call-ended", "the call ended before what was waited for" },
	{ "calls-failed", "of many calls some were not answered, or broke off" },
	{ "doctor-failed", "something is not well; the lines say what" },
	{ "expect-failed", "something else came, or nothing in time" },
	{ "failed", "it did not work; the text says why" },
	{ "line-too-long", "a line or a word has more than it may" },
	{ "missing-argument", "the command needs another argument" },
	{ "network", "no network, or no way to the other side" },
	{ "no-access", "a file or folder may not be read or written" },
	{ "no-call", "there is no call that the command could mean" },
	{ "no-device", "there is no sound device, or it does not come" },
	{ "no-memory", "out of memory" },
	{ "no-output", "replies and events cannot be written" },
	{ "no-phone", "no phone runs with this configuration" },
	{ "no-screen", "there is no full-screen phone here" },
	{ "no-space", "the disk or a queue is full" },
	{ "no-such-account", "no account has this name" },
	{ "no-such-call", "no living call has this number" },
	{ "no-such-contact", "no contact has this name" },
	{ "no-such-device", "no sound device has a name like this" },
	{ "no-such-file", "a file or folder is not there" },
	{ "no-such-host", "a name cannot be resolved" },
	{ "no-such-rule", "no rule has this number" },
	{ "no-such-subscription", "no subscription has this number" },
	{ "not-supported", "the phone or the other side cannot do it" },
	{ "port-taken", "another program has the port" },
	{ "refused", "the other side does not want it" },
	{ "selftest-failed", "a call of the self-test was not good" },
	{ "timeout", "it took too long" },
	{ "too-large", "a file is larger than it may be" },
	{ "too-many-arguments", "the command does not take so many" },
	{ "too-many-calls", "no more calls than option max-calls says" },
	{ "too-many-files", "the system gives no more descriptors" },
	{ "too-slow", "a client of the control socket does not read" },
	{ "unknown-command", "there is no such command" },
	{ "unknown-option", "there is no such option or argument" },
	{ "unset-variable", "a variable of the line has no value" },
	{ "wrong-state", "the call is not in a state for that" },
};


const struct error_row *error_at(size_t i)
{
	return i < ARRAY_SIZE(rows) ? &rows[i] : NULL;
}


const struct error_row *error_find(const char *token)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].token, token))
			return &rows[i];
	}

	return NULL;
}


const char *error_token(int err)
{
	switch (err) {

	case EINVAL:          return "bad-argument";
	case ENOENT:
	case ENOTDIR:         return "no-such-file";
	case EUSERS:          return "too-many-calls";
	case ENOTCONN:
	case EPROTO:          return "wrong-state";
	case EALREADY:        return "already";
	case EBUSY:           return "busy";
	case ENOTSUP:
	case EPROTONOSUPPORT: return "not-supported";
	case ENOSPC:          return "no-space";
	case EFBIG:           return "too-large";
	case EISDIR:          return "bad-file";
	case EACCES:
	case EPERM:
	case EROFS:           return "no-access";
	case ENOMEM:          return "no-memory";
	case EMFILE:
	case ENFILE:          return "too-many-files";
	case EADDRINUSE:      return "port-taken";
	case ENETUNREACH:
	case EHOSTUNREACH:    return "network";
	case ETIMEDOUT:       return "timeout";
	default:              return "failed";
	}
}


const char *result_token(const struct sip_result *res)
{
	if (res->code)
		return "refused";

	switch (res->cause) {

	case SIP_CAUSE_RESOLVE:   return "no-such-host";
	case SIP_CAUSE_TIMEOUT:   return "timeout";
	case SIP_CAUSE_TRANSPORT: return "network";
	default:                  return "failed";
	}
}
