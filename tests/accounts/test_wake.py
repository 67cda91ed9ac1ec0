"""Waking workers: whoever asks is not held up by a broker that is away, or hangs."""

from __future__ import annotations

import socket
import threading

import pytest
from celery import current_app

from accounts.wake import PUBLISHING, wake


def test_a_broker_that_takes_connections_and_never_answers_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Frozen, or behind a wall that swallows packets. Without a time limit each request would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        app = current_app._get_current_object()
        connection = app.connection_for_write(f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        send = app.send_task
        monkeypatch.setattr(app, "send_task", lambda *args, **more: send(*args, connection=connection, **more))
        waiting = threading.Thread(target=wake, args=(PUBLISHING,), daemon=True)
        waiting.start()
        waiting.join(60)
        assert not waiting.is_alive()
    assert "The broker does not answer" in caplog.text
