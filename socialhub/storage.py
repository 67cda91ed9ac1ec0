"""Files where several machines share them: a private bucket on S3, or on whatever speaks its language.

Chosen by MEDIA_STORAGE_URL; without it files lie below MEDIA_ROOT. Nobody is ever sent to the bucket: pages and networks
get every file from us, by the same addresses as from a disk.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

WINDOW_BYTES = 1024 * 1024  # what is fetched at once of a file that is read in small pieces
PART_BYTES = 8 * 1024 * 1024  # what is sent at once; held in memory until the bucket has it
# A file that changes, or a connection that breaks, in the middle of it: so often the rest is asked for anew.
READS = 3


class FilesAway(OSError):
    """The bucket does not answer, refuses us, or broke off. It says nothing about whether the file is there."""


@contextmanager
def answered(name: str) -> Iterator[None]:
    """What the client raises, in the words of a file system. Raises FileNotFoundError, FilesAway."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code = error.response.get("Error", {}).get("Code", "")
        if told == 404 and code != "NoSuchBucket":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
        raise FilesAway(errno.EIO, f"the bucket refused: {told} {code}", name) from error
    except (BotoCoreError, Boto3Error) as error:  # their texts hold addresses; their names say enough
        raise FilesAway(errno.EIO, f"the bucket does not answer: {type(error).__name__}", name) from error


class SharedStorage(S3Storage):
    """As a disk would do it: a new file never takes the name of another one, and a large one is read piece by piece."""

    _making = threading.Lock()

    def __init__(self, **options: Any) -> None:
        options.setdefault("client_config", client_config(options))
        # In this thread, part by part: threads of their own would hold ten parts of each upload in memory.
        options.setdefault("transfer_config", TransferConfig(use_threads=False, multipart_chunksize=PART_BYTES))
        super().__init__(**options)
        self._shared: tuple[int, Any] | None = None

    @property
    def connection(self) -> Any:
        """One for the whole process (clients may be shared, and cost some 10 MB each), and none from before a fork."""
        with self._making:
            if self._shared is None or self._shared[0] != os.getpid():
                self._bucket = None
                made = self._create_session().resource(
                    "s3", region_name=self.region_name, endpoint_url=self.endpoint_url, config=self.client_config
                )
                self._shared = os.getpid(), made
            return self._shared[1]

    def _create_session(self) -> boto3.Session:
        if self.access_key:
            return boto3.Session(aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key)
        return boto3.Session()  # the role of the machine, or what boto3 finds in its environment

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """With an end of its own. A bucket overwrites without asking, and two workers may make one file at once."""
        stem, suffix = os.path.splitext(super().get_available_name(name, max_length=None))
        return f"{stem}_{secrets.token_hex(4)}{suffix}"

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with self._answered(name):
            if mode != "rb":
                return super()._open(name, mode)
            key = self._normalize_name(name)
            client = self.connection.meta.client
            return SharedFile(BucketFile(client, self.bucket_name, key), name)

    def _save(self, name: str, content: File[Any]) -> str:
        with answered(name):
            return super()._save(name, content)

    def delete(self, name: str) -> None:
        with answered(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with answered(name):
            found = super().exists(name)
        if not found:
            self._see_bucket()
        return found

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with answered(name):
            return super().listdir(name)

    def size(self, name: str) -> int:
        with self._answered(name):
            return super().size(name)

    def get_modified_time(self, name: str) -> datetime:
        with self._answered(name):
            return super().get_modified_time(name)

    def walk(self, folder: str) -> Iterator[str]:
        """The names of all files below it, a thousand with each call; `listdir` makes one for each folder."""
        with answered(folder):
            start = self._normalize_name(folder).rstrip("/") + "/"
            pages = self.connection.meta.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=start):
                for found in page.get("Contents", ()):
                    yield folder.rstrip("/") + "/" + found["Key"].removeprefix(start)

    @contextmanager
    def _answered(self, name: str) -> Iterator[None]:
        try:
            with answered(name):
                yield
        except FileNotFoundError:
            self._see_bucket()
            raise

    def _see_bucket(self) -> None:
        """A question about a file is answered alike whether the file is missing or the bucket. Raises FilesAway."""
        try:
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)
        except (ClientError, BotoCoreError) as error:
            raise FilesAway(errno.EIO, "there is no such bucket, or it is closed to us", self.bucket_name) from error


def client_config(options: dict[str, Any]) -> Config:
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": options.get("addressing_style") or "path"},
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=50,
        # Not every server that speaks S3 knows the checksums that Amazon's has learned since.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


class BucketFile(io.RawIOBase):
    """A file in a bucket, of which only what is asked for is fetched. Raises FileNotFoundError, FilesAway."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._place = client, {"Bucket": bucket, "Key": key}
        head = client.head_object(**self._place)
        self.size: int = head["ContentLength"]
        self._version: str = head["ETag"]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        content = self._fetch(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def readall(self) -> bytes:
        return self._fetch(self.size)

    def _fetch(self, most: int) -> bytes:
        """All of the next `most` bytes that there are; io would otherwise take a short answer for the end."""
        last = min(self._position + most, self.size) - 1
        if last < self._position:
            return b""
        with answered(self._place["Key"]):
            for remaining in range(READS - 1, -1, -1):
                try:
                    span = f"bytes={self._position}-{last}"
                    answer = self._client.get_object(**self._place, Range=span, IfMatch=self._version)
                    content: bytes = answer["Body"].read()
                    break
                except BotoCoreError:
                    if not remaining:
                        raise
        self._position += len(content)
        return content


class SharedFile(File):  # type: ignore[type-arg]  # only the stubs take a parameter
    def __init__(self, raw: BucketFile, name: str) -> None:
        super().__init__(io.BufferedReader(raw, WINDOW_BYTES), name)
        self.size = raw.size
