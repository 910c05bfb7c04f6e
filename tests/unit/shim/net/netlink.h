/* SPDX-License-Identifier: Apache-2.0 */
/* Names only: what is tested uses no netlink. */
struct netlink_ext_ack;
struct nlattr;
struct nla_policy;
struct sk_buff;
