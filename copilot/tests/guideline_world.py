"""Documents in the library, read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from copilot.guidelines.indexing import index_document
from copilot.guidelines.library import add_document
from copilot.models import GuidelineDocument

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "guidelines"

GUIDE = """# Acme brand guidelines

## Logo

The Acme logo needs clear space of one anvil's height on every side. Never rotate the logo. The minimum width is 24 pixels.

## Voice

Headlines must not exceed 30 characters. Never use the word "cheap". Do not use exclamation marks.

Every ad must include the line "Handle anvils with care."

## Audience

Our products are for adults: never target people under 18. Do not run ads in Audience Network placements.
"""


def read(name: str, content: str | bytes, **where: Any) -> GuidelineDocument:
    data = content.encode() if isinstance(content, str) else content
    added = add_document(name=name, content=data, by=None, **where)
    index_document(str(added.row.public_id))
    return GuidelineDocument.objects.get(pk=added.row.pk)


def shared_file(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} of the shared guideline documents is not on this machine")
    return path
