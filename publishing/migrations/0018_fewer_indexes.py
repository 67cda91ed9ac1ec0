from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

# An index that another one begins with is only work for each row that is written. Django would take the foreign keys off
# with it and look through all rows to put them on again, while these tables and those they lead to are shut, all at once;
# without their indexes alone each is shut for a moment, by itself.


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("accounts", "0011_machines"), ("publishing", "0017_story_index")]

    operations: ClassVar = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS publishing_attempt_publication_id_747170fe",
            "CREATE INDEX IF NOT EXISTS publishing_attempt_publication_id_747170fe ON publishing_attempt (publication_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="attempt",
                    name="publication",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="publishing.publication",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS publishing_postmedia_post_id_1cb17197",
            "CREATE INDEX IF NOT EXISTS publishing_postmedia_post_id_1cb17197 ON publishing_postmedia (post_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="postmedia",
                    name="post",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="post_media",
                        to="publishing.post",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS publishing_publication_account_id_36e54ad5",
            "CREATE INDEX IF NOT EXISTS publishing_publication_account_id_36e54ad5 ON publishing_publication (account_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="publication",
                    name="account",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="publications",
                        to="accounts.connectedaccount",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS publishing_publication_post_id_0654c8e1",
            "CREATE INDEX IF NOT EXISTS publishing_publication_post_id_0654c8e1 ON publishing_publication (post_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="publication",
                    name="post",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="publications",
                        to="publishing.post",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS publishing_publicationevent_publication_id_5dacdd92",
            "CREATE INDEX IF NOT EXISTS publishing_publicationevent_publication_id_5dacdd92 ON publishing_publicationevent (publication_id)",
            state_operations=[
                migrations.AlterField(
                    model_name="publicationevent",
                    name="publication",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="publishing.publication",
                    ),
                )
            ],
        ),
    ]
