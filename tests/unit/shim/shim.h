/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of the kernel as the parts of the core need that user space tests.
 * It knows no kernel version and takes no decision of its own.
 */
#ifndef DEVHOST_SHIM_H
#define DEVHOST_SHIM_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <asm/byteorder.h>
#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Allocations until one fails; negative: none does. */
extern int shim_alloc_budget;
/* Allocations that were not freed. */
extern int shim_allocs;
/* Called at each full barrier, to act as the other side there. */
extern void (*shim_mb_hook)(void);
/* WARN_ON_ONCE() that fired, every time. */
extern int shim_warnings;

void *shim_alloc(size_t num, size_t size);
void shim_free(const void *mem);
void shim_mb(void);

#ifdef __cplusplus
}
#else

/* compiler.h, types, bits */
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define noinline	__attribute__((__noinline__))
#ifndef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#endif
#define barrier()	__asm__ __volatile__("" : : : "memory")
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define U16_MAX		UINT16_MAX
#define U32_MAX		UINT32_MAX
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define min(a, b)	((a) < (b) ? (a) : (b))

/* barrier.h */
#define smp_mb()	shim_mb()
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

/* byteorder.h */
#define le16_to_cpu	__le16_to_cpu
#define le32_to_cpu	__le32_to_cpu
#define le64_to_cpu	__le64_to_cpu
#define cpu_to_le16	__cpu_to_le16
#define cpu_to_le32	__cpu_to_le32
#define cpu_to_le64	__cpu_to_le64

/* err.h, bug.h, export.h */
#define ERR_PTR(err)	((void *)(long)(err))
#define WARN_ON_ONCE(x)	(unlikely(x) ? (shim_warnings++, true) : false)
#define EXPORT_SYMBOL_GPL(symbol) extern int shim_export_##symbol

/* nospec.h: out of bounds becomes 0, as in the kernel */
#define array_index_nospec(i, size) ((i) < (size) ? (i) : 0)

/* bitops.h, bitmap.h, log2.h */
#define SHIM_LONG_BITS	(8 * sizeof(long))

static inline bool test_bit(unsigned int n, const unsigned long *map)
{
	return map[n / SHIM_LONG_BITS] >> n % SHIM_LONG_BITS & 1;
}

static inline void __set_bit(unsigned int n, unsigned long *map)
{
	map[n / SHIM_LONG_BITS] |= 1UL << n % SHIM_LONG_BITS;
}

static inline void __clear_bit(unsigned int n, unsigned long *map)
{
	map[n / SHIM_LONG_BITS] &= ~(1UL << n % SHIM_LONG_BITS);
}

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* slab.h */
#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0

#define kvcalloc(n, size, gfp)		shim_alloc(n, size)
#define kvmalloc_array(n, size, gfp)	shim_alloc(n, size)
#define kvfree(mem)			shim_free(mem)
#define bitmap_zalloc(bits, gfp)					\
	((unsigned long *)shim_alloc(((bits) + SHIM_LONG_BITS - 1) /	\
				     SHIM_LONG_BITS, sizeof(long)))
#define bitmap_free(map)		shim_free(map)

#endif
#endif
