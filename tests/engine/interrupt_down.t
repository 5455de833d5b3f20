#!/bin/sh
# `down`, interrupted at every request.
. "$TOP/tests/support/everywhere.sh"

prepare() {
    write_stack a b
    stack up -d
}
everywhere "kill-before:KILL kill-after:KILL" down -v -t 0
