"""Measures this gateway beside others on one machine, one after the other. Run it by scripts/bench."""

import argparse
import datetime
import json
import os
import platform
import shlex
import signal
import sys
import tempfile
from pathlib import Path

import contenders as known
import local_model
import processes
import routing
import tls_front
from aims import print_aims
from environments import Absent
from machine import describe_machine, describe_source, swift_version
from report import print_report
from scenarios import FULL, QUICK, measure

REPOSITORY = Path(__file__).resolve().parents[2]


CONTENDERS = ["direct", "gateway", "smg", "vllm-router", "litellm", "haproxy"]
POLICIES = ["round_robin", "cache_aware"]


def names_of(known_names):
    """A parser of a list of names, each of which must be known."""
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known_names:
                raise argparse.ArgumentTypeError(f"there is no '{name}'; choose among {', '.join(known_names)}")
        return names

    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the main scenarios, shortly: under two minutes")
    parser.add_argument("--routing", action="store_true",
                        help="instead: what each policy makes of engines with prefix caches, beside smg's and "
                             "vllm-router's cache_aware; under five minutes, under one with --quick")
    parser.add_argument("--https", action="store_true",
                        help="the engines behind TLS, which HAProxy ends before them: what it costs to call hosted "
                             "providers")
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO",
                        help="only scenarios whose name begins so: requests, streams, local, requests-32, …; with "
                             "--routing: groups, long-groups, agents, strangers")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), type=names_of(CONTENDERS),
                        help="which, separated by commas (default: all)")
    parser.add_argument("--policies", type=names_of(routing.POLICIES),
                        help="which, separated by commas (default: all that are measured; few with --quick)")
    parser.add_argument("--seconds", type=float, help="measured seconds of each scenario (default: 1.5 quick, 5 full)")
    parser.add_argument("--runs", type=int, default=1, help="repeat everything and report medians")
    parser.add_argument("--few-logs", action="store_true",
                        help="have contenders log warnings only, instead of as they are shipped")
    parser.add_argument("--gateway", default=REPOSITORY / ".build/release/gateway", type=Path, help="the binary")
    parser.add_argument("--tools", default=REPOSITORY / "Benchmarks/.build/release", type=Path,
                        help="where mock-engine and load are")
    parser.add_argument("--model", default=os.environ.get("MODELGATEWAY_BENCH_MODEL"), type=Path,
                        help="the GGUF file of the local scenario; none: the scenario is left out")
    parser.add_argument("--output", type=Path,
                        help="default: Benchmarks/results/latest.json, or routing.json there with --routing")
    options = parser.parse_args()
    if options.output is None:
        name = "routing" if options.routing else "https" if options.https else "latest"
        options.output = REPOSITORY / "Benchmarks/results" / f"{name}.json"
    if options.policies is None and not options.routing:
        options.policies = POLICIES[:1] if options.quick else POLICIES
    if options.seconds is None:
        options.seconds = 1.5 if options.quick else 5.0
    if not 0.1 <= options.seconds <= 60 or not 1 <= options.runs <= 20:
        parser.error("--seconds is 0.1 to 60 and --runs is 1 to 20")
    return options


