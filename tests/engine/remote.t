#!/bin/sh
# The engine somewhere else: behind a real sshd, behind TLS with certificates for both sides, in docker's
# contexts, and where other products have their sockets.
. "$TOP/tests/support/engine.sh"

name=test-remote-$$
file=$work/compose.yaml
socket=${DOCKER_HOST#unix://}
servers=

# With DOCKER_HOST as $at, which may be empty.
at=
stack() {
    DOCKER_HOST=$at timeout 60 "$STACK" -p "$name" -f "$file" "$@"
}

cleanup() {
    stack -H "unix://$socket" down -t 0
    for pid in $servers; do
        kill "$pid"
    done
}

PATH=$PATH:/usr/sbin
for program in docker sshd ssh ssh-keygen openssl jq python3; do
    command -v "$program" >/dev/null || {
        echo "Bail out! $program is not installed: .ci/packages --install test engine"
        exit 1
    }
done
[ "$socket" != "$DOCKER_HOST" ] || {
    echo "Bail out! the engine of these tests has to be at a unix socket, not at $DOCKER_HOST"
    exit 1
}

# until_true COMMAND...: again and again, at most 10 s
until_true() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    return 1
}


export HOME="$work/home"
mkdir -p "$HOME/.docker" "$work/bin"
unset XDG_RUNTIME_DIR
cat >"$file" <<'END'
services:
  web:
    image: busybox
    network_mode: none
    stop_signal: SIGKILL
    command: sh -c 'echo it runs; exec tail -f /dev/null'
    deploy: { replicas: 12 }
END

# --- ssh ---

ssh_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
for key in host_key id stranger; do
    ssh-keygen -q -t ed25519 -N '' -f "$work/$key"
done
printf '[127.0.0.1]:%s %s\n' "$ssh_port" "$(cut -d' ' -f1,2 "$work/host_key.pub")" >"$work/known_hosts"
cat >"$work/sshd_config" <<END
Port $ssh_port
ListenAddress 127.0.0.1
HostKey $work/host_key
AuthorizedKeysFile $work/id.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel VERBOSE
END
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
start_sshd() {
    "$(command -v sshd)" -D -e -f "$work/sshd_config" 2>>"$work/sshd.log" &
    sshd=$!
    servers="$servers $sshd"
    until_true ssh-keyscan -p "$ssh_port" 127.0.0.1
}
start_sshd
# ssh reads the configuration of the account, not of $HOME: this one is that of the test alone.
cat >"$work/ssh_config" <<END
IdentitiesOnly yes
IdentityFile $work/id
UserKnownHostsFile $work/known_hosts
GlobalKnownHostsFile /dev/null
END
printf '#!/bin/sh\nexec %s -F %s/ssh_config "$@"\n' "$(command -v ssh)" "$work" >"$work/bin/ssh"
chmod +x "$work/bin/ssh"
PATH=$work/bin:$PATH

connections() {
    grep -c 'Connection from' "$work/sshd.log"
}

remote=ssh://$(id -un)@127.0.0.1:$ssh_port$socket
before=$(connections)
ok "up of 12 containers over ssh" ends 0 stack -H "$remote" up -d
is "takes one connection" "$(($(connections) - before))" 1
is "the containers are on that engine" "$(left_of "$name" | grep -c container)" 12
is "ps sees them" "$(stack -H "$remote" ps -q | wc -l)" 12
is "exec with input and an exit code" \
    "$(echo typed | stack -H "$remote" exec -T --index 7 web sh -c 'cat; exit 9'; echo $?)" "$(printf 'typed\n9')"
before=$(connections)
is "logs of all of them" "$(stack -H "$remote" logs --no-log-prefix web | grep -c '^it runs$')" 12
is "take one connection, too" "$(($(connections) - before))" 1

