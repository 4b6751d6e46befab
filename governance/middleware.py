from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from governance.actor import answering


class ActorMiddleware:
    """Changes made while a request is answered are made by its user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with answering(request):
            return self.get_response(request)