class Run:
    """One invocation: the mock, the contenders in turn, and what was measured."""

    def __init__(self, options):
        self.options = options
        self.load = options.tools / "load"
        self.authority = None
        self.wanted = options.contenders
        self.scenarios = [
            scenario for scenario in (QUICK if options.quick else FULL)
            if not options.only or any(scenario.name.startswith(prefix) for prefix in options.only)
        ]
        self.results = {
            "schema": 1,
            "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "command": invocation(sys.argv[1:]),
            "seconds": options.seconds,
            "logs": "warnings only" if options.few_logs else "as shipped",
            "machine": describe_machine(),
            "source": describe_source(REPOSITORY),
            "versions": {"swift": swift_version(), "python": platform.python_version()},
            "contenders": [],
            "absent": [],
            "measurements": [],
        }

    def all(self):
        with tempfile.TemporaryDirectory(prefix="modelgateway-bench-") as directory:
            self.directory = Path(directory)
            if self.options.routing:
                return routing.measure_all(self.options, self.results, self.directory)
            if self.options.https:
                self.authority, self.certificate = tls_front.make_certificates(self.directory)
            ready = self.prepare()
            for number in range(self.options.runs):
                command = [self.options.tools / "mock-engine", "--ports", 2]
                mock, ports = processes.start_mock(command, self.directory)
                self.upstreams = [mock]
                if "direct" in self.wanted:
                    print("direct", flush=True)
                    self.measure_all("direct", None, ports, None, number)
                urls = [f"http://127.0.0.1:{port}" for port in ports]
                if self.options.https:
                    front, secure = tls_front.start(ports, self.certificate, self.directory)
                    self.upstreams.append(front)
                    urls = [f"https://localhost:{port}" for port in secure]
                for contender, policy in ready:
                    self.one(contender, policy, urls, number)
                for running in self.upstreams:
                    running.stop()
            if self.wants_local():
                self.measure_local()

    def wants_local(self):
        named = "local" in self.options.only or not (self.options.only or self.options.quick)
        return named and not self.options.https and self.options.model and self.options.gateway.exists() and "gateway" in self.wanted

    def measure_local(self):
        server = local_model.llama_server(REPOSITORY)
        self.results["versions"]["llama-server"] = Path(server).parent.name
        self.results["local"] = local_model.measure_all(
            self.options.gateway, server, self.options.model, self.directory, self.options.quick
        )

    def prepare(self):
        """The contenders that can be had, with each policy that is asked for."""
        ready = []
        for contender in (known.Gateway(self.options.gateway), known.Smg(), known.VllmRouter(),
                          known.LiteLLM(), known.HAProxy()):
            if contender.name not in self.wanted:
                continue
            contender.logs_little = self.options.few_logs
            contender.authority = self.authority
            try:
                self.results["versions"][contender.name] = contender.version()
            except Absent as absence:
                self.results["absent"].append({"name": contender.name, "reason": str(absence)})
                continue
            ready += [(contender, policy) for policy in contender.policies if policy in self.options.policies]
        return ready

    def one(self, contender, policy, upstreams, number):
        print(f"{contender.name} {policy}", flush=True)
        entry = self.entry(contender, policy)
        running = None
        try:
            for _ in range(1 if self.options.quick else 3):
                if running:
                    running.stop()
                running, port = self.start(contender, policy, upstreams, entry)
            processes.time.sleep(0.5)
            entry["idle_mb"] = round(running.memory_mb("VmRSS"), 1)
            self.measure_all(contender.name, policy, [port], running, number)
        except RuntimeError as error:
            print(f"  failed: {error}", flush=True)
            self.results["absent"].append({"name": f"{contender.name} {policy}", "reason": str(error)})
        finally:
            if running:
                running.stop()

    def entry(self, contender, policy):
        for entry in self.results["contenders"]:
            if (entry["name"], entry["policy"]) == (contender.name, policy):
                return entry
        entry = {"name": contender.name, "policy": policy, "start_ms": []}
        self.results["contenders"].append(entry)
        return entry

    def start(self, contender, policy, upstreams, entry):
        port = processes.free_port()
        command = contender.command(port, upstreams, policy, self.directory)
        # As a service runs it: what it logs goes to a file.
        running = processes.Running(
            command, self.directory, contender.environment(), self.directory / f"{contender.name}.log"
        )
        try:
            entry["start_ms"].append(round(processes.wait_until_serving(running, port), 1))
        except RuntimeError:
            running.stop()
            raise
        entry["command"] = portable(shlex.join(running.command))
        return running, port

    def measure_all(self, name, policy, ports, target, number):
        for scenario in self.scenarios:
            if scenario.kind == "streams" and policy not in (None, "round_robin"):
                continue  # a policy's work is over when the stream begins
            if scenario.needs_warm_up:
                measure(scenario, self.load, ports, 0.5, target, self.upstreams)
            result = measure(scenario, self.load, ports, self.options.seconds, target, self.upstreams)
            result |= {"contender": name, "policy": policy, "scenario": scenario.name, "run": number}
            self.results["measurements"].append(result)


def main():
    options = arguments()
    processes.raise_descriptor_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run = Run(options)
    try:
        run.all()
    finally:
        processes.stop_all()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(run.results, indent=1) + "\n")
    if options.routing:
        routing.print_routing(run.results, options.quick)
    else:
        print_report(run.results, {scenario.name: scenario.title for scenario in FULL})
        print_aims(run.results)
    print(f"\nresults: {options.output}")


def invocation(arguments):
    """How this was called, but for the place of the result, which says nothing about the figures."""
    place = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    place.add_argument("--output")
    return shlex.join(["scripts/bench", *place.parse_known_args(arguments)[1]])


def portable(command):
    """A command line without the places of this machine: they say nothing about the figures."""
    return command.replace(f"{REPOSITORY}/", "").replace(str(Path.home()), "~")


if __name__ == "__main__":
    main()
