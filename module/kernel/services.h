/* SPDX-License-Identifier: GPL-2.0 */
/* services.h: all that the engine may ask of the kernel. C ABI, read by both languages, no kernel header in it.
 *
 * One function does one kernel thing and decides nothing about WireGuard. selftests/sim implements the same list in userspace.
 * Contexts: [process] may sleep; [softirq] callable with bottom halves off, never sleeps; [any] both.
 * Failures: NULL or -errno; nothing is half done after one.
 * Objects of the kernel that live inside the engine's are opaque storage; sizes come from the generated kfacts.h and are
 * asserted against the real types in C (memory.c).
 */
#ifndef WG_SERVICES_H
#define WG_SERVICES_H

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>
#endif
#include "kfacts.h"	/* WG_SIZEOF_*, WG_PACKET_*: generated for the kernel by kfacts.c, written by hand for the simulation */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the kernel's objects, opaque to the engine ---- */
struct wg_netdev;	/* struct net_device */
struct wg_namespace;	/* struct net */
struct wg_packet;	/* struct sk_buff */
struct wg_sockets;	/* one IPv4 and one IPv6 UDP socket on one port */
struct wg_workers;	/* a workqueue with one work item per possible CPU */
struct wg_reply;	/* a netlink message being written */
struct wg_report;	/* struct netlink_ext_ack */

/* ---- the engine's objects, opaque to the shims ---- */
struct wg_device;

/* ---- storage for kernel objects inside the engine's ---- */
#define WG_STORAGE(name, size) struct name { _Alignas(8) unsigned char opaque[size]; }
#ifdef __cplusplus
#undef WG_STORAGE
#define WG_STORAGE(name, size) struct name { alignas(8) unsigned char opaque[size]; }
#endif
WG_STORAGE(wg_spinlock, WG_SIZEOF_SPINLOCK);
WG_STORAGE(wg_timer, WG_SIZEOF_TIMER);
WG_STORAGE(wg_poller, WG_SIZEOF_POLLER);
WG_STORAGE(wg_route_cache, WG_SIZEOF_ROUTE_CACHE);
WG_STORAGE(wg_rcu_head, 16);

/* ---- the kernel's error numbers that the engine returns; asserted equal in memory.c ---- */
#define WG_ERRNOS(each) \
	each(EPERM, 1) each(EAGAIN, 11) each(ENOMEM, 12) each(EBUSY, 16) each(EEXIST, 17) each(ENODEV, 19) each(EINVAL, 22) each(ENOSPC, 28) each(ELOOP, 40) \
	each(ENONET, 64) each(EBADMSG, 74) each(EDESTADDRREQ, 89) each(EMSGSIZE, 90) each(EPROTONOSUPPORT, 93) each(EOPNOTSUPP, 95) each(EPFNOSUPPORT, 96) \
	each(ENETUNREACH, 101) each(ENOKEY, 126)
#define WG_ERRNO(name, number) WG_##name = number,
enum wg_errno { WG_ERRNOS(WG_ERRNO) };

/* ---- memory, RCU ---- */
void *wg_kernel_alloc(size_t size);					/* [process] zeroed; large sizes fall back to vmalloc */
void wg_kernel_free(void *memory, size_t size);				/* wipes; @size as allocated; NULL is fine; [process] when larger than a page */
void wg_kernel_rcu_read_lock(void);
void wg_kernel_rcu_read_unlock(void);
void wg_kernel_call_rcu(struct wg_rcu_head *head, void (*function)(struct wg_rcu_head *head));
void wg_kernel_rcu_wait(void);						/* [process] synchronize_net */
void wg_kernel_rcu_barrier(void);					/* [process] all call_rcu callbacks have run */

/* ---- locks; the class names one lockdep class each ---- */
#define WG_LOCK_CLASSES(each) \
	each(IDENTITY) each(INDEX) each(HANDSHAKE_QUEUE) each(RATELIMIT) each(PEER_HANDSHAKE) each(PEER_KEYRING) each(PEER_TX) each(PEER_QUEUE) \
	each(PEER_TIMERS) each(PEER_ENDPOINT) each(CRYPT_WORK)
