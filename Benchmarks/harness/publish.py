"""Writes a results file into the documents, between <!-- bench:begin --> and <!-- bench:end -->: the table into the
benchmarks' README, three figures into the main one.

    python3 Benchmarks/harness/publish.py [RESULTS.json]
"""

import json
import sys
from pathlib import Path

from figures import DIRECT, OURS, figures, idle_memory, labels, start_times

REPOSITORY = Path(__file__).resolve().parents[2]
COMPARED = "smg"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"

# heading, scenario, figure, divisor, digits
COLUMNS = [
    ("requests/s, 32 connections", "requests-32-200B", "per_second", 1, 0),
    ("CPU µs per request", "requests-32-200B", "cpu_us", 1, 0),
    ("added p50 / p99, 1 connection, ms", "requests-1-200B", ("added_p50", "added_p99"), 1000, 2),
    ("CPU µs per event, 1,000 streams", "streams-1000", "cpu_us", 1, 1),
    ("relay delay p50 / p99, 1,000 streams, ms", "streams-1000", ("relay_p50", "relay_p99"), 1000, 1),
    ("added first event p99, 1 stream, ms", "streams-1", "added_first_p99", 1000, 2),
    ("peak MB, 1,000 streams", "streams-1000", "peak_mb", 1, 0),
]


def table(results):
    """The Markdown: one line per contender, and a sentence on where and how it was measured."""
    values = figures(results)
    starts, idle = start_times(results), idle_memory(results)
    columns = [column for column in COLUMNS if column[1] in values]
    headings = ["", *(column[0] for column in columns), "start to first 200, ms", "idle MB"]
    lines = [row(headings), "|---|" + "--:|" * (len(headings) - 1)]
    for name in labels(results):
        if name == DIRECT:
            continue
        cells = [text(values, name, column) for column in columns]
        lines.append(row([
            title(results, name), *cells,
            number(starts.get(name), 0), number(idle.get(name), 0),
        ]))
    for one in results["absent"]:
        lines.append(row([f"{one['name']} (absent: {one['reason']})", *[""] * (len(headings) - 1)]))
    return "\n".join([*lines, "", where(results)])


def row(cells):
    return "| " + " | ".join(cells) + " |"


def text(values, name, column):
    _, scenario, keys, divisor, digits = column
    measured = values.get(scenario, {}).get(name, {})
    names = keys if isinstance(keys, tuple) else (keys,)
    return " / ".join(number(measured.get(key), digits, divisor) for key in names)


def number(value, digits, divisor=1):
    return "–" if value is None else f"{value / divisor:,.{digits}f}"


def title(results, name):
    first, _, rest = name.partition(" ")
    version = results["versions"].get(first, "")
    return " ".join(part for part in (f"**{first}**" if first == "gateway" else first, short(version), rest) if part)


def short(version):
    """The number in what a program says about its version."""
    words = [word for word in version.split() if word[:1].isdigit()]
    return (words[0] if words else version).partition("-")[0]


def where(results):
    machine = results["machine"]
    floor = figures(results).get("requests-32-200B", {}).get(DIRECT, {}).get("per_second")
    sentence = (
        f"Measured {results['started'][:10]} by `{results['command']}` on {machine['cores']} cores"
        f" ({machine['processor']}), {machine['memory_gib']:.0f} GiB, Linux {machine['kernel']},"
        f" commit {results['source']['commit'][:10]}; load, upstream and gateway share the machine."
    )
    if floor:
        sentence += f" The upstream reached directly answers {floor:,.0f} requests/s at 32 connections."
    return sentence


def three_figures(results):
    """The sentences for the main README: what a newcomer wants to know first, each beside another gateway's figure."""
    values, idle = figures(results), idle_memory(results)
    requests, streams = values["requests-32-200B"], values["streams-1000"]
    ours, other = requests[OURS], requests[COMPARED]
    return "\n".join([
        f"- {number(ours['per_second'], 0)} requests/s over 32 connections,"
        f" {ours['per_second'] / other['per_second']:.1f} times {title(results, COMPARED)}'s;",
        f"- {number(streams[OURS]['cpu_us'], 0)} µs of processor time for an event of a stream,"
        f" {title(results, COMPARED)} {number(streams[COMPARED]['cpu_us'], 0)} µs;",
        f"- {number(idle.get(OURS), 0)} MB at rest and {number(streams[OURS]['peak_mb'], 0)} MB under 1,000 streams,"
        f" {title(results, COMPARED)} {number(idle.get(COMPARED), 0)} and {number(streams[COMPARED]['peak_mb'], 0)} MB.",
    ])


def write(text, path):
    document = path.read_text()
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{path} has no lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "Benchmarks/results/latest.json"
    results = json.loads(given.read_text())
    write(three_figures(results), REPOSITORY / "README.md")
    write(table(results), REPOSITORY / "Benchmarks/README.md")
