"""`POST /t/{write_key}`: conversions from the browsers of a source's own sites.

The write key is public, so the door is narrow: pages of the allowed origins only, small bodies, recent events, and so many
a minute from one address and for one source.
"""

from __future__ import annotations

import time
from typing import Any

from axes.helpers import get_client_ip_address
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from governance.api.strict_json import read_json
from tracking.collecting import Client, Origin, collect
from tracking.models import ConversionSource
from tracking.sources import source_of_write_key

MOST_BYTES = 64 * 1024
#: Reports in one body: a page has few.
MOST_REPORTS = 20
#: Requests a minute, from one address for one source, and for one source in all.
PER_ADDRESS, PER_SOURCE = 120, 30_000
_LONGEST_AGENT = 512


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def report(request: HttpRequest, write_key: str) -> HttpResponse:
    """200 with `{"results": [...]}`; 403 for pages of other sites, 413, 429 and 400 as they say."""
    source = source_of_write_key(write_key)
    if source is None:
        return _said(404, _("There is no such source."))
    origin = request.headers.get("Origin", "")
    if origin not in source.allowed_origins:
        return _said(
            403,
            _(
                "Pages of this site may not report to this source: a data admin adds it to the allowed origins."
            ),
        )
    answer = _preflight() if request.method == "OPTIONS" else _taken(request, source)
    answer["Access-Control-Allow-Origin"] = origin
    answer["Access-Control-Allow-Credentials"] = "true"
    answer["Vary"] = "Origin"
    return answer


def _preflight() -> HttpResponse:
    answer = HttpResponse(status=204)
    answer["Access-Control-Allow-Methods"] = "POST"
    answer["Access-Control-Allow-Headers"] = "Content-Type"
    answer["Access-Control-Max-Age"] = "600"
    return answer


def _taken(request: HttpRequest, source: ConversionSource) -> HttpResponse:
    ip = get_client_ip_address(request) or ""
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return _said(413, _("At most 64 kB in one report."))
    if _too_many(f"{source.pk}:{ip}", PER_ADDRESS) or _too_many(str(source.pk), PER_SOURCE):
        answer = _said(429, _("Too many reports: wait a minute."))
        answer["Retry-After"] = "60"
        return answer
    try:
        body = read_json(request.read(MOST_BYTES + 1)[:MOST_BYTES])
    except ValueError:
        return _said(400, _("The body is not legal JSON."))
    reports = body.get("events", [body]) if isinstance(body, dict) else body
    if not isinstance(reports, list) or not 0 < len(reports) <= MOST_REPORTS:
        return _said(400, _("Send one event, or a list of at most 20."))
    client = Client(ip, request.headers.get("User-Agent", "")[:_LONGEST_AGENT])
    outcomes = collect(source, reports, origin=Origin.BROWSER, client=client)
    return JsonResponse({"results": [each.as_report() for each in outcomes]})


def _too_many(who: str, most: int) -> bool:
    """Counted in the cache by the minute: Redis for all workers, else by each process."""
    key = f"collector:{who}:{int(time.time()) // 60}"
    cache.add(key, 0, timeout=120)
    try:
        return cache.incr(key) > most
    except ValueError:  # it has just run out
        return False


def _said(status: int, message: Any) -> JsonResponse:
    return JsonResponse({"error": {"code": status, "message": str(message)}}, status=status)
