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

server=
cleanup() {
    [ -z "$server" ] || kill "$server"
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
stack down -t 0 --rmi local >"$work/down" 2>&1

# Contexts that the engine fetches: a tar, and a folder of a repository at a tag.
mkdir -p "$work/served/repo/sub"
printf 'FROM busybox\nCOPY f /f\nRUN cat /f\n' >"$work/served/repo/sub/Dockerfile"
echo "fetched $$" >"$work/served/repo/sub/f"
tar -C "$work/served/repo/sub" -czf "$work/served/context.tar.gz" .
(
    cd "$work/served/repo" && git init -q && git add . &&
        git -c user.name=test -c user.email=test@example.com commit -qm one && git tag v1 &&
        git clone -q --bare . ../repo.git && git -C ../repo.git update-server-info
) >"$work/git" 2>&1
python3 -u -m http.server --bind 127.0.0.1 --directory "$work/served" 0 >"$work/served.log" 2>&1 &
server=$!
port=
for _ in $(seq 200); do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$work/served.log")
    [ -z "$port" ] || break
    sleep 0.05
done
cat >"$work/compose.yaml" <<END
services:
  tar: { build: "http://127.0.0.1:$port/context.tar.gz" }
  folder: { build: "http://127.0.0.1:$port/repo.git#v1:sub" }
END
fetches() {
    stack build "$1" >"$work/built" 2>&1 && grep -q "fetched $$" "$work/built"
}
ok "a context that is the URL of a tar" fetches tar
if fetches folder; then
    ok "a folder of a repository" true
else
    ok "or a hint where BuildKit is too old for it" grep -q "hint: .*DOCKER_BUILDKIT=0" "$work/built"
    sed 's/^/# /' "$work/built"
fi
export DOCKER_BUILDKIT=0
ok "a folder of a repository, with the classic builder" fetches folder
done_testing