cp "$work/ssh_config" "$work/ssh_config.good"
sed -i "s|$work/id\$|$work/stranger|" "$work/ssh_config"
ok "a key that is refused" ends 4 stack -H "$remote" ps
ok "is told in ssh's words" said "Permission denied (publickey)"
ok "with the next step" said "hint: see whether ssh gets there without a question"
sed "s|$work/known_hosts|/dev/null|" "$work/ssh_config.good" >"$work/ssh_config"
ok "a host that is not known" ends 4 stack -H "$remote" ps
ok "is told in ssh's words, too" said "Host key verification failed"
cp "$work/ssh_config.good" "$work/ssh_config"
ok "a socket that is not there" ends 4 stack -H "${remote%"$socket"}$work/none" ps
ok "is named" said "$work/none"
ok "an sshd that is not there" ends 4 stack -H ssh://127.0.0.1:1 ps
ok "is told, too" said "Connection refused"

# More at a time than the ten that an sshd allows for one connection, with neither a line lost nor doubled
# when they die.
followed() {
    [ "$(grep -c 'it runs' "$work/followed")" = 12 ]
}
# Kills the processes of sshd for connections, and those that are given.
sever() {
    for pid in "$@" $(pgrep -P "$sshd"); do
        kill -9 "$pid"
    done
}
before=$(connections)
stack -H "$remote" logs -f web >"$work/followed" 2>&1 &
follower=$!
ok "logs are followed" until_true followed
is "on two connections of eight at a time" "$(($(connections) - before))" 2
stack -H "$remote" exec -T web sh -c 'echo begun; exec tail -f /dev/null' >"$work/held" 2>&1 &
held=$!
ok "exec runs" until_true grep -q begun "$work/held"
sever
ended=0
wait "$held" || ended=$?
is "when its connection dies it ends" "$ended" 4
ok "and says so" grep -q 'error: the connection to the command ended, and it still runs' "$work/held"
sever "$sshd"
ended=0
wait "$follower" || ended=$?
is "when no other can be had the logs end, too" "$ended" 4
ok "and say why" grep -q 'error: .*the connection' "$work/followed"
sed 's/^/# /' "$work/followed" | tail -n 3
start_sshd
ok "down over ssh" ends 0 stack -H "$remote" down
is "leaves nothing" "$(left_of "$name")" ""

# --- TLS ---

certs=$work/certs
mkdir "$certs" "$work/other" "$work/old" "$work/alone"
cat >"$work/extensions" <<'END'
subjectAltName=IP:127.0.0.1
END
# certificate_of DIR CA-DIR DAYS: a key and a certificate as cert.pem, with the authority's as ca.pem
certificate_of() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test -keyout "$1/key.pem" \
        -out "$work/request.pem"
    openssl x509 -req -in "$work/request.pem" -CA "$2/authority.pem" -CAkey "$2/authority-key.pem" \
        -CAcreateserial -days "$3" -extfile "$work/extensions" -out "$1/cert.pem"
    cp "$2/authority.pem" "$1/ca.pem"
}
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$2" \
        -keyout "$1/authority-key.pem" -out "$1/authority.pem"
}
{
    authority "$certs" ours && authority "$work/other" others &&
        certificate_of "$certs" "$certs" 2 && certificate_of "$work/other" "$work/other" 2 &&
        certificate_of "$work/old" "$certs" -1
} >"$work/openssl" 2>&1
cp "$certs/ca.pem" "$work/alone"

# front DIR: TLS with the certificate of DIR; sets tls_port.
front() {
    rm -f "$work/port"
    tests/support/tls-front "$work/port" "$1/cert.pem" "$1/key.pem" "$certs/authority.pem" "$socket" &
    servers="$servers $!"
    until_true test -e "$work/port"
    tls_port=$(cat "$work/port")
}
front "$certs"
at=tcp://127.0.0.1:$tls_port
export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$certs"
ok "up over TLS" ends 0 stack up -d --scale web=2
is "exec over TLS, with input and an exit code" \
    "$(echo typed | stack exec -T web sh -c 'cat; exit 9'; echo $?)" "$(printf 'typed\n9')"
is "logs over TLS" "$(stack logs --no-log-prefix web)" "$(printf 'it runs\nit runs')"
export DOCKER_CERT_PATH="$work/other"
ok "another authority" ends 4 stack ps
ok "is told" said "certificate"
ok "with what to look at" said "DOCKER_CERT_PATH"
export DOCKER_CERT_PATH="$work/alone"
ok "no certificate of ours" ends 4 stack ps
ok "is told as well" said "certificate"
ok "with the same next step" said "DOCKER_CERT_PATH"
unset DOCKER_TLS_VERIFY
ok "no TLS at all" ends 4 stack ps
export DOCKER_TLS_VERIFY=1
front "$work/old"
ok "a certificate that is no longer valid" ends 4 stack -H "tcp://127.0.0.1:$tls_port" ps
ok "is told as expired" said "expired"
unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH
at=
front "$certs"

