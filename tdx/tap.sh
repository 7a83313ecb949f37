# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # whoever takes this in says which program it is
# For tests of a program: the array "program" is how it is called, "dir" becomes
# a directory of the test's own.  TAP on stdout.

dir=$(mktemp -d)
n=0 failed=0

# ok NAME COMMAND...: the command tells
ok() {
	n=$((n + 1))
	if "${@:2}"; then
		echo "ok $n ${program[0]##*/}: $1"
	else
		failed=$((failed + 1))
		echo "not ok $n ${program[0]##*/}: $1"
		sed 's/^/#   stdout: /' "$dir/stdout"
		sed 's/^/#   stderr: /' "$dir/stderr"
	fi
}

# gives STATUS ARGUMENT...: what the program does with them; its output stays in
# $dir/stdout and $dir/stderr
gives() {
	local status=0

	"${program[@]}" "${@:2}" >"$dir/stdout" 2>"$dir/stderr" || status=$?
	[[ $status = "$1" ]] || {
		echo "#   status $status, not $1"
		return 1
	}
}

says() {
	grep -q -- "$1" "$dir/stderr"
}

# complains STATUS REGEX ARGUMENT...: and that in one line
complains() {
	gives "$1" "${@:3}" && says "$2" && [[ $(wc -l <"$dir/stderr") = 1 ]]
}
