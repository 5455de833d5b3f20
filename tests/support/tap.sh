# Sourced by shell tests: TAP, one line for each thing that was looked at.
#
#   ok NAME COMMAND...     COMMAND succeeds; what it printed is shown when it does not
#   is NAME GOT WANTED     the two texts are the same
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

done_testing() {
    echo "1..$tap_number"
    [ "$tap_failed" = 0 ] || exit 1
}
