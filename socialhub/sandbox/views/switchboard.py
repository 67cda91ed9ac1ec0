"""The switch board: faults by hand."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .. import grants, metrics
from ..buffer.resolvers import METRICS as BUFFER_METRICS
from ..buffer.world import LABELS as BUFFER_LABELS
from ..faults import EDGES, KINDS, switch_on
from ..graph.errors import GraphError
from ..graph.instagram_insights import ACCOUNT_METRICS, MEDIA_METRICS
from ..graph.page_insights import PAGE_METRICS, POST_METRICS, REEL_METRICS, VIDEO_METRICS, VIDEO_POST_METRICS
from ..linkedin.statistics import FACETS, MEMBER_METRICS, TOTALS
from ..state import State
from ..world import start

# What can be taken away, by whose it is.
NAMES: dict[str, list[str]] = {
    "Facebook Pages": [*PAGE_METRICS, "followers_count", "fan_count"],
    "Facebook posts and videos": [*POST_METRICS, *VIDEO_POST_METRICS, *VIDEO_METRICS, *REEL_METRICS],
    "Instagram accounts": [*ACCOUNT_METRICS, "follows_count", "media_count"],
    "Instagram posts": [*MEDIA_METRICS, "like_count", "comments_count", "saved_count", "shares_count"],
    "LinkedIn organizations": [*TOTALS, *FACETS],
    "LinkedIn members": [*MEMBER_METRICS],
    "Buffer": [*BUFFER_METRICS],
}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def board(request: HttpRequest) -> HttpResponse:
    state = start()
    problem = ""
    if request.method == "POST":
        problem = act(request, state)
        if not problem:
            return redirect("switchboard")
    faults = [(fault, KINDS[fault.kind]) for fault in list(state.faults.values())]
    context = {
        "faults": faults,
        "kinds": KINDS.items(),
        "edges": [(grants.LABELS[network], edges) for network, edges in EDGES.items()],
        "networks": [(grants.LABELS[key], people_of(state, key), key) for key in grants.NETWORKS],
        "actions": grants.ACTIONS.items(),
        "scopes": [(grants.LABELS[key], list(scopes)) for key, scopes in grants.SCOPES.items()],
        "accounts": accounts(state),
        "withdrawn": [(one, metrics.WAYS[one.how]) for one in list(state.withdrawn.values())],
        "metrics": NAMES.items(),
        "ways": metrics.WAYS.items(),
        "calls": state.calls.most_common(12),
        "problem": problem,
    }
    return render(request, "sandbox/switchboard.html", context, status=422 if problem else 200)


def accounts(state: State) -> list[tuple[str, str]]:
    """Those people look at: the first Pages and their Instagram accounts."""
    rows = []
    for page in list(state.pages.values())[:20]:
        rows.append((page.id, page.name))
        if page.instagram_id:
            rows.append((page.instagram_id, f"@{state.instagrams[page.instagram_id].username}"))
    rows += [(one.id, f"LinkedIn: {one.name}") for one in list(state.linkedin_members.values())[:10]]
    rows += [(one.id, f"LinkedIn: {one.name}") for one in list(state.linkedin_organizations.values())[:10]]
    rows += [(one.id, f"{BUFFER_LABELS[one.service]}: {one.name}") for one in list(state.buffer_channels.values())[:30]]
    return rows


def people_of(state: State, network: str) -> list[tuple[str, str]]:
    """Whose connections the switches can touch."""
    return [(one.key, one.name) for one in list(grants.NETWORKS[network].people(state))[:20]]


def act(request: HttpRequest, state: State) -> str:
    """Carry out a button; answers what was wrong, or ""."""
    with state.lock:
        if off := request.POST.get("off"):
            if off == "all":
                state.faults.clear()
            else:
                state.faults.pop(off, None)
            state.changed()
            return ""
        if given_back := request.POST.get("give_back"):
            metrics.restore(state, "" if given_back == "all" else given_back)
            return ""
        if "metric" in request.POST:
            name, how = request.POST["metric"], request.POST.get("how", "")
            taken = metrics.withdraw(state, name, how, request.POST.get("account") or "all")
            return "" if taken else "There is no such metric, or no such way of taking it."
        if "reset" in request.POST:
            state.reset()
            return ""
    try:
        if "action" in request.POST:
            network, _, person = request.POST.get("person", "").partition(" ")
            grants.act(state, network, person, request.POST["action"], request.POST.get("scope", ""))
        else:
            switch_on(state, dict(request.POST.items()))
    except GraphError as error:
        return error.message
    except grants.Unknown as error:
        return str(error)
    return ""
