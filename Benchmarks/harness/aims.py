"""The aims of the project, held against a results file.

Those in microseconds were set on a machine where HAProxy took 19 µs for a request and 11 µs for an event. What they mean
on another machine is said by the same figure as a multiple of HAProxy's.
"""

from figures import OURS, figures, idle_memory, start_times
from report import print_lines


def judge(results):
    """Lines of (figure, aim, measured, verdict); what was not measured is left out."""
    table, lines = figures(results), []

    def value(scenario, name, key):
        return table.get(scenario, {}).get(name, {}).get(key)

    def add(figure, aim, measured, limit, larger=False, digits=2):
        if measured is None or limit is None:
            return
        met = measured >= limit if larger else measured <= limit
        lines.append([figure, aim, f"{measured:,.{digits}f}", "met" if met else "MISSED"])

    def share(scenario, key, other):
        mine, theirs = value(scenario, OURS, key), value(scenario, other, key)
        return mine / theirs if mine is not None and theirs else None

    busy, one, many = "requests-32-200B", "requests-1-200B", "streams-1000"
    add("requests/s, 32 connections, of smg's", "≥ 2", share(busy, "per_second", "smg"), 2, larger=True)
    add("… of vllm-router's", "> 1", share(busy, "per_second", "vllm-router"), 1, larger=True)
    add("… of HAProxy's", "≥ 0.5", share(busy, "per_second", "haproxy"), 0.5, larger=True)
    add("CPU per request, µs", "≤ 50", value(busy, OURS, "cpu_us"), 50, digits=1)
    add("… of HAProxy's", "≤ 2.63", share(busy, "cpu_us", "haproxy"), 50 / 19)
    add("CPU per event, 1,000 streams, µs", "≤ 14", value(many, OURS, "cpu_us"), 14, digits=1)
    add("… of smg's", "≤ 0.6", share(many, "cpu_us", "smg"), 0.6)
    add("… of HAProxy's", "≤ 1.27", share(many, "cpu_us", "haproxy"), 14 / 11)
    add("relay delay p99, 1,000 streams, of smg's", "≤ 0.33", share(many, "relay_p99", "smg"), 1 / 3)
    add("added first event p99, 1 connection, µs", "≤ 400", value("streams-1", OURS, "added_first_p99"), 400, digits=0)
    add("added p50, 1 connection, µs", "≤ 150", value(one, OURS, "added_p50"), 150, digits=0)
    add("added p99, 1 connection, µs", "≤ 300", value(one, OURS, "added_p99"), 300, digits=0)
    add("memory under 1,000 streams, MB", "≤ 80", value(many, OURS, "peak_mb"), 80, digits=1)
    add("memory idle, MB", "≤ 30", idle_memory(results).get(OURS), 30, digits=1)
    add("start to first 200, ms", "≤ 100", start_times(results).get(OURS), 100, digits=0)
    for one in results.get("local", {}).get("ratios", []):
        add(f"local tokens/s, {one['title']}, of llama-server's", "≥ 1.0", one["tokens_per_second"], 1.0, larger=True)
    return lines


def print_aims(results):
    lines = judge(results)
    if lines:
        print("\naims")
        print_lines([["", "aim", "measured", ""], *lines])
