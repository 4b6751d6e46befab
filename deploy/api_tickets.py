"""What a person can do about a ticket's deployment: take back, look again, give up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from deploy import services
from deploy.api import StartedBody, status_url
from deploy.models import Deployment
from governance.api.etags import require_current
from governance.api.serializers import StrictBody
from governance.api.viewsets import ApiView
from trafficking.models import Ticket


class WhyBody(StrictBody):
    ALSO = frozenset({"version"})
    comment = serializers.CharField(max_length=2000, help_text="Stands in the history.")


class TicketRunView(ApiView):
    """One service on the ticket of the URL; the answer names the run."""

    permission_model = Deployment
    action_permissions = {None: "trafficking.deploy_ticket"}  # type: ignore[dict-item]

    def _run(
        self, request: Request, ticket_id: str, service: Callable[..., Deployment], **given: Any
    ) -> Response:
        rows = Ticket.objects.visible_to(request.user).select_related(
            "campaign__brand", "campaign__market", "channel", "ad_account"
        )
        ticket = get_object_or_404(rows, public_id=ticket_id)
        require_current(request, ticket)
        run = service(ticket=ticket, by=request.user, **given)
        url = status_url(run.public_id)
        answer = {"task_id": str(run.public_id), "status_url": url}
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": url})


class CompensateView(TicketRunView):
    @extend_schema(request=WhyBody, responses={202: StartedBody}, operation_id="tickets_compensate")
    def post(self, request: Request, id: str) -> Response:
        """Take back what a failed build left: all of it is archived in reverse order, and the ticket cancelled."""
        given = WhyBody(data=request.data).values_or_raise()
        return self._run(request, id, services.compensate, **given)


class LookAgainView(TicketRunView):
    @extend_schema(request=None, responses={202: StartedBody}, operation_id="tickets_look_again")
    def post(self, request: Request, id: str) -> Response:
        """Of a ticket in doubt: the platform is asked once more before anything is sent."""
        return self._run(request, id, services.look_again)


class GiveUpView(TicketRunView):
    @extend_schema(request=WhyBody, responses={202: StartedBody}, operation_id="tickets_give_up")
    def post(self, request: Request, id: str) -> Response:
        """Of a ticket in doubt: the run ends as failed. Say what you found on the platform."""
        given = WhyBody(data=request.data).values_or_raise()
        return self._run(request, id, services.give_up, **given)
