/* SPDX-License-Identifier: Apache-2.0 */
#include "shim.h"

int shim_alloc_budget = -1;
int shim_allocs;
int shim_warnings;
void (*shim_mb_hook)(void);

void shim_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (shim_mb_hook)
		shim_mb_hook();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void *shim_alloc(size_t num, size_t size)
{
	void *mem;

	if (!shim_alloc_budget)
		return NULL;
	if (shim_alloc_budget > 0)
		shim_alloc_budget--;
	mem = calloc(num, size);
	if (mem)
		shim_allocs++;
	return mem;
}

void shim_free(const void *mem)
{
	if (mem)
		shim_allocs--;
	free((void *)mem);
}
