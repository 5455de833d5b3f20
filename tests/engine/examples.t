#!/bin/sh
# Every example does what its README says, and leaves nothing.
. "$TOP/tests/support/engine.sh"

# A name of this run, and ports that the engine chooses.
stack() {
    WEB_PORT=0 "$STACK" -p "$name" "$@"
}

fetch() {
    curl -sS -m 5 "http://localhost:$(published "$name-$1-1" "$2")/"
}

started_at() {
    engine "/containers/$name-$1-1/json" | jq -r .State.StartedAt
}

cleanup() {
    for name in $names; do
        stack down -v -t 1
    done
}

up() {
    name=test-$1-$$
    names="$names $name"
    cd "$TOP/examples/$1" || exit 1
    ok "$1: up" stack up -d
}

down() {
    ok "$1: down" stack down -v --rmi local
    is "$1: nothing is left" "$(left_of "$name")" ""
}

names=

up web-pair
is "web-pair: the page is served" "$(fetch web 8080)" "Hello from the web server."
is "web-pair: the client was started when the server answered" \
    "$(stack logs --no-log-prefix client)" "Hello from the web server."
down web-pair

up job
is "job: the page was made" "$(fetch web 8080)" "Made by the job."
before=$(started_at fill)
ok "job: up again" stack up -d
is "job: it did not run again" "$(started_at fill)" "$before"
down job

up health
is "health: all three run" "$(stack ps --format json | jq -rs 'flatten | map(.Service) | sort | join(" ")')" \
    "api db web"
down health

up links
is "links: the variables" "$(fetch app 8080)" "STORE_ENV_DATABASE=pages
STORE_NAME=/app/store
STORE_PORT=tcp://store:5432
STORE_PORT_5432_TCP=tcp://store:5432
STORE_PORT_5432_TCP_ADDR=store
STORE_PORT_5432_TCP_PORT=5432
STORE_PORT_5432_TCP_PROTO=tcp"
down links

up from-chain
is "from-chain: the page" "$(fetch hello 8080)" "Hello from a project of its own."
down from-chain

up fig
is "fig: the page" "$(fetch web 8000)" "The database is at db, port 5432."
is "fig: the variables and names of a replica" \
    "$(stack exec -T web sh -c 'echo $DB_1_PORT_5432_TCP; ping -c1 db_1 >/dev/null && echo reached')" \
    "tcp://db_1:5432
reached"
down fig

done_testing
