#!/bin/sh
# Each header compiles by itself: it includes what it needs.
status=0
number=0
cflags=$(pkg-config --cflags libuv yaml-0.1 jansson libpcre2-8 libcrypto libcurl libarchive)
for header in src/*/*.h; do
    number=$((number + 1))
    # The flags are words.
    # shellcheck disable=SC2086
    if said=$(echo "#include \"${header#src/}\"" | ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Isrc $cflags \
        -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1); then
        echo "ok $number - $header"
    else
        echo "not ok $number - $header"
        echo "$said" | sed 's/^/# /'
        status=1
    fi
done
echo "1..$number"
exit $status
