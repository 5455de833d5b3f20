#!/bin/sh
# `up` that scales one service up and the other down, interrupted at every request.
. "$TOP/tests/support/everywhere.sh"

prepare() {
    write_stack a b
    stack up -d --scale one=1 --scale two=3
}
everywhere "kill-before:KILL kill-after:KILL" up -d -t 0 --scale one=3 --scale two=1
