"""Processes under measurement: started on free ports, accounted for as a tree, and always ended."""

import ctypes
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
_libc = ctypes.CDLL(None, use_errno=True)
_running = []


def free_port():
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptor_limit():
    """1,000 streams take 2,000 descriptors in a gateway; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def end_with_parent():
    """Runs in the child: it is killed when this program ends, however that happens."""
    set_death_signal = 1
    _libc.prctl(set_death_signal, signal.SIGKILL)


class Running:
    """A started command, with all processes it starts."""

    def __init__(self, command, directory, environment=None, output=None):
        self.command = [str(part) for part in command]
        self.directory = directory
        self.log = Path(output) if output else None
        self._sink = open(self.log, "wb") if self.log else subprocess.DEVNULL
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=directory,
            env={**os.environ, "GATEWAY_SHUTDOWN_DELAY": "0s", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        _running.append(self)

    def ended(self):
        return self.process.poll() is not None

    def log_tail(self, lines=8):
        if not self.log or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def tree(self):
        """The process ids of the command and everything it started."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += [int(child) for child in read(children).split()]
        return found

    def cpu_seconds(self):
        """User and system time of the whole tree so far, children that have ended included."""
        total = 0
        for pid in self.tree():
            fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if fields:
                total += sum(int(value) for value in fields[11:15])
        return total / TICK

    def reset_peak(self):
        for pid in self.tree():
            try:
                Path(f"/proc/{pid}/clear_refs").write_text("5")
            except OSError:
                pass

    def memory_mb(self, field="VmHWM"):
        """Resident memory of the tree: the peak since the last reset, or with VmRSS what it is now."""
        total = 0
        for pid in self.tree():
            for line in read(f"/proc/{pid}/status").splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1])
        return total / 1024

    def stop(self):
        """Asks, waits a little, then ends the whole process group."""
        if self in _running:
            _running.remove(self)
        for sign, patience in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            if sign == signal.SIGTERM:
                # The leader is gone; what is left of its group follows.
                continue
        if self.log:
            self._sink.close()


def start_mock(command, directory):
    """A running mock engine and the ports that it listens on."""
    output = Path(directory) / "mock.log"
    mock = Running(command, directory, output=output)
    for _ in range(500):
        lines = output.read_text().splitlines()
        if lines:
            try:
                return mock, json.loads(lines[0])["ports"]
            except ValueError:
                pass
        time.sleep(0.01)
    mock.stop()
    raise RuntimeError(f"the mock engine did not start: {mock.log_tail()}")


def wait_until_listening(running, port, seconds=10.0):
    """Returns once connections to the port are taken."""
    while time.monotonic() - running.started < seconds:
        if running.ended():
            raise RuntimeError(f"it ended with status {running.process.returncode}: {running.log_tail()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"nothing listens on port {port} after {seconds:.0f} s")


def stop_all():
    for running in list(_running):
        running.stop()


def read(path):
    """The text of a /proc file, or nothing when the process has gone."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def machine_seconds():
    """The time since the machine started, of all cores together, that was not idle, and that its host took away."""
    fields = [int(value) for value in read("/proc/stat").splitlines()[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / TICK, steal / TICK


def chat(port, model="mock", prompt="hi", timeout=5.0, **fields):
    """One whole chat completion: its status and body."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], **fields}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_serving(running, port, model="mock", seconds=60.0, pause=0.002):
    """Milliseconds from the start of the command to its first answer 200."""
    problem = "nothing listens"
    while time.monotonic() - running.started < seconds:
        if running.ended():
            raise RuntimeError(f"it ended with status {running.process.returncode}: {running.log_tail()}")
        try:
            status, answer = chat(port, model, timeout=15.0, max_tokens=1)
            if status == 200:
                return (time.monotonic() - running.started) * 1000
            problem = f"status {status}: {answer[:200].decode(errors='replace')}"
        except OSError as error:
            problem = str(error)
        except http.client.HTTPException as error:
            problem = repr(error)
        time.sleep(pause)
    raise RuntimeError(f"no answer 200 within {seconds:.0f} s ({problem}): {running.log_tail()}")
