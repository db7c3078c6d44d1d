"""Who is measured: how each one is had, which version it is, and how it is started before two upstreams.

Each runs with the settings it is shipped with; what differs from them is said at its class.
"""

import os
import shutil
import subprocess
from pathlib import Path

from environments import Absent, installed_version, python_environment
from processes import free_port


class Contender:
    """One gateway. `policies` are those it can be measured with, under our names."""

    name = ""
    policies = ("round_robin",)
    # Options that leave only warnings in the log, for a run that compares without access logs.
    few_logs = ()
    logs_little = False
    # The authority that upstreams behind TLS are to be verified by; None: they are reached in plain HTTP.
    authority = None

    def log_options(self):
        return self.few_logs if self.logs_little else ()

    def version(self):
        """Makes it ready to start and says what it is; raises Absent when it cannot be had."""
        raise NotImplementedError

    def command(self, port, upstreams, policy, directory):
        """The command line; files it needs go to `directory`."""
        raise NotImplementedError

    def environment(self):
        # What programs with OpenSSL or rustls take for the system's authorities.
        return {"SSL_CERT_FILE": str(self.authority)} if self.authority else {}


class Gateway(Contender):
    """This gateway: the release build of this checkout."""

    name = "gateway"
    policies = ("round_robin", "cache_aware")
    few_logs = ("--log-level", "warning")

    def __init__(self, binary):
        self.binary = Path(binary)

    def version(self):
        if not self.binary.exists():
            raise Absent(f"{self.binary} is not built")
        return output([self.binary, "--version"])

    def command(self, port, upstreams, policy, directory):
        common = [self.binary, "serve", "--port", port, *self.log_options()]
        if self.authority is None:
            return [*common, "--policy", policy, "--worker-urls", *upstreams]
        deployments = ", ".join(
            f'{{base_url = "{upstream}/v1", model = "mock", ca_file = "{self.authority}"}}' for upstream in upstreams
        )
        configuration = Path(directory) / "gateway.toml"
        configuration.write_text(f"""\
[[models]]
name = "mock"
policy = "{policy}"
deployments = [{deployments}]
""")
        return [*common, "--config", configuration]


class Smg(Contender):
    name = "smg"
    policies = ("round_robin", "cache_aware")
    requirement = "smg==1.13.0"
    few_logs = ("--log-level", "warn")

    def version(self):
        self.program = python_environment("smg", self.requirement, "smg")
        return installed_version("smg", "smg")

    def command(self, port, upstreams, policy, directory):
        return [self.program, "launch", "--host", "127.0.0.1", "--port", port, "--prometheus-host", "127.0.0.1",
                "--prometheus-port", free_port(), "--policy", policy, *self.log_options(), "--worker-urls", *upstreams]


class VllmRouter(Contender):
    name = "vllm-router"
    policies = ("round_robin", "cache_aware")
    requirement = "vllm-router==0.1.17"
    few_logs = ("--log-level", "warning")

    def version(self):
        self.program = python_environment("vllm-router", self.requirement, "vllm-router")
        return installed_version("vllm-router", "vllm-router")

    def command(self, port, upstreams, policy, directory):
        return [self.program, "--host", "127.0.0.1", "--port", port, "--prometheus-host", "127.0.0.1",
                "--prometheus-port", free_port(), "--policy", policy, *self.log_options(), "--worker-urls", *upstreams]


class LiteLLM(Contender):
    """One worker process, as shipped; prices from the package, not from the net."""

    name = "litellm"
    requirement = "litellm[proxy]"

    def version(self):
        self.program = python_environment("litellm", self.requirement, "litellm")
        return installed_version("litellm", "litellm")

    def command(self, port, upstreams, policy, directory):
        lines = ["model_list:"]
        for upstream in upstreams:
            lines += [
                "  - model_name: mock",
                "    litellm_params:",
                "      model: openai/mock",
                f"      api_base: {upstream}/v1",
                "      api_key: none",
            ]
        configuration = Path(directory) / "litellm.yaml"
        configuration.write_text("\n".join(lines) + "\n")
        return [self.program, "--config", configuration, "--host", "127.0.0.1", "--port", port]

    def environment(self):
        return super().environment() | {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            # No contender asks its clients for a key.
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "NO_PROXY": "127.0.0.1",
        }


class HAProxy(Contender):
    """The limit: a proxy that looks at nothing. A thread per core, no log, `http-no-delay` for streams."""

    name = "haproxy"

    def version(self):
        self.program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
        if not self.program:
            raise Absent("haproxy is not installed (Debian package haproxy)")
        return output([self.program, "-v"]).split()[2]

    def command(self, port, upstreams, policy, directory):
        security = f" ssl verify required verifyhost localhost ca-file {self.authority}" if self.authority else ""
        servers = "".join(
            f"    server engine{number} {upstream.partition('://')[2]}{security}\n"
            for number, upstream in enumerate(upstreams)
        )
        configuration = Path(directory) / "haproxy.cfg"
        configuration.write_text(f"""\
global
    maxconn 8192
    nbthread {os.cpu_count()}
defaults
    mode http
    option http-keep-alive
    option http-no-delay
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend clients
    bind 127.0.0.1:{port}
    default_backend engines
backend engines
    balance roundrobin
{servers}""")
        return [self.program, "-db", "-f", configuration]


def output(command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    lines = (result.stdout or result.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"
