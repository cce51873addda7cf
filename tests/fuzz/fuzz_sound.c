/**
 * @file fuzz_sound.c  Files of sound, whatever is in them
 */
#include <sys/mman.h>
#include <unistd.h>
#include <offhook/audio.h>
#include "fuzz.h"

enum { SAMPLES_MAX = 64 * 1024 * 1024 };


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], err[256] = "";
	const int fd = memfd_create("sound", MFD_CLOEXEC);
	int16_t *v = NULL;
	uint32_t rate_hz = 0;
	size_t n = 0;
	int e;

	/* libsndfile leaks what libvorbis has begun of an Ogg that breaks off */
	must(fd >= 0);
	if (size >= 4 && !memcmp(data, "OggS", 4)) {
		(void)close(fd);
		return 0;
	}
	must(write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	e = sound_read(&v, &n, &rate_hz, path, err, sizeof(err));
	if (e) {
		must(!v && err[0] && memchr(err, '\0', sizeof(err)));
	}
	else {
		must(v && n <= SAMPLES_MAX);
		must(rate_hz >= 1000 && rate_hz <= 384000);
		/* all of them are there */
		for (size_t i = 0; i < n; i += 4096)
			must(v[i] >= -32768);
	}
	free(v);
	(void)close(fd);

	return 0;
}