#define WG_LOCK_CLASS(name) WG_LOCK_##name,
enum wg_lock_class { WG_LOCK_CLASSES(WG_LOCK_CLASS) WG_LOCK_COUNT };
void wg_kernel_spin_init(struct wg_spinlock *lock, enum wg_lock_class lock_class);
void wg_kernel_spin_lock(struct wg_spinlock *lock);			/* [any] spin_lock_bh */
int wg_kernel_spin_trylock(struct wg_spinlock *lock);			/* [any] spin_trylock_bh; nonzero when taken */
void wg_kernel_spin_unlock(struct wg_spinlock *lock);
void wg_kernel_rtnl_lock(void);						/* [process] for workers; the shims hold it around what configures */
void wg_kernel_rtnl_unlock(void);

/* ---- time and randomness ---- */
int64_t wg_kernel_now(void);						/* [any] ns of boot time, suspend included; coarse; > 0 */
uint64_t wg_kernel_cycles(void);					/* [softirq] a fine counter whose rate is the machine's own; 0 where there is none */
void wg_kernel_wall_clock(uint64_t *seconds, uint32_t *nanoseconds);	/* [any] Unix time */
void wg_kernel_random_bytes(void *bytes, size_t size);			/* [any] */
uint32_t wg_kernel_random_below(uint32_t bound);			/* [any] uniform in [0, bound) */
int wg_kernel_random_is_ready(void);					/* [any] nonzero once the generator is seeded */

/* ---- timer, jiffies-grained: fires in softirq at or soon after its time ---- */
void wg_kernel_timer_init(struct wg_timer *timer, void (*function)(void *argument), void *argument);
void wg_kernel_timer_arm(struct wg_timer *timer, int64_t at);		/* [any] absolute, wg_kernel_now's clock; moves it when armed; no-op after delete */
void wg_kernel_timer_cancel(struct wg_timer *timer);			/* [process] waits for a running function; may be armed again */
void wg_kernel_timer_delete(struct wg_timer *timer);			/* [process] for ever (timer_shutdown_sync) */

/* ---- per-CPU workers ---- */
enum wg_worker_kind { WG_WORKER_HANDSHAKE, WG_WORKER_CRYPT };		/* CPU-intensive, freezable | CPU-intensive, reclaim-safe */
uint32_t wg_kernel_online_cpus(void);					/* how many */
/* @function runs in process context for @argument after each kick, on one CPU after the other, once at a time on each. */
struct wg_workers *wg_kernel_workers_create(struct wg_netdev *netdev, enum wg_worker_kind kind,
					    void (*function)(void *argument), void *argument);	/* [process] */
void wg_kernel_workers_kick(struct wg_workers *workers);		/* [any] the next CPU's, in turn */
void wg_kernel_workers_flush(struct wg_workers *workers);		/* [process] all kicks made before it have run to their end */
void wg_kernel_workers_destroy(struct wg_workers *workers);		/* [process] flushes */
void wg_kernel_maybe_resched(void);					/* [process] cond_resched: between two pieces of work */

/* ---- poller: a NAPI instance ---- */
/* @poll(argument, budget) handles at most budget packets with bottom halves off and returns how many; fewer than budget means it found its
 * queue empty and the shim completes NAPI. A schedule that comes between the two is kept (NAPIF_STATE_MISSED). */
void wg_kernel_poller_add(struct wg_poller *poller, struct wg_netdev *netdev, int (*poll)(void *argument, int budget), void *argument); /* [process] enabled; rtnl */
/* Takes the poller's place: true, and until run or release no poll of it begins. False: it is scheduled, running or taken, and will poll once more. [softirq] */
bool wg_kernel_poller_claim(struct wg_poller *poller);
/* After claim: it polls on this CPU, behind what the CPU has to do already; when it is away, where the scheduler finds room. [softirq] */
void wg_kernel_poller_run(struct wg_poller *poller);
void wg_kernel_poller_run_on(struct wg_poller *poller, uint32_t cpu);	/* the same on @cpu, or here when it is offline */
/* By its poll: whether it polls in a thread that the scheduler puts where there is room. Where there is one CPU only, it never does. */
void wg_kernel_poller_set_away(struct wg_poller *poller, bool away);
void wg_kernel_poller_release(struct wg_poller *poller);		/* after claim: as if a poll had found nothing. [softirq] */
void wg_kernel_poller_delete(struct wg_poller *poller);			/* [process] disables, waits, unlinks; needs an RCU wait before its memory goes */

