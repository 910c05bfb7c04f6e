// SPDX-License-Identifier: Apache-2.0
/*
 * sndload: sound that is checked sample by sample.
 *
 *	sndload make FORMAT CHANNELS FRAMES SEED [SILENCE]
 *	sndload check FORMAT CHANNELS FRAMES SEED FILE [OFFSET]
 *
 * make writes FRAMES frames of noise, raw, with SILENCE frames of silence behind.
 * No sample of the noise is 0, so what is silent inside of it is a gap. check wants
 * exactly that noise in a raw FILE, from byte OFFSET on, silence at both ends aside.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAME_MAX	256	/* bytes */
#define AGAIN_MIN	8	/* frames that are the same by no accident */

struct noise {
	const char *format;
	unsigned int channels;
	size_t width;	/* bytes of a frame */
	size_t frames;
	uint32_t seed;
};

static const struct {
	const char *name;
	size_t width;	/* bytes of a sample */
} formats[] = {
	{ "S16_LE", 2 }, { "S24_LE", 4 }, { "S24_3LE", 3 }, { "S32_LE", 4 }, { "FLOAT_LE", 4 },
};

static void fail(const char *what)
{
	fprintf(stderr, "sndload: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A sample of @noise; little-endian machines only, as those that run this. */
static void put_sample(const struct noise *noise, uint8_t *to, uint32_t random)
{
	int32_t value = (int32_t)(random | 0x00010100);
	float real;

	if (!strcmp(noise->format, "S16_LE")) {
		value >>= 16;
		memcpy(to, &value, 2);
	} else if (!strcmp(noise->format, "S24_3LE")) {
		value >>= 8;
		memcpy(to, &value, 3);
	} else if (!strcmp(noise->format, "S24_LE")) {
		value >>= 8;
		memcpy(to, &value, 4);
	} else if (!strcmp(noise->format, "FLOAT_LE")) {
		real = (float)(value >> 8) / 8388608.0f;
		memcpy(to, &real, 4);
	} else {
		memcpy(to, &value, 4);
	}
}

static uint8_t *generate(const struct noise *noise)
{
	size_t samples = noise->frames * noise->channels, width = noise->width / noise->channels;
	uint32_t state = noise->seed * 2654435761U + 1;
	uint8_t *data = malloc(samples * width);

	if (!data)
		fail("no memory");
	for (size_t i = 0; i < samples; i++)
		put_sample(noise, data + i * width, next(&state));
	return data;
}

static int make(const struct noise *noise, size_t silence)
{
	static const uint8_t nothing[FRAME_MAX];
	uint8_t *data = generate(noise);

	if (fwrite(data, noise->width, noise->frames, stdout) != noise->frames)
		fail("standard output");
	for (; silence; silence--)
		if (fwrite(nothing, noise->width, 1, stdout) != 1)
			fail("standard output");
	if (fflush(stdout))
		fail("standard output");
	free(data);
	return 0;
}

static bool silent(const uint8_t *frame, size_t width)
{
	for (size_t i = 0; i < width; i++)
		if (frame[i])
			return false;
	return true;
}

/* What happened where @heard and the noise part, told as far as it can be seen. */
static void tell(const struct noise *noise, const uint8_t *played, const uint8_t *heard,
		 size_t length, size_t at)
{
	size_t width = noise->width, quiet = 0;
	size_t probe = noise->frames - at < AGAIN_MIN ? noise->frames - at : AGAIN_MIN;

	while (at + quiet < length && silent(heard + (at + quiet) * width, width))
		quiet++;
	printf("frame %zu of %zu is another, %zu were heard; %zu silent ones\n", at, noise->frames,
	       length, quiet);
	for (size_t n = at; probe && n + probe <= length; n++) {
		if (!memcmp(heard + n * width, played + at * width, probe * width)) {
			printf("it comes %zu frames later\n", n - at);
			return;
		}
	}
	for (size_t n = 0; n + AGAIN_MIN <= noise->frames && at + quiet + AGAIN_MIN <= length; n++) {
		if (!memcmp(played + n * width, heard + (at + quiet) * width, AGAIN_MIN * width)) {
			printf("what is heard then is frame %zu\n", n);
			return;
		}
	}
}

static int check(const struct noise *noise, const char *path, size_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t width = noise->width, length, at = 0;
	uint8_t *heard, *played;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		fail(path);
	length = stat.st_size > (off_t)offset ? (stat.st_size - offset) / width : 0;
	heard = malloc(length * width + 1);
	if (!heard)
		fail("no memory");
	for (size_t done = 0; done < length * width;) {
		ssize_t n = pread(fd, heard + done, length * width - done, offset + done);

		if (n <= 0)
			fail(path);
		done += n;
	}
	close(fd);
	while (length && silent(heard + (length - 1) * width, width))
		length--;
	while (at < length && silent(heard + at * width, width))
		at++;
	heard += at * width;
	length -= at;

	played = generate(noise);
	for (at = 0; at < noise->frames && at < length; at++)
		if (memcmp(heard + at * width, played + at * width, width))
			break;
	if (at == noise->frames && at == length) {
		printf("%zu frames, each as it was played\n", length);
		return 0;
	}
	if (at == length)
		printf("only %zu of %zu frames were heard, all right so far\n", length, noise->frames);
	else if (at == noise->frames)
		printf("all %zu frames are there, and %zu more\n", noise->frames, length - at);
	else
		tell(noise, played, heard, length, at);
	return 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: sndload make FORMAT CHANNELS FRAMES SEED [SILENCE]\n"
			"       sndload check FORMAT CHANNELS FRAMES SEED FILE [OFFSET]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct noise noise = { 0 };

	if (argc < 6)
		return usage();
	noise.format = argv[2];
	noise.channels = strtoul(argv[3], NULL, 0);
	noise.frames = strtoul(argv[4], NULL, 0);
	noise.seed = strtoul(argv[5], NULL, 0);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, noise.format))
			noise.width = formats[i].width * noise.channels;
	if (!noise.width || noise.width > FRAME_MAX)
		return usage();
	if (!strcmp(argv[1], "make"))
		return make(&noise, argc > 6 ? strtoul(argv[6], NULL, 0) : 0);
	if (!strcmp(argv[1], "check") && argc > 6)
		return check(&noise, argv[6], argc > 7 ? strtoul(argv[7], NULL, 0) : 0);
	return usage();
}
