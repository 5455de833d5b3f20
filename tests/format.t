#!/bin/sh
# clang-format has nothing to change. Other versions of it disagree about details, so only the one that
# .clang-format was written for is asked.
version=14
if ! clang-format --version 2>/dev/null | grep -q "version $version\."; then
    echo "1..0 # SKIP clang-format $version is not installed"
    exit 0
fi
echo 1..1
if said=$(find src tests -name '*.[ch]' -exec clang-format --dry-run --Werror {} + 2>&1); then
    echo "ok 1 - the source is formatted"
else
    echo "not ok 1 - the source is formatted: run 'make format'"
    echo "$said" | grep ': error:' | cut -d : -f 1 | sort | uniq -c | sed 's/^/# /'
    exit 1
fi
