"""The web: one page for people and a JSON API for systems, on this computer only."""

from pepforms.web.application import create_app

__all__ = ["create_app"]
