# SPDX-License-Identifier: GPL-2.0
# Reads beginnings of command lines, answers with what zsh offers, one a line, and then "=". Completion
# works in the line editor alone, so a second zsh has one, on a pseudo-terminal.
zmodload zsh/zpty
scratch=$(mktemp -d)
trap 'rm -rf $scratch' EXIT
mkfifo $scratch/answers
cat >$scratch/.zshrc <<'END'
PS1= fpath=($COMPLETIONS $fpath)
autoload -U compinit
compinit -D
compadd() {
	local -a matches
	if [[ " ${(j: :)@[1,(i)(-|--)]} " != *\ -(O|A|D)\ * ]]; then
		builtin compadd -A matches "$@"
		(( ! $#matches )) || print -rl -- ${(Q)matches} >>$ZDOTDIR/matches
	fi
	builtin compadd "$@"
}
answer() {
	: >$ZDOTDIR/matches
	BUFFER=$(<$ZDOTDIR/line)
	CURSOR=$#BUFFER
	zle list-choices
	BUFFER=
	{ cat $ZDOTDIR/matches; echo = } >&9
}
zle -N answer
bindkey X answer
exec 9>$ZDOTDIR/answers
echo ready >&9
END
export ZDOTDIR=$scratch
zpty -b inner zsh -d -i
exec 9<$scratch/answers
read -r <&9
while IFS= read -r line; do
	printf '%s' $line >$scratch/line
	zpty -w -n inner X
	while IFS= read -r answer <&9; do
		print -r -- $answer
		[[ $answer != = ]] || break
	done
done
zpty -d inner
