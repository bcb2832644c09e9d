# SPDX-License-Identifier: GPL-2.0
# How deep the module's own calls can go. Input, object by object: a line "OBJECT name", what `nm` says of it, what `objdump -dr
# --no-show-raw-insn` says of it. With -v limit=N it prints each function that is an entry (its address is taken, or nobody here calls
# it) whose own frames and callees' take more than N bytes, with the deepest way; recursion; and each indirect call that -v indirect
# does not explain. -v process=REGEX -v process_limit=N: another limit for the entries so named. -v show=REGEX: the depth of the
# functions so named.
#
# A frame is what is pushed, subtracted and lost to alignment, and the return address. A jump to another function counts as a call
# (a .cold part stands on its function's frame; after a tail call nothing remains, so there it is too much by one frame).
# -v indirect: lines "CALLER CALLEE", regular expressions over "object:function". Where CALLER makes an indirect call, it may reach all
# functions like CALLEE whose address is taken somewhere.

function hex(text,   n, i) {
	n = 0
	for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return n
}
# A number as objdump prints it, which may be a negative one in two's complement.
function number(text) {
	sub(/^0x/, "", text)
	return length(text) == 16 && text ~ /^f/ ? -(2 ^ 32 - hex(substr(text, 9))) : hex(text)
}
function node(name) { return (object, name) in is_local ? object ":" name : name }
# "name-0x4", ".text+0x1c": what a relocation points at. Relative ones count from the end of their four bytes.
function target_of(type, text,   name, offset) {
	name = text
	offset = type ~ /PC32|PLT32/ ? 4 : 0
	if (match(text, /[-+]0x[0-9a-f]+$/)) {
		name = substr(text, 1, RSTART - 1)
		offset += (substr(text, RSTART, 1) == "-" ? -1 : 1) * hex(substr(text, RSTART + 3))
	}
	return name ~ /^\./ ? "at " object " " name " " offset : node(name)
}
function add_call(callee) { calls[at] = calls[at] "\n" callee }
# A branch inside a section names its target itself, unless a relocation follows: then what stands there is the next instruction.
function settle() { if (pending != "") add_call(pending); pending = "" }

/^OBJECT / { settle(); object = $2; section = at = ""; next }
/^[0-9a-f]+ [a-zA-Z] / { if ($2 ~ /[a-z]/) is_local[object, $3]; next }
/^Disassembly of section / { section = substr($4, 1, length($4) - 1); next }
/^[0-9a-f]+ <.*>:$/ {
	settle()
	if ($2 ~ /^<__pfx_|-0x[0-9a-f]+>:$/) { at = ""; next } # the room for call depth tracking in front of a function
	at = node(substr($2, 2, length($2) - 3))
	home[at] = object ":" substr($2, 2, length($2) - 3)
	frame[at] = 8
	starts["at " object " " section " " hex($1)] = at
	functions[++function_count] = at
	next
}
/R_(X86_64|AARCH64)_/ {
	pending = ""
	target = target_of($2, $3)
	if ($3 ~ /^__x86_indirect_thunk/) indirectly[at] = 1
	else if (branch) { if ($3 !~ /^__x86_return_thunk/) add_call(target) }
	else taken[target] = 1
	next
}
at == "" { next }
{ settle(); branch = $2 ~ /^(call|jmp|j[a-z]+|bl?)$/ }
branch && $NF ~ /^<[^+]*>$/ {
	pending = node(substr($NF, 2, length($NF) - 2))
	if (pending == at && $2 !~ /^(call|bl)$/) pending = ""
}
branch && $3 ~ /^\*/ || $2 == "blr" { indirectly[at] = 1 }
match($0, /\[sp, #-[0-9]+\]!/) { frame[at] += substr($0, RSTART + 7, RLENGTH - 9) } # arm64
/sub\tsp, sp, #0x[0-9a-f]+$/ { frame[at] += number(substr($5, 2)) }
$2 == "push" { frame[at] += 8 }
/(sub|add) +\$0x[0-9a-f]+,%rsp/ {
	size = number(substr($3, 2, index($3, ",") - 2))
	if ($2 == "sub" && size > 0) frame[at] += size
	if ($2 == "add" && size < 0) frame[at] -= size
}
/and +\$0x[0-9a-f]+,%rsp/ { frame[at] += -number(substr($3, 2, index($3, ",") - 2)) - 8 }
/sub +%r[a-z0-9]+,%rsp/ { complain(home[at] " takes a variable amount of stack") }

function complain(text) { print text; complaints++ }

# depth[f], deepest[f]: what f and its callees take, and which callee takes most.
function visit(f,   list, count, i, callee) {
	if (f in depth) return
	depth[f] = -1
	count = split(calls[f], list, "\n")
	for (i = 2; i <= count; i++) {
		callee = list[i]
		if (callee in starts) callee = starts[callee]
		if (!(callee in frame)) continue
		called[callee] = 1
		visit(callee)
		if (depth[callee] < 0) complain("recursion: " home[f] " calls " home[callee])
		else if (depth[callee] > below[f]) { below[f] = depth[callee]; deepest[f] = callee }
	}
	depth[f] = frame[f] + below[f]
}
function way(f,   text) {
	text = home[f] " (" frame[f] ")"
	while (f in deepest) { f = deepest[f]; text = text "\n    " home[f] " (" frame[f] ")" }
	return text
}

END {
	settle()
	for (f in taken) address[f in starts ? starts[f] : f]
	rules = split(indirect, rule, "\n")
	for (f in indirectly) {
		explained = 0
		for (i = 1; i <= rules; i++) {
			split(rule[i], word, " ")
			if (word[1] == "" || home[f] !~ word[1]) continue
			explained = 1
			for (callee in address) if (callee in frame && home[callee] ~ word[2]) calls[f] = calls[f] "\n" callee
		}
		if (!explained) complain("unexplained indirect call: " home[f])
	}
	for (i = 1; i <= function_count; i++) visit(functions[i])
	for (i = 1; i <= function_count; i++) {
		f = functions[i]
		if (show != "" && home[f] ~ show) print depth[f], home[f]
		if (limit == "" || f in called && !(f in address)) continue
		most = process != "" && home[f] ~ process ? process_limit : limit
		if (depth[f] > most) complain("more than " most " bytes: " depth[f] "\n    " way(f))
	}
	if (!function_count) complain("no functions")
	exit complaints > 0
}
