#!/bin/sh
# Files in and out of containers, and containers as tars and images: cp, export, commit.
. "$TOP/tests/support/engine.sh"

name=test-copy-$$
file=$work/compose.yaml
image=test-copy-$$:made

stack() {
    "$STACK" -p "$name" -f "$file" "$@"
}

cat >"$file" <<'END'
services:
  web:
    image: busybox
    network_mode: none
    command: tail -f /dev/null
    stop_signal: SIGKILL
    deploy: { replicas: 2 }
  idle:
    image: busybox
    network_mode: none
    command: "true"
END

cleanup() {
    stack down -t 0
    engine "/images/$image" -X DELETE >/dev/null
    chmod -R u+rwx "$work"
}

# fails CODE TEXT COMMAND...: it ends with CODE and says TEXT.
fails() {
    wanted_code=$1 wanted_text=$2
    shift 2
    got_code=0
    "$@" >"$work/output" 2>&1 </dev/null || got_code=$?
    cat "$work/output"
    [ "$got_code" = "$wanted_code" ] && grep -q -F -e "$wanted_text" "$work/output"
}

# In a container: inside NUMBER SCRIPT
inside() {
    stack exec -T --index "$1" web sh -c "$2"
}

ok "a stack" stack up -d
cd "$work" || exit 1

# In: a tree with everything in it.
mkdir -p tree/sub/deep here there
echo file >tree/f
ln tree/f tree/same
ln -s f tree/l
ln -s tree tl
chmod 640 tree/f
printf x >tree/sub/deep/ü
touch -d '2001-02-03 04:05:06' tree/sub/deep/ü tree/sub
chmod 750 tree/sub
list='find . | sort | xargs stat -c "%n %A %h %s"'
ok "a folder becomes one that is not there" stack cp tree web:/new
(cd tree && sh -c "$list" | grep -v '^./l ' | sed 's/^\([^ ]* d[^ ]*\) .*/\1/') >here.list
inside 1 "cd /new && $list" | grep -v '^./l ' | sed 's/^\([^ ]* d[^ ]*\) .*/\1/' >there.list
is "modes, sizes and hard links are kept" "$(cat there.list)" "$(cat here.list)"
is "links are links" "$(inside 1 'readlink /new/l')" f
is "times are kept" "$(inside 2 'stat -c %Y /new/sub /new/sub/deep/*')" \
    "$(stat -c %Y tree/sub tree/sub/deep/*)"
is "every container of the service has it" "$(inside 2 'cat /new/f')" file
ok "into a folder that is there" stack cp --index 1 tree web:/tmp
is "it is in it" "$(inside 1 'cat /tmp/tree/f')" file
is "only in that container" "$(inside 2 'ls /tmp')" ""
ok "what is in a folder" stack cp --index 1 tree/. web:/tmp
is "the content is there" "$(inside 1 'cat /tmp/f')" file
ok "a file under another name" stack cp --index 1 tree/f web:/tmp/other
is "it has the name" "$(inside 1 'cat /tmp/other')" file
ok "a link as a link" stack cp --index 1 tl web:/tmp/link
is "it leads where it did" "$(inside 1 'readlink /tmp/link')" tree
ok "a link that is followed" stack cp --index 1 -L tl web:/tmp/followed
is "it is what it led to" "$(inside 1 'cat /tmp/followed/f')" file
inside 1 'mkdir /real && ln -s /real /alias && ln -s /real/new /dangling'
ok "to where a link leads" stack cp --index 1 tree/f web:/alias
ok "to where a link would lead" stack cp --index 1 tree/f web:/dangling
is "both are there" "$(inside 1 'cat /real/f /real/new')" "file
file"
ok "a file that cannot be there" fails 1 "there is no folder '/none'" stack cp tree/f web:/none/x
ok "a folder over a file" fails 1 "is a file" stack cp tree web:/etc/passwd
ok "what is not here" fails 1 "'none': No such file" stack cp none web:/tmp
# The engine unpacks in the order in which the tar comes: what is there is kept.
inside 1 'mkdir -p /way/f'
ok "a file over a folder" fails 1 "cannot overwrite" stack cp --index 1 tree/f web:/way
is "the folder is still there" "$(inside 1 'ls -d /way/f')" /way/f

