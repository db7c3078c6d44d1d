"""Counts what a request and an event of a stream take in instructions and allocations, and holds it against what is
recorded. Run it by scripts/bench --costs.

Times on a machine that others use, too, differ by a third from one minute to the next; what Valgrind counts with one
connection at a time differs by less than a hundredth. It belongs to the processor's kind and to the compiler, so both
are recorded with it, and elsewhere the counts are shown and held against nothing.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import processes
from machine import swift_version

REPOSITORY = Path(__file__).resolve().parents[2]
RECORD = REPOSITORY / "Benchmarks/costs.json"
TOLERANCE = 0.03
# Of few allocations, a hundredth is none.
SLACK = 0.5
ALLOCATORS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"}

# what is counted, how it is caused, the count in the load's report
LOADS = {
    "request": (["requests", "--connections", "1"], "completed"),
    # So slow that no event catches up with the one before it, whatever else the machine does.
    "event": (["streams", "--streams", "8", "--events", "100", "--rate", "40", "--ramp", "0"], "events"),
}
SECONDS = 3


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench --costs", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the counts into Benchmarks/costs.json")
    parser.add_argument("--gateway", default=REPOSITORY / ".build/release/gateway", type=Path, help="the binary")
    parser.add_argument("--tools", default=REPOSITORY / "Benchmarks/.build/release", type=Path,
                        help="where mock-engine and load are")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY",
                        help="leave Valgrind's files there, for callgrind_annotate")
    return parser.parse_args()


class Counted:
    """A gateway under Valgrind, which counts only while it is told to."""

    def __init__(self, options, directory):
        self.load = options.tools / "load"
        self.directory = directory
        # Valgrind 3.19 cannot read the debug information that Swift writes.
        binary = directory / "gateway"
        subprocess.run(["objcopy", "--strip-debug", options.gateway, binary], check=True)
        _, ports = processes.start_mock([options.tools / "mock-engine", "--ports", "2"], directory)
        self.port = processes.free_port()
        self.dumps = 0
        self.process = processes.Running(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--fair-sched=yes",
             f"--callgrind-out-file={directory}/counts", binary, "serve", "--port", self.port,
             "--config", configuration(ports, directory)],
            directory, output=directory / "gateway.log",
        )
        processes.wait_until_serving(self.process, self.port)

    def control(self, *words):
        subprocess.run(["callgrind_control", *words, str(self.process.process.pid)], check=True, capture_output=True)

    def run(self, load, seconds):
        command = [self.load, *load, "--port", self.port, "--seconds", seconds]
        report = json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)
        if report["errors"]["total"]:
            raise RuntimeError(f"calls failed under Valgrind: {report['errors']}")
        return report

    def count(self, load, unit):
        """Instructions and allocations for one of the units that the load counts: the least of three counts,
        for what disturbs a count adds to it."""
        self.run(load, 2)
        counts = []
        for _ in range(4):
            done, seconds, instructions, allocations = self.counted(lambda: self.run(load, SECONDS)[unit])
            counts.append(((instructions - self.idle[0] * seconds) / done, (allocations - self.idle[1] * seconds) / done))
        # The first count is thrown away: it has in it what happens once.
        instructions, allocations = (min(values) for values in zip(*counts[1:]))
        return {"instructions": round(instructions), "allocations": round(allocations, 1)}

    def count_all(self):
        return {unit: self.count(*load) for unit, load in LOADS.items()}

    def count_idle(self):
        """What happens in a second without any call, such as asking the engines how they are."""
        _, seconds, instructions, allocations = self.counted(lambda: time.sleep(SECONDS * 2))
        self.idle = (instructions / seconds, allocations / seconds)

    def counted(self, action):
        """Counts while something is done: its result, the seconds it took, instructions, allocations."""
        self.control("-i", "on")
        started = time.monotonic()
        result = action()
        seconds = time.monotonic() - started
        self.control("-i", "off")
        self.control("-d")
        self.dumps += 1
        return result, seconds, *read(self.directory / f"counts.{self.dumps}")


def configuration(ports, directory):
    """Nothing in it happens by the clock: no probes, and no pace that depends on how busy the machine is."""
    path = directory / "gateway.toml"
    path.write_text('[server]\nstream_delay = "0"\n[[models]]\nname = "mock"\npolicy = "round_robin"\n' + "".join(
        f'[[models.deployments]]\nbase_url = "http://127.0.0.1:{port}"\nmodel = "mock"\nhealth = {{ enabled = false }}\n'
        for port in ports
    ))
    return path


def read(path):
    """The instructions of a file of callgrind's, and how often something in it called an allocator."""
    names, instructions, allocations, caller, callee = {}, 0, 0, None, None
    for line in path.read_text(errors="replace").splitlines():
        if found := re.match(r"(c?)fn=\((\d+)\)(?: (.*))?", line):
            if found[3]:
                names[found[2]] = found[3].strip()
            if found[1]:
                callee = names[found[2]]
            else:
                caller = names[found[2]]
        elif line.startswith("calls=") and callee in ALLOCATORS and caller not in ALLOCATORS:
            allocations += int(line[6:].split()[0])
        elif line.startswith("totals:"):
            instructions = int(line.split()[1])
    return instructions, allocations


def environment():
    return {"processor": platform.machine(), "compiler": swift_version()}


def record():
    """The recorded counts, or none if they are another machine's."""
    if not RECORD.exists():
        return None
    recorded = json.loads(RECORD.read_text())
    return recorded["counts"] if recorded["environment"] == environment() else None


def within(counts, recorded):
    return all(
        value <= recorded[unit][name] * (1 + TOLERANCE) + SLACK
        for unit, figures in counts.items() for name, value in figures.items()
    )


def least(one, other):
    return {
        unit: {name: min(value, other[unit][name]) for name, value in figures.items()} for unit, figures in one.items()
    }


def show(counts, recorded):
    for unit, figures in counts.items():
        for name, value in figures.items():
            before = recorded and recorded[unit][name]
            change = f"  recorded {before:>10,}  {value / before - 1:+7.1%}" if before else ""
            print(f"{name} per {unit}".ljust(26) + f"{value:>10,}{change}")
    if not recorded:
        print("Recorded with another processor or compiler, or not at all: nothing to compare with.")


def main():
    options = arguments()
    recorded = record()
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        try:
            gateway = Counted(options, directory)
            gateway.count_idle()
            counts = gateway.count_all()
            if not options.record and recorded and not within(counts, recorded):
                # What disturbs the count mostly adds to it.
                counts = least(counts, gateway.count_all())
        finally:
            processes.stop_all()
    show(counts, recorded)
    if options.record:
        RECORD.write_text(json.dumps({"environment": environment(), "counts": counts}, indent=2) + "\n")
        print(f"Recorded in {RECORD.relative_to(REPOSITORY)}.")
    elif recorded and not within(counts, recorded):
        sys.exit(f"More than {TOLERANCE:.0%} above what is recorded. If it has to be: scripts/bench --costs --record")


if __name__ == "__main__":
    main()
