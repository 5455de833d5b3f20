#!/usr/bin/env python3
"""`stack watch` and `up --watch`: what is saved here is found in the containers."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "support"))
from terminal import NAME, STACK, WORK, eventually, equal, ok, quietly, run_tests, stack

LOG = os.path.join(WORK, "requests")
PROXY = os.path.join(os.environ["TOP"], "tests", "support", "proxy")
os.chdir(WORK)

# The user is one that every machine has: Docker Engine 20.10 looks names and numbers up on its own.
WEB = """
services:
  web:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
    network_mode: none
    scale: 2
    user: "1"
    develop:
      watch:
        - {path: src, target: /app, action: sync, initial_sync: true,
           ignore: ["*.log", "deep/out/"]}
        - {path: conf, target: /tmp/conf, action: sync+restart}
        - {path: pages, target: /tmp/pages, action: sync+exec, include: "*.html",
           exec: {command: [sh, -c, 'cat /tmp/pages/*.html >>/tmp/all; echo "$$WHO saw it"'],
                  user: root, environment: [WHO=me]}}
        - {path: touched, action: restart}
"""

BUILT = """
services:
  app:
    build: app
    command: tail -f /dev/null
    stop_signal: SIGKILL
    network_mode: none
    develop:
      watch:
        - {path: app, action: rebuild, ignore: [live/]}
        - {path: app/live, target: /live, action: sync}
  beside:
    image: busybox
    command: tail -f /dev/null
    stop_signal: SIGKILL
    network_mode: none
