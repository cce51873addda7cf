/**
 * @file accounts_table.c  Every parameter of an account
 *
 * Main thread; no state.  One row serves -a, the accounts file, the manual
 * and completion.
 */
#include <offhook/compat.h>
#include <offhook/text.h>
#include "priv.h"

#define FIELD(f) .offset = offsetof(struct account_conf, f),		\
		.size = sizeof(((struct account_conf *)0)->f)

static const struct account_param params[] = {
	{
		.name = "name", .type = OPT_STRING, FIELD(name),
		.summary = "What you call the account",
	},
	{
		.name = "display-name", .type = OPT_STRING,
		FIELD(display_name),
		.summary = "What others see as your name",
	},
	{
		.name = "password", .type = OPT_STRING, FIELD(password),
		.summary = "The password itself", .secret = true,
	},
	{
		.name = "password-env", .type = OPT_STRING,
		FIELD(password_env),
		.summary = "Environment variable that holds the password",
	},
	{
		.name = "password-file", .type = OPT_STRING,
		FIELD(password_file),
		.summary = "File whose first line is the password",
	},
	{
		.name = "password-command", .type = OPT_STRING,
		FIELD(password_command),
		.summary = "Shell command that prints the password",
	},
	{
		.name = "ha1", .type = OPT_STRING, FIELD(ha1),
		.summary = "Hash of user, realm and password, in its place",
		.secret = true,
	},
	{
		.name = "auth-user", .type = OPT_STRING, FIELD(auth_user),
		.summary = "User name for authentication, if another",
	},
	{
		.name = "registrar", .type = OPT_STRING, FIELD(registrar),
		.summary = "Server to register with, if not the domain",
	},
	{
		.name = "outbound", .type = OPT_STRING, FIELD(outbound),
		.summary = "Server that all requests go through",
	},
	{
		.name = "transport", .type = OPT_CHOICE, FIELD(transport),
		.choices = "udp,tcp,tls",
		.summary = "How to reach the server",
	},
	{
		.name = "expires", .type = OPT_INT, FIELD(expires),
		.min = 10, .max = 604800,
		.summary = "Seconds that a registration is asked to last",
	},
	{
		.name = "register", .type = OPT_BOOL, FIELD(regist),
		.summary = "Register; without it: if there is a password or"
			" a registrar",
	},
	{
		.name = "catch-all", .type = OPT_BOOL, FIELD(catch_all),
		.summary = "Take calls to unknown users",
	},
	{
		.name = "auto-answer", .type = OPT_STRING, FIELD(auto_answer),
		.summary = "Answer by itself: yes, no, or a code to send",
	},
	{
		.name = "media-security", .type = OPT_CHOICE,
		FIELD(media_security), .choices = "off,prefer,require",
		.summary = "Encrypt sound, if other than the option says",
	},
	{
		.name = "ice", .type = OPT_CHOICE, FIELD(ice),
		.choices = "off,on",
		.summary = "Find a way through NATs by ICE, if other than the"
			" option says",
	},
	{
		.name = "webrtc", .type = OPT_BOOL, FIELD(webrtc),
		.summary = "Its server is a gateway to browsers: ICE, keys by"
			" DTLS and nothing in plain, one port, in a bundle",
	},
	{
		.name = "codecs", .type = OPT_LIST, FIELD(codecs),
		.choices = "opus,g722,pcmu,pcma,l16,gsm",
		.summary = "Codecs of this account, the best first",
	},
	{
		.name = "reliable", .type = OPT_CHOICE, FIELD(reliable),
		.choices = "off,supported,required",
		.summary = "Provisional responses that are confirmed, if other"
			" than the option says",
	},
	{
		.name = "session-timer", .type = OPT_CHOICE,
		FIELD(session_timer), .choices = "off,supported,required",
		.summary = "Make sure now and then that a call is still there,"
			" if other than the option says",
	},
	{
		.name = "redirects", .type = OPT_CHOICE, FIELD(redirects),
		.choices = "follow,ask,deny",
		.summary = "What becomes of calls that are sent elsewhere, if"
			" other than the option says",
	},
	{
		.name = "default", .type = OPT_BOOL, FIELD(default_),
		.summary = "The account that is taken when none is named;"
			" without it the first one is",
	},
	{
		.name = "registrar2", .type = OPT_STRING, FIELD(registrar2),
		.summary = "Second server to register with, at the same time",
	},
	{
		.name = "outbound2", .type = OPT_STRING, FIELD(outbound2),
		.summary = "Second server that requests may go through,"
			" registered at the same time",
	},
	{
		.name = "fallback", .type = OPT_STRING, FIELD(fallback),
		.summary = "Name of the account that registers and calls"
			" while this one cannot",
	},
	{
		.name = "sip-outbound", .type = OPT_BOOL,
		FIELD(sip_outbound),
		.summary = "Keep flows as RFC 5626 says; without it: if there"
			" is an outbound2",
	},
	{
		.name = "gruu", .type = OPT_BOOL, FIELD(gruu),
		.summary = "Be reached by an address for this phone alone"
			" (RFC 5627)",
	},
	{
		.name = "nat", .type = OPT_CHOICE, FIELD(nat),
		.choices = "auto,off",
		.summary = "Tell the address that the registrar sees (auto)",
	},
	{
		.name = "keepalive", .type = OPT_STRING, FIELD(keepalive),
		.summary = "Keep the way from the registrar open: auto, off"
			" or every so many seconds",
	},
	{
		.name = "contact-user", .type = OPT_STRING,
		FIELD(contact_user),
		.summary = "User part of the address we are reached at, if"
			" another",
	},
	{
		.name = "contact-q", .type = OPT_STRING, FIELD(contact_q),
		.summary = "How much this phone wants the calls, among others"
			" that are registered: 0.0 to 1.0, the highest first",
	},
	{
		.name = "header", .type = OPT_STRING, FIELD(header),
		.summary = "Header lines for every call and request, such as"
			" \"X-Office: 4\", with \" | \" between them; one"
			" with {user}, {host}, {aor}, {name}, {account},"
			" {target}, {target-user}, {target-host}, {call},"
			" {time} or {uuid} in it goes with calls only",
	},
	{
		.name = "pai", .type = OPT_STRING, FIELD(pai),
		.summary = "Who we are, to servers that take our word"
			" (P-Asserted-Identity)",
	},
	{
		.name = "ppi", .type = OPT_STRING, FIELD(ppi),
		.summary = "Which of our addresses the server should show"
			" (P-Preferred-Identity)",
	},
	{
		.name = "privacy", .type = OPT_CHOICE, FIELD(privacy),
		.choices = "none,id,user,header,session,critical",
		.summary = "What the server is asked to keep private"
			" (Privacy, RFC 3323)",
	},
	{
		.name = "anonymous", .type = OPT_BOOL, FIELD(anonymous),
		.summary = "Calls do not tell who we are",
	},
	{
		.name = "tell-who-answers", .type = OPT_BOOL,
		FIELD(tell_who_answers),
		.summary = "A caller who has called another address than this"
			" one is told it when we answer (RFC 4916)",
	},
	{
		.name = "intercom", .type = OPT_STRING, FIELD(intercom),
		.summary = "Who is answered at once when he asks for it, if"
			" other than the option says",
	},
	{
		.name = "auto-answer-after", .type = OPT_TIME,
		FIELD(answer_after_ms), .min = 0, .max = 3600000,
		.summary = "Ring so long before auto-answer",
	},
	{
		.name = "remote-control", .type = OPT_BOOL,
		FIELD(remote_control),
		.summary = "The server may answer, hold and resume calls of"
			" this phone (NOTIFY with Event talk, hold)",
	},
	{
		.name = "mwi", .type = OPT_BOOL, FIELD(mwi),
		.summary = "Ask the server to tell when voice mail waits",
	},
	{
		.name = "call-limit", .type = OPT_TIME, FIELD(call_limit_ms),
		.min = 0, .max = 604800000,
		.summary = "Hang a call up so long after its answer, if other"
			" than the option says",
	},
	{
		.name = "dnd", .type = OPT_STRING, FIELD(dnd),
		.summary = "Do not disturb: yes, no, or when, as in"
			" \"Mon-Fri 22:00-07:00, Sat, Sun\"",
	},
	{
		.name = "dnd-code", .type = OPT_ENUM, FIELD(dnd_code),
		.choices = "480,486,600",
		.summary = "Status that callers get then",
	},
	{
		.name = "voicemail", .type = OPT_STRING, FIELD(voicemail),
		.summary = "Whom `voicemail` calls, if not whom the server"
			" names",
	},
	{
		.name = "require-auth", .type = OPT_BOOL,
		FIELD(require_auth),
		.summary = "Who calls or writes must know a password",
	},
	{
		.name = "auth-in-user", .type = OPT_STRING,
		FIELD(auth_in_user),
		.summary = "User name that they give; without it: our own",
	},
	{
		.name = "auth-in-password", .type = OPT_STRING,
		FIELD(auth_in_password),
		.summary = "Password that they give; without it: our own",
		.secret = true,
	},
	{
		.name = "callers", .type = OPT_ENUM, FIELD(callers),
		.choices = "any,known,registrar",
		.summary = "Who may call: anybody, those in the contacts, or"
			" who comes by way of the registrar",
	},
	{
		.name = "check-origin", .type = OPT_BOOL,
		FIELD(check_origin),
		.summary = "Take requests from the servers of this account"
			" only",
	},
	{
		.name = "quality-report", .type = OPT_STRING,
		FIELD(quality_report),
		.summary = "Whom reports on how calls sound are sent to, if"
			" other than the option says; off: nobody",
	},
	{
		.name = "tls-verify", .type = OPT_BOOL, FIELD(tls_verify),
		.summary = "Make sure over TLS that the server is who it"
			" should be, if other than the option says",
	},
	{
		.name = "tls-ca", .type = OPT_STRING, FIELD(tls_ca),
		.summary = "Authorities that are trusted, if others than the"
			" option's: a PEM file or a directory",
	},
	{
		.name = "tls-cert", .type = OPT_STRING, FIELD(tls_cert),
		.summary = "Certificate to show to the server: a PEM file",
	},
	{
		.name = "tls-key", .type = OPT_STRING, FIELD(tls_key),
		.summary = "Its key, if not in the same file",
	},
	{
		.name = "tls-pin", .type = OPT_STRING, FIELD(tls_pin),
		.summary = "SHA-256 of the server's certificate or public key;"
			" any other is refused",
	},
	{
		.name = "ring-tone", .type = OPT_STRING, FIELD(ring_tone),
		.summary = "What its calls ring with, if other than the"
			" option says",
	},
	{
		.name = "audio-mic", .type = OPT_STRING, FIELD(audio_mic),
		.summary = "Microphone of its calls, by a part of its name"
			" (`devices`), if other than the option says; two"
			" calls that talk together have one",
	},
	{
		.name = "audio-speaker", .type = OPT_STRING,
		FIELD(audio_speaker),
		.summary = "The same of the loudspeaker",
	},
	{
		.name = "audio-ring", .type = OPT_STRING, FIELD(audio_ring),
		.summary = "Device that rings for it, if other than the"
			" option says",
	},
	{
		.name = "audio-monitor", .type = OPT_STRING,
		FIELD(audio_monitor),
		.summary = "Second loudspeaker that hears its calls as well,"
			" if other than the option says",
	},
};

