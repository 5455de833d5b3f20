#!/bin/sh
# stacks/identity.yaml: a real database, a real identity service, and another project that uses it.
. "$TOP/tests/support/engine.sh"

name=test-identity-$$
export KEYSTONE_PORT=$((20000 + $$ % 6000))
export CATALOG_PORT=$((KEYSTONE_PORT + 6000))

stack() {
    "$STACK" -p "$name" -f "$TOP/stacks/identity.yaml" "$@"
}

cleanup() {
    stack down -v --rmi local -t 5
}

# Prints the status, and keeps the head and the body of the answer.
issue_token() {
    curl -sS -m 20 -D "$work/head" -o "$work/body" -w '%{http_code}' \
        -H 'Content-Type: application/json' -d @- "http://localhost:$KEYSTONE_PORT/v3/auth/tokens" <<'END'
{"auth": {
  "identity": {"methods": ["password"], "password": {"user": {
    "name": "admin", "domain": {"id": "default"}, "password": "admin"}}},
  "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}}
END
}

token() {
    tr -d '\r' <"$work/head" | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: //p'
}

# Whether keystone accepts a token: it is asked about it with the token itself.
accepted() {
    curl -sS -m 20 -o /dev/null -w '%{http_code}' -H "X-Auth-Token: $1" -H "X-Subject-Token: $1" \
        "http://localhost:$KEYSTONE_PORT/v3/auth/tokens"
}

ok "up" stack up -d --wait
is "a token is issued at the moment that up ends" "$(issue_token)" 201
first=$(token)
is "the catalog names the published port" \
    "$(jq -r '.token.catalog[].endpoints[] | select(.interface == "public") | .url' "$work/body")" \
    "http://localhost:$KEYSTONE_PORT/v3/"
is "the other project logs in over its link" \
    "$(curl -sS -m 20 "http://localhost:$CATALOG_PORT/" | jq -r .token.user.name)" "admin"

ok "up again changes nothing" stack up -d --wait
is "the token is still good" "$(accepted "$first")" 200
ok "up with every container made anew" stack up -d --wait --force-recreate
is "the token outlives the container, the database its server" "$(accepted "$first")" 200

ok "down with the data" stack down -v --rmi local
is "nothing is left" "$(left_of "$name")" ""
done_testing
