"""The routing simulator: what each of our policies, and others' cache_aware, make of the same engines and calls.

Four mock engines, each with a prefix cache of its own, read prompts one after the other; what the cache has costs
nothing. Everything goes over HTTP. Time runs twenty times as fast as with a model of 8,000 prompt tokens a second.
"""

import http.client
import json
import os
import time
from statistics import median

import contenders as known
import processes
from environments import Absent
from report import print_lines
from routing_client import ask_all
from routing_workloads import workloads

ENGINES = 4
TIME_SCALE = 20
PREFILL_RATE = 8_000 * TIME_SCALE
CACHE_TOKENS = 240_000
# An answer is four events, 12 ms apart: what an answer of 50 tokens at 50 a second takes.
EVENTS, RATE = 4, 80

POLICIES = ["random", "round_robin", "power_of_two", "consistent_hashing", "prefix_hash", "manual", "bucket",
            "cache_aware", "least_load", "latency", "cost"]
QUICK_POLICIES = ["round_robin", "power_of_two", "cache_aware"]
OURS, BASE = "gateway cache_aware", "gateway power_of_two"


def settings():
    return {
        "engines": ENGINES, "time_scale": TIME_SCALE, "prefill_tokens_per_second": PREFILL_RATE,
        "cache_tokens": CACHE_TOKENS, "block_tokens": 16, "answer_events": EVENTS, "answer_events_per_second": RATE,
    }


def contestants(options, results):
    """Each contender with a policy, those left out that cannot be had."""
    gateway, smg, vllm = known.Gateway(options.gateway), known.Smg(), known.VllmRouter()
    policies = options.policies or (QUICK_POLICIES if options.quick else POLICIES)
    wanted = [(gateway, policy) for policy in policies] + [(smg, "cache_aware"), (vllm, "cache_aware")]
    versions, ready = results["versions"], []
    for contender, policy in wanted:
        if contender.name not in options.contenders:
            continue
        # An access log line for each of a few hundred calls is nobody's policy.
        contender.logs_little = True
        try:
            if contender.name not in versions:
                versions[contender.name] = contender.version()
            ready.append((contender, policy))
        except Absent as absence:
            results["absent"].append({"name": f"{contender.name} {policy}", "reason": str(absence)})
    return ready


def measure_all(options, results, directory):
    """Fills `results["routing"]`."""
    results["routing"] = {"settings": settings(), "measurements": []}
    loads = [load for load in workloads(options.quick)
             if not options.only or any(load.name.startswith(prefix) for prefix in options.only)]
    ready = contestants(options, results)
    for number in range(options.runs):
        # The other way round every second time, so that what the machine does meanwhile hits everyone.
        for contender, policy in ready if number % 2 == 0 else reversed(ready):
            print(f"{contender.name} {policy}", flush=True)
            try:
                results["routing"]["measurements"] += one(contender, policy, loads, options, directory, number)
            except RuntimeError as error:
                print(f"  failed: {error}", flush=True)
                results["absent"].append({"name": f"{contender.name} {policy}", "reason": str(error)})


def one(contender, policy, loads, options, directory, number):
    """All workloads, one after the other, on fresh engines behind a fresh gateway."""
    command = [options.tools / "mock-engine", "--ports", ENGINES, "--events", EVENTS, "--rate", RATE,
               "--prefill-rate", PREFILL_RATE, "--cache-tokens", CACHE_TOKENS]
    mock, ports = processes.start_mock(command, directory)
    running = None
    try:
        port = processes.free_port()
        urls = [f"http://127.0.0.1:{upstream}" for upstream in ports]
        running = processes.Running(
            contender.command(port, urls, policy, directory), directory, contender.environment(),
            directory / f"{contender.name}.log",
        )
        processes.wait_until_serving(running, port)
        # The first engine that was found serves already; the others are found within this time.
        time.sleep(0.6)
        return [
            {"contender": contender.name, "policy": policy, "run": number,
             **measure(load, port, ports[0], (running, mock))}
            for load in loads
        ]
    finally:
        if running:
            running.stop()
        mock.stop()


def others_seconds(ours):
    """Processor time that everything but the processes of the run has had."""
    return processes.machine_seconds()[0] - sum(one.cpu_seconds() for one in ours) - time.process_time()


