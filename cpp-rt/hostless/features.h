// SPDX-License-Identifier: GPL-2.0
#pragma once
#define __GLIBC_PREREQ(a, b) 0