/* What a CPU's backlog, the queue of received packets that software devices put sent ones into, held at some time. */
struct wg_backlog { uint32_t cpu, end; };
struct wg_backlog wg_kernel_backlog(void);				/* [softirq] of this CPU, now */
bool wg_kernel_backlog_passed(struct wg_backlog backlog);		/* [softirq] all of it has been received, or this CPU will come to it before what it sends now */

/* ---- SIMD ---- */
enum { WG_CPU_AVX2 = 1, WG_CPU_AVX512 = 2, WG_CPU_NEON = 4 };		/* AVX512: F, VL and IFMA, state saved by the OS */
uint32_t wg_kernel_cpu_features(void);
void wg_kernel_bottom_half_disable(void);
void wg_kernel_bottom_half_enable(void);
int wg_kernel_fpu_begin(void);						/* nonzero: SIMD may be used until fpu_end; zero: no section was opened */
void wg_kernel_fpu_end(void);
void *wg_kernel_scratch(void);						/* this CPU's WG_SCRATCH_SIZE bytes, 64-byte aligned; only with BH off, never across a call that may use it again */
#define WG_SCRATCH_SIZE 24576

/* ---- crypto library [any] ---- */
struct wg_primitives {		/* = crypto::Primitives, where each is described */
	void (*blake2s)(uint8_t *out, size_t out_size, const uint8_t *key, size_t key_size, const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size);
	bool (*x25519)(uint8_t *shared, const uint8_t *secret, const uint8_t *public_key);
	bool (*x25519_public)(uint8_t *public_key, const uint8_t *secret);
	void (*aead_seal)(uint8_t *sealed, const uint8_t *plain, size_t size, const uint8_t *aad, size_t aad_size, uint64_t counter, const uint8_t *key);
	bool (*aead_open)(uint8_t *plain, const uint8_t *sealed, size_t size, const uint8_t *aad, size_t aad_size, uint64_t counter, const uint8_t *key);
	void (*xaead_seal)(uint8_t *sealed, const uint8_t *plain, size_t size, const uint8_t *aad, size_t aad_size, const uint8_t *nonce, const uint8_t *key);
	bool (*xaead_open)(uint8_t *plain, const uint8_t *sealed, size_t size, const uint8_t *aad, size_t aad_size, const uint8_t *nonce, const uint8_t *key);
	uint64_t (*siphash)(const uint8_t *key, const uint8_t *data, size_t size);
};
extern const struct wg_primitives wg_kernel_primitives;

/* ---- endpoints and sockets ---- */
/* No padding: two are equal when their bytes are. */
struct wg_endpoint {
	uint32_t scope;			/* interface of an IPv6 link-local address, else 0 */
	uint32_t source_interface;	/* interface the last message came in by; 0 = any, as always with IPv6 */
	uint8_t address[16];		/* network order; IPv4 in the first four */
	uint8_t source[16];		/* sticky local address; all zero = let routing choose */
	uint16_t port;			/* host order */
	uint16_t family;		/* 4, 6; 0 = none */
};

/* What the sticky source must be, to be used. */
enum wg_source_rule {
	WG_SOURCE_LOCAL,		/* an address of this host */
	WG_SOURCE_PREFERRED,		/* and not a deprecated one (IPv6) */
};

/* A way out. */
struct wg_route {
	struct wg_endpoint to;		/* its source is the address to send from */
	uint32_t mark;
	void *socket, *entry;		/* struct sock; struct dst_entry, a reference that wg_kernel_send() uses up */
};

/* What sockets are bound to besides the port; all zero: nothing. */
struct wg_binding {
	char interface[16];	/* or a VRF; its name */
	uint16_t family;	/* of the address: 4, 6; 0: any address, of both */
	uint8_t address[16];
};

/* Opens both sockets on @port (0: any free one, the same for both) in @ns; -EADDRINUSE, -EAFNOSUPPORT, ... IPv6 switched off at boot: IPv4 alone.
 * @binding with an address: the socket of its family alone; -EADDRNOTAVAIL, -ENODEV.
 * Received UDP payloads reach wg_engine_receive(device, packet). [process] */
