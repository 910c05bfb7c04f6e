/* SPDX-License-Identifier: Apache-2.0 */
/* A device of vhost_scmi with two resources of each kind, for scmi.cpp. */
#ifndef FUZZ_SCMI_HOST_H
#define FUZZ_SCMI_HOST_H

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

int scmi_create(struct devhost_device *dev, bool p2a, bool system, u8 shape);
void scmi_destroy(void);
void scmi_start(void);
void scmi_stop(void);
ANSWER scmi_dispatch(struct devhost_chain *chain);
void scmi_events(void);
void scmi_time(void);
/* The host's side: a ceiling, a reading, an error, an announcement. */
void scmi_host_does(u8 what, u8 which, u64 value);
/* What holds between all calls. */
bool scmi_sane(void);

#ifdef __cplusplus
}
#endif
#endif
