/* SPDX-License-Identifier: GPL-2.0 */
/* engine.h: all that the engine offers to the shims. C ABI, read by both languages.
 *
 * Lifetime of a device: create, (up | down)*, destroy, which comes when it is down and nobody can reach it any more, without rtnl: it waits
 * long. All others that create, change or show it come in process context under rtnl, which is the lock of its configuration. transmit comes
 * in softirq or with BH off, receive from the sockets' softirq.
 */
#ifndef WG_ENGINE_H
#define WG_ENGINE_H
#include "services.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Once per module; @form: "auto", "portable", "avx2", "avx512" or "neon". Self-tests what it will use, and a handshake. -EINVAL (unknown or unavailable form), -EBADMSG (self-test). */
int wg_engine_load(const char *form);
void wg_engine_unload(void);		/* after the last device is gone and RCU callbacks have run */

/* [process] -ENOMEM. @birth: the namespace its sockets will live in. */
int wg_engine_device_create(struct wg_netdev *netdev, struct wg_namespace *birth, struct wg_device **device);
void wg_engine_device_destroy(struct wg_device *device);		/* peers, sockets, workers; waits; frees */
int wg_engine_device_up(struct wg_device *device);			/* opens the sockets: -EADDRINUSE, -ENONET when the birth namespace is gone, ... */
void wg_engine_device_set_link(struct wg_device *device, uint16_t port, uint32_t mark);	/* of a device just made */
void wg_engine_device_get_link(const struct wg_device *device, uint16_t *port, uint32_t *mark);	/* under rtnl, or as it was just before or after */
void wg_engine_device_down(struct wg_device *device);			/* stops timers, erases keys, closes the sockets */
void wg_engine_device_namespace_gone(struct wg_device *device);		/* closes the sockets for ever */
void wg_engine_device_erase_keys(struct wg_device *device);		/* suspend, hibernation */
void wg_engine_device_expire_sending(struct wg_device *device);		/* VM fork: no nonce may be used twice */

/* ndo_start_xmit. Consumes @packet in every case; 0, or -EPROTONOSUPPORT, -ENOKEY, -EDESTADDRREQ, -ENOMEM, ... and the statistics are counted. */
int wg_engine_transmit(struct wg_device *device, struct wg_packet *packet);
/* A UDP payload. Consumes it. */
void wg_engine_receive(struct wg_device *device, struct wg_packet *packet);

/* WG_CMD_SET_DEVICE: @attributes lie one after the other in @size bytes, already checked against the policy.
 * Validated whole before anything changes; on error nothing has. Key material in the request is wiped in every case. */
int wg_engine_set(struct wg_device *device, void *attributes, size_t size, bool may_administer_birth_namespace, uint32_t port_id,
		  struct wg_report *report);
/* May anybody ask for all but the secrets? */
bool wg_engine_is_public(const struct wg_device *device);
/* One part of a WG_CMD_GET_DEVICE dump into @reply; @attributes, @size: of a WGX_CMD_GET_DEVICE request, else none. */
struct wg_dump {
	void *at;			/* what to go on with, in this generation of this device: a peer, or one of its prefixes when continuing */
	uint64_t peer_number, device_number;
	uint32_t generation;		/* out: changes when the configuration does */
	uint32_t written;		/* of the peer's allowed IPs */
	uint32_t named_left;		/* of the request's peers: bytes, from the one to go on with on */
	uint8_t started, continuing, done;
	uint8_t no_secrets;		/* in: whatever the request says */
};
/* 0 (see done), -EMSGSIZE when not even one item fits, -ENODEV when it is not the device the dump began with. @dump is zeroed at the start. */
int wg_engine_dump(struct wg_device *device, struct wg_dump *dump, void *attributes, size_t size, struct wg_reply *reply);

/* Drop counters of a device, by reason, for ethtool -S. */
uint32_t wg_engine_drop_reasons(void);
const char *wg_engine_drop_name(uint32_t reason);
uint64_t wg_engine_drop_count(const struct wg_device *device, uint32_t reason);

#ifdef __cplusplus
}
#endif
#endif
