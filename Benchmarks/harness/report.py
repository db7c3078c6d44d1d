"""The tables on the terminal: one per scenario, each figure with its ratio to this gateway's."""

from figures import DIRECT, OURS, figures, idle_memory, start_times

# heading, key, digits, unit divisor
REQUEST_COLUMNS = [
    ("requests/s", "per_second", 0, 1),
    ("CPU µs/request", "cpu_us", 1, 1),
    ("added p50 ms", "added_p50", 3, 1000),
    ("added p99 ms", "added_p99", 3, 1000),
    ("peak MB", "peak_mb", 1, 1),
]
STREAM_COLUMNS = [
    ("CPU µs/event", "cpu_us", 1, 1),
    ("relay p50 ms", "relay_p50", 3, 1000),
    ("relay p99 ms", "relay_p99", 3, 1000),
    ("added first p50 ms", "added_first_p50", 3, 1000),
    ("added first p99 ms", "added_first_p99", 3, 1000),
    ("peak MB", "peak_mb", 1, 1),
]


def print_report(results, titles):
    for scenario, rows in figures(results).items():
        print(f"\n{titles.get(scenario, scenario)}")
        print_scenario(rows)
    print_starts(results)
    print_local(results.get("local"))
    for one in results["absent"]:
        print(f"absent: {one['name']}: {one['reason']}")
    print_noise(results)


def print_scenario(rows):
    columns = REQUEST_COLUMNS if any("per_second" in row for row in rows.values()) else STREAM_COLUMNS
    ours = rows.get(OURS)
    lines = [["", *(heading for heading, *_ in columns), "errors"]]
    for name, row in rows.items():
        lines.append([name, *(cell(row, ours, column) for column in columns), str(row["errors"])])
    floor = rows.get(DIRECT)
    print_lines(lines)
    if floor and "p50" in floor:
        print(f"  floor: p50 {floor['p50'] / 1000:.3f} ms, p99 {floor['p99'] / 1000:.3f} ms")
    elif floor:
        print(f"  floor of the first event: p50 {floor['first_p50'] / 1000:.3f} ms, p99 {floor['first_p99'] / 1000:.3f} ms")


def cell(row, ours, column):
    _, key, digits, divisor = column
    value = row.get(key)
    if value is None:
        return "-"
    text = f"{value / divisor:,.{digits}f}"
    base = ours.get(key) if ours and ours is not row else None
    # A ratio of differences that may be about zero says nothing.
    if base and base > 0 and value > 0 and not key.startswith("added"):
        text += f" ({value / base:.2f}×)"
    return text


def print_lines(lines):
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    for line in lines:
        first = line[0].ljust(widths[0])
        print("  " + first + "  " + "  ".join(text.rjust(width) for text, width in zip(line[1:], widths[1:])))


def print_starts(results):
    starts, idle = start_times(results), idle_memory(results)
    if starts:
        print("\nstart to the first answer 200, and idle memory")
        print_lines([["", "ms", "MB"]] + [
            [name, f"{starts[name]:,.0f}", f"{idle[name]:,.1f}" if name in idle else "-"] for name in starts
        ])


def print_local(local):
    if not local:
        return
    print(f"\nlocal model {local['model']}, {local['threads']} threads, {local['tokens']} tokens an answer")
    lines = [["", "tokens/s", "first token ms p50", "CPU ms/token", "peak MB", "errors"]]
    for one in local["measurements"]:
        first = one["first_token_ms"]
        lines.append([
            f"{one['contender']}, {one['scenario']}", f"{one['tokens_per_second']:,.1f}",
            f"{first['p50']:,.0f}" if first else "-", str(one["cpu_ms_per_token"] or "-"), f"{one['peak_mb']:,.0f}",
            str(one["errors"]),
        ])
    print_lines(lines)
    for one in local.get("absent", []):
        print(f"absent: {one['name']}: {one['reason']}")


def print_noise(results):
    """Says so when the machine was busy with something else: the figures are then worth little."""
    cores = results["machine"]["cores"]

    def beyond(share, key):
        return sum(
            one["cpu_seconds"].get(key, 0.0) > share * cores * max(one["seconds"], 0.5)
            for one in results["measurements"]
        )

    total, noisy, stolen = len(results["measurements"]), beyond(0.1, "other"), beyond(0.01, "stolen")
    if noisy:
        print(
            f"\nwarning: in {noisy} of {total} measurements other programs took more than a tenth of the processor;"
            " measure again on a quiet machine"
        )
    if stolen:
        print(
            f"\nwarning: in {stolen} of {total} measurements the host of this virtual machine took more than a hundredth"
            " of the processor for others; the delays that few requests had (p99) are the host's as well"
        )
