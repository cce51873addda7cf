/**
 * @file fuzz_identities.c  A table of identities
 *
 * Any text is refused with one sentence, or every line of it is an account
 * with an address and a name, and words are filled in within their bounds.
 */
#include "fuzz.h"
#include "offhook/compat.h"
#include "offhook/identities.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identities *ids = NULL;
	struct account_conf base, ac;
	char err[CONFIG_ERR], buf[64];

	must(!account_parse(&base, "sip:me@example.com;password=x", err));

	/* files and commands of this machine are none of ours */
	if (memmem(data, size, "file", 4) || memmem(data, size, "env", 3) ||
	    memmem(data, size, "ca", 2) || memmem(data, size, "cert", 4))
		return 0;

	if (identities_read(&ids, (const char *)data, size, size & 1 ? &base :
			    NULL, err)) {
		must(!ids);
		must(*err);
		return 0;
	}

	must(identities_count(ids) > 0);
	for (size_t i = 0; i < identities_count(ids); i++) {
		int e = identities_account(&ac, ids, i, err);

		must(!e && ac.name[0] && strchr(ac.aor, '@') && !ac.regist);
		e = identities_fill(buf, sizeof(buf), ids, i,
				    "{user}{number}{x-a}", err);
		must(e || strlen(buf) < sizeof(buf));
	}
	mem_deref(ids);

	return 0;
}
