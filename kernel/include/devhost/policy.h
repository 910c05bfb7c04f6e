/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest may do: the BPF struct_ops type that a policy implements, and
 * the calls with which a device module asks it.
 */
#ifndef _DEVHOST_POLICY_H
#define _DEVHOST_POLICY_H

#include <linux/types.h>

#include <uapi/linux/devhost.h>

struct devhost_device;

/**
 * enum devhost_direction - which way an item goes
 * @DEVHOST_TO_HOST: from the guest to the host's resource (CAN transmit,
 *	playback, SCMI command)
 * @DEVHOST_TO_GUEST: from the host's resource to the guest (CAN receive,
 *	capture)
 */
enum devhost_direction {
	DEVHOST_TO_HOST,
	DEVHOST_TO_GUEST,
};

#define DEVHOST_POLICY_CAN_EXTENDED	0x01
#define DEVHOST_POLICY_CAN_FD		0x02
#define DEVHOST_POLICY_CAN_RTR		0x04

/**
 * struct devhost_policy_can - one CAN frame that a guest sends or would receive
 * @guest: id of the guest
 * @device: id of the device
 * @can_id: identifier without flags, 11 or 29 bits
 * @bits: length of the frame on the wire without stuff bits, in nominal bit
 *	times of classic CAN and, for FD, counted as if without rate switching
 * @direction: enum devhost_direction
 * @flags: DEVHOST_POLICY_CAN_EXTENDED, _FD, _RTR
 * @len: data bytes, 0 .. 64
 */
struct devhost_policy_can {
	u32 guest;
	u32 device;
	u32 can_id;
	u32 bits;
	u8 direction;
	u8 flags;
	u8 len;
};

/* For a message that names no resource. */
#define DEVHOST_POLICY_SCMI_NONE	0xffffffff

/**
 * struct devhost_policy_scmi - one SCMI command that a guest sends
 * @guest: id of the guest
 * @device: id of the device
 * @resource: what the command is about, by the guest's id, which need not
 *	exist; DEVHOST_POLICY_SCMI_NONE where it is about nothing in particular
 * @protocol: SCMI protocol id, one that the device offers
 * @message: SCMI message id, one that the protocol has
 * @value: what the resource is to be set to: rate, level, state; else 0
 */
struct devhost_policy_scmi {
	u32 guest;
	u32 device;
	u32 resource;
	u8 protocol;
	u8 message;
	u64 value;
};

/**
 * enum devhost_policy_snd_request - what a guest wants of a sound device
 * @DEVHOST_POLICY_SND_PARAMS: set the parameters of a stream; all that is known
 *	of the stream is filled in
 * @DEVHOST_POLICY_SND_START: start a stream; as above
 * @DEVHOST_POLICY_SND_CONTROL: write a control element
 */
enum devhost_policy_snd_request {
	DEVHOST_POLICY_SND_PARAMS,
	DEVHOST_POLICY_SND_START,
	DEVHOST_POLICY_SND_CONTROL,
};

/**
 * struct devhost_policy_snd - one request of a guest to a sound device
 * @value: control: the highest value that would be written; 0 where values are
 *	not numbers
 * @min: control: the lowest value there is
 * @max: control: the highest value there is
 * @guest: id of the guest
 * @device: id of the device
 * @item: number of the stream or control element in the device
 * @rate: stream: frames a second
 * @format: stream: VIRTIO_SND_PCM_FMT_*
 * @channels: stream: channels
 * @period_us: stream: length of a period, rounded down
 * @buffer_us: stream: length of the buffer, rounded down
 * @running: streams of the device that run or are being started, this one not
 *	counted
 * @role: control: VIRTIO_SND_CTL_ROLE_*
 * @request: enum devhost_policy_snd_request
 * @direction: enum devhost_direction
 */
struct devhost_policy_snd {
	s64 value;
	s64 min;
	s64 max;
	u32 guest;
	u32 device;
	u32 item;
	u32 rate;
	u32 format;
	u32 channels;
	u32 period_us;
	u32 buffer_us;
	u32 running;
	u32 role;
	u8 request;
	u8 direction;
};

/**
 * enum devhost_policy_video_request - what a guest wants of a video device
 * @DEVHOST_POLICY_VIDEO_CREATE: create a stream of a coded format
 * @DEVHOST_POLICY_VIDEO_PARAMS: have frames of a size and a rate; what is 0 is
 *	left as it is
 * @DEVHOST_POLICY_VIDEO_RESOLUTION: decode what turns out to be of that size, or
 *	begin to encode it; again when params were set after that
 * @DEVHOST_POLICY_VIDEO_BITRATE: encode at a bit rate
 */
enum devhost_policy_video_request {
	DEVHOST_POLICY_VIDEO_CREATE,
	DEVHOST_POLICY_VIDEO_PARAMS,
	DEVHOST_POLICY_VIDEO_RESOLUTION,
	DEVHOST_POLICY_VIDEO_BITRATE,
};

/**
 * struct devhost_policy_video - one request of a guest to a video device
 * @guest: id of the guest
 * @device: id of the device
 * @stream: the guest's id of the stream
 * @format: VIRTIO_VIDEO_FORMAT_* of the stream's coded side
 * @width: coded width
 * @height: coded height
 * @rate: frames a second
 * @bitrate: bits a second
 * @streams: streams of the device, this one not counted; when it is asked about
 *	streams that there are, nor those that have failed
 * @request: enum devhost_policy_video_request
 * @encoder: 1 for an encoder, 0 for a decoder
 */
struct devhost_policy_video {
	u32 guest;
	u32 device;
	u32 stream;
	u32 format;
	u32 width;
	u32 height;
	u32 rate;
	u32 bitrate;
	u32 streams;
	u8 request;
	u8 encoder;
};

/**
 * struct devhost_policy_ops - the policy of one guest, as a BPF struct_ops map
 * @can: verdict on one CAN frame
 * @snd: verdict on one request to a sound device
 * @scmi: verdict on one SCMI command
 * @video: verdict on one request to a video device
 * @guest: id of the guest it is for (DEVHOST_A_GUEST_ID); set before loading
 *
 * Every call returns enum devhost_verdict: allow, deny, limit or audit; anything
 * else counts as a refusal. A call that a policy leaves out refuses everything.
 * Calls run in any context up to softirq, under RCU.
 */
struct devhost_policy_ops {
	int (*can)(const struct devhost_policy_can *frame);
	int (*snd)(const struct devhost_policy_snd *request);
	int (*scmi)(const struct devhost_policy_scmi *command);
	int (*video)(const struct devhost_policy_video *request);
	u32 guest;
};

bool devhost_policy_can(struct devhost_device *dev,
			struct devhost_policy_can *frame);
bool devhost_policy_snd(struct devhost_device *dev,
			struct devhost_policy_snd *request);
enum devhost_verdict devhost_policy_scmi(struct devhost_device *dev,
					 struct devhost_policy_scmi *command);
bool devhost_policy_video(struct devhost_device *dev,
			  struct devhost_policy_video *request);

#endif /* _DEVHOST_POLICY_H */
