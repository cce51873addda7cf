/**
 * @file config.h  Options and accounts: two tables
 *
 * One row per option: it serves the file, --set, `set`, `show`, completion,
 * the commented default file and the manual.  One row per account parameter:
 * it serves -a and the accounts file.  Nothing is half-applied: a wrong line
 * leaves the configuration as it was and says file, line and the nearest
 * known name.  Main thread.
 */
#ifndef OFFHOOK_CONFIG_H
#define OFFHOOK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONFIG_STR = 256, CONFIG_LIST = 128, CONFIG_ERR = 512,
	CONFIG_PINS = 640,
};

enum { CONFIG_OPTIONS = 256 };   /* at most so many */

/** Where a value comes from */
enum config_origin {
	CONFIG_DEFAULT = 0,
	CONFIG_FILE,             /* offhook.conf                             */
	CONFIG_ARGUMENT,         /* --set                                    */
	CONFIG_COMMAND,          /* `set`                                    */
};

/** The values of all options; the rows of config/table.c name the fields */
struct config {
	char codecs[CONFIG_LIST];        /* "opus,g722,pcmu,pcma,l16"       */
	int64_t packet_time_ms;          /* 10..60, default 20              */
	int64_t port_min, port_max;      /* media-ports                     */
	int64_t rtp_dscp, sip_dscp;      /* code points of packets          */
	int64_t jitter_max_ms;           /* most the buffer may add         */
	int64_t jitter_min_ms;
	int64_t rtp_timeout_ms;          /* 0: never                        */
	bool    symmetric_rtp;           /* send where it comes from        */
	int     media_security;          /* enum media_policy               */
	int     sdes;                    /* enum sdes_policy                */
	bool    dtls;                    /* keys by DTLS-SRTP               */
	bool    ice;
	int     ice_addresses;           /* enum ice_addresses              */
	char stun_server[CONFIG_STR];    /* "" : none, as in the next three */
	char turn_server[CONFIG_STR];
	char turn_password_file[CONFIG_STR];
	char public_address[CONFIG_STR];
	int  port_mapping;               /* enum portmap_how of portmap.h   */
	char port_mapping_server[CONFIG_STR];    /* "" the way out          */
	int64_t ring_timeout_ms;         /* our INVITE and theirs           */
	int64_t sip_repeat_ms;
	int64_t sip_timeout_ms;          /* a transaction                   */
	int64_t resolve_timeout_ms;
	char dns_servers[CONFIG_STR];    /* "" the system's                 */
	char dns_hosts[CONFIG_STR];      /* NAME=ADDR,...                   */
	char enum_domain[CONFIG_STR];    /* "" numbers are not looked up    */
	bool    tls_verify;              /* servers are who they should be  */
	char tls_ca[CONFIG_STR];         /* "" the system's authorities     */
	char tls_cert[CONFIG_STR];       /* "" none of ours                 */
	char tls_key[CONFIG_STR];        /* "" in tls_cert                  */
	char tls_pin[CONFIG_PINS];       /* "" any                          */
	char tls_min[8];                 /* "1.2", "1.3"                    */
	char tls_keylog[CONFIG_STR];     /* "" no                           */
	int64_t opus_complexity;
	int64_t opus_bitrate;
	bool    opus_fec;
	bool    opus_dtx;                /* send next to nothing in silence */
	bool    opus_cbr;                /* all packets are of one size     */
	bool    opus_stereo;             /* both channels of a file         */
	bool    redundancy;              /* RFC 2198, when loss is reported */
	bool    retransmission;          /* RFC 4585: ask for what is lost  */
	bool    comfort_noise;           /* RFC 3389                        */
	int64_t audio_rate_hz;           /* pipe driver, raw s16le          */
	char audio_mic[CONFIG_STR];      /* "" the default                  */
	char audio_speaker[CONFIG_STR];
	char audio_ring[CONFIG_STR];     /* "" the speaker                  */
	char audio_monitor[CONFIG_STR];  /* "" none                         */
	int  monitor_hears;              /* them, both                      */
	int     audio_channels;          /* auto, 1, 2                      */
	char headset[CONFIG_STR];        /* "" none                         */
	int64_t audio_latency_ms;        /* PortAudio suggested latency     */
	bool    echo_cancel, noise_suppress, auto_gain, high_pass;
	int     echo_canceller;          /* speex, none                     */
	int     echo_limiter;            /* off, auto, on                   */
	int     tones;                   /* enum tones_policy               */
	char    tone_country[16];
	char    tone_files[CONFIG_STR];  /* "" none                         */
	char    ring_tone[CONFIG_STR];   /* a name, or a file               */
	int64_t end_tone_ms;             /* 0: none                         */
	bool    conference_spread;       /* from left to right              */
	bool    hold_others;             /* one call talks at a time        */
	int     hold_by;                 /* enum hold_by                    */
	int     transfers;               /* enum transfers_policy           */
	int     transfers_outside;       /* enum outside_policy             */
	int     dtmf_info;               /* enum dtmf_info                  */
	int     message_reports;         /* enum reports_policy             */
	bool    message_composing;
	bool    watchers;                /* may see our presence and calls  */
	int     joins;                   /* enum joins_policy               */
	bool    history_info;
	char    info_packages[CONFIG_STR];
	int     redirects;               /* enum redirects_policy           */
	int     dnd_code;                /* enum dnd_code                   */
	char    dnd_schedule[CONFIG_STR]; /* when it is on by itself        */
	int64_t call_limit_ms;           /* 0: none                         */
	int     reliable;                /* enum extension_policy           */
	int     session_timer;           /* the same                        */
	int64_t session_expires_ms;
	int     session_refresher;       /* enum session_refresher          */
	int64_t stranger_limit;          /* requests a minute, 0: any       */
	char intercom[CONFIG_STR];       /* who is answered when he asks    */
	int64_t max_calls;
	int64_t history_max, messages_max;  /* entries kept, 0: none        */
	char emergency_numbers[CONFIG_STR]; /* "112,911"                    */
	int64_t hook_deadline_ms;
	int     sandbox;                 /* enum sandbox                    */
	bool control;                    /* the control socket             */
	char control_tcp[64];            /* "" no                          */
	char user_agent[CONFIG_STR];
	char record_layout[32];          /* stereo, mixed, them, you        */
	bool record_notes;               /* a JSON file beside each         */
	int64_t record_beep_ms;          /* 0: none                         */
	int64_t dtmf_duration_ms;
	int64_t dtmf_pause_ms;
	int64_t dtmf_volume;             /* dBm0                            */
	int     dtmf_inband;             /* enum dtmf_inband                */
	int     call_tones;              /* enum call_tones                 */
	bool    mute_warning;            /* who talks while muted is told   */
	int64_t capture_messages;        /* 0: none is kept                 */
	int64_t capture_bytes;
	char metrics[CONFIG_STR];        /* "" nowhere                      */
	char log_to[CONFIG_STR];         /* "" stderr, as log_open() has it */
	char log_levels[CONFIG_STR];     /* as log_levels_set() has them    */
	int     log_format;              /* enum log_format                 */
	int64_t log_size;                /* kB, 0: any                      */
	int64_t log_keep;
	char hep_server[CONFIG_STR];     /* "" none                         */
	char quality_report[CONFIG_STR]; /* URI, "" nobody                  */
	char quality_alert[8];           /* "off", or MOS: 3.1, 3.6, 4.0    */
	int64_t quality_interval_ms;     /* 0: none while a call runs       */
	int64_t hep_id;
	int64_t mic_gain_db, speaker_gain_db;    /* of new calls            */
	int64_t level_interval_ms;       /* 0: call.level is not told       */
	char hold_music[CONFIG_STR];     /* "" silence                      */
	int     screen_colours;          /* enum screen_colours             */
	int     screen_background;       /* enum screen_background          */
	int     screen_signs;            /* enum screen_signs               */
	bool    screen_mouse;
	bool    screen_bell;
	/* of each row of the table */
	uint8_t origin[CONFIG_OPTIONS];  /* enum config_origin              */
	uint32_t line[CONFIG_OPTIONS];   /* of the file                     */
	enum config_origin setting;      /* what config_set() is used by    */
};

