#!/usr/bin/env python3
"""The commands with which a person looks at a stack, on one stack that is started once."""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "support"))
from tap import finish, ok

STACK = os.environ["STACK"]
NAME = f"test-look-{os.getpid()}"
WORK = tempfile.mkdtemp(prefix="test-", dir=os.environ.get("TEST_TMP"))
FILE = os.path.join(WORK, "compose.yaml")

SICK_FILE = os.path.join(WORK, "sick.yaml")

FILE_TEXT = """
services:
  db:
    image: busybox
    command: sh -c 'echo hello from db; exec tail -f /dev/null'
    stop_signal: SIGKILL
    volumes: ["data:/data"]
  web:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
    depends_on: [db]
volumes:
  data: {}
"""

SICK_TEXT = """
x-plain: &plain { image: busybox, command: tail -f /dev/null, stop_signal: SIGKILL, network_mode: none }
services:
  well: *plain
  dies: { <<: *plain, command: "sh -c 'echo a word; echo another >&2; exit 3'" }
  after: { <<: *plain, depends_on: { dies: { condition: service_completed_successfully } } }
  later: { <<: *plain, depends_on: [after] }
  sick:
    <<: *plain
    healthcheck: { test: "echo no luck; exit 1", interval: 100ms, retries: 1 }
  needs_sick: { <<: *plain, depends_on: { sick: { condition: service_healthy } } }
  nowhere: { <<: *plain, command: /nowhere }
  other: { <<: *plain, image: "nobody.invalid/nothing", profiles: [off] }
  made: { <<: *plain, build: ., image: "test-look-made:none", profiles: [off] }
  taken: { image: busybox, ports: ["PORT:80"], profiles: [off] }
"""

def stack(*args):
    return [STACK, "-p", NAME, "-f", FILE, *args]


def run(*args):
    return subprocess.run(stack(*args), capture_output=True, text=True, stdin=subprocess.DEVNULL)


def names():
    """The names of the containers that run, without that of the stack."""
    lines = run("ps", "--format", "{{.Name}}").stdout.split()
    return sorted(name.removeprefix(NAME + "-") for name in lines)


def scale():
    result = run("--dry-run", "scale", "db=3")
    ok("scale --dry-run shows what it would do", "db-3" in result.stdout, result)
    ok("and does nothing", names() == ["db-1", "web-1"], names())
    result = run("scale", "db=2")
    ok("scale: 0", result.returncode == 0, result)
    ok("there is one more", names() == ["db-1", "db-2", "web-1"], names())
    run("stop", "db")
    result = run("scale", "--no-deps", "web=2", "-t", "0")
    ok("scale takes no other options of up", result.returncode == 2, result)
    result = run("scale", "--no-deps", "web=2")
    ok("--no-deps: what it depends on is left alone", names() == ["web-1", "web-2"], names())
    result = run("scale", "web=1", "db=1")
    ok("several at once, downwards", names() == ["db-1", "web-1"], names())
    result = run("scale", "web=many")
    ok("a number that is none: 2", result.returncode == 2, result)
    ok("it names it", "'web=many'" in result.stderr, result)
    result = run("scale", "nobody=1")
    ok("a service that is not there: 1", result.returncode == 1, result)


class Terminal:
    """A command on a terminal of 12 lines, in a session of its own."""

    def __init__(self, columns, *args):
        self.seen = ""
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (12, columns))
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(slave)
            os.environ["TERM"] = "xterm-256color"
            os.execv(STACK, stack(*args))
        os.close(slave)

    def read(self):
        if not select.select([self.master], [], [], 30)[0]:
            return False
        try:
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        except OSError:
            return False
        return True

    def until(self, pattern):
        """Whether the last painting ever looks so."""
        while not re.search(pattern, self.seen.split("\x1b[J")[-1]):
            if not self.read():
                return False
        return True

    def end(self):
        os.kill(self.pid, signal.SIGINT)
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


STATS_FIELDS = ["BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO",
                "PIDs", "Service"]


def stats():
    result = run("stats")
    lines = result.stdout.splitlines()
    ok("stats off a terminal ends by itself", result.returncode == 0, result)
    ok("with a row for each container", len(lines) == 3 and lines[0].startswith("CONTAINER ID"),
       result)
    ok("that has numbers", re.search(r"-web-1 +\d+\.\d\d% +[\d.]+\w+ / [\d.]+\w+ ", result.stdout),
       result)
    run("stop", "web")
    result = run("stats", "--no-stream", "-a", "--format", "json", "web")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    ok("-a has the one that does not run, its service alone", len(rows) == 1, result)
    ok("JSON has docker's fields", sorted(rows[0]) == STATS_FIELDS, rows)
    ok("which are all 0", rows[0]["CPUPerc"] == "0.00%" and rows[0]["MemUsage"] == "0B / 0B", rows)
    result = run("stats", "nobody")
    ok("a service that is not there: 1", result.returncode == 1 and "nobody" in result.stderr,
       result)

    t = Terminal(140, "stats")
    ok("on a terminal the table comes", t.until(r"-db-1 +\d"), t.seen)
    ok("without the one that does not run", "-web-1" not in t.seen, t.seen)
    run("start", "web")
    ok("which appears when it starts", t.until(r"-web-1 +\d"), t.seen)
    run("stop", "web")
    ok("and goes when it ends", t.until(r"(?s)CONTAINER ID((?!web-1).)*db-1((?!web-1).)*\n\Z"), t.seen)
    code = t.end()
    ok("Ctrl-C ends it: 130", code == 130, code)
    ok("the cursor is shown again", re.findall(r"\x1b\[\?25[hl]", t.seen) ==
       ["\x1b[?25l", "\x1b[?25h"], t.seen)
    run("start", "web")
    t = Terminal(60, "stats")
    ok("a narrow terminal has the columns that fit", t.until(r"-db-1 +[\d-]"), t.seen)
    t.end()
    lines = re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "", t.seen).splitlines()
    ok("no line is longer", max(map(len, lines)) <= 60 and "CPU %" in lines[0], t.seen)


