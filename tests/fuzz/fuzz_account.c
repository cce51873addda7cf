/**
 * @file fuzz_account.c  An account as given to -a
 */
#include "fuzz.h"
#include "offhook/compat.h"
#include "offhook/config.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	char *text = take_text(&b, 4096), err[CONFIG_ERR] = "", buf[512];
	const struct account_param *pv;
	struct account_conf *ac = calloc(1, sizeof(*ac));
	const char *secret = NULL, *p;
	size_t n;

	must(ac);
	/* reading files and the environment is not what is tested */
	if (strstr(text, "file") || strstr(text, "env"))
		goto out;
	if (account_parse(ac, text, err)) {
		must(*err);
		goto out;
	}
	must(!strncmp(ac->aor, "sip:", 4) || !strncmp(ac->aor, "sips:", 5));
	pv = account_param_table(&n);
	for (size_t i = 0; i < n; i++) {
		if (!account_param_get(ac, pv[i].name, buf, sizeof(buf)) &&
		    pv[i].secret)
			must(!*buf || !strcmp(buf, "***"));
	}
	account_mask_arg(text);
	/* the parameter, not something like it inside the address */
	for (p = text; (p = strstr(p, ";password=")); p += 10)
		secret = p + 10;
	if (secret && strspn(ac->password, "x*") < strlen(ac->password))
		must(strncmp(secret, ac->password, strlen(ac->password)));

 out:
	free(ac);
	free(text);

	return 0;
}
