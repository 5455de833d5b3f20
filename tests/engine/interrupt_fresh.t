#!/bin/sh
# `up` of a stack that is not there, interrupted at every request.
. "$TOP/tests/support/everywhere.sh"

prepare() {
    write_stack a b
}
everywhere "kill-before:KILL kill-after:KILL" up -d -t 0
