#!/bin/sh
# How many requests a command makes of the engine: never more than the floor that the architecture
# states, for N containers, W networks and V volumes. The stream of events that `up -d` listens to for
# containers that die at once is one subscription and no request of the floor.
. "$TOP/tests/support/engine.sh"

name=test-calls-$$

stack() {
    : >"$work/log"
    "$TOP/tests/support/proxy" "$work/log" "$STACK" -p "$name" -f "$work/compose.yaml" "$@"
}

cleanup() {
    stack down -v -t 0
}

# at_most NAME FLOOR: looks at the last command.
at_most() {
    ok "$1: at most $2 requests" check_requests "$2"
}

# Engines that do not speak 1.41 any more refuse what is asked first, and are asked again.
refused=none
case $(engine /version | jq -r .MinAPIVersion) in
1.4[2-9] | 1.[5-9]*) refused='/v1\.41/' ;;
esac

check_requests() {
    cat "$work/log"
    [ "$(grep -c 'GET .*/events?' "$work/log")" -le 1 ] &&
        [ "$(grep -v "$refused" "$work/log" | grep -vc 'GET .*/events?')" -le "$1" ]
}

containers=5
{
    echo 'services:'
    for number in $(seq $containers); do
        echo "  s$number: { image: busybox, command: tail -f /dev/null, stop_signal: SIGKILL,"
        echo "        volumes: ['data:/data'] }"
    done
    echo 'volumes: { data: {} }'
} >"$work/compose.yaml"

ok "up" stack up -d
# One more: the stream of events, by which containers that die at once are noticed.
at_most "cold up -d, 2N + W + V + 4, and the events" $((2 * containers + 1 + 1 + 4 + 1))
ok "up again" stack up -d
at_most "up -d with nothing to do" 4
case $DOCKER_HOST in
unix://*)
    LD_DEBUG=files "$STACK" -p "$name" -f "$work/compose.yaml" up -d >"$work/loaded" 2>&1
    ok "it loads libraries" grep -q libuv "$work/loaded"
    is "no libcurl for an engine on a unix socket" "$(grep -c libcurl "$work/loaded")" 0
    ;;
esac
ok "ps" stack ps
at_most "ps" 1
ok "exec" stack exec -T s1 true
at_most "exec: list, create, start, inspect" 4
ok "down" stack down
at_most "down, 1 + 2N + W" $((1 + 2 * containers + 1))
ok "down of what is left" stack down -v
at_most "down -v, 1 + W + V after a list of volumes" 4
done_testing
