from __future__ import annotations

from rest_framework.pagination import CursorPagination


class NewestFirstCursor(CursorPagination):
    """Stable under inserts, and as fast on the last page as on the first. `?page_size=` up to 500."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 500
