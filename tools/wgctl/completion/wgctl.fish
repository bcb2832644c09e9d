# SPDX-License-Identifier: GPL-2.0
# fish completion for wgctl: commands, options, interfaces, and peers by name and key. What commands and
# options there are, the tool's own help says.

function __wgctl_interfaces
	wgctl show interfaces 2>/dev/null | string split ' '
	for file in /etc/wireguard/*.conf
		basename $file .conf
	end
end

# __wgctl_in_file INTERFACE|FILE SED-COMMAND
function __wgctl_in_file
	set -l file $argv[1]
	test -f "$file"; or set file /etc/wireguard/$file.conf
	test -r "$file"; and sed -n $argv[2] $file
end

function __wgctl_keys
	__wgctl_in_file "$argv[1]" 's/^[ \t]*PublicKey[ \t]*=[ \t]*\([A-Za-z0-9+\/=]*\).*/\1/Ip'
	wgctl show "$argv[1]" peers 2>/dev/null
end

function __wgctl_names
	__wgctl_in_file "$argv[1]" 's/^[ \t]*#[ \t]*Name[ \t]*=[ \t]*//Ip'
end

# What stands for itself in a command's usage: fields, keywords.
function __wgctl_keywords
	string replace -r '^Usage: wgctl [a-z]*' '' -- $argv[1] | string match -ra '(?<![-A-Za-z])[a-z][a-z-]+'
end

function __wgctl_candidates
	set -l words (commandline -opc)
	set -l current (commandline -ct)
	set -l rest
	set -l option ''
	set -l no_options ''

	if test (count $words) -eq 1
		wgctl --help 2>/dev/null | string replace -rf '^  ([a-z-]+): (.*)' '$1\t$2'
		return
	end
	set -l help (wgctl $words[2] --help 2>/dev/null)
	# The words that are not options or their values; `option' is one whose value comes now.
	for word in $words[3..-1]
		if test -n "$option"
			set option ''
		else if test -n "$no_options"; or not string match -q -- '--*' $word
			set -a rest $word
		else if test "$word" = --
			set no_options (math (count $rest) + 1)
		else if string match -qr -- "$word [A-Za-z0-9]" $help[1]
			set option $word
		end
	end
	switch $option
	case --netns --birth-netns
		ls /run/netns 2>/dev/null
		return
	case --peer
		__wgctl_names $rest[1]
		__wgctl_keys $rest[1]
		return
	case --listen
		printf '%s\n' unix: 127.0.0.1:
		return
	case '--*'
		return
	end
	if test -n "$no_options"
		__fish_complete_subcommand --fcs-skip=(math 1 + (contains -i -- -- $words))
		return
	end
	if string match -q -- '--*' $current
		string match -ra -- '--[a-z-]+' $help | sort -u
		return
	end
	switch $words[2]:(count $rest)
	case show:0
		__wgctl_interfaces
		printf '%s\n' all interfaces
	case show:1
		__wgctl_keywords $help[1] | string match -rv '^(all|interfaces)$'
	case set:0
		__wgctl_interfaces
	case 'set:*'
		switch $words[-1]
		case peer
			__wgctl_keys $rest[1]
		case private-key preshared-key listen-port fwmark endpoint persistent-keepalive allowed-ips
		case '*'
			__wgctl_keywords $help[1]
		end
	case peer:0
		printf '%s\n' add remove
	case peer:2
		if test "$rest[1]" = remove
			__wgctl_names $rest[2]
			__wgctl_keys $rest[2]
		end
	case client:1
		__wgctl_names $rest[1]
		__wgctl_keys $rest[1]
	case 'genkey:*' 'genpsk:*' 'pubkey:*'
	case '*:0' peer:1 'apply:*' 'check:*' 'metrics:*'
		__wgctl_interfaces
	end
end

# Where a file may stand.
function __wgctl_wants_file
	set -l words (commandline -opc)
	switch $words[-1]
	case --out --netns --birth-netns private-key preshared-key
		return 0
	case --peer --new-key --psk-fd
		return 1
	end
	switch "$words[2]"
	case up down save strip check agent rotate apply exec setconf addconf syncconf
		return 0
	case client
		test (count $words) -eq 2
	case peer
		test (count $words) -eq 3
	case '*'
		return 1
	end
end

complete -c wgctl -f
complete -c wgctl -a '(__wgctl_candidates)'
complete -c wgctl -n __wgctl_wants_file -F
