"""The messages of the sources and their translations, without GNU gettext: Babel reads, writes and compiles them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils import translation
from django.utils.translation.template import templatize

from socialhub.apps import named_models

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
PYTHON = ("accounts", "analytics", "publishing", "socialhub")
TEMPLATES = ("accounts", "analytics", "publishing", "templates")
# The sandbox plays foreign sites, which speak English here; the demonstration prints to a terminal.
LEFT_OUT = ("socialhub/sandbox", "socialhub/demo")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
BEGUN = datetime(2026, 11, 1, tzinfo=UTC)  # a date of each extraction would change the file without changing a word
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[#0\- +]*\d*(?:\.\d+)?([sdfi%])|\{([a-z]\w*)\}")  # {Vehicle}: an example

MARKUP = '"<>&'  # templates do not escape translations

Key = tuple[str | None, str]  # context, message


def sources() -> Iterator[Path]:
    for folders, suffixes in ((PYTHON, (".py",)), (TEMPLATES, (".html", ".txt"))):
        for folder in folders:
            for path in sorted((ROOT / folder).rglob("*")):
                name = path.relative_to(ROOT).as_posix()
                if path.suffix in suffixes and "/migrations/" not in name and not name.startswith(LEFT_OUT):
                    yield path


def messages_of(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """What is marked in one file: the message, or its singular and plural, and its context."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Inside of parentheses neither indentation nor the end of a line means anything to the tokenizer.
        text = f"({templatize(text, origin=path.name)}\n)"
    found = extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"})
    for _line, message, _comments, context in found:
        yield message, context


def names_of_models() -> Iterator[tuple[str, str]]:
    """Of models and fields that the administration shows (socialhub.apps), with the place where they stand."""
    for model in named_models():
        place = f"{model.__module__.replace('.', '/')}.py"
        options = model._meta
        if isinstance(options.original_attrs.get("verbose_name", ""), str):  # else it is marked, by us or by Django
            yield str(options.verbose_name), place
            yield str(options.verbose_name_plural), place
        for field in (*options.local_fields, *options.local_many_to_many):
            if isinstance(field._verbose_name, str | None):  # type: ignore[attr-defined]
                yield str(field.verbose_name), place


def collect() -> Catalog:
    """A catalogue of everything that the sources mark, without translations. Django has to be set up."""
    catalog = new_catalog()
    with translation.override(None):
        for name, place in sorted(set(names_of_models())):
            catalog.add(name, locations=[(place, 0)])
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        for message, context in messages_of(path):
            if message and message != ("", ""):
                catalog.add(message, locations=[(place, 0)], context=context)
    return catalog


def new_catalog(language: str | None = None) -> Catalog:
    return Catalog(
        locale=language,
        project="socialhub",
        version="1",
        copyright_holder="the socialhub contributors",
        header_comment="# Texts of socialhub. Written by bin/messages; translations are edited here.",
        msgid_bugs_address="",
        last_translator="",
        language_team="",
        creation_date=BEGUN,
        revision_date=BEGUN,
        fuzzy=False,
    )


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def stored(language: str) -> Catalog:
    path = po_path(language)
    if not path.exists():
        return new_catalog(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def keys_of(catalog: Catalog) -> dict[Key, Message]:
    return {(message.context, singular(message)): message for message in catalog if message.id}


def singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def updated(language: str) -> Catalog:
    """The marked messages, with the translations that are stored. What is not marked any more is dropped.

    Nothing is guessed from similar messages: a wrong sentence is worse than an English one.
    """
    known = keys_of(stored(language))
    catalog = new_catalog(language)
    for key, message in sorted(keys_of(collect()).items(), key=place_of):
        before = known.get(key)
        same = before is not None and isinstance(before.id, str) == isinstance(message.id, str)
        catalog.add(
            message.id,
            string=before.string if before is not None and same else empty(message),
            locations=message.locations,
            flags=message.flags,
            context=message.context,
        )
    return catalog


def place_of(item: tuple[Key, Message]) -> tuple[str, str, str]:
    (context, text), message = item
    return message.locations[0][0], text, context or ""


def empty(message: Message) -> str | tuple[str, str]:
    return "" if isinstance(message.id, str) else ("", "")


def strings_of(message: Message) -> tuple[str, ...]:
    """The translation, in each of its plural forms."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def is_translated(message: Message) -> bool:
    return bool(strings := strings_of(message)) and all(strings)


def placeholders(text: str) -> set[str]:
    return {match[0] for match in PLACEHOLDER.finditer(text) if match[2] != "%"}


def faults_of(message: Message) -> list[str]:
    """What keeps a message from being shown as it should."""
    where = f"{message.locations[0][0] if message.locations else '?'}: {singular(message)!r}"
    if not is_translated(message):
        return [f"{where} is not translated"]
    faults = [f"{where} is fuzzy"] if message.fuzzy else []
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    strings = strings_of(message)
    if len(ids) != len(strings):
        return [*faults, f"{where} has not all its plural forms"]
    # The singular may leave the number out: "one image"
    for number, string in enumerate(strings):
        wanted, used = placeholders(ids[-1]), placeholders(string)
        may_miss = placeholders(ids[-1]) - placeholders(ids[0]) if number == 0 else set()
        if used - wanted or wanted - used - may_miss - counted(ids, number):
            faults.append(f"{where}: {sorted(wanted)} became {sorted(used)}")
    for text, string in zip(ids, strings, strict=True):
        if text[:1].isspace() != string[:1].isspace() or text[-1:].isspace() != string[-1:].isspace():
            faults.append(f"{where} begins or ends with another space")
        if added := {sign for sign in MARKUP if sign in string and sign not in text}:
            faults.append(f"{where}: {sorted(added)} may end the attribute or text in which it stands")
    return faults


def counted(ids: Iterable[str], number: int) -> set[str]:
    """In the singular the number may be written as a word."""
    return {"%(count)d", "%(counter)s", "%(count)s"} if number == 0 and len(tuple(ids)) > 1 else set()


def po_bytes(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=110, include_lineno=False, ignore_obsolete=True)
    return file.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def write(language: str, catalog: Catalog) -> None:
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(po_bytes(catalog))
    path.with_suffix(".mo").write_bytes(mo_bytes(catalog))
