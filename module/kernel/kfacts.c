// SPDX-License-Identifier: GPL-2.0
/* kfacts.c: what the engine must know of the kernel's types, measured by the compiler.
 *
 * Never linked. Compiled to assembly, from which Kbuild writes kfacts.h as the kernel writes its asm-offsets.h.
 */
#include <linux/kbuild.h>
#include "objects.h"

int main(void)
{
	DEFINE(WG_SIZEOF_SPINLOCK, sizeof(spinlock_t));
	DEFINE(WG_SIZEOF_TIMER, sizeof(struct wg_timer_object));
	DEFINE(WG_SIZEOF_POLLER, sizeof(struct wg_poller_object));
	DEFINE(WG_SIZEOF_ROUTE_CACHE, sizeof(struct dst_cache));
	OFFSET(WG_PACKET_NEXT, sk_buff, next);
	OFFSET(WG_PACKET_LENGTH, sk_buff, len);
	OFFSET(WG_PACKET_CONTROL, sk_buff, cb);
	return 0;
}
