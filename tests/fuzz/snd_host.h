/* SPDX-License-Identifier: Apache-2.0 */
/* A device of vhost_snd with streams, jacks and controls that are faked, for snd.cpp. */
#ifndef FUZZ_SND_HOST_H
#define FUZZ_SND_HOST_H

#include <linux/types.h>

#include <stdbool.h>

struct devhost_chain;
struct devhost_device;

#ifdef __cplusplus
extern "C" {
#define ANSWER devhost_answer
#else
#define ANSWER enum devhost_answer
#endif

void snd_create(struct devhost_device *dev, u8 shape, u8 count, u16 items);
/* The host's elements fail from here on, or do not. */
void snd_errors(int err);
ANSWER snd_control(struct devhost_chain *chain);
/* Whether parameters that were taken since the start all made sense. */
bool snd_sane(void);
u32 snd_jobs(void);

#ifdef __cplusplus
}
#endif
#endif
