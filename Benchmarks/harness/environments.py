"""Contenders from the Python package index: each in its own virtual environment in the user's cache directory."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Absent(Exception):
    """A contender that cannot be had here, with the reason."""


def cache_directory():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "modelgateway" / "bench"


def python_environment(name, requirement, program):
    """The program of an installed requirement; installs it once, and again when the requirement changes."""
    home = cache_directory() / name
    stamp = home / "requirement.txt"
    if not (stamp.exists() and stamp.read_text() == requirement and (home / "bin" / program).exists()):
        print(f"installing {requirement} into {home}", flush=True)
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        try:
            run([sys.executable, "-m", "venv", home], 120)
            run([home / "bin/pip", "install", "-q", "--disable-pip-version-check", requirement], 900)
        except (subprocess.SubprocessError, OSError) as error:
            raise Absent(f"pip could not install {requirement}: {reason(error)}") from error
        stamp.write_text(requirement)
    return home / "bin" / program


def installed_version(name, package):
    listing = subprocess.run(
        [cache_directory() / name / "bin/python", "-c",
         f"import importlib.metadata as m; print(m.version({package!r}))"],
        capture_output=True, text=True, check=False,
    )
    return listing.stdout.strip() or "unknown"


def run(command, seconds):
    subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, timeout=seconds)


def reason(error):
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
