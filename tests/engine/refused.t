#!/bin/sh
# `up` with an engine that refuses one request, whichever it is.
. "$TOP/tests/support/everywhere.sh"

prepare() {
    write_stack a b
    stack up -d
    write_stack c d
}
everywhere "400 404 409 500 503" up -d -t 0
