"""Whose a campaign in an ad account is: by what we built, else by its name, else by whom the account serves."""

from __future__ import annotations

from functools import cached_property

from governance import naming
from governance.models import AdAccount, Brand, NamingConvention
from trafficking.models import PlatformObject


class Belonging:
    """The brands of one account's campaigns, read once."""

    def __init__(self, account: AdAccount) -> None:
        self.account = account

    def brand_of(self, external_id: str, name: str) -> int | None:
        """The brand's id; None where the account serves several and nothing says whose it is."""
        if external_id in self._built:
            return self._built[external_id]
        return self._by_name(name) or self._only_brand

    def _by_name(self, name: str) -> int | None:
        for convention in self._conventions:
            parts = naming.parse(convention, "campaign", name) or {}
            if (brand := self._brands.get(parts.get("brand", "").upper())) is not None:
                return brand
        return None

    @cached_property
    def _built(self) -> dict[str, int]:
        rows = PlatformObject.objects.filter(ad_account=self.account, object_type="campaign")
        return dict(rows.values_list("external_id", "tree__campaign__brand_id"))

    @cached_property
    def _conventions(self) -> list[naming.Convention]:
        """That in force first, then the newest: older campaigns bear older names."""
        rows = NamingConvention.objects.order_by("-in_force", "-number")
        return [each.as_rules() for each in rows]

    @cached_property
    def _brands(self) -> dict[str, int]:
        return {code.upper(): pk for code, pk in Brand.objects.values_list("code", "pk")}

    @cached_property
    def _only_brand(self) -> int | None:
        served = set(self.account.serves.values_list("brand_id", flat=True))
        return served.pop() if len(served) == 1 else None
