"""What is measured: the load of each scenario, and one measurement of it."""

import json
import resource
import subprocess
from dataclasses import dataclass

from processes import machine_seconds


@dataclass(frozen=True)
class Scenario:
    """Arguments of the load program, and what its unit of work is called."""

    name: str
    title: str
    kind: str  # the subcommand of `load`
    arguments: tuple
    connections: int
    unit: str = "request"

    @property
    def needs_warm_up(self):
        """Connections, caches and branch predictors as they are in service; the ramp of many streams does it too."""
        return self.kind == "requests" or self.connections == 1

    def command(self, load, ports, seconds):
        return [str(part) for part in (
            load, self.kind, *(part for port in ports for part in ("--port", port)),
            "--seconds", seconds, *self.arguments,
        )]


def requests(connections, prompt_bytes, size):
    return Scenario(
        name=f"requests-{connections}-{size}",
        title=f"whole answers, {connections} connection{'s' if connections > 1 else ''}, {size} prompts",
        kind="requests",
        arguments=("--connections", connections, "--prompt-bytes", prompt_bytes),
        connections=connections,
    )


def streams(count, events, rate, ramp):
    return Scenario(
        name=f"streams-{count}",
        title=f"{count:,} concurrent stream{'s' if count > 1 else ''} of {events} events at {rate}/s",
        kind="streams",
        arguments=("--streams", count, "--events", events, "--rate", rate, "--ramp", ramp),
        connections=count,
        unit="event",
    )


FULL = [
    requests(1, 200, "200B"),
    requests(32, 200, "200B"),
    requests(128, 200, "200B"),
    requests(1, 32_768, "32KiB"),
    requests(32, 32_768, "32KiB"),
    requests(128, 32_768, "32KiB"),
    # Ten events 2 ms apart: short, so that there are enough first events, and close enough for a delayed ACK to show.
    streams(1, 10, 500, 0),
    streams(200, 50, 50, 1),
    streams(1_000, 50, 50, 1),
]
QUICK = [scenario for scenario in FULL if scenario.name in (
    "requests-1-200B", "requests-32-200B", "requests-32-32KiB", "streams-1", "streams-1000",
)]


def measure(scenario, load, ports, seconds, target, upstreams):
    """One run. `target` is the contender's process tree, or None when the load goes to the mock directly; `upstreams`
    are the mock's, and that of what ends TLS before it."""
    if target:
        target.reset_peak()
    target_before = target.cpu_seconds() if target else 0.0
    upstreams_before = sum(upstream.cpu_seconds() for upstream in upstreams)
    busy_before, stolen_before = machine_seconds()
    result, load_seconds = run_load(scenario.command(load, ports, seconds))
    busy, stolen = machine_seconds()
    busy, stolen = busy - busy_before, stolen - stolen_before
    upstream_seconds = sum(upstream.cpu_seconds() for upstream in upstreams) - upstreams_before
    target_seconds = target.cpu_seconds() - target_before if target else 0.0

    units = result["events"] if scenario.unit == "event" else result["completed"]
    result["cpu_us_per_" + scenario.unit] = round(1e6 * target_seconds / units, 2) if target and units else None
    result["peak_mb"] = round(target.memory_mb(), 1) if target else None
    result["cpu_seconds"] = {
        "contender": round(target_seconds, 2),
        "mock": round(upstream_seconds, 2),
        "load": round(load_seconds, 2),
        # What the machine did besides: noise, when it is more than the kernel's own work.
        "other": round(max(0.0, busy - upstream_seconds - target_seconds - load_seconds), 2),
        # What of that the host of a virtual machine took for others: it shows first in the tails of the delays.
        "stolen": round(max(0.0, stolen), 2),
    }
    return result


def run_load(command):
    """The load program's report and the CPU seconds it took."""
    before = children_seconds()
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if finished.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {finished.stderr.strip()[-500:]}")
    return json.loads(finished.stdout), children_seconds() - before


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
