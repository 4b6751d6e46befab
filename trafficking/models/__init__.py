"""Tickets with their ad sets and ads, the plans compiled from them, approvals, and what platforms hold."""

from trafficking.models.plans import Approval, Plan, PlatformObject
from trafficking.models.tickets import Ticket
from trafficking.models.tree import Ad, AdSet

__all__ = ["Ad", "AdSet", "Approval", "Plan", "PlatformObject", "Ticket"]
