"""How the sandbox reads a request: token, path, form or multipart, types, filters, cursors."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from trafficking.platforms.meta.sandbox_media import MULTIPART, multipart
from trafficking.platforms.meta.sandbox_rules import Refusal
from trafficking.platforms.meta.sandbox_updates import MONEY
from trafficking.platforms.sandbox_base import Request

Json = dict[str, Any]

VERSIONS = ("v24.0", "v25.0", "v26.0")
_CONTROL = frozenset({"access_token", "appsecret_proof", "execution_options", "fields", "format", "method"})
_EXPIRED = frozenset({"expired"})  # tokens that the sandbox refuses; any other will do
_FORM = "application/x-www-form-urlencoded"
_FIRST_ID = 120_210_000_000_000_000


def parameters(request: Request) -> dict[str, str]:
    """Query and form together; a body that is no form is refused."""
    params = dict(request.query)
    if request.method == "POST" and request.body:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if content_type == MULTIPART:
            return {**params, **multipart(request)[0]}
        if content_type != _FORM:
            raise Refusal(f"(#100) Unsupported content type {content_type or 'none'}")
        params.update(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return params


def check_token(request: Request, params: Mapping[str, str]) -> None:
    header = request.headers.get("authorization", "")
    scheme, _, in_header = header.partition(" ")
    token = in_header.strip() if scheme in ("Bearer", "OAuth") else ""
    token = token or params.get("access_token", "")
    if not token:
        raise _no_token()
    if token in _EXPIRED:
        raise expired()
    proof = params.get("appsecret_proof")
    if proof is not None and (len(proof) != 64 or set(proof) - set("0123456789abcdef")):
        raise Refusal("Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")


def _no_token() -> Refusal:
    return Refusal(
        "Invalid OAuth access token - Cannot parse access token", code=190, kind="OAuthException", status=401
    )


def expired() -> Refusal:
    return Refusal(
        "Error validating access token: Session has expired.",
        code=190,
        subcode=463,
        kind="OAuthException",
        status=401,
    )


def node_and_edge(path: str) -> tuple[str, str]:
    """(node, edge or "") of `/v26.0/node/edge`."""
    version, _, rest = path.strip("/").partition("/")
    node, _, edge = rest.partition("/")
    if version not in VERSIONS:
        raise Refusal(
            f"(#2635) You are calling a deprecated or unknown version of the Ads API: {version}.", code=2635
        )
    if not node or "/" in edge:
        raise Refusal("Unknown path components", code=2500, kind="OAuthException")
    return node, edge


def typed(kind: str, params: Mapping[str, str], types: Mapping[str, Any]) -> Json:
    """Form fields as values, by the SDK's types; a parameter that Meta doesn't know is refused."""
    body = {}
    for key, text in params.items():
        if key in _CONTROL:
            continue
        schema = types[kind].get(key)
        if schema is None:
            raise Refusal(f"(#100) Param {key} is not known", blame=[[key]])
        body[key] = _value(key, text, schema)
    return body


def _value(key: str, text: str, schema: Mapping[str, Any]) -> Any:
    wanted = schema.get("type")
    if wanted == "string" or key == "adset_id":
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise Refusal(f"(#100) Param {key} must be valid JSON", blame=[[key]]) from None


def check_known(kind: str, body: Json, known: Mapping[str, Any]) -> None:
    """Nested fields, types and enums against the SDK's."""
    for error in known[kind].iter_errors({k: v for k, v in body.items() if k != "adset_id"}):
        way = [str(part) for part in error.instance_path]
        where = way[0] + "".join(f"[{part}]" for part in way[1:]) if way else "body"
        raise Refusal(f"(#100) Param {where}: {error.message}", blame=[way] if way else None)


def as_stored(kind: str, body: Json) -> Json:
    """With Meta's own defaults: what is not created paused is on."""
    defaults: Json = {} if kind == "creative" else {"status": "ACTIVE"}
    if kind == "campaign":
        defaults["buying_type"] = "AUCTION"
    stored = {**defaults, **body}
    return {key: as_answered(key, value) for key, value in stored.items()}


def as_answered(key: str, value: Any) -> Any:
    """Budgets are told as numbers and answered as text."""
    return str(value) if key in MONEY and value is not None else value


def new_id(number: int) -> str:
    return str(_FIRST_ID + number)


def matches(row: Json, params: Mapping[str, str]) -> bool:
    """`filtering` on names, ids and statuses; other fields are refused."""
    for each in list_of(params, "filtering"):
        if not isinstance(each, dict):
            raise Refusal("(#100) Param filtering must be a list of objects", blame=[["filtering"]])
        field, operator, value = each.get("field"), each.get("operator"), each.get("value")
        if field not in ("name", "id", "status", "effective_status"):
            raise Refusal(f"(#100) Filtering field {field!r} with operation {operator!r} is not supported")
        actual = str(row.get(field, ""))
        outcome = {
            "EQUAL": actual == str(value),
            "NOT_EQUAL": actual != str(value),
            "CONTAIN": str(value).lower() in actual.lower(),
            "IN": isinstance(value, list) and actual in value,
        }.get(str(operator))
        if outcome is None:
            raise Refusal(f"(#100) Param filtering[0][operator] {operator!r} is not valid")
        if not outcome:
            return False
    return True


def list_of(params: Mapping[str, str], key: str) -> list[Any]:
    """A parameter that is a list in JSON; empty where it is not sent."""
    try:
        value = json.loads(params.get(key, "[]"))
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise Refusal(f"(#100) Param {key} must be an array", blame=[[key]])
    return value


def whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


def cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"o:{offset}".encode()).decode()


def offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("o:"))
    except ValueError:
        raise Refusal("(#100) Invalid cursor", blame=[["after"]]) from None


def minutes(seconds: float) -> int:
    return -(-int(seconds) // 60) if seconds > 0 else 0
