"""Signing up and in, profile, workspace, members and their roles."""

from __future__ import annotations

import re
import threading
from typing import Any
from zoneinfo import available_timezones

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.db import connection, connections
from django.test import Client, override_settings
from django.urls import reverse

from accounts.forms import TimeZoneSelect
from accounts.models import Membership, Role, User, Workspace
from accounts.people import Refused, change_role, remove_member
from tests.accounts.conftest import BACKEND, member, sign_in
from tests.factories import make_user, workspace_of

pytestmark = pytest.mark.django_db

PASSWORD = "a long and honest one"
WORKSPACE = reverse("accounts:workspace")
HTMX = {"HX-Request": "true"}


def sign_up(client: Client, email: str = "New@Example.com") -> Any:
    return client.post(reverse("account_signup"), {"email": email, "password1": PASSWORD, "password2": PASSWORD})


def code_in_mail() -> str:
    return re.findall(r"^([A-Z0-9-]{6,12})$", str(mail.outbox[-1].body), re.MULTILINE)[0]


# Signing up and in


def test_signing_up_makes_a_person_with_a_workspace(client: Client) -> None:
    sign_up(client)
    user = User.objects.get(email="new@example.com")
    membership = user.memberships.get()
    assert (membership.role, membership.workspace.name) == (Role.OWNER, "new’s workspace")

    assert client.get(reverse("analytics:dashboard")).status_code == 302  # not before the address is verified
    response = client.post(reverse("account_email_verification_sent"), {"code": code_in_mail()})
    assert response.status_code == 302
    assert client.get(reverse("accounts:social")).status_code == 200
    assert EmailAddress.objects.get(user=user).verified


def test_a_sign_up_that_breaks_leaves_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(user: User) -> None:
        raise RuntimeError

    monkeypatch.setattr("accounts.adapters.create_workspace", broken)
    with pytest.raises(RuntimeError):
        sign_up(client)
    assert not User.objects.exists()


def test_a_second_sign_up_with_the_address_tells_nothing(client: Client) -> None:
    make_user(email="new@example.com")
    response = sign_up(client)
    assert response.status_code == 302
    assert User.objects.count() == Workspace.objects.count() == 1


@override_settings(ACCOUNT_SIGNUP_OPEN=False)
def test_closed_sign_up(client: Client) -> None:
    assert b"closed" in client.get(reverse("account_signup")).content.lower()
    sign_up(client)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password"])
def test_entrance_pages_are_drawn_in_our_frame(client: Client, name: str) -> None:
    text = client.get(reverse(name)).content.decode()
    assert "entrance-card" in text
    assert 'class="field"' in text
    assert 'data-variant="primary"' in text
    assert "style=" not in text


@pytest.mark.parametrize(
    "name",
    ["account_email", "account_change_password", "mfa_index", "usersessions_list", "socialaccount_connections"],
)
def test_settings_pages_are_drawn_in_our_frame(signed_in: Client, name: str) -> None:
    text = signed_in.get(reverse(name)).content.decode()
    assert "settings-page" in text
    assert text.count("<h1") == 1
    assert "style=" not in text


def test_resetting_a_password(client: Client) -> None:
    user = make_user()
    client.post(reverse("account_reset_password"), {"email": user.email})
    link = re.findall(r"http://testserver(/\S+)", str(mail.outbox[-1].body))[0]
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


# Second factor


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_two_factor_secrets_are_sealed_at_rest(signed_in: Client, owner: User) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    signed_in.post(reverse("account_reauthenticate"), {"password": "correct horse"})
    page = signed_in.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    response = signed_in.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert response.status_code == 302, response.content

    totp = Authenticator.objects.get(user=owner, type=Authenticator.Type.TOTP)
    codes = RecoveryCodes(Authenticator.objects.get(user=owner, type=Authenticator.Type.RECOVERY_CODES))
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert secret not in stored
    assert totp.data["secret"] != secret
    assert len(codes.generate_codes()) == 10
    assert all(code not in stored for code in codes.generate_codes())


