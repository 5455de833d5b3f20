"""Answers of tests in Python, as TAP."""
import sys
import time

PATIENCE = 30  # seconds after which what is waited for will not come

_number = _failed = 0


def ok(name, good, shown=""):
    """One answer; what was seen is shown when it is no."""
    global _number, _failed
    _number += 1
    print(f"{'ok' if good else 'not ok'} {_number} - {name}", flush=True)
    if not good:
        _failed += 1
        for line in str(shown).splitlines():
            print("#   " + ascii(line), flush=True)


def equal(name, got, wanted):
    ok(name, got == wanted, f"   got: {got!r}\nwanted: {wanted!r}")


def eventually(what, seconds=PATIENCE):
    """The first true value of what(), or its last one: for what has no event to wait for."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)


def finish():
    """Says how many there were, and ends the program."""
    print(f"1..{_number}")
    sys.exit(_failed != 0)
