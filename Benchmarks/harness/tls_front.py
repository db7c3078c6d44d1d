"""Upstreams behind TLS: HAProxy ends it before the mock, with a certificate of an authority made for the run."""

import os
import shutil
import subprocess
from pathlib import Path

import processes
from environments import Absent, reason


def make_certificates(directory):
    """An authority and a certificate for localhost. Returns the authority's file and that of certificate and key."""
    if not shutil.which("openssl"):
        raise Absent("openssl is not installed")
    directory = Path(directory)
    authority, key, pem = directory / "authority.pem", directory / "authority.key", directory / "localhost.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    try:
        openssl("req", "-x509", *curve, "-subj", "/CN=bench authority", "-keyout", key, "-out", authority)
        openssl("req", "-x509", *curve, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority, "-CAkey", key,
                "-keyout", directory / "localhost.key", "-out", directory / "localhost.crt")
    except subprocess.SubprocessError as error:
        raise Absent(f"openssl made no certificates: {reason(error)}") from error
    pem.write_text((directory / "localhost.crt").read_text() + (directory / "localhost.key").read_text())
    return authority, pem


def openssl(*arguments):
    command = ["openssl", *(str(argument) for argument in arguments)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)


def start(upstream_ports, certificate, directory):
    """One HAProxy before all of them. Returns the process and the port for each."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if not program:
        raise Absent("haproxy is not installed (Debian package haproxy), which ends TLS before the mock")
    ports = [processes.free_port() for _ in upstream_ports]
    lanes = "".join(
        f"""\
listen engine{number}
    bind 127.0.0.1:{port} ssl crt {certificate} alpn http/1.1
    http-reuse always
    server mock 127.0.0.1:{upstream}
"""
        for number, (port, upstream) in enumerate(zip(ports, upstream_ports))
    )
    configuration = Path(directory) / "tls-front.cfg"
    configuration.write_text(f"""\
global
    maxconn 8192
    nbthread {os.cpu_count()}
defaults
    mode http
    option http-keep-alive
    option http-no-delay
    timeout connect 5s
    timeout client 60s
    timeout server 60s
{lanes}""")
    command = [program, "-db", "-f", configuration]
    running = processes.Running(command, directory, output=Path(directory) / "tls-front.log")
    for port in ports:
        processes.wait_until_listening(running, port)
    return running, ports
