#!/usr/bin/env python3
"""Each exit code of docs/reference/exit-codes.md, by what it says that it means."""
import http.server
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "support"))
from terminal import PATIENCE, STACK, WORK, equal, ok, quietly, run_tests, stack, write

SLEEP = "command: tail -f /dev/null"


def service(*lines, name="web"):
    return f"  {name}:\n    network_mode: none\n    stop_signal: KILL\n" + "".join(f"    {line}\n" for line in lines)


def up(*lines, args=("-d",), others="", **more):
    """The result of `up` of one service, from nothing."""
    quietly("down", "-t", "0", "--remove-orphans")
    write("services:\n" + service(*lines) + others)
    return quietly("up", *args, **more)


def up_dying(*args):
    """On a busy machine it may die only after `up` has looked: then once more."""
    for _ in range(3):
        result = up("image: busybox", "command: sh -c 'echo last words; exit 3'", args=args)
        if result.returncode:
            break
    return result


def code(name, result, wanted, says=None):
    equal(name, result.returncode, wanted)
    if says:
        ok(f"... it says '{says}'", says in result.stderr, result.stderr)


def before_the_engine():
    code("a wrong option: 2", quietly("up", "--nonsense"), 2)
    empty = os.path.join(WORK, "empty")
    os.mkdir(empty)
    none = subprocess.run([STACK, "up"], cwd=empty, capture_output=True, text=True)
    code("no stack file: 14", none, 14)
    code("a mistake in it: 15", up("image: busybox", "imge: x"), 15)
    code("a file that it leads to is missing: 15", up("image: busybox", "env_file: [missing.env]"), 15)
    write("services:\n" + service("image: busybox", SLEEP))
    code("no engine: 4", quietly("-H", f"unix://{WORK}/none.sock", "up", "-d"), 4)


def the_declared_state():
    code("up: 0", up("image: busybox", SLEEP), 0)
    below = service("image: busybox", SLEEP, "depends_on: { web: { condition: service_started, restart: true } }", name="below")
    up("image: busybox", SLEEP, others=below)
    write("services:\n" + service("image: busybox", SLEEP, "environment: { A: b }") + below)
    code("one that was stopped to be restarted has not died: 0", quietly("up", "-d"), 0)
    code("a service that the file does not have: 1", quietly("logs", "nobody"), 1, "nobody")
    code("a job that ends well: 0", up("image: busybox", "command: 'true'"), 0)
    code("died at once: 5", up_dying("-d"), 5, "last words")
    code("died at once, with --wait: 5", up_dying("-d", "--wait"), 5, "exited with code 3")
    code("its command is not there: 5", up("image: busybox", "command: there-is-none"), 5, "there-is-none")
    sick = ("image: busybox", SLEEP, "healthcheck: { test: 'false', interval: 200ms, retries: 2 }")
    code("never healthy: 5", up(*sick, args=("-d", "--wait")), 5, "unhealthy")
    code("nor the next time: 5", quietly("up", "-d", "--wait"), 5, "is unhealthy")
    slow = ("image: busybox", SLEEP, "healthcheck: { test: 'false', interval: 60s }")
    code("not ready in time: 5", up(*slow, args=("-d", "--wait", "--wait-timeout", "1")), 5)
    needs = service("image: busybox", SLEEP, "depends_on: { web: { condition: service_completed_successfully } }", name="late")
    code("what it waits for failed: 5", up("image: busybox", "command: sh -c 'exit 3'", others=needs), 5, "late")


def somebody_else_has_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = "services:\n  web:\n    image: busybox\n    stop_signal: KILL\n    %s\n    ports: ['127.0.0.1:%d:80']\n"
        quietly("down", "-t", "0")
        write(text % (SLEEP, port))
        code("a port is taken: 6", quietly("up", "-d"), 6, str(port))


def images():
    context = os.path.join(WORK, "context")
    os.mkdir(context)
    with open(os.path.join(context, "Dockerfile"), "w") as f:
        f.write("FROM busybox\nRUN echo building && exit 9\n")
    code("a build that fails: 17", up("build: context"), 17)
    code("a pull from nobody: 18", up("image: 127.0.0.1:9/nobody/nothing"), 18)


class Streams(http.server.BaseHTTPRequestHandler):
    """An engine with nothing on it, whose pulls and builds begin well: 200, and then an error."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, *values, status=200):
        body = "".join(json.dumps(value) + "\n" for value in values).encode()
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0].removeprefix("/v1.41")
        if path == "/events":
            self.answer()
        elif path == "/volumes":
            self.answer({"Volumes": []})
        elif path.startswith("/images/") and path.endswith("/json") and path != "/images/json":
            self.answer({"message": "no such image"}, status=404)
        elif path == "/_ping":
            self.answer()
        else:
            self.answer([])

    def do_POST(self):
        length = self.headers.get("Content-Length")
        if length:
            self.rfile.read(int(length))
        else:
            while (size := int(self.rfile.readline(), 16)) or self.rfile.readline() is None:
                self.rfile.read(size + 2)
        self.answer({"status": "Pulling"}, {"error": "it broke", "errorDetail": {"message": "it broke"}})


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def errors_inside_a_stream():
    path = os.path.join(WORK, "streams.sock")
    engine = Engine(path, Streams)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    write("services:\n" + service("image: some/thing:1"))
    code("an error in the middle of a pull: 18", quietly("-H", "unix://" + path, "up", "-d"), 18, "it broke")
    code("also of `pull`: 18", quietly("-H", "unix://" + path, "pull"), 18, "it broke")
    with open(os.path.join(WORK, "context", "Dockerfile"), "w") as f:
        f.write("FROM scratch\nCOPY Dockerfile /\n")
    write("services:\n" + service("build: context"))
    classic = os.environ | {"DOCKER_BUILDKIT": "0"}
    code("an error in the middle of a build: 17", quietly("-H", "unix://" + path, "up", "-d", env=classic), 17, "it broke")
    code("also of `build`: 17", quietly("-H", "unix://" + path, "build", env=classic), 17, "it broke")
    engine.shutdown()


def signals():
    for signum, wanted in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        quietly("down", "-t", "0")
        write("services:\n" + service("image: busybox", SLEEP, "healthcheck: { test: 'false', interval: 60s }"))
        child = subprocess.Popen(stack("up", "-d", "--wait"), stderr=subprocess.PIPE, text=True)
        for line in child.stderr:
            if "Waiting" in line:
                child.send_signal(signum)
                break
        child.stderr.read()
        equal(f"{signum.name}: {wanted}", child.wait(), wanted)


def standard_streams():
    quietly("down", "-t", "0")
    write("services:\n" + service("image: busybox", SLEEP))
    closed = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *stack("up", "-d")], timeout=PATIENCE)
    equal("all standard streams are closed: 0", closed.returncode, 0)
    with open("/dev/full", "w") as full:
        ps = subprocess.run(stack("ps"), stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    code("a full disk behind standard output: 1", ps, 1, "No space left")


run_tests(
    before_the_engine,
    the_declared_state,
    somebody_else_has_it,
    images,
    errors_inside_a_stream,
    signals,
    standard_streams,
)
