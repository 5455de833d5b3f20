#!/usr/bin/env python3
"""The commands with which a person looks at a stack, on one stack that is started once."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

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


try:
    with open(FILE, "w") as f:
        f.write(FILE_TEXT)
    up = run("up", "-d")
    ok("up", up.returncode == 0, up)
    scale()
finally:
    run("down", "-v", "-t", "0")
    shutil.rmtree(WORK)
print(f"1..{number}")
sys.exit(failed != 0)
