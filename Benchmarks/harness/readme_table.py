"""Writes the table of a results file into a Markdown file, between <!-- bench:begin --> and <!-- bench:end -->.

    python3 Benchmarks/harness/readme_table.py [RESULTS.json] [README.md]
"""

import json
import sys
from pathlib import Path

from figures import DIRECT, figures, idle_memory, labels, start_times

REPOSITORY = Path(__file__).resolve().parents[2]
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


def write(results_path, readme_path):
    results = json.loads(Path(results_path).read_text())
    document = Path(readme_path).read_text()
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{readme_path} has no lines {BEGIN} and {END}")
    Path(readme_path).write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}")


if __name__ == "__main__":
    given = sys.argv[1:3]
    write(
        given[0] if given else REPOSITORY / "Benchmarks/results/latest.json",
        given[1] if len(given) > 1 else REPOSITORY / "README.md",
    )
