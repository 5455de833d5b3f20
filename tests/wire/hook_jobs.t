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
    equal(f"{name}: {state}, {message}", (job["state"], job.get("message")), (state, message))
    return server.log(number[name])


ends("slow", "failed", "the command took longer than 1s")
pids = read("pids").split()
ok("nothing of it is left, whatever its session", len(pids) >= 3 and not any(alive(p) for p in pids), pids)
log = ends("plain", "success", None)
ok("the log drives no terminal", "built main \\x1b[2J<b>&" in log, log)
ok("the environment of a job has no token", log.splitlines()[2] == "0", log)
ends("left", "success", None)
ok("what a job leaves behind ends with it", not any(alive(p) for p in read("pids").split()), read("pids"))
ends("fails", "failed", "the command ended with exit code 7")
ok("the log says which", "no-such-program" in ends("missing", "failed", "the command ended with exit code 127"))
ends("large", "failed", "the command wrote a file larger than its limit")
ok("and the file is no larger", os.path.getsize(path("large")) <= 1 << 20)
ok("memory is limited", "MemoryError" in ends("greedy", "failed", "the command ended with exit code 1"))
ends("busy", "failed", "the command used more processor time than its limit")
log = ends("loud", "success", None)
ok("the last part of a long log is kept", len(log) < 25000 and "the end" in log and "\n20000\n" in log, len(log))

# --- commit statuses ---
equal("the forge was told that it began", [t[2]["state"] for t in told[:1]], ["pending"])
ok("and how it ended, a second time", eventually(lambda: sum(t[2]["state"] == "success" for t in told) == 2), told)
equal("where the commit's statuses are", told[-1][0], f"/api/v3/repos/team/plain/statuses/{commit(2)}")
equal("with the token", told[-1][1], "Bearer t0ken")
equal("what it was told", told[-1][2], {"state": "success", "description": "rebuilt", "context": "ci/stack"})
ok("it is noted", eventually(lambda: server.job(number["plain"]).get("reported")), server.job(number["plain"]))
ok("the token shows nowhere", "t0ken" not in server.said() + json.dumps(server.jobs()) + server.log(number["plain"]))

# --- polls ---
polled = "a/q/polls/polled.json"
ok("the first look notes what is there", eventually(lambda: read(polled)), server.said())
equal("and builds nothing", [j for j in server.jobs() if j["project"] == "polled"], [])
second = new_commit(path("polled"), "second")
git("tag", "-am", "one", "v1", cwd=path("polled"))
git("push", "-q", "origin", "main", "v1", cwd=path("polled"))


def of_project(name):
    return [j for j in server.jobs() if j["project"] == name and j["state"] == "success"]


ok("a push is seen", eventually(lambda: len(of_project("polled")) == 2), server.said())
equal("the branch, and the commit of the tag",
      sorted((j["ref"], j["commit"]) for j in of_project("polled")), [("refs/heads/main", second), ("refs/tags/v1", second)])

# --- git push to a bare repository ---
hook = path("pushed.git/hooks/post-receive")
write("pushed.git/hooks/post-receive",
      f"#!/bin/sh\nexec {os.environ['STACK']} hook --send http://{server.address}/hook/pushed "
      f"--secret-file {path('a/secret')}\n", 0o755)
second = new_commit(path("pushed"), "second")
said = git("push", "origin", "main", "main:other", cwd=path("pushed")).stderr
ok("git push shows the job", 'refs/heads/main: {"job":' in said, said)
ok("and what was ignored", "refs/heads/other: {\"ignored\":" in said, said)
job = of_project("pushed") or eventually(lambda: of_project("pushed"))
equal("it was built", [j["commit"] for j in job], [second])

with open(os.path.join(os.environ["TOP"], "examples/ci/post-receive.curl")) as f:
    script = f.read()
script = script.replace("https://ci.example/hook/nova", f"http://{server.address}/hook/pushed")
write("pushed.git/hooks/post-receive", script.replace("/etc/stack/nova.secret", path("a/secret")), 0o755)
third = new_commit(path("pushed"), "third")
said = git("push", "origin", "main", cwd=path("pushed")).stderr
ok("the same with curl and openssl", eventually(lambda: [j["commit"] for j in of_project("pushed")] == [third, second]), said)

# --- a stop: what runs may end; asked again, it waits for the next start ---
server.configure("""
projects:
  waits: { git: /nowhere, command: [sh, -c, 'echo $$ >>started; while [ ! -e go ]; do sleep 0.05; done'] }
""")
server.signal(signal.SIGHUP)
ok("reload: another project", eventually(lambda: "reload: done" in server.said()))
waits = json.loads(server.push("waits", "w1", commit(50))[1])["job"]
eventually(lambda: read("a/started"))
server.signal(signal.SIGTERM)
ok("it waits for a running job", eventually(lambda: "stopping when 1 running jobs have ended" in server.said()))
write("a/go", "")
equal("and ends with it", server.wait(), 0)
os.unlink(path("a/go"))
server.start()
equal("the job has ended", server.job(waits)["state"], "success")
waits = json.loads(server.push("waits", "w2", commit(51))[1])["job"]
eventually(lambda: read("a/started").count("\n") == 2)
server.signal(signal.SIGTERM)
eventually(lambda: server.said().count("stopping when") == 2)
server.signal(signal.SIGTERM)
equal("a second SIGTERM stops the job", server.wait(), 0)
pid = read("a/started").split()[-1]
ok("which is gone", not alive(pid))
server.start()
ok("it runs again at the next start", eventually(lambda: read("a/started").count("\n") == 3), server.said())

# --- a server that is killed: its jobs end with it, and run again ---
pid = read("a/started").split()[-1]
server.kill()
ok("the jobs of a killed server end", eventually(lambda: not alive(pid)))
server.start()
ok("the job runs again", eventually(lambda: read("a/started").count("\n") == 4), server.said())
equal("and is marked", server.job(waits)["interrupted"], 1)
write("a/go", "")
equal("and ends", server.ended(waits)["state"], "success")
equal("its delivery is still known", server.push("waits", "w2", commit(51))[1], f'{{"duplicate":true,"job":{waits}}}\n')

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
ok("deliveries were promised", len(promised) > 10, len(promised))
equal("no job that was promised is missing", [n for n, id in promised.items() if jobs.get(id, {}).get("commit") != commit(n)], [])
ours = [j for j in jobs.values() if j["project"] == "nova"]
ok("each was built or gave way to a newer one", all(j["state"] in ("success", "superseded") for j in ours), ours)
ok("of the same branch",
   all(jobs[j["superseded_by"]]["ref"] == j["ref"] and j["superseded_by"] > j["id"] for j in ours if j["state"] == "superseded"))
runs = [int(line.split()[0]) for line in read("a/built").splitlines()]
ok("none ran more often than it was interrupted", all(runs.count(j["id"]) <= 1 + j.get("interrupted", 0) for j in ours), runs)
ok("what succeeded was run", all(j["id"] in runs for j in ours if j["state"] == "success"), runs)
equal("nothing half written is left",
      [name for name in os.listdir(path("a/q/jobs")) if not name.endswith(".json") or name.startswith(".")], [])
forge.shutdown()
finish()
