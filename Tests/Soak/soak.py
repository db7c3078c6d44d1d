# A thousand clients, workers that come and go, made-up models and two local answers at a time, before a gateway that may
# open 256 files: it must stay alive and flat, and answer every call. Run by scripts/soak; only Python's own library.

import argparse
import asyncio
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from clients import Crowd, Record
from wire import Broken, Connection, Refused

FILES = 256
CLIENTS = 1000
ENGINES = 6
# What may be used more of at the end than after the warm-up.
MEMORY_SLACK = 0.10
MEMORY_SLACK_MB = 12
# What may be open, once all clients have gone, beside what was open before they came: unused connections to engines.
DESCRIPTOR_SLACK = 48
METRICS_LIMIT = 512 << 10


def configuration(directory, ports, model):
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    with open(f"{directory}/workers.txt", "w") as file:
        file.write(f"{urls[2]}\n")
    with open(f"{directory}/gateway.toml", "w") as file:
        file.write(
            f"""\
[server]
port = 0
access_log = false

[workers]
urls = {json.dumps(urls[:2])}
discovery = {{ file = "{directory}/workers.txt" }}
drain_deadline = "5s"

[local_models]
small = {{ path = "{model}", parallel = 2, context_length = 1024 }}

[[models]]
name = "fixed"
policy = "least_load"
[[models.deployments]]
base_url = "{urls[0]}/v1"
model = "shared"
[[models.deployments]]
base_url = "{urls[1]}/v1"
model = "shared"
"""
        )
    return f"{directory}/gateway.toml"


class Gateway:
    """The process under test."""

    def __init__(self, program, file, log):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))

        self.log = log
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                [program, "serve", "--config", file], stdin=subprocess.DEVNULL, stderr=errors, preexec_fn=limit
            )
        self.port = None

    async def start(self):
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r"Listening.*port\W+([0-9]+)", open(self.log).read())
            if found:
                self.port = int(found[1])
                if await self.is_ready():
                    return
            await asyncio.sleep(0.1)
        sys.exit(f"soak: the gateway does not start:\n{open(self.log).read()[-3000:]}")

    async def get(self, path, connection=None):
        """An answer of the control plane, however often a full house refuses it."""
        end = time.monotonic() + 60
        while True:
            try:
                async with asyncio.timeout(60):
                    return await (connection or Connection(self.port)).call("GET", path, close=connection is None)
            except (Refused, TimeoutError):
                if connection:
                    connection.abort()
                if time.monotonic() > end or not self.is_alive():
                    raise Broken(f"{path} is not answered") from None
                await asyncio.sleep(0.1)

    async def is_ready(self):
        return (await self.get("/readiness")).status == 200

    def is_alive(self):
        return self.process.poll() is None

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


async def churn_by_hand(gateway, urls, crowd, counts):
    """Workers come and go over HTTP, on a connection that is kept: a new one waits behind a thousand others."""
    connection = Connection(gateway.port)
    while not crowd.is_over:
        await asyncio.sleep(random.random())
        try:
            listed = (await gateway.get("/workers", connection)).json()["data"]
            there = {worker["url"].removesuffix("/v1"): worker["id"] for worker in listed}
            url = random.choice(urls)
            async with asyncio.timeout(60):
                if url in there:
                    path = f"/workers/{there[url]}?drain={random.choice([0, 2])}"
                    answer = await connection.call("DELETE", path, close=False)
                else:
                    answer = await connection.call("POST", "/workers", {"url": url}, close=False)
        except Refused:
            continue
        except TimeoutError:
            connection.abort()
            continue
        except Broken as error:
            crowd.record.fail("worker", error)
            continue
        counts[answer.status] = counts.get(answer.status, 0) + 1
        if answer.status not in (200, 202, 404, 409, 503):
            crowd.record.fail("worker", f"HTTP {answer.status}: {answer.body[:300]!r}")


async def churn_by_file(directory, urls, crowd):
    """Workers come and go in a watched file: renamed into place, or written over."""
    while not crowd.is_over:
        await asyncio.sleep(1 + random.random() * 2)
        text = "".join(f"{url}\n" for url in random.sample(urls, random.randrange(1, len(urls) + 1)))
        path = f"{directory}/workers.txt"
        written = random.choice([path, f"{path}.new"])
        with open(written, "w") as file:
            file.write(text)
        if written != path:
            os.rename(written, path)


async def watch(gateway, crowd, samples):
    while not crowd.is_over and gateway.is_alive():
        try:
            samples.append((time.monotonic(), gateway.memory(), gateway.descriptors()))
        except (OSError, TypeError):
            return
        await asyncio.sleep(0.5)


