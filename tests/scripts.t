#!/bin/sh
# Every shell script of the repository passes shellcheck.
if ! command -v shellcheck >/dev/null 2>&1; then
    echo "1..0 # SKIP shellcheck is not installed"
    exit 0
fi
number=0
status=0
for script in $(find .ci stacks projects examples tests -type f -perm -100 | sort); do
    head -n 1 "$script" | grep -q '^#!/bin/sh$' || continue
    number=$((number + 1))
    # SC2016: quoted $ for other programs is what most of our scripts do on purpose. SC1091: the
    # support of tests is found at run time. SC2154: and sets what they use.
    if said=$(shellcheck -e SC1091,SC2016,SC2154 -f gcc "$script"); then
        echo "ok $number - $script"
    else
        echo "not ok $number - $script"
        echo "$said" | sed 's/^/# /'
        status=1
    fi
done
echo "1..$number"
exit $status
