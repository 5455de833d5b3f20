#!/bin/sh
# A real registry with a password: push, pull and build with logins from every place where docker
# keeps them. 127.0.0.1 and localhost are two hosts with one registry behind them.
. "$TOP/tests/support/engine.sh"

name=test-registry-$$
file=$work/compose.yaml

stack() {
    "$STACK" -p "$name" -f "$file" "$@"
}

# The images of this test, so that the next pull has to bring them again.
forget() {
    for tag in $(engine /images/json | jq -r '.[] | (.RepoTags // []) + (.RepoDigests // []) | .[]' |
        grep -E "^(127\.0\.0\.1|localhost):$port/"); do
        engine "/images/$tag?force=1" -X DELETE >/dev/null
    done
}

there() {
    engine "/images/$1/json" | jq -e .Id
}

cleanup() {
    [ -z "$registry" ] || kill "$registry"
    forget
}

login() {
    printf '%s' "$1" | base64 -w 0
}

config() {
    cat >"$DOCKER_CONFIG/config.json"
}
registry=
port=none

mkdir "$work/docker" "$work/bin" "$work/made" "$work/from"
DOCKER_CONFIG=$work/docker
PATH=$work/bin:$PATH
export DOCKER_CONFIG PATH
perl -e 'print "ada:", crypt("pa ss:1", q($2b$04$abcdefghijklmnopqrstuv)), "\n"' >"$work/htpasswd"
cat >"$work/registry.yml" <<END
version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/data } }
http: { addr: "127.0.0.1:0" }
auth: { htpasswd: { realm: test, path: $work/htpasswd } }
END
command -v docker-registry >/dev/null || echo "# the package docker-registry is missing"
docker-registry serve "$work/registry.yml" >"$work/log" 2>&1 &
registry=$!
for _ in $(seq 100); do
    port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/log")
    [ -z "$port" ] || break
    sleep 0.05
done
ok "a registry that asks who it is" test \
    "$(curl -s -o "$work/said" -w '%{http_code}' "http://127.0.0.1:$port/v2/")" = 401
one=127.0.0.1:$port two=localhost:$port
good=$(login 'ada:pa ss:1') bad=$(login 'ada:no')

printf 'FROM busybox\nRUN echo %s >/made\n' "$name" >"$work/made/Dockerfile"
cat >"$file" <<END
services:
  made:
    build: { context: made, tags: ["$two/team/copy:other"] }
    image: $one/team/made:1
END
ok "an image to push" stack build

# Push.
ok "a push without a login" ends 18 stack push
ok "says which host to log in at" said "docker login $one"
ok "both of them" said "docker login $two"
ok "may be let pass" ends 0 stack push --ignore-push-failures
config <<END
{ "auths": { "$one": { "auth": "$good" }, "http://$two/v2/": { "auth": "$good" } } }
END
# One after the other: the registry fails now and then when one layer comes twice at a time.
ok "a push with 'auths'" ends 0 stack --parallel 1 push
ok "shows the images" said "$one/team/made:1"
digest=$(engine "/images/$one/team/made:1/json" | jq -r '.RepoDigests[] | select(startswith("127"))')
ok "a dry run says what it would push" stack --dry-run push
is "one that was not built" "$(printf 'services: {x: {build: made, image: "%s/team/never"}}' "$one" |
    "$STACK" -p "$name" -f - push 2>&1 | grep hint)" "  hint: build it first: 'stack build'"

# Pull.
cat >"$file" <<END
services:
  made: { image: "$one/team/made:1" }
