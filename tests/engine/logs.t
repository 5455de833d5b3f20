#!/usr/bin/env python3
"""Output of containers: across restarts, in the order of time, filtered, as objects, odd bytes."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "support"))
from terminal import equal, ok, quietly, run_tests, stack, write

LINES = 20
RESTARTS = 20
BY_ITSELF = 4  # lives that end by themselves, so that the engine restarts; then `stack restart` does
LIVES = f"""
n=$(cat /n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >/n
i=0; while [ $i -lt {LINES} ]; do echo "$n.$i"; echo "$n.$i error" >&2; i=$((i + 1)); done
[ $n -le {BY_ITSELF} ] && printf "$n.end" && exit 1
echo "$n.end"
exec tail -f /dev/null
"""
MANY = 'i=0; while [ $i -lt 400 ]; do echo "line $i"; i=$((i + 1)); done'
LONG = 1500000
ODD = rf"""
printf 'plain\n\033[31mred\033[0m alert\n\033]0;title\007bell\n\377\376 bytes\ntab\there\r\n'
printf '\302\233 c1\n\nnul\0nul\n'
head -c {LONG} /dev/zero | tr '\0' x
printf '\nno newline'
"""


def up(**services):
    """Starts a stack: for each service a script, and more lines of its definition."""
    quietly("down", "-t", "0")
    text = "services:\n"
    for name, (script, *more) in services.items():
        text += f"  {name}:\n    image: busybox\n    network_mode: none\n    stop_signal: KILL\n"
        text += "".join(f"    {line}\n" for line in more)
        text += "    command:\n      - sh\n      - -c\n      - |\n"
        text += "".join(f"        {line}\n" for line in script.strip().replace("$", "$$").splitlines())
    write(text)
    result = quietly("up", "-d")
    ok("up", result.returncode == 0, result.stderr)


def same(name, got, wanted):
    """Compares without order: standard output and errors are two streams."""
    lost = [line for line in wanted if line not in got]
    doubled = [line for line in got if got.count(line) != wanted.count(line)]
    ok(name, not lost and not doubled, f"lost: {lost}\ndoubled: {doubled}")


def across_restarts():
    up(
        pipes=(LIVES, "restart: always"),
        terminal=(LIVES, "restart: always", "tty: true"),
        later=("echo it started later", "scale: 0"),
    )
    wanted = []
    for life in range(1, RESTARTS + 2):
        wanted += [f"{life}.{i}{stream}" for i in range(LINES) for stream in ("", " error")]
        wanted += [f"{life}.end"]
    follow = subprocess.Popen(stack("logs", "-f"), stdout=subprocess.PIPE, text=True)
    seen = {"pipes": [], "terminal": [], "later": []}
    life = BY_ITSELF + 1
    for text in follow.stdout:
        label, _, line = text.rstrip("\n").partition("  | ")
        seen[label.split("-")[0]].append(line)
        if line == f"{life}.end" and line in seen["pipes"] and line in seen["terminal"]:
            if life == RESTARTS + 1:
                quietly("up", "-d", "--no-recreate", "--scale", "later=2")
                quietly("wait", "later")
            quietly("restart" if life <= RESTARTS else "stop")
            life += 1
    equal("it ends when nothing runs any more", follow.wait(), 0)
    equal("containers that start later are followed", seen.pop("later"), ["it started later"] * 2)
    for name, lines in seen.items():
        same(f"{name}: no line is lost or doubled across {RESTARTS} restarts", lines, wanted)
        again = quietly("logs", "--no-log-prefix", name).stdout.splitlines()
        same(f"{name}: nor without -f", again, wanted)


def in_order_of_time():
    up(many=(MANY, "scale: 4"))
    quietly("wait", "many")
    lines = quietly("logs", "-t", "--no-log-prefix").stdout.splitlines()
    times = [line.split()[0] for line in lines]
    equal("all lines of four containers", len(lines), 1600)
    ok("in the order of their times", times == sorted(times))
    tail = quietly("logs", "-n", "2", "--index", "2").stdout.splitlines()
    equal("the last lines of one of them", tail, ["many-2  | line 398", "many-2  | line 399"])
    middle = quietly("logs", "--no-log-prefix", "--since", times[100], "--until", times[-100], "-t").stdout
    middle = [line.split()[0] for line in middle.splitlines()]
    equal("--since and --until", middle, [t for t in times if times[100] <= t <= times[-100]])
    some = quietly("logs", "--no-log-prefix", "--grep", "9$", "--grep", "^line 1", "--not", "[0-8]").stdout
    same("--grep and --not", some.splitlines(), ["line 9", "line 99"] * 4)
    slow = quietly("logs", "-n", "1", "--index", "1", "--grep", "^(line|(l+i*n?e? ?)+)+x")
    ok("a pattern that takes long is given up", slow.returncode == 0, slow)
    wrong = quietly("logs", "--grep", "a(b")
    equal("a wrong pattern is a mistake of the command line", wrong.returncode, 2)
    ok("and the place is shown", "a(b <-- HERE" in wrong.stderr, wrong.stderr)


def odd_bytes():
    # The engine's usual driver keeps no bytes that are no UTF-8.
    up(odd=(ODD, "logging: { driver: local }"))
    quietly("wait", "odd")
    lines = quietly("logs", "--no-log-prefix").stdout.split("\n")
    shown = ["plain", r"\x1b[31mred\x1b[0m alert", r"\x1b]0;title\x07bell", r"\xff\xfe bytes", "tab\there",
             r"\x9b c1", "", r"nul\x00nul"]  # fmt: skip
    equal("nothing drives the terminal", lines[: len(shown)], shown)
    long = lines[len(shown) : -2]
    ok("a very long line comes in pieces", len(long) > 1, len(long))
    equal("all of it", "".join(long), "x" * LONG)
    equal("the last line has no newline", lines[-2:], ["no newline", ""])
    found = quietly("logs", "--no-log-prefix", "--grep", "^red alert$", "--grep", "^bell$").stdout
    equal("patterns see the text without escapes", found.splitlines(), shown[1:3])
    coloured = quietly("--ansi", "always", "logs", "--grep", "red").stdout
    ok("colours stay where they may", "\x1b[31mred\x1b[0m" in coloured, coloured)
    plain = quietly("--ansi", "always", "logs", "--no-color", "--grep", "red").stdout
    ok("and go with --no-color", "\x1b" not in plain, plain)
    objects = [json.loads(line) for line in quietly("logs", "--json").stdout.splitlines()]
    equal("--json: an object a line", sorted(objects[0]), ["container", "line", "service", "stream", "time"])
    equal("--json: as it was", [o["line"] for o in objects if "nul" in o["line"]], ["nul\0nul"])
    ok("--json: its time", re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d+Z", objects[0]["time"]), objects[0])


run_tests(across_restarts, in_order_of_time, odd_bytes)
