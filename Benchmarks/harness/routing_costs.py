"""Prints what a selection and a lease cost by policy and number of deployments, beside the bounds that selections keep.

    swift package --package-path Benchmarks benchmark --target RoutingBenchmarks --format jmh
    python3 Benchmarks/harness/routing_costs.py Current_run.jmh.json [MORE_RUNS.json ...]

A cell is the median of a run's samples; of several runs the least of the medians, for what else runs on the machine
only ever adds. Exits with 1 if a bound is not kept.
"""

import json
import re
import sys

NAME = re.compile(r"RoutingBenchmarks\.(selection|lease):_(.+),_(\d+)_deployments$")
GROWTH = 2
# By policy the most microseconds of a selection, if there is a bound; cache_aware has 1 µs and 1 ns for each byte.
BOUNDS = {
    "random": 0.3,
    "round_robin": 0.3,
    "power_of_two": 0.3,
    "consistent_hashing": 1.0,
    "prefix_hash": 1.0,
    "manual": 1.0,
    "cache_aware, 2048-byte prompts": 1 + 2.048,
    "cache_aware, 8192-byte prompts": 1 + 8.192,
    "bucket": None,
    "least_load": None,
    "latency": None,
    "cost": None,
}


def medians(path):
    """Microseconds by kind, policy and number of deployments."""
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)
    found = {}
    for run in runs:
        if match := NAME.search(run["benchmark"]):
            kind, policy, count = match.groups()
            # One sample is the time of a thousand selections or leases.
            time = run["secondaryMetrics"]["Time (wall clock)"]["scorePercentiles"]["50.0"] / 1000
            found[kind, policy.replace(",_", ", ").replace("byte_", "byte "), int(count)] = time
    return found


def least(runs):
    """Of several runs the least time of each cell."""
    times = {}
    for run in runs:
        for cell, time in run.items():
            times[cell] = min(time, times.get(cell, time))
    return times


def rows(times, kind, counts):
    """One line per policy, and whether it keeps the bounds."""
    for policy, limit in BOUNDS.items():
        values = [times[kind, policy, count] for count in counts]
        growth = values[-1] / values[0]
        cells = [policy, *(f"{value:.2f}" for value in values), f"{growth:.1f}×"]
        kept = True
        if kind == "selection":
            cells.append(f"{limit:.1f}" if limit else "")
            kept = limit is None or (max(values) <= limit and growth <= GROWTH)
        yield "| " + " | ".join(cells) + " |" + ("" if kept else " NOT KEPT"), kept


def main(paths):
    times = least([medians(path) for path in paths])
    counts = sorted({count for _, _, count in times})
    all_kept = True
    for kind in ("selection", "lease"):
        headings = [f"µs per {kind}", *(f"{count:,}" for count in counts), "growth"]
        if kind == "selection":
            headings.append("bound")
        print("| " + " | ".join(headings) + " |\n|---|" + "--:|" * (len(headings) - 1))
        for line, kept in rows(times, kind, counts):
            print(line)
            all_kept &= kept
        print()
    return 0 if all_kept else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
