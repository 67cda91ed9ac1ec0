"""What a refusal looks like."""

from __future__ import annotations

import requests


def refusal(response: requests.Response) -> tuple[int, int | None]:
    """Code and subcode of an error envelope that has everything an envelope has."""
    assert response.status_code >= 400, response.text
    error = response.json()["error"]
    assert error["message"]
    assert error["type"]
    assert error["fbtrace_id"]
    return error["code"], error.get("error_subcode")


def accepted(response: requests.Response) -> dict:
    assert response.status_code == 200, response.text
    return response.json()
