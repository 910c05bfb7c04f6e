/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of the kernel as the device modules' protocol code needs that user
 * space tests: one thread, so locks are only there to be named.
 */
#ifndef DEVHOST_SHIM_DEVICE_H
#define DEVHOST_SHIM_DEVICE_H

#include "shim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counted up by who wants time to pass. */
extern unsigned long shim_jiffies;

typedef struct { int unused; } spinlock_t;
struct mutex { int unused; };
struct work_struct { int unused; };
struct delayed_work { int unused; };
struct workqueue_struct;
struct timer_list { unsigned long expires; };

#ifdef __cplusplus
}
#else

/* errno.h: beyond those that user space sees */
#define ENOTSUPP		524

/* compiler.h, kernel.h, math */
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member)					\
	((type *)((char *)(p) - offsetof(type, member)))
#define fallthrough		__attribute__((__fallthrough__))
#define U64_MAX			UINT64_MAX
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min3(a, b, c)		min(min(a, b), c)
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define swap(a, b)	\
	do { typeof(a) swap_tmp = (a); (a) = (b); (b) = swap_tmp; } while (0)
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define round_up(v, to)		((((v) - 1) | ((to) - 1)) + 1)
#define div_u64(a, b)		((a) / (b))
#define GENMASK(h, l)		(~0U >> (31 - (h)) & ~0U << (l))
#define FIELD_GET(mask, v)	(((v) & (mask)) >> __builtin_ctz(mask))
#define FIELD_PREP(mask, v)	((u32)(v) << __builtin_ctz(mask) & (mask))
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define lockdep_assert_held(lock) ((void)(lock))

static inline s32 sign_extend32(u32 value, int index)
{
	return (s32)(value << (31 - index)) >> (31 - index);
}

/* unaligned.h */
static inline u32 get_unaligned_le32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 get_unaligned_le64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void put_unaligned_le32(u32 v, void *p)
{
	memcpy(p, &v, sizeof(v));
}

static inline void put_unaligned_le64(u64 v, void *p)
{
	memcpy(p, &v, sizeof(v));
}

/* string.h, slab.h */
static inline void strscpy_pad(void *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	memset((char *)to + len, 0, size - len);
}

/* Memory as the one before left it: nothing may count on zeroes. */
static inline void *shim_kmalloc(size_t size)
{
	void *mem = shim_alloc(1, size);

	if (mem)
		memset(mem, 0xa5, size);
	return mem;
}

#define kmalloc_obj(obj)	((typeof(obj) *)shim_kmalloc(sizeof(obj)))
#define kzalloc_obj(obj)	shim_alloc(1, sizeof(obj))
#define kvzalloc(size, gfp)	shim_alloc(1, size)
#define kfree(mem)		shim_free(mem)

/* list.h */
static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->prev = list->prev;
	entry->next = list;
	list->prev->next = entry;
	list->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

#define list_for_each_entry(p, head, member)				\
	for (p = container_of((head)->next, __typeof__(*p), member);	\
	     &p->member != (head);					\
	     p = container_of(p->member.next, __typeof__(*p), member))
#define list_for_each_entry_safe(p, n, head, member)			\
	for (p = container_of((head)->next, __typeof__(*p), member),	\
	     n = container_of(p->member.next, __typeof__(*p), member);	\
	     &p->member != (head);					\
	     p = n, n = container_of(n->member.next, __typeof__(*n), member))

/* bitops.h, bitmap.h */
#define __ffs(v)		((unsigned int)__builtin_ctzl(v))
#define __assign_bit(n, map, v)						\
	((v) ? __set_bit(n, map) : __clear_bit(n, map))
#define for_each_set_bit(n, map, bits)					\
	for ((n) = 0; (n) < (bits); (n)++)				\
		if (test_bit(n, map))

static inline bool __test_and_set_bit(unsigned int n, unsigned long *map)
{
	bool was = test_bit(n, map);

	__set_bit(n, map);
	return was;
}

static inline void bitmap_zero(unsigned long *map, unsigned int bits)
{
	memset(map, 0, (bits + SHIM_LONG_BITS - 1) / SHIM_LONG_BITS * sizeof(long));
}

/* spinlock.h, mutex.h */
#define spin_lock_init(lock)	((void)(lock))
#define spin_lock(lock)		((void)(lock))
#define spin_unlock(lock)	((void)(lock))
#define mutex_lock(lock)	((void)(lock))
#define mutex_unlock(lock)	((void)(lock))
#define mutex_trylock(lock)	((void)(lock), true)

/* jiffies.h, timer.h, timekeeping.h */
#define jiffies			shim_jiffies
#define time_before(a, b)	((long)((a) - (b)) < 0)
#define time_after(a, b)	time_before(b, a)
#define msecs_to_jiffies(ms)	((unsigned long)(ms))
#define mod_timer(timer, when)	((timer)->expires = (when))
#define timer_delete_sync(timer) ((timer)->expires = 0)
#define ktime_get_boottime_ns()	((u64)shim_jiffies * 1000000 + 1)

#endif
#endif
