"""The local backend beside llama.cpp's own server: same source, same model, same threads, same prompts."""

import http.client
import itertools
import json
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import processes

PARALLEL = 8
CONTEXT = 16_384
WORDS = "river stone cloud ember maple orbit piano lantern meadow harbor violet copper willow thunder".split()


# A scenario is measured in slices, one program and the other in turns: what a shared machine has to give changes within
# seconds, and would otherwise decide the comparison.
SLICES = 4
# Between two slices: the threads of llama.cpp spin for about 0.1 s after their last step before they sleep.
REST_SECONDS = 0.3


@dataclass(frozen=True)
class LocalScenario:
    """As many clients as `concurrent` send a request each, in every slice."""

    name: str
    title: str
    concurrent: int
    shared_prefix: bool = False


SCENARIOS = [
    LocalScenario("local-1", "1 request at a time", 1),
    LocalScenario("local-4", "4 at a time", 4),
    LocalScenario("local-8", "8 at a time", 8),
    LocalScenario("local-prefix", "4 at a time, 1,000-token shared prefix", 4, shared_prefix=True),
]


def threads():
    """What both engines are given: every core."""
    return processes.os.cpu_count()


def llama_server(repository):
    """The program, built into the cache when it is not there."""
    script = (
        'set -euo pipefail; source "$0/scripts/lib/environment.sh"; source "$0/scripts/lib/dependencies.sh"; '
        'source "$0/scripts/lib/llama-server.sh"; set_directories >&2; provide_llama_server >&2; end_work; '
        'echo "$llama_server"'
    )
    found = subprocess.run(["bash", "-c", script, str(repository)], stdout=subprocess.PIPE, text=True, check=True)
    return found.stdout.strip()


def start_llama_server(program, model, directory):
    port = processes.free_port()
    command = [program, "-m", model, "--host", "127.0.0.1", "--port", port, "-np", PARALLEL, "-c", CONTEXT,
               "-t", threads(), "-tb", threads()]
    return processes.Running(command, directory, output=Path(directory) / "llama-server.log"), port


def start_gateway(program, model, directory):
    port = processes.free_port()
    configuration = Path(directory) / "local.toml"
    configuration.write_text(
        f"[local_models.mock]\npath = {json.dumps(str(model))}\n"
        f"context_length = {CONTEXT}\nparallel = {PARALLEL}\nthreads = {threads()}\n"
    )
    command = [program, "serve", "--port", port, "--config", configuration]
    return processes.Running(command, directory, output=Path(directory) / "gateway-local.log"), port


class Measurement:
    """One program in one scenario: what its slices add up to."""

    def __init__(self, name, scenario, running, port, tokens):
        self.name, self.scenario, self.running, self.port, self.tokens = name, scenario, running, port, tokens
        self.answers, self.failures = [], []
        self.seconds = self.cpu_seconds = 0.0
        # No prompt is used twice, in another scenario either: llama-server would have its answer in memory.
        self.numbers = itertools.count(1000 * (SCENARIOS.index(scenario) + 1))

    def warm_up(self):
        """One request; with a shared prefix it is also the one that computes it."""
        self.running.reset_peak()
        self._send(self._next_prompt())
        self.answers.clear()

    def measure_slice(self):
        prompts = [self._next_prompt() for _ in range(self.scenario.concurrent)]
        clients = [threading.Thread(target=self._send, args=(one,)) for one in prompts]
        before, begun = self.running.cpu_seconds(), time.monotonic()
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.seconds += time.monotonic() - begun
        self.cpu_seconds += self.running.cpu_seconds() - before

    def _next_prompt(self):
        return prompt(next(self.numbers), self.scenario.shared_prefix)

    def _send(self, messages):
        try:
            self.answers.append(stream(self.port, messages, self.tokens))
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            self.failures.append(str(error))

    def result(self):
        """Tokens a second over all slices, and the time to the first token."""
        produced = sum(answer["tokens"] for answer in self.answers)
        first = [answer["first_ms"] for answer in self.answers]
        return {
            "contender": self.name,
            "scenario": self.scenario.name,
            "tokens": produced,
            "tokens_per_second": round(produced / self.seconds, 1),
            "first_token_ms": {"p50": round(statistics.median(first), 1), "max": round(max(first), 1)} if first else None,
            "cpu_ms_per_token": round(1000 * self.cpu_seconds / produced, 2) if produced else None,
            "peak_mb": round(self.running.memory_mb(), 1),
            "errors": len(self.failures),
            "first_error": self.failures[0] if self.failures else None,
        }


