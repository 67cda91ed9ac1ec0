from __future__ import annotations

from django.test import Client

from accounts.models import User


def test_staff_see_every_component(signed_in: Client, owner: User) -> None:
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    page = signed_in.get("/staff/style/?toast=success")
    assert page.status_code == 200
    assert "The post is scheduled" in page.content.decode()


def test_others_find_nothing_there(signed_in: Client) -> None:
    assert signed_in.get("/staff/style/").status_code == 404


def test_an_invalid_field_is_tied_to_its_error(signed_in: Client, owner: User) -> None:
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    page = signed_in.get("/staff/style/").content.decode()
    assert 'id="invalid_title_error"' in page
    assert 'aria-describedby="invalid_title_helptext invalid_title_error"' in page
    assert 'aria-invalid="true"' in page
