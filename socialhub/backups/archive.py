"""What a backup looks like: the names of its parts, its manifest, and how both are written and read."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any, BinaryIO

FORMAT = 1
MANIFEST = "manifest.json"
README = "README.txt"
MANIFEST_MOST_BYTES = 512 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class BadBackup(Exception):
    """The file is no whole backup of ours; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Part:
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """taken_at: the moment of the snapshot. migrations: those that had been applied, by app, in their order.

    keys: fingerprints of FERNET_KEYS, the one that seals first. sealed: so many secrets are in it, and `opened` of them
    could be opened when it was made. missing: files that rows name and that were not there.
    """

    taken_at: datetime
    version: str
    server: str
    address: str
    migrations: dict[str, list[str]]
    keys: list[str]
    sealed: int
    opened: int
    tables: dict[str, Table]
    files: dict[str, Part] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        values = asdict(self) | {"product": "socialhub", "format": FORMAT, "taken_at": self.taken_at.isoformat()}
        return json.dumps(values, indent=1, sort_keys=True)


def table_part(name: str) -> str:
    return f"tables/{name}.copy"


def file_part(name: str) -> str:
    return f"files/{name}"


def parts_of(manifest: Manifest) -> dict[str, Part]:
    """All parts but the manifest itself and the text for people."""
    tables = {table_part(name): Part(table.size, table.sha256) for name, table in manifest.tables.items()}
    return tables | {file_part(name): part for name, part in manifest.files.items()}


# --- Writing --------------------------------------------------------------------------------------------------


class Sink:
    """One part while it is written: counts and digests what goes by."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        self._digest.update(data)
        self.size += len(data)
        self._target.write(data)

    @property
    def part(self) -> Part:
        return Part(self.size, self._digest.hexdigest())


class Writer:
    """Parts one after the other. Nothing of them is held in memory."""

    def __init__(self, target: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(target, "w")

    @contextmanager
    def part(self, name: str, *, packed: bool) -> Iterator[Sink]:
        """packed: pictures and videos are packed already, and only cost time."""
        entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        entry.external_attr = (stat.S_IFREG | 0o600) << 16
        with self._zip.open(entry, "w", force_zip64=True) as target:
            yield Sink(target)

    def text(self, name: str, text: str) -> None:
        with self.part(name, packed=True) as sink:
            sink.write(text.encode())

    def close(self) -> None:
        self._zip.close()

    def abandon(self) -> None:
        """No list of parts is written at the end; also not when this object goes."""
        self._zip.fp = None


# --- Reading --------------------------------------------------------------------------------------------------


class Archive:
    """A backup that is open for reading. Whatever stands in it is judged before it is used: it may come from anywhere."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise BadBackup(f"{path} cannot be opened as a backup: {error}.") from error
        try:
            self.manifest = self._manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def _manifest(self) -> Manifest:
        try:
            if self._zip.getinfo(MANIFEST).file_size > MANIFEST_MOST_BYTES:
                raise BadBackup("The manifest is larger than any of ours.")
            return read_manifest(json.loads(self._zip.read(MANIFEST)))
        except KeyError as error:
            raise BadBackup(f"This is no backup of socialhub: {error} is missing.") from error
        except (zipfile.BadZipFile, ValueError, TypeError, AttributeError, EOFError, OSError) as error:
            raise BadBackup(f"The manifest cannot be read: {error}.") from error

    def strangers(self) -> list[str]:
        """Parts that the manifest does not name, or names twice."""
        left = {MANIFEST, README, *parts_of(self.manifest)}
        strange = []
        for name in self._zip.namelist():
            if name in left:
                left.remove(name)
            else:
                strange.append(name)
        return strange

    @contextmanager
    def part(self, name: str, expected: Part) -> Iterator[Source]:
        """To be read to its end. Raises BadBackup where it is not what the manifest says."""
        try:
            stream = self._zip.open(name)
        except KeyError as error:
            raise BadBackup(f"{name} is missing.") from error
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise BadBackup(f"{name} is damaged: {error}.") from error
        with stream:
            yield Source(name, stream, expected)


class Source:
    """One part while it is read. At its end it must have had the size and the digest that the manifest names."""

    def __init__(self, name: str, stream: IO[bytes], expected: Part) -> None:
        self._name, self._stream, self._expected = name, stream, expected
        self._digest = hashlib.sha256()
        self._size = 0

    def chunks(self) -> Iterator[bytes]:
        """Raises BadBackup, also before more is unpacked than there should be."""
        while chunk := self._read():
            self._size += len(chunk)
            self._digest.update(chunk)
            if self._size > self._expected.size:
                raise BadBackup(f"{self._name} is larger than the manifest says.")
            yield chunk
        if (self._size, self._digest.hexdigest()) != (self._expected.size, self._expected.sha256):
            raise BadBackup(f"{self._name} is not what it was when the backup was made.")

    def _read(self) -> bytes:
        try:
            return self._stream.read(CHUNK_BYTES)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error) as error:
            raise BadBackup(f"{self._name} is damaged: {error}.") from error

    def lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest:
            raise BadBackup(f"{self._name} ends in the middle of a row.")


def read_manifest(values: dict[str, Any]) -> Manifest:
    """Raises BadBackup, KeyError, TypeError, ValueError, AttributeError."""
    if values["product"] != "socialhub":
        raise BadBackup("This is no backup of socialhub.")
    if values["format"] != FORMAT:
        raise BadBackup(f"It has format {values['format']}, and this version reads format {FORMAT}.")
    tables = {
        name: Table(tuple(map(str, table["columns"])), int(table["rows"]), int(table["size"]), str(table["sha256"]))
        for name, table in values["tables"].items()
    }
    files = {name: Part(int(part["size"]), str(part["sha256"])) for name, part in values["files"].items()}
    for name in files:
        refuse_unsafe(name)
    for name in tables:
        if not TABLE_NAME.fullmatch(name):
            raise BadBackup(f"{name!r} is no name of a table.")
    return Manifest(
        taken_at=datetime.fromisoformat(values["taken_at"]),
        version=str(values["version"]),
        server=str(values["server"]),
        address=str(values["address"]),
        migrations={app: [str(name) for name in names] for app, names in values["migrations"].items()},
        keys=[str(key) for key in values["keys"]],
        sealed=int(values["sealed"]),
        opened=int(values["opened"]),
        tables=tables,
        files=files,
        missing=[str(name) for name in values["missing"]],
    )


def refuse_unsafe(name: str) -> None:
    """A name that could lead out of the folder of the media, on whatever system. Raises BadBackup."""
    path = PurePosixPath(name)
    if (
        not name
        or path.is_absolute()
        or str(path) != name
        or any(part in ("..", ".") for part in path.parts)
        or any(letter in name for letter in "\\:\0")
        or not name.isprintable()
    ):
        raise BadBackup(f"{name!r} is no name of a file of ours.")
