#!/usr/bin/env python3
"""Questions before data goes: what is shown, every answer, and that scripts are not asked."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "support"))
from terminal import NAME, Terminal, equal, ok, quietly, run_tests, write


def start():
    write("""
services:
  keeper:
    image: busybox
    network_mode: none
    stop_signal: KILL
    command: sh -c 'head -c 300000 /dev/zero >/data/file; echo written; exec tail -f /dev/null'
    volumes: ['data:/data', /anonymous]
  empty:
    image: busybox
    network_mode: none
    stop_signal: KILL
    command: tail -f /dev/null
volumes: { data: {} }
""")
    up = quietly("up", "-d")
    ok("up", up.returncode == 0, up.stderr)


def volumes():
    return quietly("volumes", "-q").stdout.split()


def answers_of_down():
    t = Terminal("down", "-v")
    ok("down -v asks", t.shows("Remove 2 volumes? [y/N] "), t.seen)
    shown = re.search(rf"{NAME}_data +(\d+) kB +{NAME}-keeper-1:/data", t.plain())
    ok("it shows the volumes and their sizes", shown and 290 < int(shown[1]) < 400, t.plain())
    ok("anonymous ones by their place", f"{NAME}-keeper-1:/anonymous" in t.plain(), t.plain())
    t.type("\n")
    equal("the default is no: 1", t.end(), 1)
    ok("and it says so", "nothing was changed" in t.seen, t.seen)
    for name, keys, code in (("ctrl-c", "\x03", 130), ("ctrl-d", "\x04", 1), ("something else", "yet\n", 1)):
        t = Terminal("down", "-v")
        t.until("[y/N] ")
        t.type(keys)
        equal(f"{name}: {code}", (t.end(), t.restored()), (code, True))
    equal("nothing was changed", len(quietly("ps", "-q").stdout.split()), 2)
    t = Terminal("down", "empty")
    equal("where no volume goes nobody is asked", t.end(), 0)


def answers_of_rm():
    quietly("stop", "-t", "0")
    nobody = quietly("rm")
    equal("rm without a terminal and an answer: 2", nobody.returncode, 2)
    t = Terminal("rm", "-v")
    ok("rm asks once", t.shows(f"Going to remove {NAME}-keeper-1 [y/N] "), t.seen)
    ok("rm -v shows the data", f"{NAME}-keeper-1:/anonymous" in t.plain() and f"{NAME}_data" not in t.plain(), t.plain())
    t.type("n\n")
    equal("no", t.end(), 1)
    equal("the answer may come by a pipe", quietly("rm", input="y\n").returncode, 0)
    equal("they are removed", quietly("ps", "-aq").stdout, "")


def the_end():
    quietly("up", "-d")
    t = Terminal("down", "-v", "-t", "0")
    t.until("[y/N] ")
    t.type("y\n")
    equal("yes", (t.end(), volumes()), (0, []))
    quietly("up", "-d")
    t = Terminal("down", "-v", "-y", "-t", "0")
    equal("--yes", (t.end(), volumes(), "[y/N]" in t.seen), (0, [], False))
    quietly("up", "-d")
    result = quietly("down", "-v", "-t", "0")
    equal("without a terminal nobody is asked", (result.returncode, volumes()), (0, []))


run_tests(start, answers_of_down, answers_of_rm, the_end)
