/**
 * @file fuzz_dialplan.c  A dial plan, and numbers that go through it
 *
 * What comes out has nothing in it that cannot be dialled.
 */
#include "fuzz.h"
#include "offhook/contact.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const numbers[] = {
		"112", "0301234567", "+4930", "*21#", "0", "999999999999999",
		"1111111111111111111111111111111111111111111111111111111111",
	};
	struct dialplan *d = NULL;
	char err[CONFIG_ERR] = "";

	if (dialplan_parse(&d, "f", (const char *)data, size, err)) {
		must(!d && *err);
		return 0;
	}

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {

		const char *account = NULL;
		char out[80];
		unsigned line = 0;

		if (!dialplan_apply(d, numbers[i], out, sizeof(out), &account,
				    &line))
			continue;
		must(*out && account && line);
		must(!out[strspn(out, "+0123456789*#")]);
	}
	dialplan_free(d);

	return 0;
}
