"""The local backend beside llama.cpp's own server: same source, same model, same threads, same prompts."""

import http.client
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


@dataclass(frozen=True)
class LocalScenario:
    name: str
    title: str
    concurrent: int
    requests: int
    shared_prefix: bool = False


SCENARIOS = [
    LocalScenario("local-1", "1 request at a time", 1, 4),
    LocalScenario("local-4", "4 at a time", 4, 12),
    LocalScenario("local-8", "8 at a time", 8, 24),
    LocalScenario("local-prefix", "4 at a time, 1,000-token shared prefix", 4, 12, shared_prefix=True),
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


def measure(scenario, running, port, tokens):
    """Tokens a second over all requests, and the time to the first token."""
    running.reset_peak()
    prompts = [prompt(number, scenario.shared_prefix) for number in range(scenario.requests + 1)]
    # The first request warms up; with a shared prefix it is also the one that computes it.
    stream(port, prompts.pop(), tokens)
    waiting, answers, failures = list(reversed(prompts)), [], []

    def work():
        while waiting:
            try:
                answers.append(stream(port, waiting.pop(), tokens))
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                failures.append(str(error))
            except IndexError:
                return

    before, begun = running.cpu_seconds(), time.monotonic()
    workers = [threading.Thread(target=work) for _ in range(scenario.concurrent)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.monotonic() - begun
    produced = sum(answer["tokens"] for answer in answers)
    first = [answer["first_ms"] for answer in answers]
    return {
        "tokens": produced,
        "tokens_per_second": round(produced / seconds, 1),
        "first_token_ms": {"p50": round(statistics.median(first), 1), "max": round(max(first), 1)} if first else None,
        "cpu_ms_per_token": round(1000 * (running.cpu_seconds() - before) / produced, 2) if produced else None,
        "peak_mb": round(running.memory_mb(), 1),
        "errors": len(failures),
        "first_error": failures[0] if failures else None,
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
    """Both, one after the other; the gateway may be absent."""
    tokens = 48 if quick else 96
    scenarios = SCENARIOS[1:2] if quick else SCENARIOS
    results = {"model": Path(model).name, "threads": threads(), "tokens": tokens, "measurements": [], "ratios": []}
    for name, start, program in (("llama-server", start_llama_server, server), ("gateway", start_gateway, gateway)):
        print(f"local model: {name}", flush=True)
        running, port = start(program, model, directory)
        try:
            processes.wait_until_serving(running, port, seconds=120, pause=0.05)
            for scenario in scenarios:
                one = measure(scenario, running, port, tokens)
                results["measurements"].append({"contender": name, "scenario": scenario.name, **one})
        except RuntimeError as error:
            results.setdefault("absent", []).append({"name": name, "reason": str(error)})
        finally:
            running.stop()
    add_ratios(results, scenarios)
    return results


def add_ratios(results, scenarios):
    """This gateway's tokens a second over llama-server's."""
    rates = {(one["contender"], one["scenario"]): one["tokens_per_second"] for one in results["measurements"]}
    for scenario in scenarios:
        ours, theirs = rates.get(("gateway", scenario.name)), rates.get(("llama-server", scenario.name))
        if ours and theirs:
            results["ratios"].append({
                "scenario": scenario.name, "title": scenario.title, "tokens_per_second": round(ours / theirs, 3),
            })
