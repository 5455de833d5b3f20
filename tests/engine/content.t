#!/bin/sh
# Images by content: what a pipeline built and pushed, others fetch; what the lock file says, they get.
. "$TOP/tests/support/engine.sh"

name=test-content-$$
export HOME="$work/home" XDG_CACHE_HOME="$work/cache" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
registry=
port=none

stack() {
    "$STACK" -p "$name" --progress plain "$@"
}

# Every image of this test, so that the engine has none of them.
forget() {
    for tag in $(engine /images/json | jq -r '.[] | (.RepoTags // []) + (.RepoDigests // []) | .[]' |
        grep -E "^(127\.0\.0\.1:$port/|${name}[-/])"); do
        engine "/images/$tag?force=1" -X DELETE >/dev/null
    done
}

cleanup() {
    stack down -v -t 0
    forget
    [ -z "$registry" ] || kill "$registry"
}

# ends CODE COMMAND...: what it said is in $work/output.
ends() {
    wanted_code=$1
    shift
    got_code=0
    "$@" >"$work/output" 2>"$work/errors" </dev/null || got_code=$?
    cat "$work/errors" >>"$work/output"
    [ "$got_code" = "$wanted_code" ] && return 0
    echo "it ended with $got_code, not $wanted_code:"
    cat "$work/output"
    return 1
}

never_said() {
    grep -F -e "$1" "$work/output" || return 0
    return 1
}

# The tags that the registry has for a repository, but for that of the content, which is a line "content".
tags() {
    curl -s "http://127.0.0.1:$port/v2/team/$1/tags/list" | jq -r '.tags[]' |
        sed 's/^content-.*/content/' | sort | tr '\n' ' '
}

# What the service prints.
printed() {
    stack logs --no-log-prefix web | tail -n 1
}

commit() {
    git -C "$1" add -A && git -C "$1" commit -qm "$2" && git -C "$1" push -q --tags origin main
}

# What `rebuild` printed as JSON.
results() {
    sed -n '/^{/,/^}/p' "$work/output" >"$work/rebuilt.json"
}

# A field of an image in the JSON of `rebuild`.
rebuilt() {
    jq -r --arg image "$1" ".images[] | select(.image == \$image) | $2" "$work/rebuilt.json"
}

# --- a registry, its base image, two projects, a stack ---

mkdir -p "$work/home" "$work/stack"
cat >"$work/registry.yml" <<END
version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/data } }
http: { addr: "127.0.0.1:0" }
END
command -v docker-registry >/dev/null || echo "# the package docker-registry is missing"
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
for _ in $(seq 200); do
    port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/registry.log")
    [ -z "$port" ] || break
    sleep 0.05
done
# base_image TEXT: what the registry has as the base of it all
base_image() {
    mkdir -p "$work/os"
    printf 'FROM busybox\nRUN echo %s >/os\n' "$1" >"$work/os/Dockerfile"
    printf 'services: {os: {build: os, image: "127.0.0.1:%s/os:1"}}' "$port" >"$work/os.yaml"
    "$STACK" -p "$name-os" -f "$work/os.yaml" build -q && "$STACK" -p "$name-os" -f "$work/os.yaml" push
}
ok "a base image in the registry" base_image one

for project in base web; do
    git init -q --bare -b main "$work/$project.git"
    git clone -q "$work/$project.git" "$work/$project" 2>"$work/cloned"
    git -C "$work/$project" checkout -q -B main
    mkdir "$work/$project/docstack"
done
printf 'FROM 127.0.0.1:%s/os:1\nCOPY said /said\n' "$port" >"$work/base/docstack/Dockerfile"
printf 'services: {}\nimages:\n  base: { dockerfile: docstack/Dockerfile }\n' \
    >"$work/base/docstack/docstack.yaml"
echo base-one >"$work/base/said"
printf 'FROM base\nCOPY mine /mine\nCMD ["sh", "-c", "cat /os /said /mine | xargs; exec tail -f /dev/null"]\n' \
    >"$work/web/docstack/Dockerfile"
printf 'services:\n  web: { network_mode: none, stop_signal: SIGKILL, ready: { log: "." } }\n' \
    >"$work/web/docstack/docstack.yaml"
echo web-one >"$work/web/mine"
commit "$work/base" one
commit "$work/web" one
git -C "$work/web" tag milestone-1
git -C "$work/web" push -q --tags
cat >"$work/stack/stack.yaml" <<END
registry: 127.0.0.1:$port/team
projects:
  base: { git: "file://$work/base.git", ref: main }
  web: { git: "file://$work/web.git", ref: main }
END
cd "$work/stack" || exit 1

# --- the pipeline ---

