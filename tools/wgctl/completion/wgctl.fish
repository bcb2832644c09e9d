# SPDX-License-Identifier: GPL-2.0
# fish completion for wgctl. What may stand where, the tool itself tells (commands/commands.h).

function __wgctl_answer
	set -l words (commandline -opc)
	set -l current (commandline -ct)
	wgctl help --complete $words[2..-1] "$current" 2>/dev/null
end

function __wgctl_candidates
	set -l answer (__wgctl_answer)
	if test "$answer[1]" = program
		__fish_complete_subcommand --fcs-skip=(math 1 + (contains -i -- -- (commandline -opc)))
	else
		printf '%s\n' $answer[2..-1]
	end
end

function __wgctl_wants_file
	set -l answer (__wgctl_answer)
	test "$answer[1]" = files
end

complete -c wgctl -f
complete -c wgctl -a '(__wgctl_candidates)'
complete -c wgctl -n __wgctl_wants_file -F
