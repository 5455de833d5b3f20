#!/bin/sh
# A room includes only rooms that stand before it in `rooms`, no pair of `never`, and nobody else's
# private header.
rooms="base loop net text model engine registry git session state plan build run live view server cli"
never="text:loop text:net model:loop model:net plan:engine plan:net plan:loop view:engine"

includes() {
    grep -rnE '^ *# *include "' src
}

report() {
    if [ -z "$3" ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
        echo "$3" | sed 's/^/# /'
    fi
}

echo 1..3
report 1 "rooms include only the rooms before them" "$(includes | awk -v order="$rooms" -v never="$never" '
    BEGIN {
        n = split(order, list, " "); for (i = 1; i <= n; i++) at[list[i]] = i
        n = split(never, list, " "); for (i = 1; i <= n; i++) no[list[i]] = 1
    }
    {
        split($0, part, ":"); split(part[1], path, "/"); from = path[2]
        match($0, /"[^"\/]+/); to = substr($0, RSTART + 1, RLENGTH - 1)
        if (!at[from] || !at[to] || at[to] > at[from] || no[from ":" to]) print
    }')"
report 2 "includes name the room and the file" "$(includes | grep -vE 'include "[a-z]+/[a-z0-9_]+\.h"')"
report 3 "a private header is included by its own room alone" \
    "$(includes | grep '/private\.h"' | awk -F '[/:"]' '$2 != $6')"