def measure(load, port, engine, ours):
    before, others, started = read_engines(engine), others_seconds(ours), time.monotonic()
    calls = ask_all(port, load.sessions)
    seconds = time.monotonic() - started
    others = (others_seconds(ours) - others) / seconds / os.cpu_count()
    after = read_engines(engine)
    whole = [call for call in calls if not call.problem]
    problems = [call.problem for call in calls if call.problem]
    if problems:
        print(f"  {load.name}: {len(problems)} calls failed, the first: {problems[0]}", flush=True)
    firsts = sorted(call.first - call.sent for call in whole) or [0.0]
    duration = max((call.ended for call in whole), default=0.0) - min((call.sent for call in calls), default=0.0)
    tokens = sum(two["tokens"] - one["tokens"] for one, two in zip(before, after))
    cached = sum(two["cached"] - one["cached"] for one, two in zip(before, after))
    return {
        "workload": load.name,
        "calls": len(calls),
        "errors": len(problems),
        "hit_share": round(cached / tokens, 4) if tokens else 0.0,
        **{f"ttft_p{share}_ms": round(1000 * percentile(firsts, share), 2) for share in (50, 90, 99)},
        "tokens_per_second": round(sum(call.prompt_bytes for call in whole) / 4 / duration) if duration > 0 else 0,
        "calls_per_engine": [two["prompts"] - one["prompts"] for one, two in zip(before, after)],
        "others_share": round(max(0.0, others), 3),
    }


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def read_engines(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/mock/statistics")
        return json.loads(connection.getresponse().read())["prefill"]
    finally:
        connection.close()


def medians(results):
    """workload → contender with policy → figures, the median of all runs for each."""
    table = {}
    for one in results["routing"]["measurements"]:
        rows = table.setdefault(one["workload"], {})
        rows.setdefault(f"{one['contender']} {one['policy']}", []).append(one)
    keys = ("hit_share", "ttft_p50_ms", "ttft_p90_ms", "ttft_p99_ms", "tokens_per_second", "errors")
    return {
        load: {
            name: {key: median(run[key] for run in runs) for key in keys} for name, runs in rows.items()
        }
        for load, rows in table.items()
    }


def print_routing(results, quick):
    table = medians(results)
    titles = {load.name: load for load in workloads(quick)}
    for load, rows in table.items():
        print(f"\n{titles[load].title}")
        lines = [["", "hits %", "TTFT p50 ms", "p90", "p99", "prompt tokens/s", "errors"]]
        for name, row in rows.items():
            lines.append([
                name, f"{100 * row['hit_share']:.1f}", *(f"{row[f'ttft_p{share}_ms']:,.1f}" for share in (50, 90, 99)),
                f"{row['tokens_per_second']:,.0f}", f"{row['errors']:.0f}",
            ])
        print_lines(lines)
    print_routing_aims(table, titles)
    worst = max((one["others_share"] for one in results["routing"]["measurements"]), default=0.0)
    if worst > 0.1:
        print(f"\nnote: other programs took up to {100 * worst:.0f} % of the processor: times are theirs as well, hits not")


def print_routing_aims(table, titles):
    lines = []
    for load, rows in table.items():
        if OURS not in rows:
            continue
        mine = rows[OURS]
        if not titles[load].shares_prefixes:
            if BASE in rows:
                lines.append(aim(f"{load}: p90 TTFT of power_of_two's", mine["ttft_p90_ms"] / rows[BASE]["ttft_p90_ms"],
                                 1.05, larger=False))
            continue
        for name, row in rows.items():
            if name.startswith("gateway"):
                continue
            lines.append(aim(f"{load}: hits of {name}'s", mine["hit_share"] / max(row["hit_share"], 1e-9), 1, True))
            lines.append(aim(f"{load}: p90 TTFT of {name}'s", mine["ttft_p90_ms"] / row["ttft_p90_ms"], 1, False))
    if lines:
        print("\naims of cache_aware")
        print_lines([["", "aim", "measured", ""], *lines])


def aim(figure, measured, limit, larger):
    met = measured >= limit if larger else measured <= limit
    return [figure, f"{'≥' if larger else '≤'} {limit}", f"{measured:.2f}", "met" if met else "MISSED"]
