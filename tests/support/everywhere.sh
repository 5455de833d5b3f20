# Sourced by the tests of what `stack` withstands: a command meets a fault at every single request that
# it makes of the engine. It has to end, and not by a crash; then a plain second run has to reach what
# an undisturbed run reaches: the same containers by the same names, networks, volumes, labels.
#
#   prepare      the test's own: makes the state that the command starts from; the stack is down before
#   everywhere "FAULT..." ARGUMENT...      of `stack`; the whole test. The faults: tests/support/proxy
. "$TOP/tests/support/engine.sh"

patience=60
name=test-$(basename "$0" .t | tr -c 'a-z0-9\n' -)-$$

# write_stack A B: two services with these values in their environment, a network, a volume.
write_stack() {
    cat >"$work/compose.yaml" <<END
services:
  one:
    image: ${image:-busybox}
    command: tail -f /dev/null
    stop_signal: SIGKILL
    environment: { VALUE: "$1" }
    volumes: ["data:/data", "/anonymous"]
  two:
    image: ${image:-busybox}
    command: tail -f /dev/null
    stop_signal: SIGKILL
    environment: { VALUE: "$2" }
    depends_on: [one]
volumes:
  data: {}
END
}

stack() {
    "$STACK" -p "$name" -f "$work/compose.yaml" "$@"
}

cleanup() {
    stack down -v -t 0
}

# Everything about the stack that a user could see, without what is new in every run.
snapshot() {
    filter=$(printf '{"label":["com.docker.compose.project=%s"]}' "$name" | sed 's/"/%22/g')
    engine "/containers/json?all=1&filters=$filter" | jq -S 'map({
        name: .Names, Image, State, Command, Labels,
        networks: .NetworkSettings.Networks
            | map_values(.Aliases // [] | map(select(test("^[0-9a-f]{12}$") | not))), # Podman: ids
        mounts: .Mounts | map({ Destination,
            name: (.Name // "" | if test("^[0-9a-f]{64}$") then "anonymous" else . end) })
            | sort_by(.Destination)
    }) | sort_by(.name)'
    engine "/networks?filters=$filter" | jq -S 'map({ Name, Labels, Options }) | sort_by(.Name)'
    engine "/volumes?filters=$filter" | jq -S '.Volumes // [] | map({ Name, Labels }) | sort_by(.Name)'
}

# A start from nothing, and what `prepare` makes of it.
begin() {
    stack down -v -t 0 >/dev/null 2>&1
    prepare >"$work/prepared" 2>&1 || sed 's/^/# prepare: /' "$work/prepared"
}

# A signal that the test itself sent is a good end, and so is a refusal; hanging and crashing are not.
ended_well() {
    case $1:$2 in
    kill-*:KILL:137 | kill-*:INT:130 | kill-*:TERM:143) ;;
    *:124) echo "it did not end in $patience seconds" && return 1 ;;
    *) [ "$2" -lt 128 ] ;;
    esac
}

# One fault and the run after it: meet FAULT NUMBER ARGUMENT...
meet() {
    fault=$1
    number=$2
    shift 2
    begin
    : >"$work/log"
    code=0
    timeout "$patience" "$TOP/tests/support/proxy" "$work/log" "$fault" "$number" -- \
        "$STACK" -p "$name" -f "$work/compose.yaml" "$@" || code=$?
    echo "$fault: ended with $code at: $(sed -n "${number}p" "$work/log")"
    ended_well "$fault" "$code" || return 1
    stack "$@" || return 1
    snapshot >"$work/reached"
    diff -u "$work/wanted" "$work/reached"
}

# EVERY=3 does every third of them, another third with the next fault: the scripted engine
# (tests/wire/faults.c) does them all.
everywhere() {
    faults=$1
    shift
    turn=0
    begin
    : >"$work/log"
    ok "undisturbed" "$TOP/tests/support/proxy" "$work/log" \
        "$STACK" -p "$name" -f "$work/compose.yaml" "$@"
    snapshot >"$work/wanted"
    requests=$(wc -l <"$work/log")
    for fault in $faults; do
        turn=$((turn + 1))
        for at in $(seq "$requests"); do
            [ $(((at + turn) % ${EVERY:-1})) = 0 ] || continue
            ok "$fault at request $at of $requests" meet "$fault" "$at" "$@"
        done
    done
    done_testing
}
