# Sourced by shell tests: TAP, one line for each thing that was looked at.
#
#   ok NAME COMMAND...     COMMAND succeeds; what it printed is shown when it does not
#   is NAME GOT WANTED     the two texts are the same
#   ends CODE COMMAND...   for ok: COMMAND ends with that code; what it said is in $work/output
#   said TEXT              for ok: and has this in it
#   done_testing           last; exits 1 if anything failed
#
# Each test works in $work, a folder of its own that is removed at the end, after `cleanup` if the
# test defines it.
tap_number=0
tap_failed=0
work=$(mktemp -d "${TEST_TMP:-/tmp}/test-XXXXXX")

tap_end() {
    status=$?
    if command -v cleanup >/dev/null; then
        cleanup >"$work/cleanup" 2>&1 || sed 's/^/# cleanup: /' "$work/cleanup"
    fi
    rm -rf "$work"
    exit "$status"
}
trap tap_end EXIT
trap 'exit 1' HUP INT TERM

tap_result() {
    tap_number=$((tap_number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tap_number - $2"
    else
        echo "not ok $tap_number - $2"
        tap_failed=$((tap_failed + 1))
    fi
}

ok() {
    tap_name=$1
    shift
    tap_status=0
    "$@" >"$work/said" 2>&1 || tap_status=$?
    tap_result "$tap_status" "$tap_name"
    if [ "$tap_status" != 0 ]; then
        echo "# exit $tap_status: $*"
        sed 's/^/#   /' "$work/said"
    fi
}

is() {
    if [ "$2" = "$3" ]; then
        tap_result 0 "$1"
    else
        tap_result 1 "$1"
        printf '%s\n' "$2" | sed 's/^/#    got: /'
        printf '%s\n' "$3" | sed 's/^/# wanted: /'
    fi
}

ends() {
    wanted_code=$1
    shift
    got_code=0
    "$@" >"$work/output" 2>&1 </dev/null || got_code=$?
    [ "$got_code" = "$wanted_code" ] && return 0
    echo "it ended with $got_code, not $wanted_code:"
    cat "$work/output"
    return 1
}

said() {
    grep -q -F -e "$1" "$work/output" && return 0
    echo "it said:"
    cat "$work/output"
    return 1
}

done_testing() {
    echo "1..$tap_number"
    [ "$tap_failed" = 0 ] || exit 1
}
