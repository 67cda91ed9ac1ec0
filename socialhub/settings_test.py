"""Settings of the tests: real PostgreSQL and Redis are started before Django reads the rest.

pytest-django reads the settings before any conftest.py, so this is the place. xdist workers inherit the variables.
"""

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from socialhub.services import start_postgres, start_redis


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=10)


BASE = Path(__file__).resolve().parent.parent / "var" / "test"

os.environ["ENV_FILE"] = ""  # a developer's own settings must not reach the tests

if "SOCIALHUB_TEST_FOLDER" not in os.environ:
    BASE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="t", dir=BASE))
    folder.chmod(0o755)  # the embedded PostgreSQL runs as another user when we are root
    os.environ["SOCIALHUB_TEST_FOLDER"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # first in, last out: after the servers have stopped
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = start_postgres(folder / "pg", durable=False)
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"], redis_process = start_redis(folder / "redis")
        atexit.register(stop, redis_process)

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
STATIC_ROOT = TEST_FOLDER / "static"
STATIC_ROOT.mkdir(exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
