"""Objects that were built before trees existed: find their tree; what was applied is read anew from the platform."""

from django.db import migrations


def find_trees(apps, schema_editor):
    objects = apps.get_model("trafficking", "PlatformObject")
    names = apps.get_model("campaigns", "CampaignChannel")
    for held in objects.objects.select_related("ticket").iterator():
        tree = names.objects.filter(
            campaign_id=held.ticket.campaign_id, channel_id=held.ticket.channel_id
        ).first()
        objects.objects.filter(pk=held.pk).update(tree=tree, applied={}, status="" if held.object_type == "creative" else "PAUSED")


class Migration(migrations.Migration):
    dependencies = [("trafficking", "0002_requests")]

    operations = [migrations.RunPython(find_trees, migrations.RunPython.noop)]
