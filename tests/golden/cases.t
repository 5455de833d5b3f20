#!/bin/sh
# What commands print. A case is a folder here: `cmd`, a few lines of shell run in a copy of the
# folder, and what is expected of it: `out`, `err` (nothing where there is no such file) and `code`
# (0). The copy's own path is shown as /case. No engine answers. `make golden` writes what is expected
# from what came; look at the difference before you commit it.
#
#   tests/golden/cases.t [CASE...]    GOLDEN=write: write
. "$TOP/tests/support/tap.sh"

here=$TOP/tests/golden
mkdir "$work/bin"
ln -s "$STACK" "$work/bin/stack"
PATH=$work/bin:$PATH

# Leaves out, err and code in $work/came.
run_case() {
    copy=$work/case
    rm -rf "$copy" "$work/came"
    mkdir "$work/came"
    cp -R "$here/$1" "$copy"
    rm -f "$copy/cmd" "$copy/out" "$copy/err" "$copy/code"
    code=0
    (cd "$copy" && sh "$here/$1/cmd") >"$work/out" 2>"$work/err" </dev/null || code=$?
    sed "s|$copy|/case|g" "$work/out" >"$work/came/out"
    sed "s|$copy|/case|g" "$work/err" >"$work/came/err"
    echo "$code" >"$work/came/code"
}

# What a case need not write down.
usual() {
    case $1 in
    code) echo 0 ;;
    *) : ;;
    esac
}

differs() {
    if [ -e "$here/$1/$2" ]; then
        diff -u --label "expected $2" --label "came $2" "$here/$1/$2" "$work/came/$2"
    else
        usual "$2" | diff -u --label "expected $2" --label "came $2" - "$work/came/$2"
    fi
}

compare() {
    same=0
    for part in code err out; do
        differs "$1" "$part" || same=1
    done
    return $same
}

write() {
    for part in code err out; do
        if usual "$part" | cmp -s - "$work/came/$part"; then
            rm -f "$here/$1/$part"
        else
            cp "$work/came/$part" "$here/$1/$part"
        fi
    done
}

if [ $# = 0 ]; then
    cd "$here" || exit 1
    set -- */
    cd "$TOP" || exit 1
fi
for name; do
    name=${name%/}
    [ -e "$here/$name/cmd" ] || continue
    run_case "$name"
    if [ "${GOLDEN:-}" = write ]; then
        write "$name"
    fi
    ok "$name" compare "$name"
done
done_testing