"""


class Watch:
    """One that runs, with its requests recorded."""

    def __init__(self, *args):
        open(LOG, "w").close()
        self.seen = ""
        self.process = subprocess.Popen(
            [PROXY, LOG, *stack(*args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.set_blocking(self.process.stdout.fileno(), False)

    def pid(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            return int(f.read())

    @contextlib.contextmanager
    def asleep(self):
        """What is done meanwhile it sees all at once, however slow this machine is."""
        os.kill(self.pid(), signal.SIGSTOP)
        yield
        os.kill(self.pid(), signal.SIGCONT)

    def read(self):
        self.seen += (self.process.stdout.read() or b"").decode()
        return self.seen

    def shows(self, text):
        return eventually(lambda: text in self.read())

    def until(self, text):
        good = self.shows(text)
        self.seen = self.seen[self.seen.find(text) + len(text) :] if good else self.seen
        return good

    def end(self):
        os.kill(self.pid(), signal.SIGINT)
        code = self.process.wait(30)
        os.set_blocking(self.process.stdout.fileno(), True)
        self.read()
        return code


def put(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def requests(text):
    with open(LOG) as f:
        return sum(text in line for line in f)


def inside(container, command):
    run = quietly("exec", "-T", "--index", container[-1], container[:-2], "sh", "-c", command)
    return run.stdout


def prepare(text):
    put("compose.yaml", text.replace("NAME", NAME))


def nothing_to_watch():
    prepare("services: {web: {image: busybox, command: 'true'}}\n")
    result = quietly("watch")
    ok("without develop.watch it ends at once", result.returncode == 15, result)
    ok("and says how", "develop.watch" in result.stderr, result.stderr)
    equal("and has brought nothing up", quietly("ps", "-aq").stdout, "")


def copies():
    prepare(WEB)
    put("src/first", "1")
    put("src/deep/x", "1")
    put("src/skipped.log", "1")
    os.chmod("src/first", 0o750)
    os.symlink("first", "src/link")
    put("conf", "one")
    result = quietly("--dry-run", "watch")
    ok("--dry-run shows the plan", "create" in result.stdout, result)
    ok("and what is watched", "watch web: src -> /app  sync" in result.stdout, result)
    equal("and changes nothing", quietly("ps", "-aq").stdout, "")

    w = Watch("watch")
    ok("it brings everything up, and watches", w.until("Ctrl-C ends"), w.seen)
    for container in "web-1", "web-2":
        equal(
            f"initial_sync: {container} has it all, as its user",
            inside(container, "cd /app; stat -c '%n %a %u' first deep/x; readlink link; ls"),
            "first 750 1\ndeep/x 644 1\nfirst\ndeep\nfirst\nlink\n",
        )

    put("src/one", "saved")
    ok("a save is a line", w.until("web: synced /app/one in 2 containers"), w.seen)
    equal("and the file is there", inside("web-2", "cat /app/one"), "saved")
    with w.asleep():
        put("src/.one.swp", "editor")
        put("src/one.tmp", "saved again")
        os.rename("src/one.tmp", "src/one")
    ok("an editor writes beside and renames", w.until("web: synced /app/one in"), w.seen)
    equal("the rest is nobody's", inside("web-1", "cat /app/one; ls -A /app"),
          "saved againdeep\nfirst\nlink\none\n")

    before = requests("/archive?"), requests("/exec ")
    with w.asleep():
        for i in range(200):
            put(f"src/many/{i % 5}/{i}", str(i))
            put("src/skipped.log", str(i))
    ok("200 saves are one action", w.until("web: synced 200 files in 2 containers"), w.seen)
    equal("one request for each container", requests("/archive?") - before[0], 2)
    equal("and no command", requests("/exec ") - before[1], 0)
    equal("all are there", inside("web-2", "cat /app/many/*/* | wc -c"), "490\n")
    os.rename("src/many", "src/other")
    ok("a folder is renamed", w.until("removed 1 in 2 containers"), w.seen)
    equal("it is there under its new name alone",
          inside("web-1", "cd /app; find other -type f | wc -l; ls -d many 2>&1 | wc -l"),
          "200\n1\n")
    ok("by one rm", "many: No such" in inside("web-2", "ls /app/many 2>&1"))
    shutil.rmtree("src/other")
    put("src/other", "now a file")
    os.unlink("src/one")
    os.mkdir("src/one")
    put("src/one/x", "now a folder")
    ok("files and folders change places",
       eventually(lambda: inside("web-1", "cat /app/other /app/one/x 2>/dev/null")
                  == "now a filenow a folder"), w.read())
    put("src/deep/out/ignored", "1")
    put("src/last", "1")
    ok("what is ignored", w.until("/app/last"), w.seen)
    equal("is not copied", inside("web-1", "ls /app/deep"), "x\n")

    put("conf", "two")
    ok("sync+restart copies", w.until("synced /tmp/conf"), w.seen)
    ok("and restarts", w.until("restarted in"), w.seen)
    equal("in this order", inside("web-1", "cat /tmp/conf"), "two")
    with w.asleep():
        put("pages/a.html", "A")
        put("pages/a.css", "B")
        put("pages/b.html", "C")
    ok("sync+exec runs its command in each",
       w.shows("web-1  | me saw it") and w.shows("web-2  | me saw it"), w.seen)
    equal("once, with the files that are included", inside("web-1", "cat /tmp/all; ls /tmp/pages"),
          "ACa.html\nb.html\n")
    put("touched", "1")
    ok("restart alone", w.until("restarted in"), w.seen)
    equal("Ctrl-C ends it", w.end(), 130)
    equal("and the stack goes on", len(quietly("ps", "-q").stdout.split()), 2)

    put("src/away", "while nobody looked")
    os.unlink("src/link")
    w = Watch("watch", "--no-up")
    ok("initial_sync brings only what differs", w.until("web: synced /app/away"), w.seen)
    ok("and is ready", w.until("Ctrl-C ends"), w.seen)
    quietly("up", "-d", "--force-recreate", "-t", "0")
    put("src/last", "2")
    ok("containers that were replaced meanwhile", w.until("synced /app/last"), w.seen)
    equal("are found anew", inside("web-2", "cat /app/last"), "2")

    equal("SIGINT", w.end(), 130)


def engine(path):
    """What it says, by other means than `stack`."""
    place = os.environ["DOCKER_HOST"].removeprefix("unix://")
    said = subprocess.run(["curl", "-sS", "--unix-socket", place, "http://localhost" + path],
                          capture_output=True, check=True)
    return json.loads(said.stdout)


def all_images():
    return [image["Id"] for image in engine("/images/json?all=1")]


def image():
    return engine(f"/images/{NAME}-app/json")["Id"]


def builds():
    quietly("down", "-t", "0")
    prepare(BUILT)
    put("app/Dockerfile", "FROM busybox\nCOPY file /file\n")
    put("app/file", "1")
    put("app/live/x", "1")
    put("app/.dockerignore", "live/ignored\n")
    w = Watch("up", "--watch")
    ok("up --watch", w.until("app/live -> /live") and w.until("Watch enabled"), w.seen)
    beside = quietly("ps", "-q", "beside").stdout
    put("app/file", "2")
    ok("rebuild builds", w.until("Built"), w.seen)
    ok("and replaces", w.until("ready in"), w.seen)
    ok("in docker compose's words", w.until('service(s) ["app"] successfully built'), w.seen)
    equal("the container has the new image", inside("app-1", "cat /file"), "2")
    equal("others are left alone", quietly("ps", "-q", "beside").stdout, beside)
    same = quietly("ps", "-q", "app").stdout
    os.utime("app/file")
    ok("a file that is only touched", w.until("ready in"), w.seen)
    equal("replaces nothing", quietly("ps", "-q", "app").stdout, same)
    put("app/Dockerfile", "FROM busybox\nCOPY file /file\nRUN exit 7\n")
    ok("a build that fails is told", w.until("exit code: 7") or w.until("exit code 7"), w.seen)
    equal("the old container runs on", inside("app-1", "cat /file"), "2")
    with w.asleep():
        put("app/live/y", "beside")
        put("app/live/ignored", "by .dockerignore")
    ok("watching goes on", w.until("synced /live/y"), w.seen)
    equal("with the .dockerignore of the build", inside("app-1", "ls /live"), "y\n")
    put("app/Dockerfile", "FROM busybox\nCOPY file /file2\n")
    ok("the next change mends it",
       eventually(lambda: inside("app-1", "cat /file2 2>/dev/null") == "2"), w.read())
    equal("Ctrl-C", w.end(), 130)
    ok("stops what up started", "Gracefully stopping" in w.seen, w.seen)
    equal("all of it", quietly("ps", "-q").stdout, "")

    old = image()
    w = Watch("watch", "--prune", "--quiet", "app")
    ok("watch --prune", w.until("Ctrl-C ends"), w.seen)
    put("app/file", "3")
    ok("a rebuild", w.until("ready in"), w.seen)
    ok("has removed the image before it", eventually(lambda: old not in all_images()), old)
    ok("has another image", image() != old, old)
    equal("Ctrl-C ends it", w.end(), 130)
    quietly("down", "-t", "0", "--rmi", "local")


run_tests(nothing_to_watch, copies, builds)
