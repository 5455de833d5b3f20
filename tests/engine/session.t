#!/bin/sh
# Builds that ask for something: secrets, an SSH agent, the files of a large folder.
. "$TOP/tests/support/engine.sh"

name=test-session-$$
once=$name-$(date +%s)
agent_pid=

cleanup() {
    [ -z "$agent_pid" ] || kill "$agent_pid"
    for image in secrets agent key large; do
        engine "/images/$name-$image?force=1" -X DELETE
    done
}

stack() {
    "$STACK" -f "$work/compose.yaml" "$@"
}

# An agent with one key, and a program that asks an agent how many keys it has. It is linked to
# nothing, so that it runs in any image.
SSH_AUTH_SOCK=$work/agent.sock
export SSH_AUTH_SOCK
ssh-agent -a "$SSH_AUTH_SOCK" >"$work/agent.sh"
agent_pid=$(sed -n 's/^SSH_AGENT_PID=\([0-9]*\);.*/\1/p' "$work/agent.sh")
ssh-keygen -q -t ed25519 -N '' -C a-key -f "$work/key"
ok 'a key for the agent' ssh-add -q "$work/key"
mkdir "$work/agent"
cat >"$work/ask.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    unsigned char answer[9];
    size_t n = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(to.sun_path, getenv("SSH_AUTH_SOCK"), sizeof(to.sun_path) - 1);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || write(fd, "\0\0\0\1\13", 5) != 5)
        return 1;
    while (n < sizeof(answer)) {
        ssize_t got = read(fd, answer + n, sizeof(answer) - n);
        if (got <= 0)
            return 1;
        n += (size_t)got;
    }
    printf("keys: %d\n", answer[8]);
    return 0;
}
END
# It may be a command of several words.
# shellcheck disable=SC2086
ok 'a program that asks an agent' $CC -static -o "$work/agent/ask" "$work/ask.c"

cat >"$work/compose.yaml" <<END
name: $name
services:
  secrets:
    build:
      context: .
      args: { ONCE: $once }
      secrets: [file, { source: variable, target: renamed }]
      dockerfile_inline: |
        FROM busybox
        ARG ONCE
        RUN --mount=type=secret,id=file,required=true --mount=type=secret,id=renamed \\
            --mount=type=secret,id=unknown \\
            sha256sum /run/secrets/file && sha256sum /run/secrets/renamed && \\
            test ! -e /run/secrets/unknown && echo all-seen
  agent:
    build:
      context: ./agent
      args: { ONCE: $once }
      ssh: [default]
      dockerfile_inline: |
        FROM busybox
        ARG ONCE
        COPY ask /ask
        RUN --mount=type=ssh /ask && /ask
        RUN --mount=type=ssh,id=other test ! -S "\$\$SSH_AUTH_SOCK" && echo none-other
  key:
    build:
      context: ./agent
      args: { ONCE: $once }
      ssh: [mine=$work/key]
      dockerfile_inline: |
        FROM busybox
        ARG ONCE
        COPY ask /ask
        RUN --mount=type=ssh,id=mine /ask
        RUN --mount=type=ssh test ! -S "\$\$SSH_AUTH_SOCK" && echo none-other
  locked:
    build: { context: ./agent, ssh: [default=$work/locked], dockerfile_inline: "FROM busybox" }
  large:
    build: ./large
  missing:
    build: { context: ., secrets: [nowhere], dockerfile_inline: "FROM busybox" }
  required:
    build:
      context: .
      args: { ONCE: $once }
      dockerfile_inline: |
        FROM busybox
        ARG ONCE
        RUN --mount=type=secret,id=file,required=true true
secrets:
  file: { file: ./file.secret }
  variable: { environment: TEST_SECRET }
  nowhere: { file: ./nowhere.secret }
END
echo out >"$work/.dockerignore" # it grows while the folder is sent
# The longest that there may be, and one that no shell would keep.
head -c 512000 /dev/urandom >"$work/file.secret"
export TEST_SECRET='s3cret: "% {}'

stack --debug build secrets >"$work/out" 2>&1
is 'a build with secrets ends well' $? 0
is 'a file' "$(grep -c "$(sha256sum <"$work/file.secret" | cut -d' ' -f1)" "$work/out")" 1
is 'a variable' "$(grep -c "$(printf %s "$TEST_SECRET" | sha256sum | cut -d' ' -f1)" "$work/out")" 1
is 'an optional one that is not there' "$(grep -c '^   all-seen$' "$work/out")" 1
is 'no secret in what is said' "$(grep -c 's3cret' "$work/out")" 0
is 'no secret in the image' "$(engine "/images/$name-secrets/json" | grep -c 's3cret')" 0
is 'no secret in its history' "$(engine "/images/$name-secrets/history" | grep -c 's3cret')" 0

