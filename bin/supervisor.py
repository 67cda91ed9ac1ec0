"""Keeps a few child processes running: one thread, one loop, their output line by line under their names."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

QUICK_DEATH_SECONDS = 15
QUICK_DEATHS = 5
FIRST_DELAY_SECONDS = 0.5
STOP_SECONDS = 30
COLOURS = (36, 32, 35, 33, 34, 31)
NAME_WIDTH = 9


class GaveUp(RuntimeError):
    """A child that does not stay alive; the message says which and what it means."""


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass
class Child:
    name: str
    command: list[str]
    environment: Mapping[str, str]
    options: dict[str, Any] = field(default_factory=dict)  # for Popen
    stop_signal: signal.Signals = signal.SIGTERM
    before: Callable[[], object] = lambda: None  # runs before each start
    after: Callable[[], object] = lambda: None  # runs once it has been stopped for good
    colour: int = 37
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    start_at: float | None = None  # a restart that waits
    rest: bytes = b""  # of a line that has not ended yet

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    def __init__(self) -> None:
        self.children: list[Child] = []
        self.asked: int = 0  # how often we were asked to stop
        self.selector = selectors.DefaultSelector()
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        wake, self._wake_up = os.pipe()
        for end in (wake, self._wake_up):
            os.set_blocking(end, False)
        self.selector.register(wake, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(self._wake_up)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the loop

    def _on_stop(self, *_: object) -> None:
        self.asked += 1

    # --- Output

    def say(self, text: str, name: str = "run", colour: int = 37) -> None:
        stamp = time.strftime("%H:%M:%S")
        head = f"{stamp} {name:<{NAME_WIDTH}}|"
        if self.coloured:
            head = f"\033[{colour}m{head}\033[0m"
        # A closed terminal must not keep us from stopping the children in order.
        with contextlib.suppress(OSError):
            print(head, text, flush=True)

    def _forward(self, child: Child, stream: int) -> None:
        try:
            data = os.read(stream, 65536)
        except BlockingIOError:
            return
        if not data:
            self.selector.unregister(stream)
            os.close(stream)
        *lines, child.rest = (child.rest + data).split(b"\n")
        if not data and child.rest:
            lines, child.rest = [*lines, child.rest], b""
        for line in lines:
            self.say(line.decode(errors="replace").rstrip(), child.name, child.colour)

    # --- Life of a child

    def add(self, child: Child) -> None:
        child.colour = COLOURS[len(self.children) % len(COLOURS)]
        self.children.append(child)
        self._start(child)

    def _start(self, child: Child) -> None:
        child.start_at = None
        child.before()
        reader, writer = os.pipe()
        child.process = subprocess.Popen(
            child.command,
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            start_new_session=True,  # Ctrl-C reaches only us; the order of stopping is ours
            **child.options,
        )
        os.close(writer)
        os.set_blocking(reader, False)
        self.selector.register(reader, selectors.EVENT_READ, child)
        child.started_at = time.monotonic()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.start_at is not None:
            if now >= child.start_at:
                self._start(child)
            return
        if child.process is None or child.process.poll() is None:
            return
        if now - child.started_at > QUICK_DEATH_SECONDS:
            child.quick_deaths = 0
        child.quick_deaths += 1
        how = describe(child.process.returncode)
        if child.quick_deaths >= QUICK_DEATHS:
            raise GaveUp(f"{child.name} {how} {QUICK_DEATHS} times within moments; its last lines above say why.")
        delay = FIRST_DELAY_SECONDS * 2 ** (child.quick_deaths - 1)
        self.say(f"{child.name} {how}; starting it again in {delay:g} s", colour=31)
        child.start_at = now + delay

    # --- The loop

    def step(self, seconds: float = 1.0) -> None:
        """Wait at most so long for something to happen, and deal with it."""
        waits = [child.start_at - time.monotonic() for child in self.children if child.start_at is not None]
        for key, _ in self.selector.select(max(0.0, min([seconds, *waits]))):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, 4096)
            else:
                self._forward(key.data, key.fd)

    def watch(self, until: Callable[[], bool] = lambda: False, seconds: float | None = None) -> bool:
        """Run until the condition holds (True) or the time is over (False). Raises Stopped, GaveUp."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not until():
            if self.asked:
                raise Stopped
            if deadline is not None and time.monotonic() > deadline:
                return False
            for child in self.children:
                self._look_after(child)
            self.step(1.0 if deadline is None else 0.05)
        return True

    def run(self, child: Child) -> tuple[int, str]:
        """One command to its end, its standard error forwarded. Returns the exit code and its standard output."""
        reader, writer = os.pipe()
        process = subprocess.Popen(
            child.command,
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=writer,
            start_new_session=True,
            **child.options,
        )
        os.close(writer)
        os.set_blocking(reader, False)
        self.selector.register(reader, selectors.EVENT_READ, child)
        try:
            self.watch(lambda: process.poll() is not None)
        finally:
            if process.poll() is None:
                process.kill()
        self.step(0)
        output = process.stdout.read() if process.stdout else b""
        return process.wait(), output.decode()

    def stop(self, *groups: Iterable[str]) -> None:
        """Stop the children of each group, and wait for them, before the next group. Asked twice: at once."""
        told = self.asked
        for group in groups:
            names = set(group)
            members = [child for child in self.children if child.name in names and child.process]
            for child in members:
                child.start_at = None
                self._signal(child, child.stop_signal)
            deadline = time.monotonic() + STOP_SECONDS
            while (
                any(child.is_alive for child in members) and time.monotonic() < deadline and self.asked <= max(told, 1)
            ):
                self.step(0.1)
            for child in members:
                if child.is_alive:
                    self.say(f"{child.name} did not stop in time; ending it", colour=31)
                self._signal(child, signal.SIGKILL, group=True)
                if child.process:
                    child.process.wait()
                child.after()
        self.step(0)

    def _signal(self, child: Child, number: signal.Signals, *, group: bool = False) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if child.process and group:
                os.killpg(child.process.pid, number)
            elif child.process and child.process.poll() is None:
                child.process.send_signal(number)


def describe(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
