/**
 * @file tools.c  A folder to work in, sounds to compare
 */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tools.h"


static char dir[64];


int tools_enter(void **state)
{
	const char *tmp = getenv("TMPDIR");
	(void)state;

	(void)snprintf(dir, sizeof(dir), "%.40s/audio.XXXXXX",
		       tmp ? tmp : "/tmp");

	return mkdtemp(dir) ? 0 : -1;
}


int tools_leave(void **state)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	(void)state;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.')
			(void)unlink(tools_path(e->d_name));
	}
	if (d)
		(void)closedir(d);

	return rmdir(dir);
}


const char *tools_path(const char *name)
{
	static char buf[8][400];
	static unsigned k;
	char *p = buf[k++ % 8];

	(void)snprintf(p, sizeof(buf[0]), "%s/%.300s", dir, name);

	return p;
}


void tools_sine(int16_t *v, size_t n, uint32_t rate_hz, double hz, double amp)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (int16_t)lrint(amp * sin(2 * M_PI * hz * (double)i /
						rate_hz));
}


double tools_level(const int16_t *v, size_t n, uint32_t rate_hz, double hz)
{
	const double w = 2 * M_PI * hz / rate_hz, c = 2 * cos(w);
	double s1 = 0, s2 = 0;

	for (size_t i = 0; i < n; i++) {
		const double s = v[i] + c * s1 - s2;

		s2 = s1;
		s1 = s;
	}

	return 2 * sqrt(s1 * s1 + s2 * s2 - c * s1 * s2) / (double)n;
}


unsigned tools_breaks(const int16_t *v, size_t n, uint32_t rate_hz, double hz)
{
	const double c = 2 * cos(2 * M_PI * hz / rate_hz);
	unsigned breaks = 0;

	for (size_t i = 2; i < n; i++)
		breaks += fabs(v[i] - c * v[i - 1] + v[i - 2]) > 4;

	return breaks;
}


void tools_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(n, fwrite(p, 1, n, f));
	assert_int_equal(0, fclose(f));
}
