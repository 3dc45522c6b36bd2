"""The register: what batches, deliveries and lists stand on. SQLite by default, PostgreSQL by URL, the same code.

`tables` says what is kept, `store` opens it, `audit` writes down who did what, `files` keeps the files by their
digests. Importing the package imports none of them: SQLAlchemy is slow to load, and few commands need it.
"""