END
forget
ok "a pull with 'auths'" ends 0 stack pull
ok "brings the image" there "$one/team/made:1"
forget
printf '{"auths": {"%s": {"auth": "%s"}}}' "$one" "$bad" | config
ok "a pull with a wrong password" ends 18 stack pull
ok "says who does not accept it" said "$one does not accept the login that is kept for it"
ok "and what to do" said "docker login $one"
ok "without a word of the password" test -z "$(grep -e 'ada:' -e "$bad" "$work/output")"
ok "may be let pass" ends 0 stack pull --ignore-pull-failures
ok "an up with it" ends 18 stack up -d
DOCKER_AUTH_CONFIG=$(printf '{"auths": {"%s": {"auth": "%s"}}}' "$one" "$good")
export DOCKER_AUTH_CONFIG
ok "DOCKER_AUTH_CONFIG" ends 0 stack pull
unset DOCKER_AUTH_CONFIG

# Helpers: programs of their own.
cat >"$work/bin/docker-credential-test" <<'END'
#!/bin/sh
read -r host || :
echo "$1 $host" >>"$DOCKER_CONFIG/asked"
case $host in
127.*) echo '{"ServerURL":"x","Username":"ada","Secret":"pa ss:1"}' ;;
*) echo 'credentials not found in native keychain' && exit 1 ;;
esac
END
printf '#!/bin/sh\necho "the keychain is locked" >&2; exit 1\n' >"$work/bin/docker-credential-locked"
chmod +x "$work"/bin/*
forget
echo '{"credsStore": "test"}' | config
ok "a pull with 'credsStore'" ends 0 stack pull
is "asked for that host alone" "$(sort -u "$work/docker/asked")" "get $one"
cat >"$file" <<END
services:
  one: { image: "$one/team/made:1" }
  two: { image: "$two/team/copy:other" }
END
forget
printf '{"credHelpers": {"%s": "test"}, "auths": {"%s": {"auth": "%s"}}}' "$one" "$two" "$good" | config
ok "a pull with 'credHelpers' for one host" ends 0 stack pull
ok "and a file for the other" there "$two/team/copy:other"
is "which the helper never heard of" "$(sort -u "$work/docker/asked")" "get $one"
forget
echo '{"credsStore": "test"}' | config
ok "a helper that knows one of them" ends 18 stack pull
ok "the other asks for a login" said "docker login $two"
ok "the one is there" there "$one/team/made:1"
echo '{"credsStore": "locked"}' | config
ok "a helper that fails" ends 1 stack pull
ok "says what it said" said "the keychain is locked"
echo '{"credsStore": "absent"}' | config
ok "a helper that is not there" ends 1 stack pull
ok "is named" said "docker-credential-absent"

# By digest, by policy, as a base.
printf '{"auths": {"%s": {"auth": "%s"}}}' "$one" "$good" | config
cat >"$file" <<END
services:
  made: { image: "$digest", network_mode: none, command: cat /made, pull_policy: missing }
END
forget
is "a run of a digest pulls it" "$(stack run --rm made 2>"$work/output")" "$name"
printf 'FROM %s/team/made:1\nRUN cat /made\n' "$one" >"$work/from/Dockerfile"
cat >"$file" <<END
services:
  from: { build: from }
  made: { image: "$one/team/made:1", platform: "linux/$(engine /version | jq -r .Arch)" }
END
forget
ok "a build from it" ends 0 stack build from
# Which platform that is, the engine knows alone: it fetches the base and asks for the login.
cat >"$work/from/Dockerfile" <<END
FROM --platform=\$BUILDPLATFORM $one/team/made:1
RUN echo again && cat /made
END
forget
ok "a build whose base the engine fetches by itself" ends 0 stack --debug build from
ok "asks for the login" said "session: /moby.filesync.v1.Auth/Credentials"
ok "without a word of the password there" test -z "$(grep -e 'pa ss' -e "$good" "$work/output")"
ok "a pull for a platform" ends 0 stack pull
kill "$registry"
wait "$registry" 2>"$work/waited"
registry=
ok "a pull of what is missing needs no registry" ends 0 stack pull --policy missing
ok "any other does" ends 18 stack pull
ok "and says so" said "connection refused"
stack down --rmi local >"$work/output" 2>&1

done_testing