/** As the choices of the options screen-colours, -background, -signs */
enum screen_colours {
	SCREEN_COLOURS_AUTO, SCREEN_COLOURS_256, SCREEN_COLOURS_16,
	SCREEN_COLOURS_8, SCREEN_COLOURS_MONO,
};
enum screen_background {
	SCREEN_BACKGROUND_AUTO, SCREEN_BACKGROUND_DARK,
	SCREEN_BACKGROUND_LIGHT,
};
enum screen_signs {
	SCREEN_SIGNS_AUTO, SCREEN_SIGNS_UNICODE, SCREEN_SIGNS_ASCII,
};

enum option_type {
	OPT_BOOL, OPT_INT, OPT_TIME, OPT_CHOICE, OPT_STRING,
	OPT_LIST,                        /* words of choices, in order      */
	OPT_PORTS,                       /* MIN-MAX into two int64_t        */
	OPT_ENUM,                        /* index of the choice, in an int  */
	OPT_ADDRS,                       /* ADDR[:PORT], up to max of them  */
};

struct option {
	const char *name;                /* hyphens                         */
	enum option_type type;
	size_t offset;                   /* in struct config                */
	size_t size;                     /* of a string                     */
	const char *def;                 /* as a user would write it        */
	int64_t min, max;                /* of numbers, in the unit         */
	const char *choices;             /* "a,b,c"                         */
	const char *unit;                /* NULL or "ms" ...                */
	const char *summary;
	const char *more;                /* sentences: when to change it, how
					    to see that it works; NULL      */
	bool restart;                    /* takes effect at the next start  */
};

