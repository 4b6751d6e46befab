from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from copilot.tests.fake_openai import FakeOpenAI, fake_openai


@pytest.fixture
def openai(settings: Any) -> Iterator[FakeOpenAI]:
    cache.clear()
    with fake_openai() as fake:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-planted-key-0123456789", fake.url
        settings.COPILOT_TIMEOUT_S = 5.0
        yield fake
    cache.clear()