int wg_kernel_sockets_open(struct wg_namespace *ns, struct wg_device *device, uint16_t port, const struct wg_binding *binding,
			   struct wg_sockets **sockets, uint16_t *chosen);
/* After it returns no wg_engine_receive from these sockets is running and no sender uses them (it waits for RCU between unhooking and releasing). [process] */
void wg_kernel_sockets_close(struct wg_sockets *sockets);

void wg_kernel_route_cache_init(struct wg_route_cache *cache);			/* may lack memory silently: then nothing is cached */
void wg_kernel_route_cache_reset(struct wg_route_cache *cache);			/* [any] no route is taken from it; those that were stay until others come */
void wg_kernel_route_cache_clear(struct wg_route_cache *cache);			/* [any] nor do they stay; nobody uses it meanwhile */
uint32_t wg_kernel_route_mtu(const struct wg_route *route);				/* of IP packets; instead of wg_kernel_send: uses the route up. BH off */
void wg_kernel_route_cache_destroy(struct wg_route_cache *cache);		/* [process] after an RCU wait */

/* Finds the way to @endpoint, by @cache (NULL: none) where it knows one. The sticky source is used only while it satisfies @rule and the route
 * leaves by source_interface; else it is cleared in @endpoint, @cache is reset and routing chooses. Whoever changes @endpoint, @mark or @sockets
 * resets @cache, and no wg_kernel_route() for it runs meanwhile. Inside an RCU read section, BH off. 0 or -errno (-ENETUNREACH, -EAFNOSUPPORT, ...). */
int wg_kernel_route(struct wg_sockets *sockets, struct wg_endpoint *endpoint, enum wg_source_rule rule, uint32_t mark, struct wg_route_cache *cache,
		    struct wg_route *route);
/* Sends the packets of @batch (chained by next, each one UDP payload) by @route, found in the same RCU read section, with the ECN/DSCP byte
 * @traffic_class; BH off. Both are used up. No DF; checksums on. Neighbours of one size go down as one packet for UDP segmentation offload.
 * Counts device tx statistics by UDP payload, as sent or as dropped. */
void wg_kernel_send(struct wg_netdev *netdev, struct wg_packet *batch, const struct wg_route *route, uint8_t traffic_class);

/* ---- packets ---- */
/* next, length and the 48-byte control block are read in place by the offsets WG_PACKET_NEXT, WG_PACKET_LENGTH (u32), WG_PACKET_CONTROL. */
#define WG_PACKET_CONTROL_SIZE 48

struct wg_packet *wg_kernel_packet_create(const void *payload, uint32_t size);	/* [any] an own UDP payload with room for headers; NULL */
void wg_kernel_packet_free(struct wg_packet *packet);				/* [any] one packet, dropped */
void wg_kernel_packet_consume(struct wg_packet *packet);			/* [any] one packet, used up: not a drop to drop monitors */
const uint8_t *wg_kernel_packet_pull(struct wg_packet *packet, uint32_t size);	/* first @size bytes contiguous and readable; NULL when shorter or no memory */
void wg_kernel_packet_orphan(struct wg_packet *packet);				/* [any] one packet: its sender is charged for it no more, nothing of the sender is held */
uint16_t wg_kernel_packet_protocol(const struct wg_packet *packet);		/* skb->protocol in host order: 0x0800, 0x86dd, ... */

/* Transmit. A plain inner packet (GSO or not) becomes a chain of segments, each with its own memory to write to, dst dropped; @packet is consumed.
 * *mtu: of the route the packet came by, else of the device. NULL and *error when it could not be split. [softirq] */
struct wg_packet *wg_kernel_packet_segment(struct wg_packet *packet, struct wg_netdev *netdev, uint32_t *mtu, int *error);
/* Makes @packet [header | its bytes | @padding zero bytes | 16 tag bytes], in one piece of its own memory, inner checksum completed, outer
 * headers' room in front, hash kept. Where the header lies; NULL: no memory. [softirq] */
uint8_t *wg_kernel_packet_prepare_seal(struct wg_packet *packet, uint32_t header_size, uint32_t padding);