const struct option *option_table(size_t *n);
const struct option *option_find(const char *name);

/** All defaults; free: mem_deref */
int  config_alloc(struct config **cp);
/**
 * @param err  what is wrong and what would be right, CONFIG_ERR bytes
 * @return 0, ENOENT (no such option), EINVAL, ERANGE
 */
int  config_set(struct config *c, const char *name, const char *value,
		char *err);
int  config_get(const struct config *c, const char *name,
		char *buf, size_t sz);
/** `name = value` lines; a missing file is 0. All or nothing. */
int  config_load(struct config *c, const char *path, char *err);
/** Where it comes from; line: of the file, else 0 */
enum config_origin config_origin(const struct config *c, const char *name,
				 unsigned *line);
/** What config_set() calls from here on are the doing of */
void config_set_origin(struct config *c, enum config_origin origin);
/** kept: this run was told another value, which stays */
typedef void (config_change_h)(const struct option *o, const char *old,
			       const char *fresh, bool kept, void *arg);
/** Read the file again: what it says, and no longer says, counts, but for
 *  values of this run. All or nothing. h is told what changed */
int  config_reload(struct config *c, const char *path, config_change_h *h,
		   void *arg, char *err);
/** Write the values that config_set changed into the file, keeping comments,
 *  order, and what others have written since it was loaded */
int  config_save(const struct config *c, const char *path, char *err);
/** The commented default file, for `--dump config` and share/ */
char *config_default_text(void);          /* caller frees */

struct tm;
/** Is this a schedule: "22:00-07:00", "Mon-Fri 18:00-08:00, Sat, Sun"?
 *  @return 0, EINVAL with a sentence in err */
int  schedule_check(const char *text, char *err);
/** Is it on at that time of the week? "" never */
bool schedule_on(const char *text, const struct tm *now);

/* Accounts ---------------------------------------------------------- */

