"""Machines on this one, as network namespaces on two networks: one leads to the database, the other to the relay.

This machine is host number 1 of both. Each machine's link to each network can be cut by itself, and nothing tells the
other end: packets are dropped, as by a broken switch or a machine without power.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import pytest

DATABASE, MAIL = "d", "m"
"""The two networks."""


class Hosts:
    """Machines by name; made by `hosts`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._tag = f"p{os.getpid() % 100_000}"
        self._third = 64 + os.getpid() % 128
        self.names = names

    def address(self, network: str, number: int = 1) -> str:
        """The address of a host in a network; number 1 is this machine."""
        return f"10.{self._third}.{[DATABASE, MAIL].index(network)}.{number}"

    def inside(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a process on a machine; it has the id of the process that is returned."""
        whole = ["ip", "netns", "exec", self._space(name), *command]
        return subprocess.Popen(whole, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def cut(self, name: str, network: str = DATABASE) -> None:
        """Let no packet pass between a machine and a network."""
        _ip("link", "set", self._port(name, network), "nomaster")

    def heal(self, name: str, network: str = DATABASE) -> None:
        """Let packets pass again."""
        _ip("link", "set", self._port(name, network), "master", self._bridge(network))

    def make(self) -> None:
        """Make networks and machines."""
        for network in (DATABASE, MAIL):
            bridge = self._bridge(network)
            _ip("link", "add", bridge, "type", "bridge")
            _ip("addr", "add", f"{self.address(network)}/24", "dev", bridge)
            _ip("link", "set", bridge, "up")
        for number, name in enumerate(self.names, start=2):
            space = self._space(name)
            _ip("netns", "add", space)
            _ip("-n", space, "link", "set", "lo", "up")
            for network in (DATABASE, MAIL):
                port = self._port(name, network)
                _ip("link", "add", f"e{network}", "netns", space, "type", "veth", "peer", "name", port)
                _ip("link", "set", port, "master", self._bridge(network), "up")
                _ip("-n", space, "addr", "add", f"{self.address(network, number)}/24", "dev", f"e{network}")
                _ip("-n", space, "link", "set", f"e{network}", "up")

    def unmake(self) -> None:
        """Delete everything that `make` made."""
        for name in self.names:
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", self._space(name))
        for network in (DATABASE, MAIL):
            with suppress(subprocess.CalledProcessError):
                _ip("link", "del", self._bridge(network))

    def _bridge(self, network: str) -> str:
        return f"{self._tag}{network}"

    def _space(self, name: str) -> str:
        return f"{self._tag}{name}"

    def _port(self, name: str, network: str) -> str:
        return f"{self._tag}{network}{name}"


@contextmanager
def hosts(*names: str) -> Iterator[Hosts]:
    """Machines for a block; skips the test where this machine allows no network namespaces. Names have one letter."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("no network namespaces: they need root and iproute2")
    made = Hosts(names)
    try:
        made.make()
    except subprocess.CalledProcessError as error:
        made.unmake()
        pytest.skip(f"no network namespaces: {error.stderr.decode().strip()}")
    try:
        yield made
    finally:
        made.unmake()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
