#!/bin/sh
# `up` that makes both containers anew, interrupted at every request, by each of three signals.
. "$TOP/tests/support/everywhere.sh"

prepare() {
    write_stack a b
    stack up -d
    write_stack c d
}
everywhere "kill-before:KILL kill-after:KILL kill-before:INT kill-after:INT kill-before:TERM kill-after:TERM" up -d -t 0
