"""Tables as files: CSV that is sent while it is read, and XLSX. Neither ever has all rows in memory.

CSV: UTF-8 with a byte order mark, without which Excel guesses; commas; keys of columns as first line; times in ISO 8601
with their offset; what is not known is empty. XLSX: words as first line, cells of the right type, and a sheet that says
what each column means.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from itertools import islice
from typing import IO, Any

from django.utils.translation import gettext as _

from analytics.reports.tables import Column, Kind, Table

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_AT_ONCE = 500  # so many lines of CSV are sent as one piece
SHEET_ROWS = 1_000_000  # a sheet has room for 1,048,576
CELL_CHARACTERS = 32_767  # of a cell, as Excel counts: in units of UTF-16

# What makes a spreadsheet take a text for a formula, at the beginning of a cell: behind what it passes over, and in the
# full-width and small forms that some of them read as the same. Where ";" or a tab parts the cells, or a line break the
# rows, because somebody's spreadsheet expects it so, the text behind it is a beginning as well.
PARTING = ";\t\r\n"
UNSEEN = "\\s\\x01-\\x1f\\x7f-\\x9f\\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
# A run of what is passed over is looked at once, from its first character, so that long ones do not take the square of
# their time.
FORMULA = re.compile(f"(?<![{PARTING}{UNSEEN}\"'])([{PARTING}{UNSEEN}\"']*)([{SIGNS}])")


def guarded(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would calculate."""
    text = FORMULA.sub(_held, text)
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


def _held(found: re.Match[str]) -> str:
    passed, sign = found.groups()
    is_beginning = found.start() == 0 or any(parting in passed for parting in PARTING)
    return f"{passed}'{sign}" if is_beginning else f"{passed}{sign}"


class Line:
    """What csv writes to: keeps the lines until they are taken."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        self.parts.append(text)
        return len(text)

    def take(self) -> bytes:
        text = "".join(self.parts)
        self.parts.clear()
        return text.encode("utf-8", "replace")


def csv_of(table: Table, zone: tzinfo) -> Iterator[bytes]:
    """The file in pieces. zone: of the person who reads it. Rows are fetched as the pieces are taken."""
    lines = Line()
    writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([guarded(column.key) for column in table.columns])
    kinds = [column.kind for column in table.columns]
    rows = iter(table.rows)
    yield b"\xef\xbb\xbf" + lines.take()
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        writer.writerows([as_text(value, kind, zone) for value, kind in zip(row, kinds, strict=True)] for row in batch)
        yield lines.take()


def as_text(value: Any, kind: Kind, zone: tzinfo) -> Any:
    """A cell of CSV. Numbers stay numbers, whatever their sign."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int():
            return value
        case float():
            return round(value, 6)
        case datetime():
            return value.astimezone(zone).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
    return guarded(str(value))


def write_xlsx(table: Table, zone: tzinfo, target: IO[bytes], facts: Sequence[tuple[str, str]] = ()) -> None:
    """The whole file into `target`; what is written of it lies on disk, not in memory.

    facts: name and value of what the last sheet says besides the columns.
    """
    import xlsxwriter  # noqa: PLC0415  two megabytes in each process, and few ever write a sheet

    book = xlsxwriter.Workbook(
        target,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    Book(book, table, zone, facts).write()
    book.close()


class Book:
    """One table in one workbook. A sheet that is full is followed by another."""

    def __init__(self, book: Any, table: Table, zone: tzinfo, facts: Sequence[tuple[str, str]]) -> None:
        self.book, self.table, self.zone, self.facts = book, table, zone, facts
        self.bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.formats = {
            Kind.NUMBER: book.add_format({"num_format": "#,##0.0"}),
            Kind.PERCENT: book.add_format({"num_format": "0.00%"}),
            Kind.TIME: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            Kind.DAY: book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        self.whole = book.add_format({"num_format": "#,##0"})

    def write(self) -> None:
        rows = iter(self.table.rows)
        number = 1
        while self.fill(self.sheet(number), rows):
            number += 1
        self.tell_about()

    def sheet(self, number: int) -> Any:
        title = sheet_title(str(self.table.title), number)
        sheet = self.book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for position, column in enumerate(self.table.columns):
            sheet.set_column(position, position, width_of(column))
        for position, column in enumerate(self.table.columns):
            sheet.write_string(0, position, heading(column, self.zone), self.bold)
        return sheet

    def fill(self, sheet: Any, rows: Iterator[Sequence[Any]]) -> bool:
        """Is the sheet full? What is left of the rows is for the next."""
        kinds = [column.kind for column in self.table.columns]
        number = 0
        for number, row in enumerate(islice(rows, SHEET_ROWS), start=1):
            for position, (value, kind) in enumerate(zip(row, kinds, strict=True)):
                self.cell(sheet, number, position, value, kind)
        return number == SHEET_ROWS

    def cell(self, sheet: Any, row: int, position: int, value: Any, kind: Kind) -> None:
        """Texts are written as texts: no cell is a formula, whatever it begins with."""
        match value:
            case None:
                return
            case bool():
                sheet.write_boolean(row, position, value)
            case int() if kind is Kind.NUMBER:
                sheet.write_number(row, position, value, self.whole)
            case int() | float():
                sheet.write_number(row, position, value, self.formats.get(kind))
            case datetime():
                moment = value.astimezone(self.zone).replace(tzinfo=None)
                sheet.write_datetime(row, position, moment, self.formats[Kind.TIME])
            case date():
                sheet.write_datetime(row, position, value, self.formats[Kind.DAY])
            case _:
                sheet.write_string(row, position, fitting(str(value)))

    def tell_about(self) -> None:
        sheet = self.book.add_worksheet(sheet_title(_("About this file"), 1))
        sheet.set_column(0, 1, 28)
        sheet.set_column(2, 2, 90)
        lines = [(name, value, "") for name, value in self.facts]
        if self.table.note:
            lines.append((_("Note"), "", str(self.table.note)))
        lines.append(("", "", ""))
        for number, line in enumerate(lines):
            for position, text in enumerate(line):
                sheet.write_string(number, position, fitting(text), self.wrapped)
        top = len(lines)
        for position, text in enumerate((_("Column"), _("Name in CSV"), _("What it means"))):
            sheet.write_string(top, position, text, self.bold)
        for number, column in enumerate(self.table.columns, start=top + 1):
            for position, text in enumerate((heading(column, self.zone), column.key, str(column.note))):
                sheet.write_string(number, position, fitting(text), self.wrapped)


def heading(column: Column, zone: tzinfo) -> str:
    """With the zone where a cell cannot tell it."""
    return f"{column.word} ({zone})" if column.kind is Kind.TIME else str(column.word)


def width_of(column: Column) -> int:
    return {Kind.TEXT: 24, Kind.LINK: 30, Kind.TIME: 18, Kind.DAY: 12}.get(column.kind, 12)


def sheet_title(title: str, number: int) -> str:
    """As Excel allows it: at most 31 characters, and some not at all."""
    ending = f" {number}" if number > 1 else ""
    return re.sub(r"[\[\]:*?/\\']", " ", title)[: 31 - len(ending)].strip() + ending


def fitting(text: str) -> str:
    """As much of it as a cell holds."""
    if len(text) * 2 <= CELL_CHARACTERS:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * CELL_CHARACTERS:
        return text
    return units[: 2 * (CELL_CHARACTERS - 1)].decode("utf-16-le", "ignore") + "…"
