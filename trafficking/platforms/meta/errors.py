"""Meta's answers, read: refused for good, come back later, perhaps done, or a matter of credentials.

Codes and headers are those that Meta's pages on errors and rate limits name, as quoted by public projects, and
those of recorded answers; no live answer was read here. Throttling comes with HTTP 400 more often than 429, and
an `error` body may come with HTTP 200.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from trafficking.platforms.base import InDoubt, NeedsAuth, Rejected, RetryLater, Usage
from trafficking.platforms.http import json_or_none, retry_after_s

Failure = Rejected | RetryLater | InDoubt | NeedsAuth

_THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_AUTH = frozenset({10, 102, 190, *range(200, 300)})
_TRANSIENT = frozenset({1, 2})
#: Auth codes that new credentials don't mend: a person must accept terms, then the same call works.
_TERMS_NOT_ACCEPTED = frozenset({1870034})
_NOT_THERE = (100, 33)
#: An ad set's budget may change four times an hour; then it is blocked for an hour (Meta's page "Rate Limiting").
#: The subcode is from memory of that page.
BUDGET_CHANGES = 1487632
_HOUR_S = 3600.0
_BUDGET_KEYS = ("daily_budget", "lifetime_budget")
#: Subcodes whose answers name no field, with the field that they are about.
_FIELD_OF_SUBCODE = {
    1815430: ("promoted_object",),
    1870227: ("targeting", "targeting_automation", "advantage_audience"),
    4834011: ("is_adset_budget_sharing_enabled",),
    3858081: ("dsa_beneficiary",),
    1487694: ("targeting", "flexible_spec"),
}
_BUDGET_SUBCODES = frozenset({1885621, 1885272, 2446307})
_PARAMETER = re.compile(r"\b[Pp]aram(?:eter)? ['\"]?([a-z_]+)((?:\[['\"]?\w+['\"]?\])*)")


def error_of(answer: Any) -> Mapping[str, Any] | None:
    """The `error` of an answer; None where it is none."""
    error = answer.get("error") if isinstance(answer, Mapping) else None
    return error if isinstance(error, Mapping) else None


def failure(response: requests.Response, answer: Any, body: Any = None) -> Failure | None:
    """What went wrong; None for a proper answer.

    `answer` is the parsed body (None for HTML, cut or empty ones), `body` the operation's, to tell
    which of its fields is meant.
    """
    status = response.status_code
    if status == 429:
        return RetryLater("HTTP 429", waiting_time(response.headers), answer, status)
    if answer is None:
        return InDoubt(f"unreadable answer with HTTP {status}", http_status=status)
    error = error_of(answer)
    if error is not None:
        return _read(error, response, answer, body)
    if status >= 500:
        return InDoubt(f"HTTP {status}", answer, status)
    if status >= 300:
        return Rejected(f"http_{status}", f"HTTP {status}", response=answer, http_status=status)
    return None


def says_not_there(failed: Failure) -> bool:
    """Whether the answer means that no such object exists (or none that this token may see)."""
    error = error_of(failed.response)
    return error is not None and (_number(error, "code"), _number(error, "error_subcode")) == _NOT_THERE


def _read(error: Mapping[str, Any], response: requests.Response, answer: Any, body: Any) -> Failure:
    code, subcode, status = _number(error, "code"), _number(error, "error_subcode"), response.status_code
    words = _words(error)
    if code in _THROTTLED:
        after = waiting_time(response.headers)
        if subcode == BUDGET_CHANGES:
            after = max(after or 0.0, _HOUR_S)
        return RetryLater(f"{code}: {words}", after, answer, status)
    if code in _AUTH and subcode not in _TERMS_NOT_ACCEPTED:
        return NeedsAuth(f"{code}: {words}", answer, status)
    if code in _TRANSIENT or error.get("is_transient") is True or status >= 500:
        return InDoubt(f"{code}: {words}", answer, status)
    full_code = f"{code}.{subcode}" if subcode else str(code)
    return Rejected(full_code, words, _pointer(error, subcode, body), answer, status)


def _number(error: Mapping[str, Any], key: str) -> int:
    try:
        return int(error.get(key) or 0)
    except (TypeError, ValueError):
        return 0


def _words(error: Mapping[str, Any]) -> str:
    """What Meta says to people, else what it says to programs."""
    parts = [str(error[key]) for key in ("error_user_title", "error_user_msg") if error.get(key)]
    return ": ".join(parts) or str(error.get("message") or "no message")


# ------------------------------------------------------------------------------------ which field


def _pointer(error: Mapping[str, Any], subcode: int, body: Any) -> str:
    """JSON pointer of the first field that Meta blames, "" where it blames none that can exist."""
    for way in (*_blamed(error), *_by_subcode(subcode, body), *_by_message(error)):
        if way and all(re.fullmatch(r"\w+", part) for part in way):
            return "/" + "/".join(way)
    return ""


def _blamed(error: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """`error_data.blame_field_specs`: lists of paths, in an object or in JSON text. It may hold prose."""
    data = error.get("error_data")
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except ValueError:
            return
    specs = data.get("blame_field_specs") if isinstance(data, Mapping) else None
    for spec in specs if isinstance(specs, list) else []:
        yield tuple(str(part) for part in spec) if isinstance(spec, list) else (str(spec),)


def _by_subcode(subcode: int, body: Any) -> Iterator[tuple[str, ...]]:
    if subcode in _BUDGET_SUBCODES and isinstance(body, Mapping):
        yield from ((key,) for key in _BUDGET_KEYS if key in body)
    if subcode in _FIELD_OF_SUBCODE:
        yield _FIELD_OF_SUBCODE[subcode]


def _by_message(error: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """`(#100) Param targeting[age_min] must be …`, `The parameter name is required`."""
    if match := _PARAMETER.search(str(error.get("message") or "")):
        yield (match[1], *re.findall(r"\w+", match[2]))


# ---------------------------------------------------------------------------------- when to return


def waiting_time(headers: Mapping[str, str]) -> float | None:
    """Seconds until Meta wants to be asked again; None where no header says.

    `Retry-After` in seconds or as a date, `X-Business-Use-Case-Usage` in minutes,
    `X-Ad-Account-Usage` in seconds. `X-App-Usage` has percentages only.
    """
    waits = [
        retry_after_s(headers.get("Retry-After")),
        _regain_access_s(headers.get("X-Business-Use-Case-Usage")),
        _account_reset_s(headers.get("X-Ad-Account-Usage")),
    ]
    return max((wait for wait in waits if wait), default=None)


def usage(headers: Mapping[str, str]) -> Usage | None:
    """How much of its limits the account has used, by the worst percentage of the three headers; None without them."""
    account, app = _json_header(headers.get("X-Ad-Account-Usage")), _json_header(headers.get("X-App-Usage"))
    calls = _business_uses(headers.get("X-Business-Use-Case-Usage"))
    told = [account.get("acc_id_util_pct")]
    for each in (app, *calls):
        told += [each.get(name) for name in ("call_count", "total_cputime", "total_time")]
    percents = [float(value) for value in told if isinstance(value, int | float)]
    if not percents:
        return None
    share = min(1.0, max(percents) / 100)
    return Usage(share, waiting_time(headers))


def _json_header(text: str | None) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _regain_access_s(header: str | None) -> float | None:
    minutes = [_positive(use.get("estimated_time_to_regain_access")) for use in _business_uses(header)]
    return max(minutes, default=0.0) * 60 or None


def _business_uses(header: str | None) -> list[Mapping[str, Any]]:
    lists = [uses for uses in _json_header(header).values() if isinstance(uses, list)]
    return [use for uses in lists for use in uses if isinstance(use, Mapping)]


def _account_reset_s(header: str | None) -> float | None:
    """The reset counts only for an account that is used up: the header comes with every answer."""
    usage = _json_header(header)
    if _positive(usage.get("acc_id_util_pct")) < 100:
        return None
    return _positive(usage.get("reset_time_duration")) or None


def _positive(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def parsed(response: requests.Response) -> Any:
    """The answer's JSON; None for HTML pages, cut and empty answers, and JSON that is no object."""
    answer = json_or_none(response)
    return answer if isinstance(answer, Mapping) else None