/* Receive. @packet is one UDP payload; its IP and UDP headers stay readable in front until deliver. */
void wg_kernel_packet_source(const struct wg_packet *packet, struct wg_endpoint *endpoint);	/* whom it came from, and to which local address */
uint8_t *wg_kernel_packet_prepare_open(struct wg_packet *packet);	/* makes it one piece of its own memory: where; NULL: no memory. [softirq] */
/* Cuts the first @header_size bytes and all behind @size more: what is left is the inner packet. 0 or -EINVAL. */
int wg_kernel_packet_trim(struct wg_packet *packet, uint32_t header_size, uint32_t size);
/* Hands an opened, trimmed inner packet (@version 4 or 6) with a whole IP header up: scrubbed, marked, checksum verified, ECN combined,
 * through @poller's GRO; counts nothing. Consumes it, unless the two ECN fields do not go together: -EINVAL. [softirq] */
int wg_kernel_packet_deliver(struct wg_packet *packet, struct wg_netdev *netdev, struct wg_poller *poller, uint8_t version,
			     uint32_t mark);

/* ---- the network device ---- */
enum wg_statistic { WG_TX_DROPPED, WG_TX_ERROR, WG_RX_DROPPED, WG_RX_FRAME_ERROR, WG_RX_LENGTH_ERROR, WG_RX_CRC_ERROR };
void wg_kernel_count(struct wg_netdev *netdev, enum wg_statistic statistic, uint32_t count);	/* [any] the last three are errors as well */
void wg_kernel_count_received(struct wg_netdev *netdev, uint32_t bytes);				/* [any] one packet of @bytes of UDP payload */
void wg_kernel_icmp_unreachable(struct wg_packet *packet, struct wg_netdev *netdev);		/* [softirq] host / address unreachable to the inner source, NAT undone */
void wg_kernel_netdev_carrier_off(struct wg_netdev *netdev);
uint32_t *wg_kernel_nesting(void);				/* a number of this CPU's, 0 at first; only with BH off */
/* For who watches: tracepoints, and debug lines, which are rate-limited. [any] @what: less than 32 characters; @endpoint may be NULL. */
enum wg_trace { WG_TRACE_HANDSHAKE, WG_TRACE_SESSION, WG_TRACE_ENDPOINT };
void wg_kernel_trace(const struct wg_netdev *netdev, enum wg_trace which, uint64_t peer, const char *what, const struct wg_endpoint *endpoint);
void wg_kernel_debug_drop(const struct wg_netdev *netdev, const char *reason, uint64_t peer);	/* @peer: its number or 0 */
void wg_kernel_debug_life(const struct wg_netdev *netdev, const char *kind, uint64_t number, const char *event);	/* debug line alone, never limited: "Peer 3 created" */

/* ---- generic netlink ---- */
/* All false/NULL when the message is full. */
bool wg_kernel_reply_put(struct wg_reply *reply, uint16_t type, const void *data, size_t size);
bool wg_kernel_reply_put_names(struct wg_reply *reply, const struct wg_netdev *netdev);		/* its index and name */
void *wg_kernel_reply_nest(struct wg_reply *reply, uint16_t type);
void wg_kernel_reply_nest_end(struct wg_reply *reply, void *nest);
void wg_kernel_reply_nest_cancel(struct wg_reply *reply, void *nest);
/* @text must be a literal; @attribute may be NULL, else it points at the attribute's header inside the request. */
void wg_kernel_report_error(struct wg_report *report, const void *attribute, const char *text);

/* "PREFIX belongs to peer KEY": @address of @version, and as much of @owner as there is room for. */
void wg_kernel_report_owner(struct wg_report *report, const void *attribute, uint8_t version, const uint8_t *address, uint8_t bits,
			    const uint8_t *owner);

/* What is told to who listens, by groups that are joined each for itself. */
enum wg_event_group { WG_EVENTS, WG_EVENTS_ENDPOINTS, WG_EVENTS_STRANGERS };
/* A message for @group in @netdev's namespace, which names the device and has room for some 150 bytes; NULL: nobody listens, or there is no
 * memory, which those who do are told. From it to event_send inside one RCU read section. [any] */
struct wg_reply *wg_kernel_event_begin(const struct wg_netdev *netdev, enum wg_event_group group);
void wg_kernel_event_send(const struct wg_netdev *netdev, struct wg_reply *event, enum wg_event_group group);	/* uses it up */

void wg_kernel_bug(const char *what);		/* a broken invariant: warns once per place; returns */

#ifdef __cplusplus
}
#endif
#endif
