#!/usr/bin/env python3
"""What becomes of the jobs of `stack hook`: killed servers, limits, polls, commit statuses."""
import http.client
import http.server
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests/support"))
from hook import *  # noqa: E402


def git(*args, cwd=None):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
           "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t"}
    return subprocess.run(["git", *args], cwd=cwd, env=env, check=True, capture_output=True, text=True)


def new_commit(tree, message):
    git("commit", "--allow-empty", "-m", message, cwd=tree)
    return git("rev-parse", "HEAD", cwd=tree).stdout.strip()


# --- a forge that keeps what it is told; its first answer to a final state is that it is busy ---
told = []


class Forge(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        busy = body["state"] == "success" and not any(t[2]["state"] == "success" for t in told)
        told.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(503 if busy else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


forge = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge)
threading.Thread(target=forge.serve_forever, daemon=True).start()

# --- repositories: one that is polled, one whose post-receive is `stack hook --send` ---
for name in ("polled", "pushed"):
    git("init", "-q", "--bare", "-b", "main", path(f"{name}.git"))
    git("clone", "-q", path(f"{name}.git"), path(name))
    git("checkout", "-qb", "main", cwd=path(name))
    new_commit(path(name), "first")
    git("push", "-q", "origin", "main", cwd=path(name))

os.makedirs(path("a"))
os.environ["HOOK_TOKEN"] = "t0ken"
PIDS = path("pids")
server = Server("a", f"""
stop: 10s
parallel: 4
projects:
  plain:
    git: http://127.0.0.1:{forge.server_port}/team/plain.git
    forge: github
    status: {{ token_env: HOOK_TOKEN, context: ci/stack }}
    command: [sh, -c, 'printf "built $STACK_HOOK_BRANCH \\033[2J<b>&\\n"; env | grep -c "t0""ken"; true']
  slow:
    git: /nowhere
    limits: {{ time: 1s }}
    command: [sh, -c, 'echo $$ >>{PIDS}; setsid sh -c "echo \\$\\$ >>{PIDS}; trap \\"\\" TERM; sleep 60; :" & (sleep 61 & echo $! >>{PIDS}; wait) & sleep 62; :']
  left:
    git: /nowhere
    command: [sh, -c, 'setsid sleep 63 & echo $! >>{PIDS}']
  fails:
    git: /nowhere
    command: [sh, -c, 'exit 7']
  missing:
    git: /nowhere
    command: [no-such-program]
  large:
    git: /nowhere
    limits: {{ file_size: 1m }}
    command: [sh, -c, 'exec dd if=/dev/zero of={path("large")} bs=64k count=100']
  greedy:
    git: /nowhere
    limits: {{ memory: 64m }}
    command: [python3, -c, 'x = bytearray(500 << 20)']
  busy:
    git: /nowhere
    limits: {{ cpu: 1s }}
    command: [sh, -c, 'while :; do :; done']
  loud:
    git: /nowhere
    limits: {{ log: 20k }}
    command: [sh, -c, 'seq 1 20000; echo the end']
  polled:
    git: {path("polled.git")}
    poll: 1s
    refs: ['*', 'refs/tags/*']
    command: [echo, '{{ref}}', '{{commit}}']
  pushed:
    git: {path("pushed.git")}
    command: [echo, '{{branch}}', '{{commit}}']
""")

# --- how jobs end ---
began = time.monotonic()
number = {}
for n, name in enumerate(["slow", "plain", "left", "fails", "missing", "large", "greedy", "busy", "loud"]):
    status, text = server.push(name, "d", commit(n + 1))
    number[name] = json.loads(text)["job"]


def ends(name, state, message):
    job = server.ended(number[name])
    same((job["state"], job.get("message")), (state, message), f"{name}: {state}, {message}")
    return server.log(number[name])


ends("slow", "failed", "the command took longer than 1s")
pids = read("pids").split()
ok(len(pids) >= 3 and not any(alive(p) for p in pids), "nothing of it is left, whatever its session", pids)
log = ends("plain", "success", None)
ok("built main \\x1b[2J<b>&" in log, "the log drives no terminal", log)
ok(log.splitlines()[2] == "0", "the environment of a job has no token", log)
ends("left", "success", None)
ok(not any(alive(p) for p in read("pids").split()), "what a job leaves behind ends with it", read("pids"))
ends("fails", "failed", "the command ended with exit code 7")
ok("no-such-program" in ends("missing", "failed", "the command ended with exit code 127"), "the log says which")
ends("large", "failed", "the command wrote a file larger than its limit")
ok(os.path.getsize(path("large")) <= 1 << 20, "and the file is no larger")
ok("MemoryError" in ends("greedy", "failed", "the command ended with exit code 1"), "memory is limited")
ends("busy", "failed", "the command used more processor time than its limit")
log = ends("loud", "success", None)
ok(len(log) < 25000 and "the end" in log and "\n20000\n" in log, "the last part of a long log is kept", len(log))

# --- commit statuses ---
same([t[2]["state"] for t in told[:1]], ["pending"], "the forge was told that it began")
ok(eventually(lambda: sum(t[2]["state"] == "success" for t in told) == 2), "and how it ended, a second time", told)
same(told[-1][0], f"/api/v3/repos/team/plain/statuses/{commit(2)}", "where the commit's statuses are")
same(told[-1][1], "Bearer t0ken", "with the token")
same(told[-1][2], {"state": "success", "description": "rebuilt", "context": "ci/stack"}, "what it was told")
ok(eventually(lambda: server.job(number["plain"]).get("reported")), "it is noted", server.job(number["plain"]))
ok("t0ken" not in server.said() + json.dumps(server.jobs()) + server.log(number["plain"]), "the token shows nowhere")

# --- polls ---
polled = "a/q/polls/polled.json"
ok(eventually(lambda: read(polled)), "the first look notes what is there", server.said())
same([j for j in server.jobs() if j["project"] == "polled"], [], "and builds nothing")
second = new_commit(path("polled"), "second")
git("tag", "-am", "one", "v1", cwd=path("polled"))
git("push", "-q", "origin", "main", "v1", cwd=path("polled"))


def of_project(name):
    return [j for j in server.jobs() if j["project"] == name and j["state"] == "success"]


ok(eventually(lambda: len(of_project("polled")) == 2), "a push is seen", server.said())
same(sorted((j["ref"], j["commit"]) for j in of_project("polled")),
     [("refs/heads/main", second), ("refs/tags/v1", second)], "the branch, and the commit of the tag")

# --- git push to a bare repository ---
hook = path("pushed.git/hooks/post-receive")
write("pushed.git/hooks/post-receive",
      f"#!/bin/sh\nexec {os.environ['STACK']} hook --send http://{server.address}/hook/pushed "
      f"--secret-file {path('a/secret')}\n", 0o755)
second = new_commit(path("pushed"), "second")
said = git("push", "origin", "main", "main:other", cwd=path("pushed")).stderr
ok('refs/heads/main: {"job":' in said, "git push shows the job", said)
ok("refs/heads/other: {\"ignored\":" in said, "and what was ignored", said)
job = of_project("pushed") or eventually(lambda: of_project("pushed"))
same([j["commit"] for j in job], [second], "it was built")

with open(os.path.join(os.environ["TOP"], "examples/ci/post-receive.curl")) as f:
    script = f.read()
script = script.replace("https://ci.example/hook/nova", f"http://{server.address}/hook/pushed")
write("pushed.git/hooks/post-receive", script.replace("/etc/stack/nova.secret", path("a/secret")), 0o755)
third = new_commit(path("pushed"), "third")
said = git("push", "origin", "main", cwd=path("pushed")).stderr
ok(eventually(lambda: [j["commit"] for j in of_project("pushed")] == [third, second]), "the same with curl and openssl", said)

# --- a stop: what runs may end; asked again, it waits for the next start ---
server.configure("""
projects:
  waits: { git: /nowhere, command: [sh, -c, 'echo $$ >>started; while [ ! -e go ]; do sleep 0.05; done'] }
""")
server.signal(signal.SIGHUP)
ok(eventually(lambda: "reload: done" in server.said()), "reload: another project")
waits = json.loads(server.push("waits", "w1", commit(50))[1])["job"]
eventually(lambda: read("a/started"))
server.signal(signal.SIGTERM)
ok(eventually(lambda: "stopping when 1 running jobs have ended" in server.said()), "it waits for a running job")
write("a/go", "")
same(server.wait(), 0, "and ends with it")
os.unlink(path("a/go"))
server.start()
same(server.job(waits)["state"], "success", "the job has ended")
waits = json.loads(server.push("waits", "w2", commit(51))[1])["job"]
eventually(lambda: read("a/started").count("\n") == 2)
server.signal(signal.SIGTERM)
eventually(lambda: server.said().count("stopping when") == 2)
server.signal(signal.SIGTERM)
same(server.wait(), 0, "a second SIGTERM stops the job")
pid = read("a/started").split()[-1]
ok(not alive(pid), "which is gone")
server.start()
ok(eventually(lambda: read("a/started").count("\n") == 3), "it runs again at the next start", server.said())

# --- a server that is killed: its jobs end with it, and run again ---
pid = read("a/started").split()[-1]
server.kill()
ok(eventually(lambda: not alive(pid)), "the jobs of a killed server end")
server.start()
ok(eventually(lambda: read("a/started").count("\n") == 4), "the job runs again", server.said())
same(server.job(waits)["interrupted"], 1, "and is marked")
write("a/go", "")
same(server.ended(waits)["state"], "success", "and ends")
same(server.push("waits", "w2", commit(51))[1], f'{{"duplicate":true,"job":{waits}}}\n', "its delivery is still known")

# --- killed at any moment, while deliveries come and jobs run ---
server.kill()
server.configure("""
keep: 10000
projects:
  nova: { git: /nowhere, refs: ['*'], command: [sh, -c, 'echo $STACK_HOOK_JOB $STACK_HOOK_COMMIT >>built'] }
""")
promised = {}
random.seed(5)
sent = 100
for round in range(6):
    server.start()
    end = time.monotonic() + random.uniform(0.02, 0.3)
    killer = threading.Timer(end - time.monotonic(), server.kill)
    killer.start()
    try:
        connection = server.connect()
        while True:
            status, text = server.push("nova", f"k{sent}", commit(sent), f"refs/heads/b{sent % 3}", connection)
            promised[sent] = json.loads(text)["job"]
            sent += 1
    except (OSError, http.client.HTTPException):
        pass
    killer.join()
server.start()
for ref in range(3):
    promised[sent + ref] = json.loads(server.push("nova", f"k{sent + ref}", commit(sent + ref), f"refs/heads/b{(sent + ref) % 3}")[1])["job"]
eventually(lambda: not [j for j in server.jobs() if j["state"] in ("queued", "running")])
server.signal(signal.SIGTERM)
server.wait()
jobs = {}
for name in os.listdir(path("a/q/jobs")):
    job = json.loads(read(f"a/q/jobs/{name}"))
    jobs[job["id"]] = job
ok(len(promised) > 10, "deliveries were promised", len(promised))
same([n for n, id in promised.items() if jobs.get(id, {}).get("commit") != commit(n)], [], "no job that was promised is missing")
ours = [j for j in jobs.values() if j["project"] == "nova"]
ok(all(j["state"] in ("success", "superseded") for j in ours), "each was built or gave way to a newer one", ours)
ok(all(jobs[j["superseded_by"]]["ref"] == j["ref"] and j["superseded_by"] > j["id"] for j in ours if j["state"] == "superseded"),
   "of the same branch")
runs = [int(line.split()[0]) for line in read("a/built").splitlines()]
ok(all(runs.count(j["id"]) <= 1 + j.get("interrupted", 0) for j in ours), "none ran more often than it was interrupted", runs)
ok(all(j["id"] in runs for j in ours if j["state"] == "success"), "what succeeded was run", runs)
same([name for name in os.listdir(path("a/q/jobs")) if not name.endswith(".json") or name.startswith(".")], [],
     "nothing half written is left")
forge.shutdown()
done_testing()
