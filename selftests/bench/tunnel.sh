# SPDX-License-Identifier: GPL-2.0
# What the rounds of bench-native and bench-guest share: source it, in a folder of one's own.
#
#   ┌── a ── wg0 10.7.0.1 ──┐         ┌── b ── wg0 10.7.0.2 ──┐
#   └─ v 192.168.77.1 ──────┴── veth ─┴────── v 192.168.77.2 ─┘

# lay_cable: the namespaces, their keys, and what joins them.
lay_cable() {
	local ns
	for ns in a b; do
		ip netns add $ns
		ip -n $ns link set lo up
		wg genkey | tee $ns.key | wg pubkey >$ns.pub
	done
	ip -n a link add v type veth peer name v netns b
	ip -n a addr add 192.168.77.1/24 dev v
	ip -n b addr add 192.168.77.2/24 dev v
	ip -n a link set v up
	ip -n b link set v up
}

# load FILE.ko[,PARAMETER...]
load() {
	local file parameters
	IFS=, read -r file parameters <<<"$1"
	modprobe -a $(modinfo -F depends "$file" | tr , ' ')
	insmod "$file" ${parameters//,/ }
}

# side NAMESPACE DEVICE ADDRESS PEER PEER-ADDRESS PEER-ENDPOINT: gives the device its keys, its peer and its address.
side() {
	ip netns exec "$1" wg set "$2" private-key "$1.key" listen-port 51820 peer "$(cat "$4.pub")" allowed-ips "$5/32" endpoint "$6:51820"
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
}
# wireguard FILE.ko[,PARAMETER...] DEVICE-OF-A DEVICE-OF-B
wireguard() {
	load "$1"
	ip -n a link add "$2" type wireguard
	ip -n b link add "$3" type wireguard
	sides "$2" "$3"
}
sides() {
	side a "$1" 10.7.0.1 b 10.7.0.2 192.168.77.2
	side b "$2" 10.7.0.2 a 10.7.0.1 192.168.77.1
}