stack build agent >"$work/out" 2>&1
is 'a build with an agent ends well' $? 0
is 'it answers, each time' "$(grep -c '^   keys: 1$' "$work/out")" 2
is 'another one is not there' "$(grep -c '^   none-other$' "$work/out")" 1

# Without an agent; where one of ours has its socket is seen.
ssh-keygen -q -t ed25519 -N secret -f "$work/locked"
mkdir "$work/sockets"
with_keys() {
    env -u SSH_AUTH_SOCK TMPDIR="$work/sockets" "$STACK" -f "$work/compose.yaml" "$@" >"$work/out" 2>&1
}
none_left() {
    for _ in $(seq 200); do
        [ -z "$(ls "$work/sockets")" ] && return 0
        sleep 0.05
    done
    ls "$work/sockets"
    return 1
}
with_keys build key
is 'a build with a key ends well' $? 0
is 'an agent with it answers' "$(grep -c '^   keys: 1$' "$work/out")" 1
is 'no other does' "$(grep -c '^   none-other$' "$work/out")" 1
with_keys build locked
is 'a key with a passphrase is refused' $? 15
is 'with the way that there is' "$(grep -c 'hint: a key with a passphrase goes to an agent' "$work/out")" 1
ok 'no agent is left' none_left

stack build missing >"$work/out" 2>&1
is 'a secret whose file is missing' $? 15
ok 'is named' grep -q "the build secret 'nowhere' from '$work/nowhere.secret'" "$work/out"
stack build required >"$work/out" 2>&1
is 'a secret that the build was not given' $? 17
ok 'has a next step' grep -q 'hint: give it to the build with build.secrets' "$work/out"
SSH_AUTH_SOCK='' stack build agent >"$work/out" 2>&1
is 'no agent' $? 15
ok 'is said' grep -q 'SSH_AUTH_SOCK is not set' "$work/out"
SSH_AUTH_SOCK=$work/key stack build agent >"$work/out" 2>&1
ok 'a key is no agent' grep -q "'$work/key' is not the socket of an SSH agent" "$work/out"
DOCKER_BUILDKIT=0 stack build secrets >"$work/out" 2>&1
ok 'the classic builder has no secrets' grep -q 'the classic builder has no secrets' "$work/out"

# A folder of 8 MB: the engine asks for what it has not.
mkdir -p "$work/large/deep/empty" "$work/large/left-out"
cat >"$work/large/Dockerfile" <<END
FROM busybox
ENV ONCE=$once
COPY . /c
COPY one two/[a-z]* /two/
WORKDIR /c
RUN find . | sort | xargs stat -c '%n %a %u %g %s' && readlink link && cat one "\$(printf '\303\251')" && \\
    ls /two && sha256sum big
END
head -c 8000000 /dev/zero >"$work/large/big"
head -c 100 /dev/zero >"$work/large/one"
printf 'e\n' >"$work/large/$(printf '\303\251')"
mkdir "$work/large/two"
: >"$work/large/two/name"
ln -s ../two "$work/large/deep/link"
ln -s /etc/passwd "$work/large/link"
chmod 4711 "$work/large/one"
chmod 1777 "$work/large/deep/empty"
echo x >"$work/large/left-out/x"
printf 'left-out\nDockerfile\n.dockerignore\n' >"$work/large/.dockerignore"

sent() {
    stack --debug build large >"$work/out" 2>&1 || cat "$work/out"
    sed -n "s/.* sent \(.*\) of 'context'$/\1/p" "$work/out" | tail -1
}

is 'all of it, the first time' "$(sent)" '4 files, 8000102 bytes'
is 'as it is there' "$(sed -n 's/^ *\(\. 755.*\|\.\/.*\|\/etc.*\)/\1/p' "$work/out" |
    sed 's,^\(\.\|\./deep\|\./deep/empty\|\./two\) \(.*\) [0-9]*$,\1 \2,')" \
    "$(printf '. 755 0 0\n./big 644 0 0 8000000\n./deep 755 0 0\n./deep/empty 1755 0 0\n./deep/link 777 0 0 6
./link 777 0 0 11\n./one 4711 0 0 100\n./two 755 0 0\n./two/name 644 0 0 0\n./\303\251 644 0 0 2\n/etc/passwd')"
is 'nothing, when nothing changed' "$(sent)" '0 files, 0 bytes'
# The same size and time.
touch -r "$work/large/big" "$work/time"
printf x | dd of="$work/large/big" conv=notrunc 2>"$work/said"
touch -r "$work/time" "$work/large/big"
is 'what changed, though it looks the same' "$(sent)" '1 files, 8000000 bytes'
ok 'arrives' grep -q "$(sha256sum <"$work/large/big" | cut -d' ' -f1)" "$work/out"
rm "$work/large/two/name"
: >"$work/large/two/other"
is 'a name that went, and one that came' "$(sent)" '1 files, 0 bytes'
done_testing
