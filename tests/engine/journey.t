#!/bin/sh
# A day with a stack: what the everyday commands do, what they say, and the code they end with.
. "$TOP/tests/support/engine.sh"

name=test-journey-$$
file=$work/compose.yaml

stack() {
    "$STACK" -p "$name" -f "$file" "$@"
}

# Any number of services that need no network, as most of this is not about networks.
write() {
    cat >"$file" <<END
services:
  web:
    image: busybox
    command: sh -c 'echo "hello from web"; exec tail -f /dev/null'
    network_mode: none
    stop_signal: SIGKILL
    environment:
      COLOR: $1
    volumes: ["/kept"]
    x-ready: { log: hello }
  db:
    image: busybox
    command: sh -c 'echo "hello from db"; exec tail -f /dev/null'
    network_mode: none
    stop_signal: SIGKILL
    volumes: ["data:/data"]
    x-ready: { log: hello }
volumes:
  data: {}
END
}

services() {
    stack ps --format json "$@" | jq -rs 'flatten | map(.Service) | sort | join(" ")'
}

id_of() {
    engine "/containers/$name-$1/json" | jq -r .Id
}

state_of() {
    engine "/containers/$name-$1/json" | jq -r '.State.Status // "none"'
}

cleanup() {
    for file in "$work"/*.yaml "$work"/*/*.yaml; do
        stack down -v -t 0 --remove-orphans
    done
    [ -z "$listener" ] || kill "$listener"
}
listener=

# Up, look, up again.
write red
ok "up -d" ends 0 stack up -d --wait
ok "ps" ends 0 stack ps
ok "ps is a table" said "NAME"
ok "ps has the container" said "$name-web-1"
is "ps -q: two ids" "$(stack ps -q | grep -cE '^[0-9a-f]{12,64}$')" 2
is "ps --format json" "$(services)" "db web"
is "a name that is no service" "$(stack ps nobody 2>&1)" "error: no such service: nobody"
is "volumes" "$(stack volumes -q db)" "${name}_data"
is "volumes --format json" "$(stack volumes --format json | jq -r '.Labels | contains("com.docker.compose.volume=data")')" true
is "with what docker says of them" "$(stack volumes --format '{{.Driver}} {{.Scope}} {{.Size}}')" "local local N/A"
ok "logs" ends 0 stack logs
ok "logs: a line of each, with its name" said "hello from db"
is "logs of one, plain" "$(stack logs --no-log-prefix web)" "hello from web"
ok "images" ends 0 stack images
ok "images: the image" said "busybox"
ok "ls" ends 0 "$STACK" ls
ok "ls: the stack" said "$name"
web=$(id_of web-1)
db=$(id_of db-1)
ok "plan of a stack that is up" ends 0 stack plan --format json
is "it is empty" "$(jq -r '.operations | length' "$work/output")" 0
ok "up again" ends 0 stack up -d
is "it says that there was nothing to do" "$(tail -n 1 "$work/output")" "nothing to do, 2 running"
ok "and what runs" said " Container $name-web-1 Running"
is "it left the containers alone" "$(id_of web-1) $(id_of db-1)" "$web $db"

# A change replaces what it concerns, and nothing else.
stack exec -T web sh -c 'echo precious >/kept/file'
write blue
ok "plan of a change" ends 0 stack plan
ok "the plan names the key" said "environment.COLOR"
ok "and where it stands" said "compose.yaml:8"
ok "up with the change" ends 0 stack up -d
is "the other service is left alone" "$(id_of db-1)" "$db"
ok "the changed one is another container" [ "$(id_of web-1)" != "$web" ]
is "with the new value" "$(stack exec -T web sh -c 'echo "$COLOR"')" blue
is "and the data of its anonymous volume" "$(stack exec -T web cat /kept/file)" precious

# Numbers of containers.
ok "scale up" ends 0 stack up -d --scale web=3
is "three" "$(services)" "db web web web"
ok "scale down" ends 0 stack up -d --scale web=1
is "one" "$(services)" "db web"
is "the first one stayed" "$(state_of web-1)" running

# The verbs.
ok "stop" ends 0 stack stop web
is "stopped" "$(state_of web-1) $(services)" "exited db"
ok "start" ends 0 stack start web
is "started" "$(state_of web-1)" running
before=$(engine "/containers/$name-web-1/json" | jq -r .State.StartedAt)
ok "restart" ends 0 stack restart web
ok "restarted" [ "$(engine "/containers/$name-web-1/json" | jq -r .State.StartedAt)" != "$before" ]
ok "kill" ends 0 stack kill web
is "killed" "$(engine "/containers/$name-web-1/json" | jq -r .State.ExitCode)" 137
ok "rm -f" ends 0 stack rm -f web
is "removed" "$(state_of web-1) $(services -a)" "none db"

