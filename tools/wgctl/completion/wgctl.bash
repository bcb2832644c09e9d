# SPDX-License-Identifier: GPL-2.0
# bash completion for wgctl: commands, options, interfaces, and peers by name and key. What commands and
# options there are, the tool's own help says.

_wgctl_interfaces()
{
	wgctl show interfaces 2>/dev/null | tr ' ' '\n'
	local file
	for file in /etc/wireguard/*.conf; do
		[ -e "$file" ] && basename "$file" .conf
	done
}

# _wgctl_in_file INTERFACE|FILE SED-COMMAND
_wgctl_in_file()
{
	local file=$1
	[ -f "$file" ] || file=/etc/wireguard/$1.conf
	[ -r "$file" ] && sed -n "$2" "$file"
}

_wgctl_keys()
{
	_wgctl_in_file "$1" 's/^[ \t]*PublicKey[ \t]*=[ \t]*\([A-Za-z0-9+\/=]*\).*/\1/Ip'
	wgctl show "$1" peers 2>/dev/null
}

_wgctl_names()
{
	_wgctl_in_file "$1" 's/^[ \t]*#[ \t]*Name[ \t]*=[ \t]*//Ip'
}

# What stands for itself in a command's usage: fields, keywords.
_wgctl_keywords()
{
	sed -n '1s/^Usage: wgctl [a-z]*//p' <<<"$1" | grep -oE '(^|[^-A-Za-z])[a-z][a-z-]+' | tr -d ' [{|'
}

# The words of a line's beginning, as the shell understands them, into `words'; the quote in which the
# last one is into `quote'.
_wgctl_split()
{
	local i char word=

	words=() quote=
	for ((i = 0; i < ${#1}; i++)); do
		char=${1:i:1}
		case $quote$char in
		"''" | '""') quote= ;;
		"'"?) word+=$char ;;
		'"\' | '\') i=$((i + 1)) word+=${1:i:1} ;;
		'"'?) word+=$char ;;
		"'" | '"') quote=$char ;;
		' ' | $'\t') [ -z "$word" ] || words+=("$word"); word= ;;
		*) word+=$char ;;
		esac
	done
	words+=("$word")
}

# _wgctl_quoted QUOTE TEXT: as it is written there.
_wgctl_quoted()
{
	case $1 in
	"'") printf '%s' "${2//\'/\'\\\'\'}" ;;
	'"') sed 's/[\\"$`]/\\&/g' <<<"$2" ;;
	*) printf %q "$2" ;;
	esac
}

_wgctl()
{
	local line=${COMP_LINE:0:COMP_POINT} help word i option= no_options= choice prefix quote
	local -a words rest=() choices=()

	COMPREPLY=()
	# Not COMP_WORDS: there = and : stand alone, and keys end in =.
	_wgctl_split "$line"
	local last=$((${#words[@]} - 1))
	local current=${words[last]}

	if [ $last -le 1 ]; then
		mapfile -t choices < <(wgctl --help 2>/dev/null | sed -n 's/^  \([a-z-]*\): .*/\1/p')
	else
		help=$(wgctl "${words[1]}" --help 2>/dev/null)
		# The words that are not options or their values; `option' is one whose value comes now.
		for ((i = 2; i < last; i++)); do
			word=${words[i]}
			if [ "$option" ]; then
				option=
			elif [ "$no_options" ] || [[ $word != --* ]]; then
				rest+=("$word")
			elif [ "$word" = -- ]; then
				no_options=$((${#rest[@]} + 1))
			elif [[ $help =~ $word' '[A-Za-z0-9] ]]; then
				option=$word
			fi
		done
		case $option in
		--netns | --birth-netns) mapfile -t choices < <(ls /run/netns 2>/dev/null) ;;
		--peer) mapfile -t choices < <(_wgctl_names "${rest[0]}" && _wgctl_keys "${rest[0]}") ;;
		--listen) choices=(unix: 127.0.0.1:) ;;
		--*) ;;
		*)
			if [ "$no_options" ]; then
				[ "${#rest[@]}" -ge "$no_options" ] || mapfile -t choices < <(compgen -c -- "$current")
			elif [[ $current == --* ]]; then
				mapfile -t choices < <(grep -o -e '--[a-z-]\+' <<<"$help" | sort -u)
			else
				case ${words[1]}:${#rest[@]} in
				show:0) mapfile -t choices < <(_wgctl_interfaces && printf '%s\n' all interfaces) ;;
				show:1) mapfile -t choices < <(_wgctl_keywords "$help" | grep -vx 'all\|interfaces') ;;
				set:[1-9]*)
					case ${words[last - 1]} in
					peer) mapfile -t choices < <(_wgctl_keys "${rest[0]}") ;;
					private-key | preshared-key | listen-port | fwmark | endpoint | persistent-keepalive | allowed-ips) ;;
					*) mapfile -t choices < <(_wgctl_keywords "$help") ;;
					esac
					;;
				peer:0) choices=(add remove) ;;
				peer:2) [ "${rest[0]}" != remove ] || mapfile -t choices < <(_wgctl_names "${rest[1]}" && _wgctl_keys "${rest[1]}") ;;
				client:1) mapfile -t choices < <(_wgctl_names "${rest[0]}" && _wgctl_keys "${rest[0]}") ;;
				genkey:* | genpsk:* | pubkey:*) ;;
				*:0 | peer:1 | apply:* | check:* | metrics:*) mapfile -t choices < <(_wgctl_interfaces) ;;
				esac
			fi
			;;
		esac
	fi
	# bash replaces what stands behind the last = or : only, or behind a quote.
	prefix=${current%"${current##*[=:]}"}
	[ -z "$quote" ] || prefix=
	while read -r choice; do
		[[ $choice == "$current"* ]] && COMPREPLY+=("$(_wgctl_quoted "$quote" "${choice#"$prefix"}")")
	done < <(printf '%s\n' "${choices[@]}" | sort -u)
	return 0
}

complete -o default -F _wgctl wgctl