/** What becomes of a REFER; as the choices of option transfers */
enum transfers_policy { TRANSFERS_ACCEPT, TRANSFERS_ASK, TRANSFERS_DENY };
/** ... of one that comes outside of any call of ours */
enum outside_policy {
	OUTSIDE_ASK, OUTSIDE_KNOWN, OUTSIDE_ACCEPT, OUTSIDE_DENY,
};
/** When keys are looked for in the sound; as the choices of dtmf-inband */
enum dtmf_inband { INBAND_AUTO, INBAND_ON, INBAND_OFF };
/** When tones of a network are looked for; as the choices of call-tones */
enum call_tones { CALL_TONES_EARLY, CALL_TONES_ON, CALL_TONES_OFF };
/** When the phone's own tones sound; as the choices of tones */
enum tones_policy { TONES_AUTO, TONES_ON, TONES_OFF };
/** Body of a key as INFO; as the choices of option dtmf-info */
enum dtmf_info { DTMF_INFO_RELAY, DTMF_INFO_PLAIN };
/** What is told of a message, to who asks for it; as option message-reports */
enum reports_policy { REPORTS_YES, REPORTS_DELIVERED, REPORTS_NO };
/** What becomes of a caller who wants to join a call; as option joins */
enum joins_policy { JOINS_ASK, JOINS_ACCEPT, JOINS_DENY };
/** How a description says hold; as the choices of hold-by */
enum hold_by { HOLD_BY_SENDONLY, HOLD_BY_INACTIVE, HOLD_BY_ADDRESS };
/** What becomes of a 3xx; as the choices of redirects */
enum redirects_policy { REDIRECTS_FOLLOW, REDIRECTS_ASK, REDIRECTS_DENY };
/** Status that do-not-disturb refuses with; as the choices of dnd-code */
enum dnd_code { DND_480, DND_486, DND_600 };
/** How much of a SIP extension; as the choices of reliable, session-timer */
enum extension_policy {
	EXTENSION_OFF, EXTENSION_SUPPORTED, EXTENSION_REQUIRED,
};
/** Who refreshes sessions; as the choices of session-refresher */
enum session_refresher { REFRESHER_EITHER, REFRESHER_US, REFRESHER_THEM };
/** Encrypted sound; as the choices of media-security */
enum media_policy { POLICY_OFF, POLICY_PREFER, POLICY_REQUIRE };
/** Keys in descriptions; as the choices of sdes */
enum sdes_policy { SDES_NEVER, SDES_SECURE, SDES_ALWAYS };
/** Addresses of this machine that ICE tries; as option ice-addresses */
enum ice_addresses { ICE_ADDRESSES_ALL, ICE_ADDRESSES_ONE };
enum account_callers { CALLERS_ANY, CALLERS_KNOWN, CALLERS_REGISTRAR };

