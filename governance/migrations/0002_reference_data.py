"""The vocabulary that every installation starts with. Rows that are there already are left alone."""

from __future__ import annotations

from django.db import migrations

from governance import reference_data


def alias_key(text):
    return " ".join(text.casefold().split())


def load(apps, schema_editor):
    get = lambda name: apps.get_model("governance", name)  # noqa: E731
    get("NamingConvention").objects.get_or_create(
        number=1, defaults={"in_force": True, "note": "The default that comes with the house."}
    )
    for kind, parameters in reference_data.RULES.items():
        get("QARule").objects.get_or_create(kind=kind, defaults={"parameters": parameters})
    channels = {}
    for row in reference_data.CHANNELS:
        channels[row["code"]], _ = get("Channel").objects.get_or_create(code=row["code"], defaults=row)
    aliases = get("Alias").objects
    for text, code in reference_data.VENDORS.items():
        aliases.get_or_create(
            kind="VENDOR", text_key=alias_key(text),
            defaults={"text": text, "channel": channels.get(code), "not_trafficked": code is None},
        )
    for text, objective in reference_data.OBJECTIVES.items():
        aliases.get_or_create(
            kind="OBJECTIVE", text_key=alias_key(text), defaults={"text": text, "objective": objective}
        )
    for currency, usd in reference_data.RATES.items():
        get("ExchangeRate").objects.get_or_create(
            currency=currency, valid_from=reference_data.RATES_FROM,
            defaults={"usd": usd, "source": reference_data.RATES_SOURCE},
        )


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
