#!/bin/sh
# Which builder is asked, and that nothing is sent when nothing changed.
. "$TOP/tests/support/engine.sh"

name=test-builder-$$
mkdir "$work/web"
cat >"$work/compose.yaml" <<'END'
services:
  web: { build: ./web, command: tail -f /dev/null, stop_signal: SIGKILL }
END
printf 'FROM busybox\nCOPY . /web\n' >"$work/web/Dockerfile"

stack() {
    : >"$work/log"
    "$TOP/tests/support/proxy" "$work/log" "$STACK" -p "$name" -f "$work/compose.yaml" "$@"
}

cleanup() {
    stack down -v -t 0 --rmi local
}

# The kinds of builder that the last command asked, one a line.
builders() {
    sed -n 's/^POST .*\/build?version=2&.*/buildkit/p; s/^POST .*\/build?dockerfile=.*/classic/p' "$work/log"
}

ok "build" stack build
is "it is BuildKit" "$(builders)" buildkit
export DOCKER_BUILDKIT=0
ok "build with DOCKER_BUILDKIT=0" stack build
is "it is the classic builder" "$(builders)" classic
unset DOCKER_BUILDKIT
ok "up" stack up -d
is "the image is there: nothing is built" "$(builders)" ""
echo changed >"$work/web/file"
ok "up after a change" stack up -d
is "the image is built anew" "$(builders)" buildkit
is "the container has the change" \
    "$(engine "/containers/$name-web-1/archive?path=/web/file" | tar xO)" changed
ok "up with nothing changed" stack up -d
is "nothing is built" "$(builders)" ""
touch "$work/web/file"
ok "up after a touch" stack up -d
is "the content counts, not the time" "$(builders)" ""
done_testing
