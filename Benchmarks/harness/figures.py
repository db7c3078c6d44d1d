"""From the measurements of a results file to one set of figures per contender and scenario."""

from statistics import median

OURS = "gateway"
DIRECT = "direct"


def label(name, policy):
    return name if policy in (None, "round_robin") else f"{name} {policy}"


def labels(results):
    """The contenders in the order of measurement."""
    return list(dict.fromkeys(label(one["contender"], one["policy"]) for one in results["measurements"]))


def figures(results):
    """{scenario: {label: figures}}: the median over the runs, and what is added to the direct way."""
    collected = {}
    for one in results["measurements"]:
        runs = collected.setdefault(one["scenario"], {}).setdefault(label(one["contender"], one["policy"]), [])
        runs.append(of_one(one))
    table = {}
    for scenario, rows in collected.items():
        table[scenario] = {name: medians(runs) for name, runs in rows.items()}
        floor = table[scenario].get(DIRECT)
        for name, row in table[scenario].items():
            if floor and name != DIRECT:
                add_differences(row, floor)
    return table


def of_one(measurement):
    row = {
        "errors": measurement["errors"]["total"],
        "peak_mb": measurement["peak_mb"],
    }
    if "latency_us" in measurement:
        row |= {
            "per_second": measurement["per_second"],
            "cpu_us": measurement["cpu_us_per_request"],
            "p50": measurement["latency_us"]["p50"],
            "p99": measurement["latency_us"]["p99"],
        }
    else:
        row |= {
            "cpu_us": measurement["cpu_us_per_event"],
            "relay_p50": percentile(measurement["relay_delay_us"], "p50"),
            "relay_p99": percentile(measurement["relay_delay_us"], "p99"),
            "first_p50": percentile(measurement["first_event_us"], "p50"),
            "first_p99": percentile(measurement["first_event_us"], "p99"),
        }
        row["errors"] += measurement["lost"] + measurement["misplaced"] + measurement["undone"]
    return row


def percentile(distribution, name):
    """None when nothing was recorded: a gateway so late that no stream began in the measured time."""
    return distribution[name] if distribution["count"] else None


def medians(runs):
    row = {}
    for key in runs[0]:
        values = [run[key] for run in runs if run[key] is not None]
        row[key] = None if not values else max(values) if key == "errors" else median(values)
    return row


def add_differences(row, floor):
    for key in ("p50", "p99", "first_p50", "first_p99"):
        if row.get(key) is not None and floor.get(key) is not None:
            row["added_" + key] = row[key] - floor[key]


def start_times(results):
    """{label: median milliseconds from start to the first answer 200}"""
    return {
        label(one["name"], one["policy"]): median(one["start_ms"])
        for one in results["contenders"] if one.get("start_ms")
    }


def idle_memory(results):
    return {
        label(one["name"], one["policy"]): one["idle_mb"]
        for one in results["contenders"] if one.get("idle_mb") is not None
    }
