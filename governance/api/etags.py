"""ETag is the row's version; If-Match on a write refuses one that is based on an older row."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request

from governance.api.errors import Problem, field_problem
from governance.governed import StaleVersion


def etag_of(row: Any) -> str:
    return f'"{row.version}"'


def require_current(request: Request, row: Any) -> None:
    """412 where If-Match names another version, 409 where `version` in the body does; then save compares again."""
    wanted = request.headers.get("If-Match")
    if wanted and wanted.strip() != "*" and etag_of(row) not in _tags(wanted):
        raise Problem(412, "stale_version", StaleVersion(row).messages[0], details={"version": row.version})
    told = request.data.get("version") if isinstance(request.data, dict) else None
    if told is None:
        return
    if not isinstance(told, int) or isinstance(told, bool):
        raise field_problem("version", "invalid", _("The version is a whole number."))
    if told != row.version:
        raise Problem(409, "stale_version", StaleVersion(row).messages[0], details={"version": row.version})


def _tags(header: str) -> set[str]:
    # a proxy that compresses marks tags as weak; the version is the same
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
