"""How the sandbox is asked (`fields=id,creative{id,name}`), and what it answers about what it doesn't keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trafficking.platforms.meta.sandbox_rules import Refusal

Json = dict[str, Any]
Asked = list[tuple[str, Any]]  # (field, what is asked of what it holds)

#: A convention of this sandbox, for showing what a rejection looks like.
REJECTED_WORD = "REJECTME"
REJECTION = (
    "Unacceptable Business Practices",
    "Your ad wasn't approved because it doesn't follow our Advertising Standards.",
)
#: What is asked of one kind of neighbour only.
_TELLTALE = {"is_published": "page", "username": "instagram", "is_unavailable": "pixel"}
_HEALTHY: Mapping[str, Json] = {
    "account": {
        "account_status": 1, "disable_reason": 0, "funding_source": "100000000001", "is_prepay_account": False,
        "user_tasks": ["DRAFT", "ANALYZE", "ADVERTISE", "MANAGE"],
    },
    "page": {"name": "A page", "is_published": True},
    "instagram": {"username": "an_account"},
    "pixel": {"name": "A pixel", "is_unavailable": False, "last_fired_time": "2026-01-01T00:00:00+0000"},
    "permissions": {"data": [{"permission": "ads_management", "status": "granted"}]},
}  # fmt: skip


def asked_fields(text: str) -> Asked:
    """`id,creative{id,name}` as [("id", []), ("creative", [("id", []), ("name", [])])]."""
    found, rest = _fields(text)
    if rest:
        raise Refusal("(#2500) Syntax error in field expansion.", code=2500)
    return found


def _fields(text: str) -> tuple[Asked, str]:
    found: Asked = []
    while text and text[0] != "}":
        end = next((at for at, char in enumerate(text) if char in ",{}"), len(text))
        name, text = text[:end], text[end:]
        inner: Asked = []
        if text.startswith("{"):
            inner, text = _fields(text[1:])
            if not text.startswith("}"):
                raise Refusal("(#2500) Syntax error in field expansion.", code=2500)
            text = text[1:]
        if name:
            found.append((name, inner))
        text = text.removeprefix(",")
    return found, text


def neighbour_kind(names: Sequence[str]) -> str | None:
    return next((_TELLTALE[name] for name in names if name in _TELLTALE), None)


def healthy(kind: str, node: str) -> Json:
    """An account, page, Instagram account or pixel that nothing is wrong with. What we can't know is left out."""
    return {**_HEALTHY[kind], "id": node}


def not_there(node: str) -> Refusal:
    return Refusal(
        f"Unsupported get request. Object with ID '{node}' does not exist, cannot be loaded due to missing"
        " permissions, or does not support this operation.",
        kind="GraphMethodException",
        subcode=33,
    )


def is_to_be_rejected(creative: Json) -> bool:
    return REJECTED_WORD in json.dumps(creative.get("object_story_spec") or {})


#: The states of Meta's page "Advantage+ Campaign Experience for Sales, App, and Leads", in copies.
_ADVANTAGE = {
    "OUTCOME_SALES": "ADVANTAGE_PLUS_SALES",
    "OUTCOME_APP_PROMOTION": "ADVANTAGE_PLUS_APP",
    "OUTCOME_LEADS": "ADVANTAGE_PLUS_LEADS",
}


def advantage_state(campaign: Json, ad_sets: Sequence[Json]) -> Json:
    """Budget on the campaign, Meta's audience in one ad set at least, and no placement fields in any."""
    targetings = [each.get("targeting") or {} for each in ad_sets]
    budget = bool(campaign.get("daily_budget") or campaign.get("lifetime_budget"))
    audience = any(
        (each.get("targeting_automation") or {}).get("advantage_audience") == 1 for each in targetings
    )
    placements = bool(targetings) and not any(
        key.endswith(("_platforms", "_positions")) for each in targetings for key in each
    )
    whole = budget and audience and placements
    return {
        "advantage_state": _ADVANTAGE.get(campaign["objective"], "DISABLED") if whole else "DISABLED",
        "advantage_budget_state": _on(budget),
        "advantage_audience_state": _on(audience),
        "advantage_placement_state": _on(placements),
    }


def _on(is_on: bool) -> str:
    return "ENABLED" if is_on else "DISABLED"
