# SPDX-License-Identifier: GPL-2.0
# bash completion for wgctl. What may stand where, the tool itself tells (commands/commands.h).

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
	local kind= choice prefix quote current
	local -a words choices=()

	COMPREPLY=()
	# Not COMP_WORDS: there = and : stand alone, and keys end in =.
	_wgctl_split "${COMP_LINE:0:COMP_POINT}"
	current=${words[-1]}
	{ read -r kind; mapfile -t choices; } < <(wgctl help --complete "${words[@]:1}" 2>/dev/null | cut -f 1)
	if [ "$kind" = program ] && [ "${words[-2]}" = -- ]; then
		mapfile -t choices < <(compgen -c -- "$current" | sort -u)
	fi
	# bash replaces what stands behind the last = or : only, or behind a quote.
	prefix=${current%"${current##*[=:]}"}
	[ -z "$quote" ] || prefix=
	for choice in "${choices[@]}"; do
		[[ $choice == "$current"* ]] && COMPREPLY+=("$(_wgctl_quoted "$quote" "${choice#"$prefix"}")")
	done
	return 0
}

complete -o default -F _wgctl wgctl
