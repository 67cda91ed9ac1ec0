"""Tables as files: what stands in them, what a spreadsheet makes of it, who gets them, and in how much memory."""

from __future__ import annotations

import csv
import io
import re
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, Workspace
from analytics import exports, files
from analytics.days import day_start
from analytics.models import AudienceSnapshot, PlatformPost, PostDay, PostSnapshot
from analytics.reports.hours import LEAST_POSTS
from analytics.reports.tables import Column, Kind, Table
from analytics.templatetags.exports import WORDS
from analytics.views import exports as views
from socialhub.platforms import PLATFORMS
from tests.analytics.rows import make_platform_post, make_published, make_window
from tests.factories import make_account

pytestmark = pytest.mark.django_db

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
BERLIN = ZoneInfo("Europe/Berlin")


def url_of(table: str, ending: str = "csv", **query: Any) -> str:
    return reverse("analytics:export", args=[table, ending], query=query)


def bytes_of(client: Client, table: str, ending: str = "csv", **query: Any) -> bytes:
    response = client.get(url_of(table, ending, **query))
    assert response.status_code == 200
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def rows_of(client: Client, table: str, **query: Any) -> list[dict[str, str]]:
    text = bytes_of(client, table, **query).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def cells_of(spreadsheet: bytes, sheet: int = 1) -> list[list[tuple[str, str]]]:
    """Type and content of each cell, by row. Types as in the file: "inlineStr", "n" for numbers and dates."""
    with zipfile.ZipFile(io.BytesIO(spreadsheet)) as book:
        tree = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314  our own file
    assert tree.find(f".//{SHEET}f") is None  # no formula anywhere
    return [[(cell.get("t", "n"), "".join(cell.itertext())) for cell in row] for row in tree.iter(f"{SHEET}row")]


def table_of(*rows: tuple[Any, ...], kinds: tuple[Kind, ...] = (Kind.TEXT,), title: str = "Things") -> Table:
    return Table("things", title, [Column(f"c{number}", f"C{number}", kind) for number, kind in enumerate(kinds)], rows)


def spreadsheet_of(table: Table, zone: Any = UTC) -> bytes:
    target = io.BytesIO()
    files.write_xlsx(table, zone, target)
    return target.getvalue()


# --- Cells ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\thidden"),
        *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201"),
        *(
            "\ufe661",
            "\ufe621",
            "\ufe631",
            "\ufe6b1",
            "\x01=1",
            "\x7f=1",
            "\u00ad=1",
            "\u202e=1",
            "\u2066=1",
            " \u3000=1",
        ),
        *(" =1", "\u00a0=1", "\u200b=1", "\ufeff=1", '"=1+1', "'=1"),
    ],
)
def test_nothing_that_a_spreadsheet_would_calculate_begins_a_cell(text: str) -> None:
    line = b"".join(files.csv_of(table_of((text,)), UTC)).decode("utf-8-sig")
    _heading, (cell,) = csv.reader(io.StringIO(line, newline=""))
    assert cell.replace("'", "") == text.replace("'", "")  # all of it is there
    assert not re.match('[\\s"\u200b\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r]', cell)


@pytest.mark.parametrize("parts", [";", "\t", "\n", "\r\n"])
def test_nor_does_it_where_cells_are_parted_otherwise(parts: str) -> None:
    """A German Excel parts cells at ";", and then sees the quotes in the middle of a line as letters."""
    cell = files.guarded(f"Hello{parts}=HYPERLINK(1)")
    assert cell == f"Hello{parts}'=HYPERLINK(1)"


@pytest.mark.parametrize("text", ["Hello", "1 = 1", "a-b", "me@example.com", "", "10 % off; a - b", "日本"])
def test_texts_that_nobody_calculates_stay_as_they_are(text: str) -> None:
    assert files.guarded(text) == text