# Another file in the same folder: what follows a restart, and what waits for it.
beside() {
    cat >"$work/beside.yaml" <<END
services:
  base:
    image: busybox
    command: tail -f /dev/null
    network_mode: none
    stop_signal: SIGKILL
    environment: { COLOR: $1 }
    healthcheck: { test: "true", interval: 1s }
  follower:
    image: busybox
    command: tail -f /dev/null
    network_mode: none
    stop_signal: SIGKILL
    depends_on: { base: { condition: service_healthy, restart: true } }
  once:
    image: busybox
    network_mode: none
    profiles: [off]
END
    shift
    "$STACK" -p "$name" -f "$work/beside.yaml" "$@"
}
ok "a file beside it adds to the stack" ends 0 beside red up -d
ok "and names what is not in it" said "container '$name-db-1' belongs to no service of the file"
ok "what it depends on is replaced" ends 0 beside blue up -d
ok "it is stopped before" said "Container $name-follower-1 Stopped"
ok "that is replaced" said "Container $name-base-1 Recreated"
ok "and waited for" said "Container $name-base-1 Healthy"
ok "before it is started again" said "Container $name-follower-1 Started"
ok "restart, without the file" ends 0 "$STACK" -p "$name" restart base
ok "waits too" said "Container $name-base-1 Healthy"
ok "and goes on to what follows" said "Container $name-follower-1 Started"
ok "stop" ends 0 "$STACK" -p "$name" stop base
ok "and again" ends 0 "$STACK" -p "$name" stop base
ok "says that it is" said "Container $name-base-1 Stopped"
ok "start, without the file" ends 0 "$STACK" -p "$name" start follower
is "starts what it depends on" "$(state_of base-1)" running
is "a container of run" "$(beside blue run once echo ran)" ran
is "its name with --compatibility" \
    "$(beside blue --compatibility run -d --no-deps once true | sed 's/_[0-9a-f]*$//')" "${name}_once_run"
COMPOSE_IGNORE_ORPHANS=1 stack up -d >"$work/output" 2>&1
is "COMPOSE_IGNORE_ORPHANS: not a word of the others" "$(grep -c orphan "$work/output")" 0
echo COMPOSE_REMOVE_ORPHANS=true >"$work/.env"
ok "COMPOSE_REMOVE_ORPHANS, from .env" ends 0 stack up -d
is "only the file's are left" "$(services -a)" "db web"
rm "$work/.env"

# The same name from another folder.
mkdir "$work/elsewhere"
cp "$file" "$work/elsewhere/compose.yaml"
other() {
    "$STACK" -p "$name" -f "$work/elsewhere/compose.yaml" "$@"
}
ok "the same name from another folder is refused" ends 6 other up -d
ok "by naming the file that has it" said "$file"
ok "it left the containers alone" [ "$(id_of db-1)" = "$db" ]
ok "--adopt takes them over" ends 0 other up -d --adopt
ok "and from then on they are its own" ends 0 other up -d
is "with nothing to do" "$(tail -n 1 "$work/output")" "nothing to do, 2 running"
ok "the first one is refused now" ends 6 stack up -d
ok "down -v" ends 0 other down -v
is "anonymous volumes count as removed" "$(grep -ci 'nothing to do' "$work/output")" 0
is "nothing is left" "$(left_of "$name")" ""

# Two at once: one waits for the other.
other up -d >"$work/first" 2>&1 &
first=$!
ok "one of two at once" ends 0 other up -d
first_code=0
wait "$first" || first_code=$?
is "the other" "$first_code" 0
is "one set of containers" "$(other ps -a --format json | jq -rs 'flatten | map(.Name) | sort | join(" ")')" \
    "$name-db-1 $name-web-1"
ok "down" ends 0 other down -v

# A service that fails at once.
cat >"$file" <<END
services:
  bad:
    image: busybox
    command: sh -c 'echo "start \$\$(cat /kept/n 2>/dev/null || echo first)"; echo second >/kept/n; exit 1'
    network_mode: none
    volumes: ["/kept"]
  good:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
    network_mode: none
END
ok "a service that fails at once: 5" ends 5 stack up -d
ok "the block says how it ended" said "code 1"
ok "and what it said" said "| start first"
is "the other service is up" "$(state_of good-1)" running
ok "again: 5" ends 5 stack up -d
ok "with what it said this time" said "| start second"
is "and nothing older" "$(grep -c "start first" "$work/output")" 0

stack down -v -t 0 >"$work/output" 2>&1

# What an earlier start said makes nobody ready.
cat >"$file" <<END
services:
  slow:
    image: busybox
    command: sh -c 'echo "start \$\$(cat /kept/n 2>/dev/null || echo good)"; echo bad >/kept/n; exec tail -f /dev/null'
    network_mode: none
    stop_signal: SIGKILL
    volumes: ["/kept"]
    x-ready: { log: "start good", timeout: 2s }
END
ok "ready by its output" ends 0 stack up -d --wait
stack stop >"$work/output" 2>&1
ok "not so the second time: 5" ends 5 stack up -d --wait
ok "with what it said this time" said "| start bad"
is "and nothing older" "$(grep -c "start good\$" "$work/output")" 0
stack down -v -t 0 >"$work/output" 2>&1

# A port that is taken.
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => 0, Listen => 1) or die;
    print $s->sockport, "\n";
    close STDOUT;
    sleep 600;' >"$work/port" &
listener=$!
until [ -s "$work/port" ]; do :; done
port=$(cat "$work/port")
cat >"$file" <<END
services:
  web:
    image: busybox
    command: tail -f /dev/null
    ports: ["$port:80"]
END
ok "a port that is taken: 6" ends 6 stack up -d
ok "named" said "$port"
is "before anything was created" "$(left_of "$name")" ""

done_testing
