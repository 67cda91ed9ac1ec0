"""A server on this machine that speaks S3, as a process of its own, with an empty bucket.

pytest_plugins = ["tests.s3_process"]   # or import the fixtures `s3_process` and `s3`
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from tests.sandbox_process import free_port
from tests.stage import wait_until

KEY, SECRET = "key-of-the-tests", "secret/of+the@tests"
numbers = itertools.count(1)


@dataclass
class Bucket:
    url: str
    name: str
    process: subprocess.Popen[bytes]

    @property
    def setting(self) -> str:
        """For MEDIA_STORAGE_URL."""
        host = self.url.removeprefix("http://")
        return f"s3://{KEY}:secret%2Fof%2Bthe%40tests@{host}/{self.name}/files?tls=0"

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}),
        )

    def names(self) -> list[str]:
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


def start_s3(log: Path) -> tuple[str, subprocess.Popen[bytes]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=output, stderr=output)

    def answers() -> bool:
        try:
            return requests.get(url, timeout=5).status_code < 500
        except requests.RequestException:
            return False

    if not wait_until(answers, 60):
        process.kill()
        raise RuntimeError(f"The S3 server did not start:\n{log.read_text()[-3000:]}")
    return url, process


@pytest.fixture(scope="session")
def s3_process() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with tempfile.TemporaryDirectory(prefix="s3-test-") as folder:
        url, process = start_s3(Path(folder) / "s3.log")
        yield url, process
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def s3(s3_process: tuple[str, subprocess.Popen[bytes]]) -> Bucket:
    """An empty bucket of its own."""
    bucket = Bucket(s3_process[0], f"bucket-{next(numbers)}", s3_process[1])
    bucket.client.create_bucket(Bucket=bucket.name)
    return bucket
