"""Whatever is typed: the preview says the name that saving builds, or that saving refuses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.tests.factories import channel
from trafficking.building import undone
from trafficking.models import Ticket
from trafficking.name_preview import preview_names
from trafficking.tests.factories import make_ticket
from trafficking.tree_services import AdDraft, AdSetDraft, save_tree

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=90
) | st.sampled_from(["Moana Launch", "Families_A", "Моана", "🎬", "a" * 61, "Q3 2026", "", "DIS US"])


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ad_set=TEXTS, ad=TEXTS)
def test_the_preview_says_what_saving_builds(db: Any, ad_set: str, ad: str) -> None:
    with undone():
        ticket = Ticket.objects.get(pk=make_ticket("META").pk)
        drafts = [AdSetDraft(values={"name": ad_set}, ads=[AdDraft(values={"name": ad, "format": "IMAGE"})])]
        campaign, *names = preview_names(ticket, drafts)
        assert campaign.name == ticket.governed_name and channel().code in campaign.name
        try:
            save_tree(ticket=ticket, ad_sets=drafts)
        except ValidationError as refused:
            assert not all(each.name for each in names), refused
            return
        row = ticket.ad_sets.get()
        assert [each.name for each in names] == [row.governed_name, row.ads.get().governed_name]
