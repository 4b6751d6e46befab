"""The driver of test_whole_way.py: runs in a process of its own, on the installation that the environment names.

python -m deploy.tests.whole_way queue     prints the public ids of the queued tickets
python -m deploy.tests.whole_way wait      waits for the end and prints what came of each
"""

from __future__ import annotations

import json
import sys
import time

import django


def queue() -> None:
    from deploy import services
    from governance.models import Grant
    from governance.tests.factories import UserFactory
    from trafficking import services as tickets
    from trafficking.tests.factories import TREES, make_campaign, make_ticket

    trafficker = UserFactory(username="trafficker", roles=["Trafficker"])
    approver = UserFactory(username="approver", roles=["Approver"])
    for person in (trafficker, approver):
        Grant.objects.create(user=person)
    made = []
    for number in range(2):
        for code in TREES:
            campaign = make_campaign(channels=(code,), name=f"Whole Way {number}")
            ticket = make_ticket(code, campaign=campaign, ad_sets=2)
            report = tickets.submit_ticket(ticket=ticket, by=trafficker)
            assert report.passed, report.findings
            tickets.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
            made.append(ticket)
    for ticket in made:
        services.start_deployment(ticket=ticket, by=trafficker)
    sys.stdout.write(json.dumps([str(ticket.public_id) for ticket in made]) + "\n")


def wait(seconds: float = 140) -> None:
    from django_celery_results.models import TaskResult

    from deploy.models import Deployment
    from trafficking.models import Ad, AdSet

    until = time.monotonic() + seconds
    ended = ("SUCCEEDED", "FAILED", "IN_DOUBT")
    while Deployment.objects.exclude(state__in=ended).exists() and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(0.5)  # the task's own result is written after the deployment's
    report = {}
    for deployment in Deployment.objects.select_related("ticket__channel"):
        ticket = deployment.ticket
        result = TaskResult.objects.filter(task_id=str(deployment.public_id)).first()
        report[str(ticket.public_id)] = {
            "platform": ticket.channel.platform,
            "state": deployment.state,
            "reason": deployment.reason,
            "status": ticket.status,
            "campaign": ticket.external_id,
            "ad_sets": list(AdSet.objects.filter(ticket=ticket).values_list("external_id", flat=True)),
            "ads": list(Ad.objects.filter(ad_set__ticket=ticket).values_list("external_id", flat=True)),
            "task": result.status if result else None,
        }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    django.setup()
    {"queue": queue, "wait": wait}[sys.argv[1]]()
