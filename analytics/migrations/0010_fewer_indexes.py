from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

# An index that another one begins with is only work for each row that is written. Django would take the foreign keys off
# with it and look through all rows to put them on again, while these tables and those they lead to are shut, all at once;
# without their indexes alone each is shut for a moment, by itself.


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("accounts", "0011_machines"), ("analytics", "0009_workspace_exports")]

    operations: ClassVar = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS analytics_postday_account_id_6e09c0ca",
            "CREATE INDEX IF NOT EXISTS analytics_postday_account_id_6e09c0ca ON analytics_postday (account_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="postday",
                    name="account",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="post_days",
                        to="accounts.connectedaccount",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS analytics_postday_platform_post_id_aab2185d",
            "CREATE INDEX IF NOT EXISTS analytics_postday_platform_post_id_aab2185d ON analytics_postday (platform_post_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="postday",
                    name="platform_post",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="analytics.platformpost",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS analytics_postsnapshot_platform_post_id_72ce662d",
            "CREATE INDEX IF NOT EXISTS analytics_postsnapshot_platform_post_id_72ce662d ON analytics_postsnapshot (platform_post_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="postsnapshot",
                    name="platform_post",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="snapshots",
                        to="analytics.platformpost",
                    ),
                )
            ],
        ),
    ]
