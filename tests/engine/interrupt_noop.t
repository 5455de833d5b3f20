#!/bin/sh
# `up` with nothing to do, interrupted at every request.
. "$TOP/tests/support/everywhere.sh"

prepare() {
    write_stack a b
    stack up -d
}
everywhere "kill-before:KILL kill-after:KILL" up -d
