"""Secrets at rest stay secret when rows are dumped, and come back from the dump."""

from __future__ import annotations

import pytest
from django.core import serializers

from governance.models import AdAccount
from governance.tests.factories import AdAccountFactory

pytestmark = pytest.mark.django_db
SECRET = "EAAB-token-of-ours"


def test_a_dump_holds_no_secret_and_can_be_loaded():
    account = AdAccountFactory(platform="meta")
    account.credentials = {"access_token": SECRET}
    account.save()
    dump = serializers.serialize("json", AdAccount.objects.filter(pk=account.pk))
    assert SECRET not in dump
    (loaded,) = serializers.deserialize("json", dump)
    assert loaded.object.credentials == {"access_token": SECRET}


def test_history_and_words_of_an_account_hold_no_secret():
    account = AdAccountFactory(platform="meta")
    account.credentials = {"access_token": SECRET}
    account.save()
    assert SECRET not in f"{account} {account!r}"
    assert not hasattr(account.history.first(), "credentials")