# Tars.
tar -C tree -c . | "$STACK" -p "$name" -f "$file" cp --index 2 - web:/tmp
is "a tar on standard input" "$(inside 2 'cat /tmp/f')" file
ok "a tar for several containers" fails 2 "--index" stack cp - web:/tmp
is "a tar on standard output" "$(stack cp web:/tmp/sub - | tar t | sort)" "sub/
sub/deep/
sub/deep/ü"

# Out.
ok "a folder out" stack cp web:/new there
(cd tree && sh -c "$list" | sed 's/^\([^ ]* d[^ ]*\) .*/\1/') >here.list
(cd there/new && sh -c "$list" | sed 's/^\([^ ]* d[^ ]*\) .*/\1/') >there.list
is "it is the same" "$(cat there.list)" "$(cat here.list)"
is "with its times" "$(stat -c %Y there/new/sub/deep/ü there/new/sub)" "$(stat -c %Y tree/sub/deep/ü tree/sub)"
ok "a file over a file" stack cp web:/tmp/f there/new/l
is "through the link" "$(cat there/new/f)" file
ok "followed" stack cp -L web:/alias there/followed
is "it is a folder" "$(cat there/followed/f)" file
ok "not followed" stack cp web:/alias there
is "it is a link" "$(readlink there/alias)" /real
ok "a container that is stopped" stack cp idle:/etc/passwd there/passwd
ok "it has the file" grep -q root there/passwd
ok "a dry run" fails 0 "would copy" stack --dry-run cp web:/etc/hosts there/hosts
is "changed nothing" "$(ls there)" "alias
followed
new
passwd"
ok "what is not there" fails 1 "there is no '/none'" stack cp web:/none .
ok "into nothing" fails 1 "there is no folder 'no'" stack cp web:/etc/hosts no/hosts
ok "from service to service" fails 2 "between two services" stack cp web:/a idle:/b
ok "from here to here" fails 2 "SERVICE:PATH" stack cp a b
ok "an unknown service" fails 1 "no service 'nobody'" stack cp nobody:/a .
inside 1 'mknod /tmp/null c 1 3; cp /bin/busybox /tmp/set; chmod 4755 /tmp/set'
ok "devices are left out" fails 0 "1 device was left out" stack cp web:/tmp/. here
ok "as set-id bits are" test ! -u here/set
ok "and not with --archive" stack cp -a web:/tmp/set here/owned
[ "$(id -u)" != 0 ] || ok "for root" test -u here/owned

# 64 MB, and never all of it in memory; sanitizers need more for themselves.
modest() {
    python3 - "$([ "$VARIANT" = san ] && echo 600 || echo 40)" "$@" <<'END'
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(f"{used} MiB")
sys.exit(code or used > int(sys.argv[1]))
END
}
inside 1 'head -c 67108864 /dev/zero >/big'
ok "much out, in little memory" modest "$STACK" -p "$name" -f "$file" cp web:/big there/big
ok "and in" modest "$STACK" -p "$name" -f "$file" cp --index 1 there/big web:/back
is "all of it" "$(inside 1 'cmp /big /back && stat -c %s /back')" 67108864

# Export.
ok "an export" stack export -o all.tar web
ok "has the files of the container" sh -c "tar tf all.tar | grep -q '^new/f$'"
is "on standard output, too" "$(stack export --index 2 web | tar xO new/f)" file
ok "not to a terminal" fails 2 "not for a terminal" python3 -c '
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$STACK" -p "$name" -f "$file" export web

# Commit.
id=$(stack commit -a Ada -m 'with files' -c 'ENV A=1' -c 'CMD ["true"]' web "$image")
ok "a commit" test -n "$id"
is "is the image of that name" "$(engine "/images/$image/json" | jq -r .Id)" "$id"
is "with what was said" "$(engine "/images/$image/json" |
    jq -r '[.Author, .Comment, .Config.Cmd[0], (.Config.Env | map(select(. == "A=1"))[0])] | join(" ")')" \
    "Ada with files true A=1"
ok "a name that is none" fails 15 "Bad" stack commit web Bad:name

done_testing
