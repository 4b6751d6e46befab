"""Reads of what platforms have, within the account's rate budget."""

from __future__ import annotations

from django.utils.translation import gettext as _

from deploy import connections, throttle
from deploy.answers import storable
from trafficking import held
from trafficking.models import Ticket
from trafficking.platforms import base


class Unreadable(Exception):
    """The platform told nothing: `reason` in its words, `after` seconds to stay away (None: unknown)."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after = reason, after


def read_tree(ticket: Ticket, campaign_id: str) -> tuple[base.Live, ...]:
    """The campaign with all under it as the platform has it; () where it is not there. Raises Unreadable."""
    try:
        client = connections.client_for(ticket.ad_account, share="reads")
        found = client.read_tree(campaign_id)
    except throttle.Wait as wait:
        raise Unreadable(str(wait), wait.after) from wait
    except PermissionError as error:
        raise Unreadable(str(error)) from error
    throttle.learn(ticket.ad_account, client.usage)
    if isinstance(found, base.NotFound):
        return ()
    if not isinstance(found, tuple):
        found = storable(found, client.connection.credentials.values())
        raise Unreadable(found.reason, getattr(found, "after", None))
    return found


def refresh_tree(ticket: Ticket) -> tuple[base.Live, ...]:
    """Read the ticket's tree and record it on its platform objects. Raises Unreadable; () where nothing is built."""
    campaign_id = held.campaign_id_of(ticket)
    if not campaign_id:
        return ()
    lives = read_tree(ticket, campaign_id)
    held.record_live(ticket, lives)
    return lives


def read_for_planning(ticket: Ticket) -> str:
    """`trafficking.services.read_live`: why it could not be read, "" where it was."""
    try:
        refresh_tree(ticket)
    except Unreadable as unread:
        return unread.reason or _("no answer")
    return ""