@pytest.mark.parametrize("filling", ["\n", ";", " ", "\"'", "\u200b", "-", "=\n", "a "])
def test_long_texts_of_nothing_are_read_once(filling: str) -> None:
    began = time.process_time()
    files.guarded(filling * (60_000 // len(filling)) + "x")
    assert time.process_time() - began < 1


def test_numbers_stay_numbers() -> None:
    table = table_of((-5, 0.0344444, -1.5, None), kinds=(Kind.NUMBER, Kind.PERCENT, Kind.NUMBER, Kind.NUMBER))
    assert b"".join(files.csv_of(table, UTC)).splitlines()[1] == b'-5,0.034444,-1.5,""'
    assert cells_of(spreadsheet_of(table))[1] == [("n", "-5"), ("n", "0.0344444"), ("n", "-1.5")]


def test_a_spreadsheet_keeps_texts_as_texts() -> None:
    table = table_of(("=1+1",), ("https://example.com",), ("007",), ("\x01",), kinds=(Kind.TEXT,))
    assert [row[0] for row in cells_of(spreadsheet_of(table))[1:]] == [
        ("inlineStr", "=1+1"),
        ("inlineStr", "https://example.com"),
        ("inlineStr", "007"),
        ("inlineStr", "_x0001_"),
    ]


def test_a_text_that_is_too_long_for_a_cell_is_cut_not_lost() -> None:
    (_heading, (plain,), (smile,)) = cells_of(spreadsheet_of(table_of(("x" * 63_206,), ("😀" * 20_000,))))
    assert plain[1] == "x" * 32_766 + "…"
    assert smile[1] == "😀" * 16_383 + "…"


def test_times_tell_their_zone() -> None:
    """The hour that comes twice in autumn is told apart by its offset."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    table = table_of((first,), (first + timedelta(hours=1),), (date(2026, 10, 25),), kinds=(Kind.TIME,))
    lines = b"".join(files.csv_of(table, BERLIN)).decode().splitlines()
    assert lines[1:] == ['"2026-10-25T02:30:00+02:00"', '"2026-10-25T02:30:00+01:00"', '"2026-10-25"']
    cells = cells_of(spreadsheet_of(table, BERLIN))
    assert cells[0] == [("inlineStr", "C0 (Europe/Berlin)")]
    assert [row[0][0] for row in cells[1:]] == ["n", "n", "n"]


def test_a_full_sheet_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SHEET_ROWS", 2)
    book = spreadsheet_of(
        table_of(*((f"row {number}",) for number in range(3)), title="A [long] title of: more than 31 letters")
    )
    assert [row[0][1] for row in cells_of(book)] == ["C0", "row 0", "row 1"]
    assert [row[0][1] for row in cells_of(book, 2)] == ["C0", "row 2"]


# --- What stands in them --------------------------------------------------------------------------------------


def test_posts_with_their_figures_from_here_and_elsewhere(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, name="Garage", username="garage")
    post = make_published(account, campaign="Spring")
    make_platform_post(
        account,
        publication=post.publications.get(),
        text="=cmd()",
        views=1200,
        likes=0,
        engagements=40,
        engagement_rate=0.0333333333,
        rate_of="views",
        extra={"follows": 3},
        sources={"views": "post_media_view"},
        posted_at=timezone.now() - timedelta(hours=2),
    )
    make_platform_post(
        account, text="Elsewhere", withheld="Too few viewers", posted_at=timezone.now() - timedelta(days=1)
    )
    ours, other = rows_of(signed_in, "posts")
    assert (ours["network"], ours["account"], ours["handle"]) == ("Facebook", "Garage", "garage")
    assert (ours["text"], ours["made"], ours["campaign"]) == ("'=cmd()", "socialhub", "Spring")
    assert (ours["views"], ours["likes"], ours["reach"], ours["follows"]) == ("1200", "0", "", "3")
    assert (ours["engagement_rate"], ours["rate_of"]) == ("0.033333", "views")
    assert ours["sources"] == "views: post_media_view"
    assert (other["made"], other["views"], other["likes"]) == ("elsewhere", "", "")
    assert other["withheld"] == "Too few viewers"


def test_a_figure_that_we_and_the_network_add_up_has_two_columns(signed_in: Client, workspace: Workspace) -> None:
    make_platform_post(make_account(workspace), engagements=4, extra={"engagements": 9})
    (post,) = rows_of(signed_in, "posts")
    assert (post["engagements"], post["network_engagements"]) == ("4", "9")
    heads = [text for _type, text in cells_of(bytes_of(signed_in, "posts", "xlsx"))[0]]
    assert len(heads) == len(set(heads))


def test_posts_are_narrowed_and_sorted_as_on_their_page(signed_in: Client, workspace: Workspace) -> None:
    first, second = make_account(workspace), make_account(workspace, platform="instagram")
    make_platform_post(first, text="Few", views=1)
    make_platform_post(first, text="Many", views=9)
    make_platform_post(first, text="Old", views=5, posted_at=timezone.now() - timedelta(days=60))
    make_platform_post(second, text="Other", views=3)
    assert [row["text"] for row in rows_of(signed_in, "posts", sort="-views")] == ["Many", "Other", "Few"]
    assert [row["text"] for row in rows_of(signed_in, "posts", sort="-views", platform="facebook")] == ["Many", "Few"]
    assert [row["text"] for row in rows_of(signed_in, "posts", account=second.pk)] == ["Other"]
    assert {row["text"] for row in rows_of(signed_in, "posts", period="all")} == {"Few", "Many", "Old", "Other"}


def test_one_post_by_day_and_by_age(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    post, other = make_platform_post(account), make_platform_post(account)
    for number, one in enumerate((post, other)):
        PostDay.objects.create(
            platform_post=one,
            account=account,
            day=date(2026, 11, 1),
            fetched_at=timezone.now(),
            likes=7 + number,
            gained={"likes": 2, "span_minutes": 1440},
        )
        PostSnapshot.objects.create(platform_post=one, fetched_at=timezone.now(), mark="6h", likes=5 + number)
        PostSnapshot.objects.create(platform_post=one, fetched_at=timezone.now() - timedelta(hours=1), likes=4)
    (day,) = rows_of(signed_in, "post-days", post=post.pk)
    assert (day["day"], day["likes"], day["gained_likes"], day["gained_minutes"]) == ("2026-11-01", "7", "2", "1440")
    (mark,) = rows_of(signed_in, "post-marks", post=post.pk)
    assert (mark["age"], mark["likes"]) == ("6h", "5")
    assert len(rows_of(signed_in, "post-days")) == len(rows_of(signed_in, "post-marks")) == 2


def test_days_are_those_of_the_network(
    signed_in: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day that begins at midnight in Los Angeles does at 8 or 7 o'clock in UTC."""
    monkeypatch.setattr(PLATFORMS["facebook"], "day_zone", "America/Los_Angeles")
    account = make_account(workspace)
    midnight = (timezone.now() - timedelta(days=2)).replace(hour=8, minute=0, second=0, microsecond=0)
    make_window(
        account,
        midnight,
        window_start=midnight,
        period="day",
        metrics={"views": 30, "reach": 20},
        derived={"unplaced": {"views": 1}},
        sources={"views": "page_media_view"},
        is_whole=False,
    )
    make_window(account, midnight, metrics={"followers": 4})
    (row,) = rows_of(signed_in, "account-days")
    assert (row["day_zone"], row["is_whole"], row["views"], row["reach"]) == (
        "America/Los_Angeles",
        "false",
        "30",
        "20",
    )
    assert row["day"] == midnight.astimezone(ZoneInfo("America/Los_Angeles")).date().isoformat()
    assert "followers" not in row


def test_hours_tell_levels_changes_and_the_minutes_between(
    signed_in: Client, workspace: Workspace, owner: User
) -> None:
    owner.time_zone = "Europe/Berlin"
    owner.save()
    account = make_account(workspace)
    at = timezone.now().replace(minute=20, second=0, microsecond=0) - timedelta(hours=3)
    make_window(account, at - timedelta(hours=2), metrics={"followers": 100})
    make_window(account, at, metrics={"followers": 98}, derived={"followers": -2, "views": 17, "span_minutes": 120})
    first, second = rows_of(signed_in, "account-hours")
    assert (first["followers"], first["change_followers"], first["minutes"]) == ("100", "", "")
    assert (second["followers"], second["change_followers"]) == ("98", "-2")
    assert (second["gained_views"], second["minutes"]) == ("17", "120")
    assert second["hour_utc"] == f"{at:%Y-%m-%d %H}:00"
    assert datetime.fromisoformat(second["hour"]) == at.replace(minute=0)
    assert datetime.fromisoformat(second["hour"]).utcoffset() == at.astimezone(BERLIN).utcoffset()


def test_the_audience_by_group(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    AudienceSnapshot.objects.create(
        account=account, kind="followers", dimension="country", taken_on=timezone.now().date(), parts={"AT": 3, "DE": 9}
    )
    rows = rows_of(signed_in, "audience")
    assert [(row["dimension"], row["part"], row["people"]) for row in rows] == [
        ("country", "DE", "9"),
        ("country", "AT", "3"),
    ]


def test_figures_of_accounts_are_narrowed_as_on_their_pages(signed_in: Client, workspace: Workspace) -> None:
    account, other = make_account(workspace), make_account(workspace, platform="instagram")
    now = timezone.now()
    for hours in (1, 20, 24 * 40):
        make_window(account, now - timedelta(hours=hours), metrics={"followers": hours})
    make_window(other, now - timedelta(hours=1), metrics={"followers": 7})
    told = [
        [row["followers"] for row in rows_of(signed_in, "account-hours", **query)]
        for query in ({"account": account.pk}, {"platform": "instagram"}, {"period": "24h"}, {"period": "all"})
    ]
    assert [sorted(one) for one in told] == [["1", "20"], ["7"], ["1", "20", "7"], ["1", "20", "7", "960"]]


def test_every_reading_of_a_post(signed_in: Client, workspace: Workspace) -> None:
    post = make_platform_post(make_account(workspace))
    now = timezone.now()
    PostSnapshot.objects.create(platform_post=post, fetched_at=now - timedelta(hours=1), mark="1h", likes=4)
    PostSnapshot.objects.create(platform_post=post, fetched_at=now, likes=5)
    assert [(row["age"], row["likes"]) for row in rows_of(signed_in, "post-readings")] == [("1h", "4"), ("", "5")]


def test_accounts_and_campaigns_beside_each_other(signed_in: Client, workspace: Workspace) -> None:
    first, second = make_account(workspace, username="first", followers_count=7), make_account(workspace)
    publication = make_published(first, campaign="Spring").publications.get()
    make_platform_post(first, publication=publication, views=30)
    day = day_start(timezone.now(), str(PLATFORMS["facebook"].day_zone)) - timedelta(days=2)
    make_window(first, day, window_start=day, period="day", metrics={"views": 12})
    rows = rows_of(signed_in, "compare")
    assert [row["account"] for row in rows] == ["'@first", f"'{second.handle}"]
    assert (rows[0]["followers"], float(rows[0]["views"]), rows[0]["views_days"]) == ("7", 12, "1")
    assert rows[1]["views"] == ""
    assert len(rows_of(signed_in, "compare", account=second.pk)) == 1
    by_day = rows_of(signed_in, "compare-days", measure="views", period="7d")
    assert [row["facebook-first"] for row in by_day if row["facebook-first"]] == ["12"]
    (campaign,) = rows_of(signed_in, "campaigns")
    assert (campaign["campaign"], campaign["posts"], campaign["views"]) == ("Spring", "1", "30")


def test_the_hours_of_posting(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    assert rows_of(signed_in, "hours") == []
    monday = timezone.now().replace(hour=9, minute=30) - timedelta(days=timezone.now().weekday() + 7)
    for _number in range(LEAST_POSTS):
        make_platform_post(account, posted_at=monday, views=100, engagements=5, engagement_rate=0.05, rate_of="views")
    (row,) = rows_of(signed_in, "hours", account=account.pk)
    assert (row["weekday"], row["hour"], row["posts"], float(row["times_usual"])) == ("Monday", "9", "20", 1)


@pytest.mark.parametrize("name", ["overview", "account", "post_list", "post", "compare_accounts", "campaigns"])
def test_every_page_of_figures_offers_its_files(signed_in: Client, workspace: Workspace, name: str) -> None:
    """And each of the links is answered."""
    account = make_account(workspace, last_synced_at=timezone.now())
    publication = make_published(account, campaign="Spring").publications.get()
    now = timezone.now()
    post = make_platform_post(account, publication=publication, views=30, fetched_at=now)
    PostSnapshot.objects.create(platform_post=post, fetched_at=now, mark="1h", views=30)
    make_window(account, now, metrics={"followers": 4})
    args = {"account": [account.pk], "post": [post.pk]}.get(name, [])
    html = signed_in.get(reverse(f"analytics:{name}", args=args), {"period": "30d"}).content.decode()
    links = re.findall(r'href="(/analytics/export/[^"]+)"', html)
    assert len(links) >= 2
    for link in links:
        response = signed_in.get(link.replace("&amp;", "&"))
        assert response.status_code == 200, link
        assert b"".join(response.streaming_content)  # type: ignore[attr-defined]
        assert "period=30d" in link
        assert all(str(one) in link for one in args)


def test_every_table_has_a_word() -> None:
    assert set(WORDS) == set(views.TABLES)


@pytest.mark.parametrize(("period", "days"), [("24h", 2), ("7d", 1), ("30d", 2), ("all", 3), ("", 2)])
def test_days_have_no_hours(signed_in: Client, workspace: Workspace, period: str, days: int) -> None:
    """Who looks at the last hours gets the days of the usual period."""
    account = make_account(workspace)
    for back in (7, 30, 60):
        # Two hours later than that many days ago: inside at every hour of a day, however long the clocks make it.
        day = day_start(timezone.now(), str(PLATFORMS["facebook"].day_zone)) - timedelta(days=back, hours=-2)
        make_window(account, day, window_start=day, period="day", metrics={"views": 12})
    assert len(rows_of(signed_in, "account-days", period=period)) == days


def test_a_spreadsheet_says_what_it_is(signed_in: Client, workspace: Workspace) -> None:
    make_platform_post(make_account(workspace, name="Garage"), views=1200)
    book = bytes_of(signed_in, "posts", "xlsx", platform="facebook")
    heading, row = cells_of(book)
    assert ("inlineStr", "Views") in heading
    assert ("n", "1200") in row
    about = [tuple(text for _kind, text in line) for line in cells_of(book, 2)]
    assert ("Workspace", workspace.name, "") in about
    assert ("Network", "Facebook", "") in about
    assert any(line[0] == "Reach" and "cannot be added up" in line[2] for line in about)


def test_files_have_telling_names(signed_in: Client, workspace: Workspace) -> None:
    workspace.name = "Zoë’s Garage"
    workspace.save()
    account = make_account(workspace, name="Main Page")
    response = signed_in.get(url_of("account-days", account=account.pk))
    name = f"zoes-garage-account-days-main-page-{timezone.now():%Y-%m-%d}.csv"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(response.streaming_content).startswith(b"\xef\xbb\xbf")  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", views.TABLES)
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_every_table_is_a_file_even_without_rows(signed_in: Client, table: str, ending: str) -> None:
    assert bytes_of(signed_in, table, ending)


# --- Who gets them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", views.TABLES)
def test_strangers_get_nothing_of_others(signed_in_stranger: Client, workspace: Workspace, table: str) -> None:
    account = make_account(workspace, name="Secret Page")
    post = make_platform_post(account, text="Secret", views=3)
    make_window(account, timezone.now(), metrics={"followers": 1})
    if table != "campaigns":  # has no filter by account
        key = {"post": post.pk} if table in exports.POSTS else {"account": account.pk}
        assert signed_in_stranger.get(url_of(table, **key)).status_code == 404
    assert b"Secret" not in bytes_of(signed_in_stranger, table)


@pytest.mark.parametrize(
    ("table", "ending", "query"),
    [
        ("nothing", "csv", {}),
        ("posts", "pdf", {}),
        ("posts", "csv", {"post": "\x00"}),
        ("posts", "csv", {"account": "x"}),
        ("posts", "csv", {"sort": "raw"}),
        ("account-days", "csv", {"account": "x"}),
        ("account-days", "csv", {"platform": "myspace"}),
    ],
)
def test_what_does_not_exist_is_not_found(signed_in: Client, table: str, ending: str, query: dict[str, str]) -> None:
    assert signed_in.get(url_of(table, ending, **query)).status_code == 404


# --- How much memory ------------------------------------------------------------------------------------------


def many(rows: int) -> Iterator[tuple[Any, ...]]:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(rows):
        yield at + timedelta(minutes=number), f"Caption of the post number {number}", number, number / 3


def peak_of(rows: int, ending: str, tmp_path: Any) -> int:
    kinds = (Kind.TIME, Kind.TEXT, Kind.NUMBER, Kind.NUMBER)
    table = Table("many", "Many", [Column(str(kind), str(kind), kind) for kind in kinds], many(rows))
    with (tmp_path / f"{rows}.{ending}").open("wb+") as target:
        tracemalloc.start()
        try:
            if ending == "csv":
                target.writelines(files.csv_of(table, UTC))
            else:
                files.write_xlsx(table, UTC, target)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(("ending", "sizes"), [("csv", (10_000, 100_000)), ("xlsx", (4_000, 40_000))])
def test_ten_times_the_rows_need_no_more_memory(ending: str, sizes: tuple[int, int], tmp_path: Any) -> None:
    peak_of(10, ending, tmp_path)  # what is imported and kept once
    small, large = (peak_of(rows, ending, tmp_path) for rows in sizes)
    assert large < 1.3 * small + 200_000


def test_rows_come_from_the_database_piece_by_piece(workspace: Workspace, django_assert_num_queries: Any) -> None:
    """Peaks of reading many posts and few are about the same: none are kept."""
    account = make_account(workspace)
    at = timezone.now()
    PlatformPost.objects.bulk_create(
        PlatformPost(account=account, platform_post_id=str(number), posted_at=at, text="Caption " * 20)
        for number in range(12_000)
    )

    def peak(rows: int) -> int:
        found = PlatformPost.objects.filter(pk__in=PlatformPost.objects.values("pk")[:rows])
        table = exports.posts(exports.Scope(account.workspace.accounts.all(), found))
        tracemalloc.start()
        try:
            read = sum(piece.count(b"Caption Caption") > 0 for piece in files.csv_of(table, UTC))
            assert read == rows // files.ROWS_AT_ONCE
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)
    assert peak(12_000) < 1.3 * peak(3_000)


def test_a_download_that_is_broken_off_leaves_nothing_open(workspace: Workspace) -> None:
    account = make_account(workspace)
    PlatformPost.objects.bulk_create(
        PlatformPost(account=account, platform_post_id=str(number), posted_at=timezone.now() - timedelta(days=1))
        for number in range(exports.ROWS + 1)
    )

    def open_cursors() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '_django%%'")
            return int(cursor.fetchone()[0])

    table = exports.posts(exports.Scope(workspace.accounts.all(), PlatformPost.objects.all()))
    pieces = files.csv_of(table, UTC)
    assert len([next(pieces), next(pieces)]) == 2
    assert open_cursors() == 1
    pieces.close()  # as the response does when nobody takes it any more
    del table
    assert open_cursors() == 0
