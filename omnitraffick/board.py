"""The board: tickets in columns from draft to live; cards are moved by real transitions and follow the workers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from governance.admin_views import change_views, opens_with, views_context
from governance.models import Brand, Channel, Market
from omnitraffick import board_moves
from omnitraffick.board_cards import BY_KEY, COLUMNS, MOST_CARDS, Card, Wanted, cards, fill
from trafficking import live
from trafficking.admin_live import live_item
from trafficking.models import Ticket
from trafficking.selectors import tickets_with_context

PAGE = "board"
#: New tickets that are looked for since the page was drawn.
NEWER = 200
#: People offered as owners; whoever is beyond has "mine" and the ticket list.
MOST_PEOPLE = 200


def urls() -> list[URLPattern]:
    """For the admin site's own namespace."""
    ways: tuple[tuple[str, Any, str], ...] = (
        ("board/", page, "board"), ("board/live/", look, "board_live"), ("board/cards/", some_cards, "board_cards"),
        ("board/move/", move, "board_move"), ("board/views/", views, "board_views"),
    )  # fmt: skip
    return [path(route, admin.site.admin_view(view), name=name) for route, view, name in ways]


def _require_sight(request: HttpRequest) -> None:
    if not request.user.has_perm("trafficking.view_ticket"):
        raise PermissionDenied


def _wanted(request: HttpRequest) -> Wanted:
    given = {name: _key(request.GET, name) for name in ("brand", "market", "channel", "owner")}
    if request.GET.get("mine"):
        given["owner"] = request.user.pk
    return Wanted(**given)


def _key(given: QueryDict, name: str) -> int | None:
    text = given.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    _require_sight(request)
    here = reverse("admin:board")
    if (elsewhere := opens_with(request, PAGE, here=here)) is not None:
        return elsewhere
    wanted = _wanted(request)
    newest = Ticket.objects.aggregate(pk=Max("pk"))["pk"] or 0
    asked = QueryDict(mutable=True)
    asked.update({**request.GET.dict(), "after": str(newest)})
    context = {
        **admin.site.each_context(request), "title": gettext("Board"), "columns": fill(
            request.user, wanted, listed=reverse("admin:trafficking_ticket_changelist")),
        "wanted": wanted, "mine": bool(request.GET.get("mine")), "targets": COLUMNS, "most": MOST_CARDS, "choices": _choices(request),
        "saved_views": views_context(request, PAGE, here=here, target=reverse("admin:board_views")),
        "poll_url": f"{reverse('admin:board_live')}?{asked.urlencode()}",
    }  # fmt: skip
    return TemplateResponse(request, "omnitraffick/board.html", context)


def _choices(request: HttpRequest) -> dict[str, Any]:
    """What may be filtered by: only what is the person's."""
    user = request.user
    people = get_user_model().objects.filter(is_active=True).order_by("username")
    return {
        "brands": Brand.objects.visible_to(user).order_by("code").only("pk", "code", "name"),
        "markets": Market.objects.visible_to(user).order_by("code").only("pk", "code", "name"),
        "channels": Channel.objects.filter(active=True).order_by("code").only("pk", "code", "name"),
        "people": people.only("pk", "username", "first_name", "last_name")[:MOST_PEOPLE],
    }


@require_GET
def look(request: HttpRequest) -> HttpResponse:
    """JSON {items: [{id, key, good, say}]} of ?ids= and of what is newer than ?after=; 304 where nothing has changed."""
    _require_sight(request)
    after = _key(request.GET, "after")
    mine = Ticket.objects.visible_to(request.user)
    asked = Q(pk__in=live.asked_ids(request))
    if after is not None:
        fresh = _wanted(request).of(mine.filter(pk__gt=after, pk__lte=after + NEWER))
        asked |= Q(pk__in=fresh.values("pk"))
    found = live.standings(mine.filter(asked))
    etag = live.etag_of(found)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if live.unchanged(request, etag):
        return HttpResponseNotModified(headers=headers)
    return JsonResponse({"items": [live_item(each) for each in found]}, headers=headers)


@require_GET
def some_cards(request: HttpRequest) -> HttpResponse:
    """JSON {cards: […]} of ?ids= as they stand now."""
    _require_sight(request)
    found = cards(request.user, live.asked_ids(request))
    return JsonResponse({"cards": [_card_json(request, each) for each in found]})


def _card_json(request: HttpRequest, card: Card) -> dict[str, Any]:
    html = render_to_string(
        "omnitraffick/board_card.html", {"card": card, "targets": COLUMNS}, request=request
    )
    return {**live_item(card.standing), "column": card.column, "html": html.strip()}


@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """A card was put on a column: {ticket, to, version} -> what came of it, and the cards as they stand now."""
    _require_sight(request)
    pk, to = _key(request.POST, "ticket"), request.POST.get("to", "")
    mine = Ticket.objects.visible_to(request.user).filter(pk=pk or 0)
    ticket = tickets_with_context().filter(pk__in=mine).first()
    if ticket is None or to not in BY_KEY:
        raise Http404
    if _key(request.POST, "version") != ticket.version:
        text = gettext("It has changed since the board showed it: look at the card again.")
        return _told(request, ticket, board_moves.Moved(False, text))
    return _told(request, ticket, board_moves.move(ticket=ticket, to=to, by=request.user))


def _told(request: HttpRequest, ticket: Ticket, moved: board_moves.Moved) -> HttpResponse:
    changed = [ticket.pk, *([moved.made.pk] if moved.made else [])]
    page_of = reverse("admin:trafficking_ticket_change", args=[(moved.made or ticket).pk])
    return JsonResponse(
        {
            "moved": moved.moved, "text": moved.text, "open": moved.open, "page": page_of,
            "findings": [{"message": each.message, "remedy": each.remedy, "field": each.field} for each in moved.findings],
            "cards": [_card_json(request, each) for each in cards(request.user, changed)],
        }
    )  # fmt: skip


def views(request: HttpRequest) -> HttpResponse:
    """The board's saved views."""
    _require_sight(request)
    return change_views(request, PAGE, here=reverse("admin:board"))
