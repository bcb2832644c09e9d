// SPDX-License-Identifier: GPL-2.0
/* The smallest XDP program: one answer, VERDICT, to every packet. Compiled for BPF, once per answer. */
__attribute__((section("xdp"), used)) int verdict(void *context)
{
	(void)context;
	return VERDICT;
}

__attribute__((section("license"), used)) char gpl[] = "GPL";
