# SPDX-License-Identifier: GPL-2.0
# Reads beginnings of command lines, answers with what fish offers, one a line, and then "=".
source $COMPLETIONS/wgctl.fish
while read -l line
	complete -C $line
	echo =
end
