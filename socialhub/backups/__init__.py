"""The whole installation as one file, and back again: `make` writes it, `verify` reads all of it, `restore` puts it in place.

A backup is a ZIP file: each table as PostgreSQL's COPY writes it, each file of the media, and a manifest with the size and
the SHA-256 of every part. We copy the tables ourselves in one snapshot, since a pg_dump that fits the server is not where
most installations run, and because tables made by our own migrations can be put into any PostgreSQL, older or newer.

Access tokens are in it as they are in the database: sealed. The keys that open them are not, only their fingerprints.
"""
