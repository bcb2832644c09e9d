# SPDX-License-Identifier: GPL-2.0
# Reads beginnings of command lines, answers with what bash offers, one a line, and then "=".
. "$COMPLETIONS/wgctl.bash"
while IFS= read -r COMP_LINE; do
	COMP_POINT=${#COMP_LINE}
	_wgctl
	for choice in "${COMPREPLY[@]}"; do
		eval "printf '%s\n' $choice"
	done
	echo =
done
