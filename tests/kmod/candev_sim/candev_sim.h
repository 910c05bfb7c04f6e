/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * candev_sim: simulated CAN controllers on one simulated bus; README.md
 *
 *   main.c     the module: its controllers come and go
 *   netdev.c   a controller as a CAN network device
 *   bus.c      arbitration, transmission, reception
 *   control.c  debugfs: what a test makes a controller do
 */
#ifndef _CANDEV_SIM_H
#define _CANDEV_SIM_H

#include <compat/can_dev.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#define CSIM_MAX	16

/**
 * struct csim - a controller; it outlives its network device
 * @index: its number
 * @lock: @dev to write
 * @dev: its network device while it is plugged in; bus lock to read
 * @dir: its debugfs directory
 * @active: takes part in the bus; bus lock
 * @head: next echo slot to be filled; bus lock
 * @tail: next frame to be sent; bus lock
 * @tx_hold: keeps what it has been given
 * @tx_delay_us: time that a frame takes, 0 as the bit timing says
 * @tx_lose: frames to be lost without a word
 * @txerr: transmit error counter
 * @rxerr: receive error counter
 */
struct csim {
	unsigned int index;
	struct mutex lock; /* plugging */
	struct net_device *dev;
	struct dentry *dir;
	bool active;
	u32 head;
	u32 tail;
	bool tx_hold;
	u32 tx_delay_us;
	u32 tx_lose;
	u16 txerr;
	u16 rxerr;
};

/* private data of the network device; the CAN core wants its own first */
struct csim_priv {
	struct can_priv can;
	struct csim *csim;
};

static inline struct csim_priv *csim_priv(const struct csim *csim)
{
	return netdev_priv(csim->dev);
}

/* main.c */
extern unsigned int csim_num;
extern unsigned int csim_slots;
extern struct csim csims[CSIM_MAX];
int csim_plug(struct csim *csim);
void csim_unplug(struct csim *csim);

/* netdev.c */
int csim_register(struct csim *csim);
void csim_unregister(struct csim *csim);
int csim_set_state(struct csim *csim, enum can_state state);
int csim_report(struct csim *csim, canid_t error);

/* bus.c */
extern spinlock_t csim_bus_lock;
void csim_bus_init(void);
void csim_bus_exit(void);
void csim_bus_join(struct csim *csim);
void csim_bus_leave(struct csim *csim);
void csim_bus_kick(void);
void csim_bus_kick_locked(void);

/* control.c */
void csim_control_init(void);
void csim_control_exit(void);

#endif /* _CANDEV_SIM_H */
