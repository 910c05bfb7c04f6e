/* SPDX-License-Identifier: Apache-2.0 */
/* Names only: what is tested uses no netlink, but may lie in a file with what does. */
#include <linux/types.h>

struct netlink_ext_ack;
struct nlattr;
struct nla_policy { int unused; };
struct sk_buff;

#ifdef __cplusplus
extern "C" {
#endif

int nla_put_flag(struct sk_buff *msg, int type);
int nla_put_u32(struct sk_buff *msg, int type, u32 value);
int nla_put_u64_64bit(struct sk_buff *msg, int type, u64 value, int pad);
#ifdef __cplusplus
}
#endif