ok "rebuild of what others are FROM, with --push" ends 0 stack rebuild base --push --format json
results
is "builds both" "$(rebuilt base .action) $(rebuilt web .action)" "built built"
commit=$(git -C "$work/web" rev-parse HEAD)
is "says of which commit" "$(rebuilt web '"\(.commit) \(.dirty)"')" "$commit false"
is "and pushes to where they are looked for" "$(tags web)" \
    "content git-$(echo "$commit" | cut -c 1-12) main milestone-1 "
is "what it says it did" "$(rebuilt web '.pushed | length')" 4
is "the tag of the content has the fingerprint" "$(rebuilt web '.fingerprint as $f | [.tags[] | select(contains($f))] | length')" 1
web_id=$(rebuilt web .id)
ok "once more" ends 0 stack rebuild base --push --format json
results
is "there is nothing to build" "$(rebuilt base .action) $(rebuilt web .action)" "present present"
ok "lock" ends 0 stack lock
cp stack.lock "$work/first.lock"
is "has both commits" "$(grep -c "commit: $commit\|commit: $(git -C "$work/base" rev-parse HEAD)" stack.lock)" 2
is "and the digest of the registry" "$(sed -n 's/^    digest: //p' stack.lock | tail -n 1)" \
    "$(curl -sI -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
        -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
        "http://127.0.0.1:$port/v2/team/web/manifests/main" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip')"
ok "lock --check" ends 0 stack lock --check

# --- somebody who has nothing but the stack file ---

forget
ok "--no-build --pull never" ends 1 stack up -d --no-build --pull never
ok "says what is missing" said "its image '$name-web' is not built"
ok "the plan" ends 0 stack plan
ok "says that it looks into the registry first" said "fetch image $name-web"
ok "up" ends 0 stack up -d
ok "fetches" said "$name-web Fetched"
ok "and builds nothing" never_said "Built"
is "it is what was pushed" "$(engine "/images/$name-web/json" | jq -r .Id)" "$web_id"
is "and runs" "$(printed)" "one base-one web-one"
ok "up again" ends 0 stack up -d
ok "has nothing to do" said "nothing to do"

# --- a change ---

echo web-two >"$work/web/mine"
commit "$work/web" two
ok "with --no-build what is there is used" ends 0 stack up -d --no-build --sync
stack down -t 0 >"$work/down" 2>&1
forget
ok "and what nobody built is an error" ends 18 stack up -d --no-build
ok "that says so" said "$name-web"
ok "and is built otherwise" ends 0 stack up -d
ok "here" said "$name-web Built"
is "it runs" "$(printed)" "one base-one web-two"
ok "lock --check sees it" ends 1 stack lock --check
ok "with the commit" said "~ project web: $(echo "$commit" | cut -c 1-12) -> $(git -C "$work/web" rev-parse HEAD | cut -c 1-12)"
tree=$(stack config --format json | jq -r .services.web.build.context)
echo dirty >"$tree/mine"
ok "a dirty tree is built here" ends 0 stack up -d
is "as it is" "$(printed)" "one base-one dirty"
ok "and cannot be locked" ends 6 stack lock
git -C "$tree" checkout -q mine

# --- the colleague's lock ---

forget
ok "up --locked" ends 0 stack up -d --locked
is "is the image of the lock file" "$(engine "/images/$name-web/json" | jq -r .Id)" "$web_id"
is "and runs, though the branch moved" "$(printed)" "one base-one web-one"
ok "again there is nothing to do" ends 0 stack up -d --locked
ok "and it says so" said "nothing to do"
ok "rebuild of a tag" ends 0 stack rebuild web --ref milestone-1 --push --format json
results
is "is the commit of the tag" "$(rebuilt web '"\(.commit) \(.action)"')" "$commit present"
printf 'projects:\n  web: { commit: nothing }\nimages: 3\nverzion: 1\n' >stack.lock
ok "mistakes in the lock file" ends 15 stack up -d --locked
ok "have their places" said "stack.lock:2:18: error: commit: expected 40 hexadecimal digits"
ok "all of them" said "stack.lock:4:1: error: unknown key 'verzion'"
ok "lock, anew" ends 0 stack lock
sed -i "s/$commit/$(git -C "$work/web" rev-parse HEAD)/" stack.lock
ok "two locks compared" ends 1 stack lock --diff "$work/first.lock" stack.lock
ok "show what moved" said "~ project web: $(echo "$commit" | cut -c 1-12) -> "

# --- track, and a base that changed ---

sed -i '/web/s/, ref: main//' stack.yaml
ok "--track" ends 0 stack --track milestone-1 up -d --sync
is "is the line of that name" "$(printed)" "one base-one web-one"
ok "another base image" base_image two
ok "a base that changed in its registry" ends 0 stack rebuild base --pull --format json
results
is "is reason enough" "$(rebuilt base .action) $(rebuilt web .action)" "built built"

done_testing