async def clock(gateway, crowd, seconds):
    """Ends the soak when its time is over, or when the gateway has died; looks at the probes meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and gateway.is_alive():
        try:
            for path in ("/health", "/readiness", "/metrics", "/v1/models"):
                answer = await gateway.get(path)
                if answer.status != 200:
                    crowd.record.fail("probe", f"{path} is HTTP {answer.status}")
        except Broken as error:
            crowd.record.fail("probe", error)
        await asyncio.sleep(1)
    crowd.is_dead = not gateway.is_alive()
    crowd.is_over = True
    while crowd.is_busy and not crowd.is_dead:
        await asyncio.sleep(1)
        crowd.is_dead = not gateway.is_alive()


def mean_memory(samples, begin, end):
    span = samples[-1][0] - samples[0][0]
    chosen = [m for t, m, _ in samples if begin <= (t - samples[0][0]) / max(span, 0.001) <= end]
    return statistics.median(chosen)


async def soak(arguments, directory):
    engines = subprocess.Popen(
        [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "engines.py"), str(ENGINES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    ports = json.loads(engines.stdout.readline())
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    gateway = Gateway(arguments.gateway, configuration(directory, ports, arguments.model), f"{directory}/gateway.log")
    try:
        await gateway.start()
        before = gateway.descriptors()
        record, samples, workers = Record(), [], {}
        crowd = Crowd(gateway.port, record)
        await asyncio.gather(
            clock(gateway, crowd, arguments.seconds),
            watch(gateway, crowd, samples),
            churn_by_hand(gateway, urls[4:], crowd, workers),
            churn_by_file(directory, urls[2:4], crowd),
            crowd.run(arguments.clients),
        )
        return await judge(gateway, record, samples, workers, before)
    finally:
        gateway.process.kill()
        gateway.process.wait()
        engines.kill()
        engines.wait()


async def judge(gateway, record, samples, workers, before):
    verdicts = []

    def check(name, is_good, text):
        verdicts.append(is_good)
        print(f"{'ok  ' if is_good else 'FAIL'}  {name:<14} {text}")

    alive = gateway.is_alive()
    check("alive", alive, "yes" if alive else f"ended with {gateway.process.returncode}")
    total = sum(record.answered.values())
    check("answered", not record.failures and total > 0, f"{total} calls, {len(record.failures)} failures")
    for kind, count in sorted(record.answered.items()):
        print(f"        {kind:<18} {count:>8} answered, {record.refused[kind]:>7} times refused and sent again")
    print(f"        statuses {dict(sorted(record.statuses.items()))}, {record.vanished} clients vanished, workers {workers}")
    for text in record.failures[:10]:
        print(f"        {text}")
    if record.seconds:
        cut = statistics.quantiles(record.seconds, n=100) if len(record.seconds) > 1 else record.seconds * 99
        print(f"        seconds to an answer: median {cut[49]:.2f}, p99 {cut[98]:.2f}, max {max(record.seconds):.2f}")
    warm, late = mean_memory(samples, 0.25, 0.5), mean_memory(samples, 0.85, 1)
    bound = warm * (1 + MEMORY_SLACK) + MEMORY_SLACK_MB
    check("memory", late <= bound, f"{warm:.0f} MB after the warm-up, {late:.0f} MB at the end, at most {bound:.0f}")
    if alive:
        after = await settle(gateway, before + DESCRIPTOR_SLACK)
        most = max(count for _, _, count in samples)
        text = f"{before} before, at most {most} of {FILES}, {after} after, at most {before + DESCRIPTOR_SLACK}"
        check("descriptors", most <= FILES and after <= before + DESCRIPTOR_SLACK, text)
        metrics = (await gateway.get("/metrics")).body
        invented = metrics.count(b"made-up-")
        text = f"{len(metrics)} bytes, at most {METRICS_LIMIT}, {invented} lines with made-up models"
        check("metrics", len(metrics) <= METRICS_LIMIT and invented == 0, text)
        check("ready", await gateway.is_ready(), "/readiness")
        gateway.process.terminate()
        try:
            status = await asyncio.to_thread(gateway.process.wait, 60)
        except subprocess.TimeoutExpired:
            status = "no end within 60 s"
        check("end", status == 0, f"status {status} after SIGTERM")
    log = open(gateway.log).read()
    check("log", len(log) < 1 << 20, f"{log.count(chr(10))} lines, {len(log)} bytes")
    if not all(verdicts):
        print(f"the end of the log:\n{log[-3000:]}")
    return all(verdicts)


async def settle(gateway, enough):
    """How many descriptors are open once the gateway has noticed that everybody has gone."""
    end = time.monotonic() + 30
    while gateway.descriptors() > enough and time.monotonic() < end:
        await asyncio.sleep(0.5)
    return gateway.descriptors()


def main():
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--model", required=True)
    arguments = parser.parse_args()
    for path in (arguments.gateway, arguments.model):
        if not os.path.exists(path):
            sys.exit(f"soak: there is no {path}; run scripts/build and scripts/setup")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < arguments.clients + 200:
        sys.exit(f"soak: {arguments.clients} clients need more than the {hard} descriptors of `ulimit -Hn`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(0 if asyncio.run(soak(arguments, directory)) else 1)


if __name__ == "__main__":
    main()
