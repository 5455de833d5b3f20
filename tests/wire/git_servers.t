#!/bin/sh
# Projects from git, from real servers on this machine: http and https with passwords, ssh with keys, and
# what is left when a clone is killed.
. "$TOP/tests/support/tap.sh"

export HOME="$work/home" STACK_CACHE="$work/cache" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
unset GIT_SSL_CAINFO GIT_SSL_CAPATH SSL_CERT_FILE SSL_CERT_DIR GIT_SSH GIT_ASKPASS SSH_ASKPASS
secret=s3cret-$$
servers=

cleanup() {
    for pid in $servers; do
        kill "$pid"
    done
}

for program in lighttpd sshd ssh ssh-keygen openssl jq; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || {
        echo "Bail out! $program is not installed: .ci/packages --install test"
        exit 1
    }
done
PATH=$PATH:/usr/sbin

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# until COMMAND...: again and again, at most 10 s
until_true() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    return 1
}

# The stack of one project: use URL [REF].
use() {
    printf 'name: servers\nprojects:\n  web: { git: "%s"%s }\n' "$1" "${2:+, ref: $2}" >stack.yaml
}

stack() {
    "$STACK" "$@"
}

# Paths below the cache's mirrors: mirrors PATTERN.
mirrors() {
    find "$STACK_CACHE/git/mirrors" -mindepth 1 -maxdepth 1 -name "$1"
}

content() {
    cat "$(stack config --format json | jq -r .services.web.build.context)/file"
}

# --- repositories and servers ---

mkdir "$work/home" "$work/repos" "$work/here"
cd "$work/here" || exit 1
git init -q -b main "$work/source"
mkdir "$work/source/docstack"
echo 'FROM scratch' >"$work/source/docstack/Dockerfile"
echo one >"$work/source/file"
git -C "$work/source" add .
git -C "$work/source" commit -qm one
git clone -q --bare "$work/source" "$work/repos/open.git"
git clone -q --bare "$work/source" "$work/repos/private.git"
cp -r "$work/source" "$work/large"
head -c 1200000 /dev/urandom >"$work/large/large"
git -C "$work/large" add .
git -C "$work/large" commit -qm large
git clone -q --bare "$work/large" "$work/repos/large.git"

openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl"
http=$(free_port) https=$(free_port) slow=$(free_port) ssh=$(free_port)
echo "me:$secret" >"$work/passwords"
cat >"$work/lighttpd.conf" <<END
server.document-root = "$work/repos"
server.port = $http
server.bind = "127.0.0.1"
server.modules = ("mod_alias", "mod_auth", "mod_authn_file", "mod_cgi", "mod_setenv", "mod_openssl")
server.errorlog = "$work/lighttpd.log"
server.upload-dirs = ("$work")
server.stream-response-body = 2
alias.url = ("/git" => "$(git --exec-path)/git-http-backend")
cgi.assign = ("" => "")
setenv.add-environment = ("GIT_PROJECT_ROOT" => "$work/repos", "GIT_HTTP_EXPORT_ALL" => "1")
auth.backend = "plain"
auth.backend.plain.userfile = "$work/passwords"
\$HTTP["url"] =~ "^/git/private" {
    auth.require = ("" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
}
\$SERVER["socket"] == "127.0.0.1:$https" {
    ssl.engine = "enable"
    ssl.pemfile = "$work/cert.pem"
    ssl.privkey = "$work/key.pem"
}
\$SERVER["socket"] == "127.0.0.1:$slow" {
    connection.kbytes-per-second = 900
}
END
lighttpd -D -f "$work/lighttpd.conf" 2>"$work/lighttpd.err" &
servers=$!

ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$work/id"
ssh-keygen -q -t ed25519 -N '' -f "$work/stranger"
cp "$work/id.pub" "$work/authorized"
printf '[localhost]:%s %s\n' "$ssh" "$(cut -d' ' -f1,2 "$work/host_key.pub")" >"$work/known_hosts"
cat >"$work/sshd_config" <<END
Port $ssh
ListenAddress 127.0.0.1
HostKey $work/host_key
AuthorizedKeysFile $work/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
END
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
"$(command -v sshd)" -D -e -f "$work/sshd_config" 2>"$work/sshd.log" &
servers="$servers $!"
until_true curl -sf "http://127.0.0.1:$http/git/open.git/HEAD" -o "$work/head"
until_true sh -c "ssh-keyscan -p $ssh 127.0.0.1 2>/dev/null | grep ."

# --- http ---

use "http://127.0.0.1:$http/git/open.git" main
ok "a repository is cloned over http" ends 0 stack sync
is "its files are checked out" "$(content)" one
echo two >"$work/source/file"
git -C "$work/source" commit -qam two
git -C "$work/source" push -q "$work/repos/open.git" main
ok "config fetches nothing" ends 0 stack config -q
is "the work tree is what it was" "$(content)" one
ok "a sync fetches" ends 0 stack sync
is "the work tree is what the branch is now" "$(content)" two

use "http://127.0.0.1:$http/git/none.git"
ok "a repository that is not there" ends 1 stack sync
ok "the message names it" said "http://127.0.0.1:$http/git/none.git"
use "http://127.0.0.1:$http/git/open.git" mian
ok "a branch that is not there" ends 1 stack config -q
ok "names that are near" said "did you mean 'main'?"

# --- passwords ---

private=http://127.0.0.1:$http/git/private.git
use "$private"
ok "without a password there is nothing" ends 1 stack sync
ok "the message says where one is looked for" said "git's credential helpers and ~/.netrc"
printf 'machine 127.0.0.1\n  login me\n  password wrong\n' >"$HOME/.netrc"
ok "a wrong password" ends 1 stack sync
ok "is told" said "refuses the password"
git config --global credential.helper "!f() { test \$1 = get && echo username=me && echo password=$secret; }; f"
ok "a helper of git's has the password" ends 0 stack sync
is "with it the files come" "$(content)" one
git config --global --unset credential.helper
rm -rf "$STACK_CACHE"
printf 'default login x password y\nmachine 127.0.0.1 login me password %s\n' "$secret" >"$HOME/.netrc"
sed -i 1d "$HOME/.netrc"
ok "netrc has the password" ends 0 stack sync
rm -rf "$STACK_CACHE" "$HOME/.netrc"
# shellcheck disable=SC2016
use 'http://me:${GIT_PASSWORD}@127.0.0.1:'"$http/git/private.git"
export GIT_PASSWORD="$secret"
ok "the URL has the password" ends 0 stack --debug sync
is "which is not shown" "$(grep -c "$secret" "$work/output")" 0
ok "status does not show it, either" ends 0 stack status --format json
is "in no form" "$(grep -c "$secret" "$work/output")" 0
is "nor stored" "$(grep -rl "$secret" "$STACK_CACHE")" ""

# --- https ---

use "https://localhost:$https/git/private.git"
printf 'machine localhost login me password %s\n' "$secret" >"$HOME/.netrc"
ok "a certificate that nobody trusts" ends 1 stack sync
ok "is told" said "certificate"
is "and nobody got the password" "$(mirrors '*' | grep -c 'git$')" 1
export SSL_CERT_FILE="$work/cert.pem"
ok "a certificate that is trusted" ends 0 stack sync
is "over https the files come, too" "$(content)" one
unset SSL_CERT_FILE

# --- ssh ---

options="-F none -oIdentitiesOnly=yes -oBatchMode=yes -oGlobalKnownHostsFile=/dev/null"
known="-oUserKnownHostsFile=$work/known_hosts"
export GIT_SSH_COMMAND="ssh $options $known -i $work/id"
use "ssh://$(id -un)@localhost:$ssh$work/repos/open.git" main
ok "a repository is cloned over ssh" ends 0 stack sync
is "its files are checked out" "$(content)" two
echo three >"$work/source/file"
git -C "$work/source" commit -qam three
git -C "$work/source" push -q "$work/repos/open.git" main
ok "and fetched again" ends 0 stack sync
is "they are those of now" "$(content)" three
export GIT_SSH_COMMAND="ssh $options $known -i $work/stranger"
ok "a key that is not known there" ends 1 stack sync
ok "what ssh says is told" said "Permission denied"
export GIT_SSH_COMMAND="ssh $options -i $work/id -oUserKnownHostsFile=/dev/null"
ok "a server that is not known here" ends 1 stack sync
ok "is not asked for anything" said "Host key verification failed"
use "ssh://$(id -un)@localhost:$ssh$work/repos/it's.git"
export GIT_SSH_COMMAND="ssh $options $known -i $work/id"
cp -r "$work/repos/open.git" "$work/repos/it's.git"
ok "a path that a shell would read otherwise" ends 0 stack sync

# --- killed, two at once, offline ---

use "http://127.0.0.1:$slow/git/large.git"
stack --progress json sync >"$work/table" 2>"$work/progress" &
client=$!
receiving() {
    grep -q '"text":"receiving [1-9]' "$work/progress" || grep -q 'receiving.*kB' "$work/progress"
}
ok "a clone has begun" until_true receiving
kill -9 "$client"
wait "$client" 2>/dev/null
is "what had come is no repository" "$(mirrors 'large-*.git')" ""
lock=$(mirrors 'large-*.git.lock')
ok "its process ends with it" until_true flock -n "$lock" true
stack sync >"$work/first" 2>&1 &
first=$!
ok "again, two at once" ends 0 stack sync
ok "both come to their end" wait "$first"
is "the files are there" "$(wc -c <"$(stack config --format json | jq -r .services.web.build.context)/large")" 1200000
ok "there is one repository and nothing half" test "$(mirrors 'large-*' | grep -vc lock)" = 1
ok "which is sound" git -C "$(mirrors 'large-*.git')" fsck

rm -rf "$STACK_CACHE"/git/trees
mv "$work/repos" "$work/gone"
ok "offline the cache is enough" ends 0 stack --offline config -q
use "http://127.0.0.1:$slow/git/large.git" other
ok "offline what is missing is an error" ends 1 stack --offline config -q
ok "that says so" said "--offline was asked for"
ok "with its place in the file" said "stack.yaml:3:15"

done_testing
