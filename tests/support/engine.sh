# Sourced by the tests that use an engine: its API by curl, so that what `stack` made is looked at by
# other means than `stack`.
. "$TOP/tests/support/tap.sh"

# engine PATH [CURL OPTION...]
engine() {
    engine_path=$1
    shift
    case $DOCKER_HOST in
    unix://*) curl -sS -g --unix-socket "${DOCKER_HOST#unix://}" "$@" "http://localhost$engine_path" ;;
    *) curl -sS -g "$@" "http://${DOCKER_HOST#tcp://}$engine_path" ;;
    esac
}

# Everything that carries the label of a stack: a line for each container, network and volume.
left_of() {
    filter=$(printf '{"label":["com.docker.compose.project=%s"]}' "$1" | sed 's/"/%22/g')
    engine "/containers/json?all=1&filters=$filter" | jq -r '.[] | "container " + .Names[0][1:]'
    engine "/networks?filters=$filter" | jq -r '.[] | "network " + .Name'
    engine "/volumes?filters=$filter" | jq -r '.Volumes // [] | .[] | "volume " + .Name'
}

# The port of this machine that leads to a container's port: published NAME PORT.
published() {
    engine "/containers/$1/json" | jq -r --arg port "$2/tcp" '.NetworkSettings.Ports[$port][0].HostPort'
}