def graph():
    result = run("graph")
    ok("graph", re.search(r"1 ✔ db +running\n +2 ✔ web +running +← db\n", result.stdout), result)
    run("stop", "web")
    seen = json.loads(run("graph", "--format", "json").stdout)
    states = {s["name"]: s["state"] for s in seen["services"]}
    ok("with the states of the moment", states == {"db": "running", "web": "exited (137)"}, seen)
    run("start", "web")
    seen = json.loads(run("graph", "--format", "json", "--no-state").stdout)
    ok("or without", not seen["live"] and seen["services"][0]["state"] is None, seen)


def doctor():
    result = run("doctor")
    ok("doctor: 0", result.returncode == 0, result)
    ok("by which rule the engine was chosen", "chosen by: DOCKER_HOST" in result.stdout, result)
    ok("the file", re.search(r"ok +file +\S+compose.yaml: stack '.*', 2 services", result.stdout),
       result)
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with open(FILE, "w") as f:
            f.write(FILE_TEXT.replace("    image", f"    ports: ['{port}:80']\n    image", 1))
        result = run("doctor", "--format", "json")
        found = [c for c in json.loads(result.stdout)["checks"] if c["level"] == "error"]
        ok("a port that is taken: 1", result.returncode == 1 and len(found) == 1, result)
        ok("by whom", found[0]["about"] == "port" and f"process {os.getpid()}" in found[0]["text"]
           and found[0]["next"], found)
    with open(FILE, "w") as f:
        f.write(FILE_TEXT)


def why():
    run("stop", "web")
    result = run("why", "web")
    # The engine may have forgotten the request already, when others do much on it.
    ok("why: it was stopped", re.search("stopped on request|ended by SIGKILL", result.stdout),
       result)
    ok("which is not as declared: 5", result.returncode == 5, result)
    run("start", "web")
    result = run("why", "web")
    ok("why of what runs: 0", result.returncode == 0, result)
    ok("it says since when", re.search(r"since +20\d\d-.*ago", result.stdout), result)
    ok("and nothing about up", "up would" not in result.stdout, result)
    with open(FILE, "w") as f:
        f.write(FILE_TEXT.replace("hello from db", "goodbye from db"))
    result = run("why", "db")
    ok("why up would replace it", re.search(r"up would +replace .*-db-1: command changed, "
                                            r".*compose.yaml:5\n", result.stdout), result)
    ok("which is nothing wrong: 0", result.returncode == 0, result)
    with open(FILE, "w") as f:
        f.write(FILE_TEXT)
    result = run("why", "nobody")
    ok("of a service that is not there: 1", result.returncode == 1, result)


def explained(service, **wanted):
    """The explanation as JSON, looked at for some of its values."""
    result = subprocess.run([STACK, "-p", NAME + "-sick", "-f", SICK_FILE, "why", service,
                             "--format", "json"], capture_output=True, text=True)
    got = json.loads(result.stdout)
    part = {key: got[key] for key in wanted}
    ok(f"why {service}", part == wanted and result.returncode == (got["state"] != "running") * 5,
       result)
    return got


def why_sick():
    taken = socket.create_server(("0.0.0.0", 0))
    with open(SICK_FILE, "w") as f:
        f.write(SICK_TEXT.replace("PORT", str(taken.getsockname()[1])))
    with open(os.path.join(WORK, "Dockerfile"), "w") as f:
        f.write("FROM busybox\n")
    up = subprocess.run([STACK, "-p", NAME + "-sick", "-f", SICK_FILE, "up", "-d"],
                        capture_output=True, text=True)
    ok("up of what cannot be up: 5", up.returncode == 5, up)
    explained("well", state="running", phase=None, held_back=[], output=[])
    got = explained("dies", state="failing", phase="exited", exit_code=3,
                    held_back=["after", "later"], reason="it ended with exit code 3")
    ok("with its last lines", sorted(got["output"]) == ["a word", "another"], got)
    explained("after", state="waiting", held_back=["later"], waits_for=[
        {"service": "dies", "condition": "completed", "state": "exited with code 3"}])
    got = explained("later", state="waiting")
    ok("behind several there is one to look at", "'stack why dies'" in got["next"], got)
    got = explained("sick", state="failing", phase="ready", held_back=["needs_sick"])
    ok("with the output of its check", got["health"]["output"] == ["no luck"], got)
    got = explained("nowhere", state="failing", phase="start")
    ok("with the engine's words", "/nowhere" in got["reason"], got)
    explained("other", state="absent", phase="pull")
    explained("made", state="absent", phase="build")
    got = explained("taken", state="failing", phase="start")
    ok("by whom the port is taken", f"process {os.getpid()}" in got["reason"], got)
    taken.close()


try:
    with open(FILE, "w") as f:
        f.write(FILE_TEXT)
    up = run("up", "-d")
    ok("up", up.returncode == 0, up)
    scale()
    stats()
    graph()
    doctor()
    why()
    why_sick()
finally:
    run("down", "-v", "-t", "0")
    subprocess.run([STACK, "-p", NAME + "-sick", "-f", SICK_FILE, "down", "-t", "0"],
                   capture_output=True)
    shutil.rmtree(WORK)
finish()
