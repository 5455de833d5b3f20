#!/bin/sh
# `up` and `down` of one stack at the same time, and a holder of the lock that is killed: one waits
# for the other and says for whom; what is there afterwards is what one of the two leaves alone.
. "$TOP/tests/support/engine.sh"

name=test-together-$$
file=$work/compose.yaml

stack() {
    "$STACK" -p "$name" -f "$file" "$@"
}

# begin OUTPUT COMMAND...: `stack COMMAND` in the background, its process in $begun.
begin() {
    begin_output=$work/$1
    shift
    "$STACK" -p "$name" -f "$file" "$@" >"$begin_output" 2>&1 &
    begun=$!
}

# ends NAME PID CODE OUTPUT
ends() {
    code=0
    wait "$2" || code=$?
    is "$1" "$code" "$3"
    [ "$code" = "$3" ] || sed 's/^/# it said: /' "$work/$4"
}

# `gate` is ready when it gets USR1, and being stopped it ends when it gets USR2: so a test holds
# `up` and `down` in the middle for as long as it wants.
write_gated() {
    cat >"$file" <<END
services:
  gate:
    image: busybox
    command:
      - sh
      - -c
      - |
        trap 'echo open' USR1
        trap 'echo stopping' TERM
        trap 'exit 0' USR2
        echo waiting
        while :; do sleep 600 & wait; done
    stop_grace_period: 2m
    x-ready: { log: open, timeout: 2m }
  web:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
END
}

write_plain() {
    cat >"$file" <<END
services:
  gate:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
  web:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
END
}

gate() {
    engine "/containers/$name-gate-1/$1" -X "${2:-GET}"
}

# Both wait for at most a minute.
until_says() {
    timeout 60 sh -c 'until grep -qF -e "$2" "$1"; do sleep 0.02; done' - "$work/$1" "$2"
}

until_gate_says() {
    for _ in $(seq 600); do
        gate "logs?stdout=1" >"$work/gate" && grep -aqF "$1" "$work/gate" && return 0
        sleep 0.1
    done
    return 1
}

until_exited() {
    engine "/containers/$name-$1-1/wait" -X POST -m 60
}

states() {
    stack ps -a --format json | jq -rs 'flatten | map("\(.Service) \(.State)") | sort | join(", ")'
}

cleanup() {
    # Several processes are several words.
    # shellcheck disable=SC2046
    kill -KILL $(jobs -p) 2>/dev/null
    stack down -v -t 0 --remove-orphans
}

everything="container $name-gate-1
container $name-web-1
network ${name}_default"

# `down` comes while `up` is at work.
write_gated
begin up up -d --wait
up=$begun
ok "up is in the middle" until_gate_says waiting
begin down down
down=$begun
ok "down waits for up, and says so" \
    until_says down "waiting for 'stack up' (process $up)"
is "meanwhile it does nothing" "$(states)" "gate running, web running"
gate "kill?signal=USR1" POST
ends "up ends well" "$up" 0 up
ok "then down goes on" until_gate_says stopping
gate "kill?signal=USR2" POST
ends "and ends well" "$down" 0 down
is "nothing is left" "$(left_of "$name")" ""

# `up` comes while `down` is at work.
ok "up again" stack up -d
ok "it runs" until_gate_says waiting
before=$(gate json | jq -r .Id)
begin down down
down=$begun
ok "down is in the middle" until_gate_says stopping
write_plain
begin up up -d
up=$begun
ok "up waits for down, and says so" \
    until_says up "waiting for 'stack down' (process $down)"
gate "kill?signal=USR2" POST
ends "down ends well" "$down" 0 down
ends "up ends well" "$up" 0 up
is "everything is there" "$(left_of "$name" | sort)" "$everything"
is "and runs" "$(states)" "gate running, web running"
ok "in another container" [ "$(gate json | jq -r .Id)" != "$before" ]

# Both at once, whoever comes first: all of it, or nothing.
both() {
    # shellcheck disable=SC2086
    begin first $1
    first=$begun
    # shellcheck disable=SC2086
    begin second $2
    ends "$1, with $2: it ends well" "$first" 0 first
    ends "$2, with $1: it ends well" "$begun" 0 second
    left=$(left_of "$name" | sort)
    legal=$left
    [ -z "$left" ] || legal=$everything
    is "$1, with $2: all of it or nothing" "$left" "$legal"
    [ -z "$left" ] || legal="gate running, web running"
    is "$1, with $2: in the right state" "$(states)" "$legal"
}
both "down -t 0" "up -d"
both "up -d" "down -t 0"
both "down -t 0" "up -d"
stack down -t 0 >"$work/down" 2>&1
is "nothing is left" "$(left_of "$name")" ""

# The holder is killed in the middle while another one waits.
write_gated
begin first up -d --wait
first=$begun
ok "one up is in the middle" until_gate_says waiting
begin second up -d --wait
second=$begun
ok "the second waits for it" until_says second "(process $first)"
kill -KILL "$first"
ends "the first is killed" "$first" 137 first
gate "kill?signal=USR1" POST
ends "the second goes on, and ends well" "$second" 0 second
is "everything is there" "$(left_of "$name" | sort)" "$everything"
is "and runs" "$(states)" "gate running, web running"

# The holder is killed, and the next one comes later.
begin down down
ok "a down is in the middle" until_gate_says stopping
ok "it has stopped the other one" until_exited web
kill -KILL "$begun"
ends "it is killed" "$begun" 137 down
write_plain
begin up up -d
# The engine goes on stopping the container, which the next `up` replaces.
gate "kill?signal=USR2" POST
ends "the next up ends well" "$begun" 0 up
is "it did not wait" "$(grep -c 'waiting for' "$work/up")" 0
is "everything is there" "$(left_of "$name" | sort)" "$everything"
is "and runs" "$(states)" "gate running, web running"
ok "plan" stack plan --format json
is "has nothing to do" "$(jq '.operations | length' "$work/said")" 0

done_testing