def test_signing_in_asks_for_the_second_factor(client: Client, owner: User) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    response = client.post(reverse("account_login"), {"login": owner.email, "password": "correct horse"})
    assert response["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("accounts:social")).status_code == 302
    response = client.post(reverse("mfa_authenticate"), {"code": code_of("JBSWY3DPEHPK3PXP")})
    assert response.status_code == 302
    assert client.get(reverse("accounts:social")).status_code == 200


def test_a_lost_key_opens_no_door(client: Client, owner: User) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    with override_settings(FERNET_KEYS=["another-key-of-more-than-thirty-two-characters"]):
        client.post(reverse("account_login"), {"login": owner.email, "password": "correct horse"})
        for code in (code_of("JBSWY3DPEHPK3PXP"), code_of("")):
            assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 422
    assert client.get(reverse("accounts:social")).status_code == 302


def test_staff_signs_in_through_the_same_door(client: Client) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


# Profile


def test_the_profile_is_saved(signed_in: Client, owner: User) -> None:
    address = reverse("accounts:profile")
    assert "Europe/Berlin" in signed_in.get(address).content.decode()
    response = signed_in.post(address, {"name": "Ada Lovelace", "time_zone": "Europe/Berlin"})
    assert response["Location"] == address
    owner.refresh_from_db()
    assert (owner.get_full_name(), owner.time_zone) == ("Ada Lovelace", "Europe/Berlin")


def test_a_made_up_time_zone_is_refused_and_the_name_kept(signed_in: Client, owner: User) -> None:
    response = signed_in.post(reverse("accounts:profile"), {"name": "Ada L.", "time_zone": "Mars/Olympus"})
    assert response.status_code == 422
    assert 'value="Ada L."' in response.content.decode()
    owner.refresh_from_db()
    assert owner.time_zone == "UTC"


def test_an_old_name_of_a_zone_stays_valid(signed_in: Client, owner: User) -> None:
    User.objects.update(time_zone="US/Eastern")
    assert signed_in.post(reverse("accounts:profile"), {"name": "", "time_zone": "US/Eastern"}).status_code == 302


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Port-au-Prince", "US/Eastern", "Mars/Olympus", ""])
def test_the_zone_that_is_chosen_stands_once_in_the_list(zone: str) -> None:
    made = TimeZoneSelect().render("zone", zone, {"id": "id_zone"})
    assert made.startswith('<select id="id_zone" name="zone"><option value="UTC"')
    is_one = zone in available_timezones()
    assert made.count(" selected>") == made.count(f'value="{zone}" selected>') == is_one
    assert made.count(f'value="{zone}"') == is_one


def test_times_are_shown_in_the_persons_zone(signed_in: Client, owner: User) -> None:
    User.objects.update(time_zone="Asia/Kolkata")
    signed_in.get(reverse("accounts:profile"))
    owner.refresh_from_db()
    assert "IST" in signed_in.get(reverse("usersessions_list")).content.decode()


# Workspace


def test_renaming_the_workspace(signed_in: Client, workspace: Workspace) -> None:
    assert signed_in.post(reverse("accounts:workspace_rename"), {"name": "Garage"})["Location"] == WORKSPACE
    workspace.refresh_from_db()
    assert workspace.name == "Garage"


def test_a_name_that_is_too_long_is_kept_in_the_form(signed_in: Client, workspace: Workspace) -> None:
    response = signed_in.post(reverse("accounts:workspace_rename"), {"name": "x" * 121})
    assert response.status_code == 422
    assert "x" * 121 in response.content.decode()
    assert f"<h1>{workspace.name}</h1>" in response.content.decode()


@pytest.mark.parametrize("view", ["workspace_rename", "member_add"])
def test_viewers_and_editors_change_nothing(viewer: Client, editor: Client, view: str) -> None:
    for client in (viewer, editor):
        assert client.get(WORKSPACE).status_code == 200
        assert client.post(reverse(f"accounts:{view}"), {"name": "Mine", "email": "a@b.example"}).status_code == 403


def test_adding_somebody_who_is_here_already(
    signed_in: Client, workspace: Workspace, stranger: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = signed_in.post(reverse("accounts:member_add"), {"email": stranger.email.upper(), "role": "editor"})
    assert response["Location"] == WORKSPACE
    assert Membership.objects.get(workspace=workspace, user=stranger).role == Role.EDITOR
    assert mail.outbox[-1].to == [stranger.email]
    assert workspace.name in mail.outbox[-1].subject


def test_adding_somebody_new_lets_them_choose_a_password(
    signed_in: Client, workspace: Workspace, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        signed_in.post(reverse("accounts:member_add"), {"email": "grace@example.com", "role": "viewer"})
    grace = User.objects.get(email="grace@example.com")
    assert not grace.has_usable_password()
    link = re.findall(r"http://testserver(/\S+)", str(mail.outbox[-1].body))[0]
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    grace.refresh_from_db()
    assert grace.check_password(PASSWORD)


@pytest.mark.parametrize("email", ["nonsense", ""])
def test_a_bad_address_adds_nobody(signed_in: Client, email: str) -> None:
    response = signed_in.post(reverse("accounts:member_add"), {"email": email, "role": "viewer"})
    assert response.status_code == 422
    assert f'value="{email}"' in response.content.decode() or not email
    assert User.objects.count() == 1


def test_adding_a_member_twice_is_told_beside_the_field(signed_in: Client, owner: User) -> None:
    response = signed_in.post(reverse("accounts:member_add"), {"email": owner.email, "role": "viewer"})
    assert response.status_code == 422
    assert "already a member" in response.content.decode()


def test_admins_cannot_make_or_touch_owners(admin_member: Client, workspace: Workspace, owner: User) -> None:
    mine = Membership.objects.get(workspace=workspace, user=owner)
    for address, data in (
        (reverse("accounts:member_add"), {"email": "new@example.com", "role": "owner"}),
        (reverse("accounts:member_role", args=[mine.pk]), {"role": "viewer"}),
        (reverse("accounts:member_remove", args=[mine.pk]), {}),
    ):
        response = admin_member.post(address, data)
        assert response.status_code == 422
        assert "Only an owner can make, change or remove owners." in response.content.decode()
    mine.refresh_from_db()
    assert mine.role == Role.OWNER
    assert not User.objects.filter(email="new@example.com").exists()


def test_the_last_owner_cannot_go(signed_in: Client, workspace: Workspace, owner: User) -> None:
    member(workspace, Role.ADMIN)
    mine = Membership.objects.get(workspace=workspace, user=owner)
    for address, data in (
        (reverse("accounts:member_role", args=[mine.pk]), {"role": "admin"}),
        (reverse("accounts:member_remove", args=[mine.pk]), {}),
    ):
        response = signed_in.post(address, data)
        assert response.status_code == 422
        assert "last owner" in response.content.decode()
    mine.refresh_from_db()
    assert mine.role == Role.OWNER


def test_with_a_second_owner_the_first_may_go(signed_in: Client, workspace: Workspace, owner: User) -> None:
    second = member(workspace, Role.EDITOR)
    theirs = second.memberships.get()
    signed_in.post(reverse("accounts:member_role", args=[theirs.pk]), {"role": "owner"})
    mine = Membership.objects.get(workspace=workspace, user=owner)
    assert signed_in.post(reverse("accounts:member_remove", args=[mine.pk])).status_code == 302
    assert list(workspace.memberships.values_list("user", "role")) == [(second.pk, "owner")]


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_leave_at_once() -> None:
    workspace = workspace_of(make_user())
    member(workspace, Role.OWNER)
    barrier, refused = threading.Barrier(2), []

    def leave(membership: Membership) -> None:
        barrier.wait()
        try:
            remove_member(membership, by=membership)
        except Refused as refusal:
            refused.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=leave, args=[row]) for row in workspace.memberships.all()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert workspace.memberships.count() == 1


def test_an_admin_demoted_meanwhile_cannot_use_an_old_page(workspace: Workspace) -> None:
    admin = member(workspace, Role.OWNER).memberships.get()
    target = workspace.memberships.exclude(pk=admin.pk).get()
    Membership.objects.filter(pk=admin.pk).update(role=Role.ADMIN)
    with pytest.raises(Refused):
        change_role(target, Role.VIEWER, by=admin)


def test_a_viewer_may_leave_but_remove_nobody(viewer: Client, workspace: Workspace, owner: User) -> None:
    mine, other = workspace.memberships.get(role=Role.VIEWER), workspace.memberships.get(user=owner)
    assert viewer.post(reverse("accounts:member_remove", args=[other.pk])).status_code == 403
    assert viewer.post(reverse("accounts:member_remove", args=[mine.pk])).status_code == 302
    assert not Membership.objects.filter(pk=mine.pk).exists()


def test_members_of_other_workspaces_are_not_found(signed_in: Client, stranger: User) -> None:
    theirs = stranger.memberships.get()
    assert signed_in.post(reverse("accounts:member_role", args=[theirs.pk]), {"role": "viewer"}).status_code == 404
    assert signed_in.post(reverse("accounts:member_remove", args=[theirs.pk])).status_code == 404


def test_a_role_that_does_not_exist_is_refused(signed_in: Client, workspace: Workspace) -> None:
    theirs = member(workspace, Role.VIEWER).memberships.get()
    assert signed_in.post(reverse("accounts:member_role", args=[theirs.pk]), {"role": "king"}).status_code == 422


def test_switching_between_own_workspaces(signed_in: Client, owner: User, stranger: User) -> None:
    second = Workspace.objects.create(name="Second")
    Membership.objects.create(workspace=second, user=owner, role=Role.VIEWER)
    assert signed_in.post(reverse("accounts:workspace_switch"), {"workspace": second.pk}).status_code == 302
    assert "<h1>Second</h1>" in signed_in.get(WORKSPACE).content.decode()
    for foreign in (workspace_of(stranger).pk, "nonsense"):
        assert signed_in.post(reverse("accounts:workspace_switch"), {"workspace": foreign}).status_code == 404
    Membership.objects.filter(workspace=second).delete()
    assert "<h1>Second</h1>" not in signed_in.get(WORKSPACE).content.decode()  # falls back to one that is left


def test_a_person_without_a_workspace_is_told_and_can_begin(signed_in: Client, owner: User) -> None:
    owner.memberships.all().delete()
    for address in (reverse("accounts:social"), WORKSPACE, reverse("accounts:notifications")):
        response = signed_in.get(address)
        assert response.status_code == 403
        assert "You belong to no workspace" in response.content.decode()
    assert signed_in.get(reverse("accounts:profile")).status_code == 200
    signed_in.post(reverse("accounts:workspace_new"))
    signed_in.post(reverse("accounts:workspace_new"))
    assert owner.memberships.get().role == Role.OWNER


def test_pages_are_closed_to_the_world(client: Client) -> None:
    for name in ("social", "workspace", "profile", "notifications"):
        response = client.get(reverse(f"accounts:{name}"))
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))


def test_the_frame_costs_two_queries(signed_in: Client, django_assert_max_num_queries: Any) -> None:
    sign_in(make_user())
    signed_in.get(reverse("accounts:profile"))
    # session, user, sessions list, membership; then the frame's memberships and unread notifications
    with django_assert_max_num_queries(8):
        signed_in.get(reverse("accounts:profile"))


def test_backend_of_the_tests_is_the_real_one(settings: Any) -> None:
    assert settings.AUTHENTICATION_BACKENDS == [BACKEND]
