"""Where and on what a run was made."""

import os
import platform
import subprocess
from pathlib import Path


def describe_machine():
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.split()[1]) / 1024 / 1024, 1),
        "kernel": platform.release(),
        "system": system_name(),
        "architecture": platform.machine(),
    }


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def system_name():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def describe_source(repository):
    """The commit that is measured, and whether files differ from it."""
    def git(*arguments):
        found = subprocess.run(["git", "-C", repository, *arguments], capture_output=True, text=True, check=False)
        return found.stdout.strip()

    return {"commit": git("rev-parse", "HEAD") or "unknown", "modified": bool(git("status", "--porcelain"))}


def swift_version():
    try:
        found = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return (found.stdout.strip().splitlines() or ["unknown"])[0]
