# SPDX-License-Identifier: GPL-2.0
# bash completion for wgctl: commands, options, interfaces, and peers by name and key.

_wgctl_commands()
{
	wgctl --help 2>/dev/null | sed -n 's/^  \([a-z-]*\): .*/\1/p'
}

_wgctl_interfaces()
{
	wgctl show interfaces 2>/dev/null | tr ' ' '\n'
	local file
	for file in /etc/wireguard/*.conf; do
		[ -e "$file" ] && basename "$file" .conf
	done
}

# Names and keys of the peers in the file of an interface.
_wgctl_peers()
{
	local file=$1
	[ -e "$file" ] || file=/etc/wireguard/$1.conf
	[ -r "$file" ] || return 0
	sed -n -e 's/^[ \t]*#[ \t]*[Nn]ame[ \t]*=[ \t]*//p' -e 's/^[ \t]*PublicKey[ \t]*=[ \t]*\([A-Za-z0-9+\/=]*\).*/\1/p' "$file"
}

_wgctl()
{
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} interface=${COMP_WORDS[2]} choice
	local -a choices=()

	COMPREPLY=()
	# = and : split words; what is taken apart here cannot be put together again.
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t choices < <(_wgctl_commands)
	elif [[ $word == --* ]]; then
		mapfile -t choices < <(wgctl "$command" --help 2>/dev/null | grep -o -e '--[a-z-]*' | sort -u)
	else
		case $command:$COMP_CWORD in
		peer:2) choices=(add remove) ;;
		peer:3) mapfile -t choices < <(_wgctl_interfaces) ;;
		peer:4) [ "$interface" = remove ] && mapfile -t choices < <(_wgctl_peers "${COMP_WORDS[3]}") ;;
		client:3) mapfile -t choices < <(_wgctl_peers "$interface") ;;
		exec:* | genkey:* | genpsk:* | pubkey:*) ;;
		*:2) mapfile -t choices < <(_wgctl_interfaces) ;;
		*)
			case ${COMP_WORDS[COMP_CWORD - 1]} in
			peer | --peer) mapfile -t choices < <(_wgctl_peers "$interface") ;;
			esac
			;;
		esac
	fi
	for choice in "${choices[@]}"; do
		[[ $choice == "$word"* ]] && COMPREPLY+=("$(printf %q "$choice")")
	done
	return 0
}

complete -o default -F _wgctl wgctl
