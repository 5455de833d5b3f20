#!/bin/sh
# `up` with an engine that loses the connection at one request, or answers nonsense.
. "$TOP/tests/support/everywhere.sh"

prepare() {
    write_stack a b
    stack up -d
    write_stack c d
}
everywhere "drop-before drop-after cut garbage" up -d -t 0
