#!/bin/sh
# `up` after an image's name came to mean another image, interrupted at every request.
. "$TOP/tests/support/everywhere.sh"

# The same file system under another command: another image.
make_image() {
    printf 'FROM busybox\nLABEL test=%s\n' "$1" >"$work/Dockerfile"
    tar -C "$work" -cf - Dockerfile |
        engine "/build?t=$image" -X POST -T - -H 'Content-Type: application/x-tar'
}

cleanup() {
    stack down -v -t 0
    engine "/images/$image?force=1" -X DELETE
}

image=$name:latest
prepare() {
    make_image before
    write_stack a b
    stack up -d
    make_image after
}
everywhere "kill-before:KILL kill-after:KILL" up -d -t 0