# --- contexts, as docker itself keeps them ---

for context in \
    "safe host=tcp://127.0.0.1:$tls_port,ca=$certs/ca.pem,cert=$certs/cert.pem,key=$certs/key.pem" \
    "away host=unix:///away" "blind host=tcp://127.0.0.1:$tls_port,ca=$work/other/ca.pem" \
    "nowhere host=unix://$work/none.sock"; do
    docker context create "${context%% *}" --docker "${context#* }" >>"$work/contexts" 2>&1
done
# The docker command of 20.10 itself makes no context with a path behind ssh://HOST.
sed -i "s,unix:///away,$remote," "${DOCKER_CONFIG:-$HOME/.docker}"/contexts/meta/*/meta.json
is "--context: TLS of the store" "$(stack --context safe ps -q | wc -l)" 2
is "--context: ssh" "$(stack --context away ps -q | wc -l)" 2
ok "a context with another authority" ends 4 stack --context blind ps
ok "is told where to look" said "the context's TLS files"
export DOCKER_CONTEXT=nowhere
ok "DOCKER_CONTEXT" ends 4 stack ps
ok "is told as the reason" said "context 'nowhere' in DOCKER_CONTEXT"
is "--context is before DOCKER_CONTEXT" "$(stack --context safe ps -q | wc -l)" 2
is "DOCKER_HOST is before DOCKER_CONTEXT" "$(at=$remote && stack ps -q | wc -l)" 2
unset DOCKER_CONTEXT
docker context use nowhere >>"$work/contexts" 2>&1
ok "what 'docker context use' chose" ends 4 stack ps
ok "is told with its place" said "context 'nowhere' in ~/.docker/config.json"
is "DOCKER_CONTEXT is before that" "$(export DOCKER_CONTEXT=safe && stack ps -q | wc -l)" 2
is "-H, too" "$(stack -H "$remote" ps -q | wc -l)" 2
docker context use default >>"$work/contexts" 2>&1
ok "down in a context" ends 0 stack --context safe down
is "nothing is left" "$(left_of "$name")" ""

# --- sockets where others have them ---

# `doctor` where the usual socket is not: what has its place in a mount namespace of its own is none.
touch "$work/hidden.sock"
elsewhere() {
    unshare -m sh -c 'mount --bind "$2" "$1/hidden.sock" || exit 1
        [ ! -e /var/run/docker.sock ] || mount --bind /dev/null /var/run/docker.sock
        DOCKER_HOST= exec "$0" doctor --format json' "$STACK" "$work" "$socket" 2>"$work/namespace"
    sed 's/^/# /' "$work/namespace"
}
mkdir -p "$HOME/.docker/run" "$HOME/.orbstack/run" "$HOME/.colima/default" "$HOME/.rd"
while IFS='|' read -r product path; do
    ln -s "$work/hidden.sock" "$HOME/$path"
    is "the socket of $product" "$(elsewhere | jq -r '.checks[0].text')" \
        "unix://$HOME/$path answers (chosen by: the first socket found, as /var/run/docker.sock does not exist)"
    rm "$HOME/$path"
done <<'END'
Docker Desktop|.docker/run/docker.sock
OrbStack|.orbstack/run/docker.sock
Rancher Desktop|.rd/docker.sock
Colima|.colima/default/docker.sock
END
elsewhere | jq -r '.checks[0] | .text, .next' >"$work/output"
ok "when there is none the places are named" said .orbstack/run/docker.sock

# --- the version ---

oldest=$(engine /version | jq -r '[.MinAPIVersion, "1.41"] | max_by(split(".") | map(tonumber))')
ok "an API version that is pinned" env DOCKER_API_VERSION="$oldest" "$STACK" -p "$name" -f "$file" ps
ok "one that is too old" ends 2 env DOCKER_API_VERSION=1.40 "$STACK" -p "$name" -f "$file" ps
ok "is told" said "stack needs at least 1.41"

done_testing