/** One account as configured, by value; passwords are masked when printed */
struct account_conf {
	char name[64];             /* "" : made from the AOR                */
	char aor[CONFIG_STR];      /* sip:alice@example.com, no parameters
				      but those inside <>                   */
	char display_name[128];
	char password[CONFIG_STR]; /* resolved; "" none                     */
	char ha1[80];              /* hex, MD5 or SHA-256, instead          */
	char password_env[128];
	char password_file[CONFIG_STR];
	char password_command[CONFIG_STR];
	char auth_user[128];       /* not given: the user part, decoded     */
	char registrar[CONFIG_STR]; /* "" or a SIP URI, also from a host    */
	char outbound[CONFIG_STR]; /* the same, with its parameters         */
	char transport[8];         /* "" udp tcp tls                        */
	int64_t expires;           /* seconds                               */
	int regist;                /* register=: -1 by rule, 0 no, 1 yes    */
	bool catch_all;
	char auto_answer[16];      /* "", "yes", "no" or a code             */
	char media_security[8];    /* off, prefer, require; "" : the option's */
	char ice[8];               /* off, on; the same                     */
	bool webrtc;               /* a gateway to browsers: all it needs   */
	char codecs[CONFIG_LIST];  /* "" : the option's                     */
	char reliable[12];         /* off, supported, required; "" : the
				      option's, as in the two below         */
	char session_timer[12];    /* the same                              */
	char redirects[8];         /* follow, ask, deny                     */
	bool default_;             /* taken when none is named              */
	char registrar2[CONFIG_STR]; /* a second one, at the same time      */
	char outbound2[CONFIG_STR];
	char fallback[64];         /* account that serves while this fails  */
	int sip_outbound;          /* RFC 5626: -1 with outbound2, 0, 1     */
	bool gruu;
	char nat[8];               /* "", auto: Contact as the registrar
				      sees us; off                          */
	char keepalive[16];        /* "auto", "off" or seconds              */
	char contact_user[64];     /* "" : that of the AOR                  */
	char contact_q[8];         /* how much we want to be called there,
				      0.0 to 1.0; "" not told               */
	char header[CONFIG_STR];   /* lines for every request, " | " stands
				      between them; "" none                 */
	char pai[CONFIG_STR];      /* P-Asserted-Identity we send, "" none  */
	char ppi[CONFIG_STR];      /* P-Preferred-Identity                  */
	char privacy[64];          /* Privacy: id, header, user ...         */
	bool anonymous;            /* calls do not tell who we are          */
	bool tell_who_answers;     /* that it is not whom was called        */
	char intercom[CONFIG_STR]; /* who is answered at once if he wants:
				      "" as the option says                 */
	int64_t answer_after_ms;   /* auto-answer rings so long first       */
	bool remote_control;       /* NOTIFY talk and hold are obeyed       */
	bool mwi;                  /* watch its voice mail                  */
	int64_t call_limit_ms;     /* a call lasts so long, 0: as the option */
	char dnd[CONFIG_STR];      /* yes, or when; "" no                   */
	int dnd_code;              /* enum dnd_code                         */
	char voicemail[CONFIG_STR];/* whom to call for it, "" as told       */
	bool require_auth;         /* callers prove who they are            */
	char auth_in_user[128];    /* "" : as we do                         */
	char auth_in_password[CONFIG_STR];
	enum account_callers callers;
	char quality_report[CONFIG_STR]; /* "" as the option says, off       */
	bool from_file;            /* it was read from the accounts file    */
	bool check_origin;         /* only by way of our own servers        */
	int tls_verify;            /* -1: as the option says                */
	char tls_ca[CONFIG_STR];   /* "" : the option's, as in all of these */
	char tls_cert[CONFIG_STR];
	char tls_key[CONFIG_STR];
	char tls_pin[CONFIG_PINS];
	char ring_tone[CONFIG_STR]; /* "" : the option's                    */
	char audio_mic[CONFIG_STR];     /* while it talks; "" : as it is    */
	char audio_speaker[CONFIG_STR];
	char audio_ring[CONFIG_STR];    /* while it rings                   */
	char audio_monitor[CONFIG_STR];
};

struct account_param {
	const char *name;
	enum option_type type;
	size_t offset, size;
	int64_t min, max;
	const char *choices;
	const char *summary;
	bool secret;
};

const struct account_param *account_param_table(size_t *n);

/**
 * Parse 'URI[;param=value...]' as given to -a. Values are percent-decoded,
 * parameters of the URI itself are inside angle brackets. password-env and
 * password-file are read; password-command is left to the caller, who runs
 * it (secret.h) and puts what it prints into password, beside the command.
 * Unknown parameter: nearest name in err. @return 0, EINVAL
 */
int  account_parse(struct account_conf *ac, const char *text, char *err);
/**
 * Like one `;name=value`, not percent-decoded: checked, a password read from
 * where it is. ac is untouched on failure. @return 0, EINVAL
 */
int  account_param_set(struct account_conf *ac, const char *name,
		       const char *value, char *err);
/** Value as text, secrets as "***". @return 0, ENOENT (no such, not said) */
int  account_param_get(const struct account_conf *ac, const char *name,
		       char *buf, size_t sz);
/** Overwrite a password inside a program argument, in place; copy it first */
void account_mask_arg(char *arg);

/**
 * Put an account into the file, or change what it says of it; comments and
 * order stay. A password that was read from elsewhere is not written.
 * @return 0 or errno; a file that cannot be read is not written
 */
int  accounts_save(const char *path, const struct account_conf *ac,
		   char *err);
/** Take an account's section out, with the comments right above it.
 *  @return 0, ENOENT (it is not there) or errno */
int  accounts_forget(const char *path, const char *name, char *err);

typedef int (account_conf_h)(const struct account_conf *ac, void *arg);
/**
 * [NAME] sections with `uri = ...` and parameters, whose values stand as they
 * are (percent signs too); nothing is delivered unless the whole file is
 * right, and a missing file is 0. What h returns but 0 ends it.
 */
int  accounts_load(const char *path, account_conf_h *h, void *arg, char *err);

#endif
