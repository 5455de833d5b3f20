#!/bin/sh
# Projects from git, from the first `stack add` to a checkout of one's own.
. "$TOP/tests/support/engine.sh"

name=test-git-$$
export HOME="$work/home" STACK_CACHE="$work/cache" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org

stack() {
    "$STACK" -p "$name" "$@"
}

cleanup() {
    stack down -v -t 0
    engine "/images/$name-web?force=1" -X DELETE
}

# A field of the project's line of `status`.
status() {
    stack status --format json | jq -r ".[0] | $1"
}

# What the service prints.
printed() {
    stack logs --no-log-prefix web | tail -n 1
}

mkdir -p "$work/home" "$work/here"
cd "$work/here" || exit 1
git init -q -b main ../origin
mkdir ../origin/docstack
cat >../origin/docstack/Dockerfile <<'END'
FROM busybox
COPY said /said
CMD ["sh", "-c", "cat /said; exec tail -f /dev/null"]
END
cat >../origin/docstack/docstack.yaml <<'END'
services:
  web: { network_mode: none, stop_signal: SIGKILL, ready: { log: '.' } }
END
echo one >../origin/said
git -C ../origin add .
git -C ../origin commit -qm one
printf '# ours\nprojects:   # none yet\n\n# the end\n' >stack.yaml
cp stack.yaml before.yaml

# add
ok "add looks into the repository first" ends 1 stack add ../origin --ref none
ok "a ref that is not there is told" said "there is no branch, tag or commit 'none'"
ok "and nothing was written" cmp stack.yaml before.yaml
ok "add" ends 0 stack add ../origin --name web --ref main
printf '# ours\nprojects:   # none yet\n  web: { git: ../origin, ref: main }\n\n# the end\n' >wanted.yaml
ok "is one line more" cmp stack.yaml wanted.yaml
is "before the first up it is not cloned" "$(status '.Path // "none"')" none
ok "ps without a clone knows the stack by its name" ends 0 stack ps
ok "the same name again is refused" ends 15 stack add ../origin --name web

# up
ok "up clones and builds" ends 0 stack up -d
is "the service is of the first commit" "$(printed)" one
is "status knows the commit" "$(status .Commit)" "$(git -C ../origin rev-parse main)"
is "the image was built here" "$(status '.Images[0].State')" "built here"
echo two >../origin/said
git -C ../origin commit -qam two
ok "up fetches nothing" ends 0 stack up -d
is "the service is what it was" "$(printed)" one
ok "up --sync" ends 0 stack up -d --sync
is "the service is of the second commit" "$(printed)" two
git -C ../origin commit -q --allow-empty -m three
ok "sync --dry-run" ends 0 stack --dry-run sync
ok "says what it would do" said "web"
is "and does nothing" "$(status .Commit)" "$(git -C ../origin rev-parse main~1)"
tree=$(status .Path)
echo mine >"$tree/said"
is "a change is seen" "$(status '"\(.Changed) \(.Images[0].State)"')" "1 stale"
ok "and not overwritten" ends 6 stack sync
ok "the message says what to do" said "stack dev web"
ok "unless that is asked for" ends 0 stack sync --force web
is "then it is gone" "$(cat "$tree/said")" two

# dev
ok "dev clones" ends 0 stack dev web
is "to a folder beside the stack file" "$(status '"\(.Source) \(.Path)"')" "dev $work/here/web"
is "the stack file stays" "$(cat stack.yaml)" "$(cat wanted.yaml)"
git init -q .
is "git ignores where it is noted" "$(git status --porcelain .stack)" ""
echo mine >web/said
git -C web commit -qam mine
is "status follows its branch" "$(status '"\(.Branch) \(.Ahead) \(.Changed)"')" "main 1 0"
ok "up builds from it" ends 0 stack up -d
is "the service is of my commit" "$(printed)" mine
ok "sync leaves it alone" ends 6 stack sync web
ok "and says so" said "stands in for project 'web'"
mv web elsewhere
ok "when it is gone" ends 15 stack up -d
ok "the message says how to go back" said "stack undev web"
ok "undev" ends 0 stack undev web
ok "up" ends 0 stack up -d
is "the service is of the repository again" "$(printed)" two

# another ref for a pipeline
git -C ../origin checkout -q -b side
echo side >../origin/said
git -C ../origin commit -qam side
ok "rebuild --ref" ends 0 stack rebuild web --ref side --format json
is "builds that commit" "$(sed -n '/^[{[]/,$p' "$work/output" | jq -r '.. | .commit? // empty' | head -n 1)" \
    "$(git -C ../origin rev-parse side)"
is "the work tree of the stack is what it was" "$(cat "$tree/said")" two

# what works from labels when the cache is gone
mv "$STACK_CACHE" "$work/gone"
mv ../origin ../moved
ok "ps" ends 0 stack ps -q
ok "shows what runs" test "$(wc -l <"$work/output")" = 1
ok "down" ends 0 stack down -t 0
is "nothing is left" "$(left_of "$name")" ""
mv "$work/gone" "$STACK_CACHE"

done_testing
