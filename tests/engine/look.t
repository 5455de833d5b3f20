#!/usr/bin/env python3
"""The commands with which a person looks at a stack, on one stack that is started once."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios

STACK = os.environ["STACK"]
NAME = f"test-look-{os.getpid()}"
WORK = tempfile.mkdtemp(prefix="test-", dir=os.environ.get("TEST_TMP"))
FILE = os.path.join(WORK, "compose.yaml")

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

number = failed = 0


def ok(name, good, shown=""):
    global number, failed
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    if not good:
        failed += 1
        for line in str(shown).splitlines():
            print("#   " + ascii(line))


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


try:
    with open(FILE, "w") as f:
        f.write(FILE_TEXT)
    up = run("up", "-d")
    ok("up", up.returncode == 0, up)
    scale()
    stats()
finally:
    run("down", "-v", "-t", "0")
    shutil.rmtree(WORK)
print(f"1..{number}")
sys.exit(failed != 0)
