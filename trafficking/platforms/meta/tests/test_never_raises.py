"""Whatever comes back or is asked for, the answer is an outcome and no exception."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trafficking.platforms.base import Compiled, Held, Operation
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import ACCOUNT, big_ticket
from trafficking.platforms.meta.tests.journey import built
from trafficking.platforms.meta.tests.test_media import client, filed_ticket
from trafficking.platforms.sandbox_base import Request, Response

_WORDS = st.sampled_from(
    ["id", "name", "status", "effective_status", "data", "paging", "next", "cursors", "after", "creative", "targeting",
     "geo_locations", "countries", "images", "hash", "title", "success", "error", "code", "adset_id", "issues_info",
     "ad_review_feedback", "global", "account_status", "user_tasks", "daily_budget", "start_time", "flexible_spec",
     "object_story_spec", "link_data", "child_attachments", "video_status", "is_transient", "error_subcode"]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.sampled_from(["1", "ACTIVE", "ready", "x", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=15,
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        ["X-App-Usage", "X-Ad-Account-Usage", "X-Business-Use-Case-Usage", "Date", "Retry-After"]
    ),
    st.sampled_from(
        ["", "{}", "[]", '{"a": [1]}', '{"a": [{"call_count": "x"}]}', '{"acc_id_util_pct": null}', "soon"]
    ),
    max_size=2,
)


class Babbling(MetaSandbox):
    """Answers anything with the same nonsense."""

    answer: Any = None
    status = 200
    more: dict[str, str] = {}

    def respond(self, request: Request) -> Response:
        return Response.json(self.status, self.answer, self.more)


def _operations() -> list[Operation]:
    there = built(big_ticket())
    changed = replace(big_ticket(), name="DIS_US_META_2026_Other", request_type="UPDATE")
    create = PLATFORM.compile(filed_ticket()).operations
    changes = PLATFORM.compile(changed, there.held()).operations
    return list({(each.action, each.object_type): each for each in (*create, *changes)}.values())


OPERATIONS = _operations()


@given(answer=_JSON, status=st.sampled_from([200, 200, 400, 403, 500]), headers=_HEADERS)
@settings(max_examples=80, deadline=None)
def test_the_client_answers_whatever_it_hears(answer: Any, status: int, headers: dict[str, str]) -> None:
    sandbox = Babbling()
    sandbox.answer, sandbox.status, sandbox.more = answer, status, headers
    made = client(sandbox)
    ids = {ref: "1" for each in OPERATIONS for ref in [*each.parents, *(o.ref for o in each.objects)]}
    for operation in OPERATIONS:
        for ask in (made.apply, made.find, made.validate):
            ask(operation, ids)
    made.preflight()
    made.read_tree("1")
    made.list_campaigns()
    made.list_campaigns(active_only=True)
    made.set_status("ad", "1", "ARCHIVED")
    for object_type in ("campaign", "ad_set", "creative", "ad"):
        made.read(object_type, "1")


_FIELDS = st.dictionaries(
    st.sampled_from(["name", "daily_budget", "targeting.genders", "targeting.age_min", "creative.url_tags", "bid_amount",
                     "creative.object_story_spec.link_data.message", "adset_schedule", "hobbies"]),
    _JSON,
    max_size=5,
)  # fmt: skip


@given(
    live=_FIELDS, applied=_FIELDS, kept=_FIELDS, request=st.sampled_from(["UPDATE", "ADD", "PAUSE", "RENAME"])
)
@settings(max_examples=60, deadline=None)
def test_a_plan_is_made_of_whatever_is_held(
    live: dict[str, Any], applied: dict[str, Any], kept: dict[str, Any], request: str
) -> None:
    operations = PLATFORM.compile(big_ticket()).operations
    adopted = {name: {"live": value, "over": None} for name, value in kept.items()}
    held = [
        Held(
            each.ref,
            each.type,
            "1",
            each.name,
            each.intent,
            each.parent,
            "ACTIVE",
            applied,
            live,
            False,
            adopted,
        )
        for each in PLATFORM.wanted(operations)
    ]
    compiled = PLATFORM.compile(replace(big_ticket(), request_type=request), held)
    assert isinstance(compiled, Compiled)
    PLATFORM.check(compiled.operations)


@given(
    raw=_JSON, object_type=st.sampled_from(["campaign", "ad_set", "creative", "ad", "media", "unheard of"])
)
@settings(max_examples=60, deadline=None)
def test_fields_can_be_read_of_anything(raw: Any, object_type: str) -> None:
    PLATFORM.fields_of(object_type, raw if isinstance(raw, dict) else {})
    PLATFORM.change_kind(object_type, "name", raw, raw)
    assert ACCOUNT.external_id
