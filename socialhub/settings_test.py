"""Settings of the tests: real PostgreSQL and Redis are started before Django reads the rest.

pytest-django reads the settings before any conftest.py, so this is the place. xdist workers inherit the variables.
"""

import atexit
import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from socialhub.services import Postgres, start_postgres, start_redis

BASE = Path(__file__).resolve().parent.parent / "var" / "test"


def own_folder() -> Path:
    """A new folder that is ours while we live, after removing those whose owner did not (killed test runs)."""
    BASE.mkdir(parents=True, exist_ok=True)
    with (BASE / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for left_over in BASE.glob("t*/.owner"):
            with contextlib.suppress(BlockingIOError, FileNotFoundError), left_over.open() as owner:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if (data := left_over.parent / "pg").exists():
                    Postgres(data).stop()
                shutil.rmtree(left_over.parent, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="t", dir=BASE))
        folder.chmod(0o755)  # the embedded PostgreSQL runs as another user when we are root
        held = os.open(folder / ".owner", os.O_CREAT | os.O_RDWR)
        fcntl.flock(held, fcntl.LOCK_EX)  # until this process ends, however it does
    return folder


os.environ["ENV_FILE"] = ""  # a developer's own settings must not reach the tests

if "SOCIALHUB_TEST_FOLDER" not in os.environ:
    folder = own_folder()
    os.environ["SOCIALHUB_TEST_FOLDER"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # first in, last out: after the servers have stopped
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = start_postgres(folder / "pg", durable=False)
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"], redis = start_redis(folder / "redis")
        atexit.register(redis.wait, 10)
        atexit.register(redis.terminate)

TEST_FOLDER = Path(os.environ["SOCIALHUB_TEST_FOLDER"])
WORKER_NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])

os.environ.update(
    SECRET_KEY="tests-" + secrets.token_urlsafe(32),
    FERNET_KEYS="tests-only-key-with-more-than-32-characters",
    DEBUG="1",
    SANDBOX="1",
    PUBLIC_BASE_URL="http://testserver",
    ALLOWED_HOSTS="*",
    REDIS_BROKER_DB=str(2 * (WORKER_NUMBER % 15)),
    REDIS_CACHE_DB=str(2 * (WORKER_NUMBER % 15) + 1),
    MEDIA_ROOT=str(TEST_FOLDER / f"media{WORKER_NUMBER}"),
    EMAIL_URL="memorymail://",
)

from .settings import *  # noqa: E402, F403

DEBUG = False
READ_THREADS = FETCH_THREADS = 0  # tests work where they are: other threads see nothing of their transaction
STATIC_ROOT = TEST_FOLDER / "static"
STATIC_ROOT.mkdir(exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
