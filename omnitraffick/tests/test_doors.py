"""What a browser asks for first: the bare address, and an icon."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.utils import translation

from campaigns.admin import days


def test_the_bare_address_leads_to_the_desk(client: Any) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_the_icon_that_browsers_ask_for_is_ours(client: Any) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert finders.find(answer["Location"].removeprefix("/static/"))


@pytest.mark.parametrize("language", ["en", "de", "pt-br"])
def test_a_flight_names_its_months(language: str) -> None:
    first, last = datetime.date(2027, 2, 3), datetime.date(2027, 3, 2)
    with translation.override(language):
        shown = days(first, last)
    assert "2027" in shown
    assert "02/03" not in shown
    if language == "en":
        assert shown == "Feb\u00a03\u00a0– Mar\u00a02,\u00a02027"
