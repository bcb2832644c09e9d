# SPDX-License-Identifier: GPL-2.0
# fish completion for wgctl: commands, options, interfaces, and peers by name and key.

function __wgctl_words
	commandline -opc
end

function __wgctl_commands
	wgctl --help 2>/dev/null | string replace -rf '^  ([a-z-]+): (.*)' '$1\t$2'
end

function __wgctl_interfaces
	wgctl show interfaces 2>/dev/null | string split ' '
	for file in /etc/wireguard/*.conf
		basename $file .conf
	end
end

function __wgctl_peers
	set -l words (__wgctl_words)
	set -l at 3
	test "$words[2]" = peer; and set at 4
	set -l file $words[$at]
	test -e "$file"; or set file /etc/wireguard/$file.conf
	test -r "$file"; or return
	sed -n -e 's/^[ \t]*#[ \t]*[Nn]ame[ \t]*=[ \t]*//p' -e 's/^[ \t]*PublicKey[ \t]*=[ \t]*\([A-Za-z0-9+\/=]*\).*/\1/p' $file
end

function __wgctl_options
	set -l words (__wgctl_words)
	wgctl $words[2] --help 2>/dev/null | string match -ra -- '--[a-z-]+' | sort -u
end

function __wgctl_wants_peer
	set -l words (__wgctl_words)
	switch "$words[2] $words[3]"
	case 'peer remove'
		test (count $words) -eq 4
	case 'client *'
		test (count $words) -eq 3
	case '*'
		contains -- "$words[-1]" peer --peer; and test (count $words) -gt 3
	end
end

function __wgctl_wants_interface
	set -l words (__wgctl_words)
	if test "$words[2]" = peer
		test (count $words) -eq 3
	else
		test (count $words) -eq 2; and not contains -- "$words[2]" genkey genpsk pubkey
	end
end

complete -c wgctl -f -n 'test (count (__wgctl_words)) -eq 1' -a '(__wgctl_commands)'
complete -c wgctl -f -n 'test (string join " " (__wgctl_words)[2..]) = peer' -a 'add remove'
complete -c wgctl -n __wgctl_wants_interface -a '(__wgctl_interfaces)'
complete -c wgctl -f -n __wgctl_wants_peer -a '(__wgctl_peers)'
complete -c wgctl -f -n 'string match -q -- "--*" (commandline -ct)' -a '(__wgctl_options)'
