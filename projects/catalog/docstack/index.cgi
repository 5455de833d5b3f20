#!/bin/sh
# The page: log in to keystone, which is found by the link's variables, and show what it answers.
keystone=http://$KEYSTONE_PORT_5000_TCP_ADDR:$KEYSTONE_PORT_5000_TCP_PORT
login='{"auth": {
  "identity": {"methods": ["password"], "password": {"user": {
    "name": "admin", "domain": {"id": "default"}, "password": "'$KEYSTONE_ENV_ADMIN_PASSWORD'"}}},
  "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}}'

if answer=$(wget -q -O - --header 'Content-Type: application/json' --post-data "$login" \
    "$keystone/v3/auth/tokens" 2>&1); then
    printf 'Content-Type: application/json\r\n\r\n%s\n' "$answer"
else
    printf 'Status: 502 Bad Gateway\r\nContent-Type: text/plain\r\n\r\n%s\n' "$answer"
fi
