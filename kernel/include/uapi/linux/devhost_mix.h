/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Mixers of the host's sound cards: generic netlink family "devhost_mix".
 *
 * A mixer is a sound card of its own, with a PCM for each port. What can change
 * while it is there are its control elements:
 *
 *   PORT Playback Volume, PORT Capture Volume	integer, 0.5 dB a step, 0 mutes
 *   PORT Playback Switch, PORT Capture Switch	boolean, off mutes
 *   PORT Playback Priority			integer
 *   Duck Playback Volume			as a volume: for ports of a lower
 *						priority than one that plays
 *   Duck Playback Time				integer, ms: of the way there
 */
#ifndef _UAPI_LINUX_DEVHOST_MIX_H
#define _UAPI_LINUX_DEVHOST_MIX_H

#define DEVHOST_MIX_GENL_NAME		"devhost_mix"
#define DEVHOST_MIX_GENL_VERSION	1

/* Driver of the card, in SNDRV_CTL_IOCTL_CARD_INFO */
#define DEVHOST_MIX_DRIVER		"devhost_mix"

#define DEVHOST_MIX_PORTS_MAX		16
#define DEVHOST_MIX_PORT_NAME_MAX	20	/* without the NUL */
#define DEVHOST_MIX_CHANNELS_MAX	32
#define DEVHOST_MIX_PERIODS_MAX		32
#define DEVHOST_MIX_VOLUME_MAX		127	/* 0 dB */
#define DEVHOST_MIX_PRIORITY_MAX	255
#define DEVHOST_MIX_DUCK_TIME_MAX	5000	/* ms */

/* Requests; all need CAP_NET_ADMIN. */
enum devhost_mix_cmd {
	DEVHOST_MIX_CMD_UNSPEC,

	DEVHOST_MIX_CMD_NEW,	/* do: answers with the mixer */
	DEVHOST_MIX_CMD_DEL,	/* do: by name; whoever has a port loses it */
	DEVHOST_MIX_CMD_GET,	/* dump: all mixers */

	__DEVHOST_MIX_CMD_MAX,
	DEVHOST_MIX_CMD_MAX = __DEVHOST_MIX_CMD_MAX - 1
};

enum devhost_mix_attr {
	DEVHOST_MIX_A_UNSPEC,
	DEVHOST_MIX_A_NAME,		/* string: id of the card */
	DEVHOST_MIX_A_PLAYBACK_FD,	/* u32: PCM of the host to play to */
	DEVHOST_MIX_A_CAPTURE_FD,	/* u32: PCM of the host to record from */
	DEVHOST_MIX_A_RATE,		/* u32: Hz */
	DEVHOST_MIX_A_CHANNELS,		/* u32 */
	/* u32: SNDRV_PCM_FORMAT_* of the host's PCMs; absent: their widest */
	DEVHOST_MIX_A_FORMAT,
	/* u32: microseconds; in answers frames, of playback before capture */
	DEVHOST_MIX_A_PERIOD,
	DEVHOST_MIX_A_PERIODS,		/* u32: in the host's buffer, at least 2 */
	DEVHOST_MIX_A_PORT,		/* string, several: names of the ports */
	DEVHOST_MIX_A_CARD,		/* u32, answers: number of the card */
	DEVHOST_MIX_A_PLAYBACK,		/* flag, answers: it plays */
	DEVHOST_MIX_A_CAPTURE,		/* flag, answers: it records */

	__DEVHOST_MIX_A_MAX,
	DEVHOST_MIX_A_MAX = __DEVHOST_MIX_A_MAX - 1
};

#endif /* _UAPI_LINUX_DEVHOST_MIX_H */