def prompt(number, shared_prefix):
    """Messages of one request; no two are alike, so that only a shared prefix can be found again."""
    topic = " and ".join(WORDS[(number * 5 + step * 3) % len(WORDS)] for step in range(3))
    messages = [{"role": "user", "content": f"Request {number}. Write a long story about {topic}."}]
    if shared_prefix:
        # About 1,000 tokens: a word of these is one token or two.
        rules = " ".join(f"Rule {line}: mention the {WORDS[line % len(WORDS)]}." for line in range(110))
        messages.insert(0, {"role": "system", "content": rules})
    return messages


def stream(port, messages, tokens):
    """One streamed chat completion: its tokens by the usage that the server reports, and when the first one came."""
    body = json.dumps({
        "model": "mock", "messages": messages, "max_tokens": tokens, "temperature": 0, "stream": True,
        "stream_options": {"include_usage": True},
    })
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    begun, first, last = time.monotonic(), None, b""
    try:
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status}: {answer.read()[:200].decode(errors='replace')}")
        for line in answer:
            if first is None and b'"content":"' in line and b'"content":""' not in line:
                first = time.monotonic()
            if b'"completion_tokens"' in line:
                last = line
    finally:
        connection.close()
    if first is None or not last:
        raise RuntimeError("the stream has no content or no usage")
    usage = json.loads(last.partition(b":")[2])["usage"]
    return {"tokens": usage["completion_tokens"], "first_ms": 1000 * (first - begun)}


def measure_all(gateway, server, model, directory, quick):
    """Both, in turns; one that does not start is absent."""
    tokens = 48 if quick else 96
    scenarios = SCENARIOS[1:2] if quick else SCENARIOS
    results = {"model": Path(model).name, "threads": threads(), "tokens": tokens, "measurements": [], "ratios": []}
    started = []
    try:
        for name, start, program in (("llama-server", start_llama_server, server), ("gateway", start_gateway, gateway)):
            running, port = start(program, model, directory)
            try:
                processes.wait_until_serving(running, port, seconds=120, pause=0.05)
                started.append((name, running, port))
            except RuntimeError as error:
                running.stop()
                results.setdefault("absent", []).append({"name": name, "reason": str(error)})
        for scenario in scenarios:
            print(f"local model: {scenario.title}", flush=True)
            results["measurements"] += in_turns([Measurement(name, scenario, *one, tokens) for name, *one in started])
    finally:
        for _, running, _ in started:
            running.stop()
    add_ratios(results, scenarios)
    return results


def in_turns(measurements):
    """The results of all; each slice in the opposite order of the one before, so that none is always the first."""
    for one in measurements:
        one.warm_up()
    for number in range(SLICES):
        for one in measurements if number % 2 else reversed(measurements):
            time.sleep(REST_SECONDS)
            one.measure_slice()
    return [one.result() for one in measurements]


def add_ratios(results, scenarios):
    """This gateway's tokens a second over llama-server's."""
    rates = {(one["contender"], one["scenario"]): one["tokens_per_second"] for one in results["measurements"]}
    for scenario in scenarios:
        ours, theirs = rates.get(("gateway", scenario.name)), rates.get(("llama-server", scenario.name))
        if ours and theirs:
            results["ratios"].append({
                "scenario": scenario.name, "title": scenario.title, "tokens_per_second": round(ours / theirs, 3),
            })
