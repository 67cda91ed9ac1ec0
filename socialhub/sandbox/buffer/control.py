"""The control API for Buffer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ..elsewhere import furnish_channel
from ..seeds import EPOCH
from ..state import State
from ..views.control import body_of, problem
from ..world import start
from .oauth import ACCESS_SECONDS, SCOPES, new_grant, new_key, new_tokens
from .pages import kind_of
from .posts import posts_of
from .rows import Account, Channel
from .world import SERVICES, add_account, channels_of, organizations_of

FLAGS = {"isDisconnected": "is_disconnected", "isLocked": "is_locked", "isQueuePaused": "is_queue_paused"}
USUAL_SCOPES = [scope for scope in SCOPES if scope.split(":")[0] not in ("insights", "engagements", "openid")]


@csrf_exempt
@require_POST
def people(request: HttpRequest) -> JsonResponse:
    """A key and tokens without any page, for a new account or a standing one.

    {name?, services?: all, plan?: team} makes an account; {person: "bruno"} takes one. {scopes?} of the tokens, {seconds?}
    that key and access token live, {elsewhere?: 0} posts on each channel that were made in Buffer itself.
    """
    state = start()
    values = body_of(request)
    with state.lock:
        if key := values.get("person"):
            account = next((one for one in state.buffer_accounts.values() if one.key == key), None)
            if account is None:
                return problem(f"There is no account {key!r}.", 404)
        else:
            services = list(values.get("services") or SERVICES)
            if unknown := [one for one in services if one not in SERVICES]:
                return problem(f"There is no service {unknown[0]!r}.")
            name, plan = str(values.get("name") or "Test Account"), str(values.get("plan") or "team")
            account = add_account(state, name, services, EPOCH, plan)
        if count := int(values.get("elsewhere") or 0):
            for organization in organizations_of(state, account.id):
                for row in channels_of(state, organization.id):
                    furnish_channel(state, row, account.id, count)
        return JsonResponse(granted(state, account, values), status=201)


def granted(state: State, account: Account, values: dict[str, Any]) -> dict[str, Any]:
    seconds = float(values.get("seconds") or 0)
    scopes = list(values.get("scopes") or USUAL_SCOPES)
    tokens = new_tokens(state, new_grant(state, account, scopes), scopes, seconds or ACCESS_SECONDS)
    organizations = organizations_of(state, account.id)
    return {
        "person_id": account.id,
        "person": account.key,
        "name": account.name,
        "key": new_key(state, account, "control", seconds).value,
        "access_token": tokens["access_token"],
        "refresh_token": tokens.get("refresh_token"),
        "scopes": scopes,
        "organizations": [{"id": one.id, "name": one.name, "plan": one.plan} for one in organizations],
        "channels": [channel_row(one) for organization in organizations for one in channels_of(state, organization.id)],
    }


def channel_row(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "organization_id": channel.organization_id,
        "service": channel.service,
        "name": channel.name,
        "boards": channel.boards,
        **{name: getattr(channel, attribute) for name, attribute in FLAGS.items()},
    }


@csrf_exempt
@require_POST
def app(request: HttpRequest) -> JsonResponse:
    """{metrics_over_oauth?, quotas?: {"900": 1000, …}}: what the app client may do. Empty quotas: those of the plan."""
    state = start()
    values = body_of(request)
    with state.lock:
        row = state.buffer_apps["app"]
        row.metrics_over_oauth = bool(values.get("metrics_over_oauth", row.metrics_over_oauth))
        row.quotas = {str(window): int(quota) for window, quota in dict(values.get("quotas", row.quotas)).items()}
        state.changed()
        return JsonResponse(vars(row))


@csrf_exempt
@require_POST
def channel(request: HttpRequest) -> JsonResponse:
    """Change a channel.

    {channel, isDisconnected?, isLocked?, isQueuePaused?, subscription_type?, max_characters?, daily_limit?, and to take a
    board away remove_board?: its serviceId}.
    """
    state = start()
    values = body_of(request)
    row = state.buffer_channels.get(str(values.get("channel")))
    if row is None:
        return problem("There is no such channel.", 404)
    with state.lock:
        for name, attribute in FLAGS.items():
            if name in values:
                setattr(row, attribute, bool(values[name]))
        row.subscription_type = str(values.get("subscription_type", row.subscription_type))
        row.max_characters = int(values.get("max_characters", row.max_characters))
        row.boards = [board for board in row.boards if board["serviceId"] != values.get("remove_board")]
        if "daily_limit" in values:
            row.daily_limit = None if values["daily_limit"] is None else int(values["daily_limit"])
        state.changed()
        return JsonResponse(channel_row(row))


@csrf_exempt
@require_POST
def unlink(request: HttpRequest) -> JsonResponse:
    """{channel}: the owner removes the channel from Buffer; its posts go with it."""
    state = start()
    with state.lock:
        row = state.buffer_channels.pop(str(body_of(request).get("channel")), None)
        if row is None:
            return problem("There is no such channel.", 404)
        for post_id in state.buffer_posts_of.pop(row.id, []):
            state.buffer_posts.pop(post_id, None)
        state.changed()
    return JsonResponse({"channel": row.id})


def posts(request: HttpRequest) -> JsonResponse:
    """?channel=: everything that Buffer keeps for it, whatever its status, oldest first."""
    state = start()
    row = state.buffer_channels.get(request.GET.get("channel", ""))
    if row is None:
        return problem("There is no such channel.", 404)
    with state.lock:
        rows = [
            {
                "id": post.id,
                "message": post.text,
                "status": post.status,
                "mode": post.mode,
                "media": len(post.assets),
                "kind": kind_of(post),
                "metadata": post.metadata,
                "error": post.error,
            }
            for post in posts_of(state, row.id)
        ]
    return JsonResponse({"posts": rows})