_Static_assert(sizeof(params) / sizeof(params[0]) <= 64,
	       "the parameters given are bits of a word");


const struct account_param *account_param_table(size_t *n)
{
	if (n)
		*n = sizeof(params) / sizeof(params[0]);

	return params;
}


/* In the file the address is a parameter too */
static const char *param_name(size_t i, const void *arg)
{
	const size_t n = sizeof(params) / sizeof(params[0]);
	const bool *file = arg;

	return i < n ? params[i].name : i == n && *file ? "uri" : NULL;
}


const struct account_param *conf_param_find(const char *name)
{
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (!strcmp(params[i].name, name))
			return &params[i];
	}

	return NULL;
}


/* The secret whose name begins this one, or NULL */
static const char *secret_before(const char *name)
{
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		const size_t n = strlen(params[i].name);

		if (params[i].secret && strlen(name) > n &&
		    text_caseeq(name, n, params[i].name))
			return params[i].name;
	}

	return NULL;
}


int conf_param_unknown(char *err, const char *name, bool file)
{
	const char *near = text_nearest(name, param_name, &file);
	const char *secret = secret_before(name);
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
	char shown[CONF_SHOWN];

	/* a slip of the finger must not show the password behind it */
	if (secret && near && (strchr("-_", name[strlen(secret)]) ||
			       text_distance(name, near) <= 2) &&
	    strcmp(near, secret))
		return conf_error(err, EINVAL, "an account has no such"
				  " parameter; did you mean %s?", near);
	if (secret)
		return conf_error(err, EINVAL, "behind %s comes \"=\" and then"
				  " its value", secret);

	(void)text_escape(shown, sizeof(shown), name, len ? len : 1);

	return conf_error(err, EINVAL, "an account has no parameter \"%s\""
			  "%s%s%s", shown, near ? "; did you mean " : "",
			  near ? near : "", near ? "?" : "");
}


uint64_t conf_param_bit(const struct account_param *prm)
{
	return 1ULL << (prm - params);
}
