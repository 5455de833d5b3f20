#!/bin/sh
# From `git push` to everybody's image: the hook rebuilds what was pushed, pushes the image to a real
# registry and brings the stack up; who starts from nothing pulls it and builds nothing.
. "$TOP/tests/support/engine.sh"

name=test-hook-$$
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME
registry=
server=
port=none

stack() {
    (cd "$work/stack" && "$STACK" -s "$name" "$@")
}

# Images of the registry's address, and what a build of this test left.
forget() {
    for tag in $(engine /images/json | jq -r '.[] | (.RepoTags // []) + (.RepoDigests // []) | .[]' |
        grep -E "^(127\.0\.0\.1:$port|$name)[/:_-]"); do
        engine "/images/$tag?force=1" -X DELETE >/dev/null
    done
}

cleanup() {
    [ -z "$server" ] || kill "$server"
    stack down -v -t 1
    forget
    [ -z "$registry" ] || kill "$registry"
}

git() {
    command git -c user.name=t -c user.email=t@t -c init.defaultBranch=main "$@"
}

# says FILE PATTERN: until the file has such a line; the first group of it.
says() {
    for _ in $(seq 400); do
        found=$(sed -n "s|.*$2.*|\1|p" "$1" 2>/dev/null | tail -n 1)
        [ -z "$found" ] || break
        sleep 0.05
    done
    echo "$found"
}

cat >"$work/registry.yml" <<END
version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/data } }
http: { addr: "127.0.0.1:0" }
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
port=$(says "$work/registry.log" 'listening on 127\.0\.0\.1:\([0-9]*\)')

# A project with a docstack/ of its own, in a bare repository.
git init -q --bare "$work/app.git"
git init -q "$work/app"
mkdir -p "$work/app/docstack" "$work/stack/stacks"
printf 'FROM busybox\nCOPY made /made\nCMD ["sleep", "600"]\n' >"$work/app/Dockerfile"
printf 'services:\n  app:\n    build: .\n    stop_grace_period: 0s\n' >"$work/app/docstack/docstack.yaml"
echo first >"$work/app/made"
(cd "$work/app" && git add . && git commit -qm first && git push -q "$work/app.git" main)

cat >"$work/stack/stacks/$name.yaml" <<END
name: $name
registry: 127.0.0.1:$port/team
projects:
  app: { git: "file://$work/app.git", ref: main }
END
echo 's3cret' >"$work/secret"
chmod 600 "$work/secret"
cat >"$work/stack/hook.yaml" <<END
listen: 127.0.0.1:0
queue: $work/queue
secret_file: $work/secret
projects:
  app:
    git: file://$work/app.git
    stack_file: stacks/$name.yaml
    up: $name
    # What sanitizers reserve is no memory that anybody uses.
    limits: { memory: 100000g }
END
(cd "$work/stack" && exec "$STACK" hook) >"$work/said" 2>&1 &
server=$!
address=$(says "$work/said" 'listening at \(.*\)')
cat >"$work/app.git/hooks/post-receive" <<END
#!/bin/sh
exec "$STACK" hook --send "$address/hook/app" --secret-file "$work/secret"
END
chmod +x "$work/app.git/hooks/post-receive"

# --- a push ---
echo second >"$work/app/made"
(cd "$work/app" && git commit -qam second && git push "$work/app.git" main) >"$work/pushed" 2>&1
ok "git push says which job it is" grep -F '{"job":1}' "$work/pushed"
ok "the job ends well" test "$(says "$work/said" 'job 1: app main: \(.*\)')" = success
curl -s "$address/jobs/1/log" >"$work/log"
commit=$(cd "$work/app" && git rev-parse HEAD)
image=$(curl -s "http://127.0.0.1:$port/v2/_catalog" | jq -r '.repositories[0]')
tags=$(curl -s "http://127.0.0.1:$port/v2/$image/tags/list" | jq -r '.tags[]')
ok "the registry has the commit's image" sh -c 'echo "$1" | grep -x "git-$2"' sh "$tags" \
    "$(echo "$commit" | cut -c 1-12)"
ok "and the branch's" sh -c 'echo "$1" | grep -x main' sh "$tags"
is "the stack runs what was pushed" "$(stack exec -T app cat /made </dev/null)" second
ok "the log has all of it" sh -c 'grep -q "\"action\": \"built\"" "$1" && grep -q "app-1 Started" "$1" || { cat "$1"; false; }' sh \
    "$work/log"

# --- somebody who has nothing ---
stack down -v -t 1 >"$work/down" 2>&1
forget
XDG_CACHE_HOME=$work/nothing
ok "from nothing" sh -c 'cd "$1" && "$2" -s "$3" --progress plain up -d >"$4" 2>&1' sh \
    "$work/stack" "$STACK" "$name" "$work/said-up"
ok "the image is fetched" grep -F 'app Fetched' "$work/said-up"
ok "and not built" sh -c '! grep -F Building "$1"' sh "$work/said-up"
is "the same content" "$(stack exec -T app cat /made </dev/null)" second
kill "$server"
wait "$server"
server=
done_testing
