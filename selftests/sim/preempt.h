// SPDX-License-Identifier: GPL-2.0
/* Given to every file of module/ with -include: each atomic operation becomes a place where another CPU may run first.
 *
 * A macro is not expanded again inside itself, so the name on the right is the compiler's builtin. */
#pragma once

extern "C" void sim_preemption_point(void);

#define __atomic_load_n(...) (sim_preemption_point(), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...) (sim_preemption_point(), __atomic_store_n(__VA_ARGS__))
#define __atomic_exchange_n(...) (sim_preemption_point(), __atomic_exchange_n(__VA_ARGS__))
#define __atomic_fetch_add(...) (sim_preemption_point(), __atomic_fetch_add(__VA_ARGS__))
#define __atomic_fetch_sub(...) (sim_preemption_point(), __atomic_fetch_sub(__VA_ARGS__))
#define __atomic_compare_exchange_n(...) (sim_preemption_point(), __atomic_compare_exchange_n(__VA_ARGS__))
