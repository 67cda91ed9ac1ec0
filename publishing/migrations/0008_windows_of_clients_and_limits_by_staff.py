import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("publishing", "0007_media_kinds_and_follow_ups"),
    ]

    operations = [
        migrations.AddField(
            model_name="ratelimitwindow",
            name="subject",
            field=models.CharField(default="", max_length=60),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "UPDATE publishing_ratelimitwindow SET subject = 'account:' || account_id", migrations.RunSQL.noop
        ),
        migrations.RemoveConstraint(model_name="ratelimitwindow", name="rate_limit_window_once"),
        migrations.AlterField(
            model_name="ratelimitwindow",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rate_limit_windows",
                to="accounts.connectedaccount",
            ),
        ),
        migrations.AddField(
            model_name="ratelimitwindow", name="told_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddConstraint(
            model_name="ratelimitwindow",
            constraint=models.UniqueConstraint(
                fields=("subject", "endpoint", "window_seconds", "window_start"), name="rate_limit_window_once_each"
            ),
        ),
        migrations.CreateModel(
            name="LimitOverride",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("endpoint", models.CharField(max_length=30, verbose_name="group of calls")),
                ("window_seconds", models.PositiveIntegerField(verbose_name="seconds of the window")),
                ("call_limit", models.PositiveIntegerField(verbose_name="calls allowed")),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limit_overrides",
                        to="accounts.connectedaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "endpoint", "window_seconds"), name="limit_override_once"
                    )
                ],
            },
        ),
    ]
