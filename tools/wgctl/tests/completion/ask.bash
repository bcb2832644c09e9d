# SPDX-License-Identifier: GPL-2.0
# Reads beginnings of command lines, answers with what bash offers, one a line, and then "=".
. "$COMPLETIONS/wgctl.bash"
while IFS= read -r COMP_LINE; do
	COMP_POINT=${#COMP_LINE}
	_wgctl
	for choice in "${COMPREPLY[@]}"; do
		case $COMP_LINE in
		# bash leaves the quote where it is, and closes it.
		*' "'*) eval "printf '%s\n' \"$choice\"" ;;
		*" '"*) eval "printf '%s\n' '$choice'" ;;
		*) eval "printf '%s\n' $choice" ;;
		esac
	done
	echo =
done
