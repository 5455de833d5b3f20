#!/bin/sh
# Instances: a stack of which the second one, from a linked git work tree, runs beside the first.
. "$TOP/tests/support/engine.sh"

name=test-instance-$$
unset STACK_INSTANCE
main=$work/$name
linked=$work/feature
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')

at() {
    (cd "$1" && shift && "$STACK" "$@")
}

cleanup() {
    at "$main" down -v -t 0
    at "$linked" down -v -t 0
}

mkdir "$main"
cat >"$main/compose.yaml" <<END
services:
  web:
    image: busybox
    container_name: $name-front
    command: sh -c 'echo "\$\$HOSTNAME" >/data/index.html; exec httpd -f -p 80 -h /data'
    hostname: \${COMPOSE_PROJECT_NAME}
    stop_signal: SIGKILL
    ports: ["127.0.0.1:$port:80"]
    volumes: ["data:/data"]
    x-ready: { tcp: 80 }
  user:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
    depends_on: [web]
volumes:
  data: { name: $name-goods }
END
(
    cd "$main" || exit
    git init -q -b main .
    git add .
    git -c user.name=x -c user.email=x@example.org commit -qm x
    git worktree add -q "$linked" -b feature
)

ok "the main work tree's" at "$main" up -d --wait
ok "the linked one's, beside it" at "$linked" up -d --wait
is "which has its own names" "$(left_of "$name-feature" | sort | tr '\n' ' ')" \
    "container $name-feature-user-1 container $name-front-feature network $name-feature_default volume $name-goods-feature "
is "is up to date" "$(at "$linked" up -d 2>&1 | tail -n 1)" "nothing to do, 2 running"
is "ls names it" "$(at "$linked" ls --format json |
    jq -r --arg name "$name-feature" '.[] | select(.Name == $name) | .Instance')" feature
is "the main one is none" "$(at "$main" ls --format json |
    jq -r --arg name "$name" '.[] | select(.Name == $name) | .Instance + .Ports')" ""

block=$(at "$linked" ls --format json |
    jq -r --arg name "$name-feature" '.[] | select(.Name == $name) | .Ports')
eval "$(at "$linked" env)"
ok "its port lies in its block" [ "$WEB_PORT" -ge "${block%-*}" -a "$WEB_PORT" -le "${block#*-}" ]
is "and ends as the file's does" "${WEB_PORT#"${WEB_PORT%??}"}" "${port#"${port%??}"}"
is "env leads to it" "$(curl -sS "$WEB_URL")" "$name-feature"
eval "$(at "$main" env)"
is "and for the main one to that" "$WEB_URL $(curl -sS "$WEB_URL")" "http://127.0.0.1:$port $name"

# A third one does not get the block of the second.
ok "one that is named" at "$main" --instance third create
is "has another block" "$(at "$main" ls -a --format json | jq -r --arg name "$name" \
    '[.[] | select(.Name | startswith($name + "-")) | .Ports] | unique | length')" 2
ok "down of it" at "$main" --instance third down -v
is "leaves nothing" "$(left_of "$name-third")" ""
ok "STACK_INSTANCE= is the main one" sh -c "cd '$linked' && STACK_INSTANCE= '$STACK' config |
    grep -qx 'name: $name'"

ok "down of the linked one" at "$linked" down -v -t 0
is "frees what it had" "$(left_of "$name-feature")$(at "$main" ls -a | grep -c feature)" 0
is "and leaves the main one" "$(left_of "$name" | wc -l | tr -d ' ')" 4
ok "down" at "$main" down -v -t 0
is "nothing is left" "$(left_of "$name")" ""
done_testing
