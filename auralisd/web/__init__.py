"""The web side: the page's files, REST, its description, health and metrics."""

from auralisd.web.app import create_app
from auralisd.web.dependencies import WebDependencies

__all__ = ["WebDependencies", "create_app"]
