from django.db import migrations, models
from django.db.models.functions import Coalesce, Upper

# Punctuation, symbols and emoji part words (see publishing/search.py). A function, because a generated column takes
# only what is declared immutable, and array_to_string is not, though it is for texts.
FUNCTION = r"""
CREATE FUNCTION publishing_plain_words(caption text, campaign text, hashtags text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $words$
    SELECT regexp_replace(
        caption || ' ' || campaign || ' ' || array_to_string(hashtags, ' '),
        '[!-/:-@\[-`{-~\u00A0-\u00BF\u2000-\u2BFF\u3000-\u303F\uFE00-\uFE0F\uFF00-\uFF0F\U0001F000-\U0001FAFF]+',
        ' ', 'g')
$words$
"""

COLUMN = """
ALTER TABLE publishing_post ADD COLUMN words tsvector GENERATED ALWAYS AS (
    to_tsvector('simple'::regconfig, publishing_plain_words(caption, campaign, hashtags::text[]))
    || array_to_tsvector(ARRAY['in:' || workspace_id::text])
) STORED
"""

# A short list of what is not sorted in yet keeps searches fast while much is being published.
INDEX = "CREATE INDEX post_words ON publishing_post USING gin (words) WITH (gin_pending_list_limit = 256)"


class Migration(migrations.Migration):
    dependencies = [("publishing", "0010_autosave_and_posts_by_time")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION publishing_plain_words(text, text, text[])"),
        migrations.RunSQL(COLUMN, "ALTER TABLE publishing_post DROP COLUMN words"),
        migrations.RunSQL(INDEX, "DROP INDEX post_words"),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("workspace"), Coalesce("scheduled_at", "created_at"), models.F("id"), name="post_by_moment"
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("workspace"),
                Upper("campaign"),
                models.F("created_at").desc(),
                models.F("id").desc(),
                condition=models.Q(("campaign", ""), _negated=True),
                name="post_by_campaign",
            ),
        ),
    ]
