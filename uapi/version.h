/* SPDX-License-Identifier: GPL-2.0 */
/* version.h: the one version of module, wgctl and packages. */
#ifndef WG_VERSION_H
#define WG_VERSION_H

/* Above 1.0.0, which the kernel's own module calls itself: dkms replaces no module by one with a lower version. */
#define WG_VERSION "1.1.0"

#endif
