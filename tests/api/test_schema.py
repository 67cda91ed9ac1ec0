"""Made-up requests, good and bad ones, against what the document promises: 2,000 cases over all operations."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import responses
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests.exceptions import ConnectionError as NoConnection
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from accounts.models import User, Workspace
from publishing.models import ImageSet, ImageSetItem, Publication, Status
from publishing.schedule import schedule
from socialhub.api import document_text
from tests.api.programs import program_of
from tests.factories import make_account, make_entry, make_media, make_post

pytestmark = pytest.mark.django_db

CASES = 2_000
SEED = 20_261_121
KINDS = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
PROMISED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
)

document = schemathesis.openapi.from_dict(json.loads(document_text()))
document.app = WSGIHandler()
OPERATIONS = {operation.ok().label: operation.ok() for operation in document.get_all_operations() if operation.ok()}
EACH = -(-CASES // (len(OPERATIONS) * len(KINDS)))
checks = CHECKS.get_by_names([name for name in PROMISED if name in CHECKS.get_all_names()])


@pytest.fixture(autouse=True)
def _nobody_outside() -> Iterator[None]:
    """Networks that do not answer: what an operation tells then is promised, too."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        for method in (responses.GET, responses.POST, responses.DELETE):
            mocked.add(method, re.compile(".*"), body=NoConnection("nobody there"))
        yield


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Each request would otherwise end the one that the test has its transaction on."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def ids(workspace: Workspace, owner: User) -> dict[str, list[str]]:
    """Something of each kind that a made-up id would never meet."""
    account, other = make_account(workspace), make_account(workspace, platform="linkedin", account_type="member")
    media = make_media(workspace)
    image_set = ImageSet.objects.create(workspace=workspace, title="Camaro", details=[["Year", "1969"]])
    ImageSetItem.objects.create(image_set=image_set, media=media, position=1)
    draft, waiting, failed, unknown = (make_post(workspace, account, other) for _number in range(4))
    schedule(waiting, timezone.now() + timezone.timedelta(days=1), by=owner)
    Publication.objects.filter(post=failed).update(status=Status.FAILED, error_kind="rejected", error_message="No.")
    Publication.objects.filter(post=unknown).update(status=Status.CHECKING, committing_at=timezone.now())
    for publication in unknown.publications.all():
        make_entry(publication, awaits_decision=True)
    posts = [draft, waiting, failed, unknown]
    return {
        "post": [str(post.pk) for post in posts],
        "publication": [str(post.publications.first().pk) for post in posts],
        "account": [str(account.pk), str(other.pk)],
        "media": [str(media.pk)],
        "imageSet": [str(image_set.pk)],
    }


def meet(case: Any, ids: dict[str, list[str]], number: int) -> None:
    """Puts ids that are there in the places of made-up ones, in two of three cases."""
    if number % 3 == 0:
        return

    def known(name: str) -> str | None:
        bare = name.removesuffix("_id").removesuffix("Id").removesuffix("Ids")
        found = ids.get(bare)
        return found[number % len(found)] if found else None

    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name in list(place):
                if (one := known(name)) and name.endswith(("_id", "Id", "Ids")):
                    place[name] = [one] if name.endswith("Ids") else one


tally: Counter[str] = Counter()


def test_what_the_document_promises_holds(
    workspace: Workspace, owner: User, ids: dict[str, list[str]], settings: Any
) -> None:
    """In one test, so that one process can say how many cases there were."""
    settings.API_RATE = (10**9, 60)
    key = program_of(workspace, owner).key
    broken: list[Exception] = []
    for label, operation in OPERATIONS.items():
        for kind in KINDS:
            try:
                run(operation, kind, key, ids)
            except (AssertionError, ExceptionGroup) as error:
                error.add_note(label)
                broken.append(error)
    if broken:
        raise ExceptionGroup("what the document promises does not hold", broken)
    assert sum(tally.values()) >= CASES
    assert tally["positive 2xx"] > CASES / 10
    assert not connection.needs_rollback


@pytest.mark.parametrize("address", ["%0A", "posts/a%0D%0Ab/publications/%0A/retry", "posts/%0A"])
def test_a_line_break_in_an_address_is_answered_in_json(client: Client, address: str) -> None:
    response = client.post(f"/api/social/{address}")
    assert response.status_code in (401, 404)
    assert response["Content-Type"].startswith("application/json")


def promised(operation: Any) -> list[Any]:
    """In the fields of a multipart form every number is a text as well: nothing there violates a type."""
    is_form = "multipart/form-data" in operation.get_request_payload_content_types()
    return [check for check in checks if not (is_form and check.__name__ == "negative_data_rejection")]


def run(operation: Any, kind: GenerationMode, key: str, ids: dict[str, list[str]]) -> None:
    mine = promised(operation)
    numbers = iter(range(10**9))

    @seed(SEED)
    @settings(
        max_examples=EACH,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=kind), _unused=st.just(None))
    def one(case: Any, _unused: None) -> None:
        if kind is GenerationMode.POSITIVE:
            meet(case, ids, next(numbers))
        with transaction.atomic():
            response = case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, checks=mine)
            transaction.set_rollback(True)
        tally[f"{kind.value} {response.status_code // 100}xx"] += 1

    one()
