"""The commands `template …`: the forms, and what their Word templates may say."""

import click

from pepforms import forms, report


@click.group()
def template() -> None:
    """The forms, and the facts that their Word templates may name."""


@template.command("list")
def template_list() -> None:
    """List the forms: name, title, readers.

    Example: pepforms template list
    """
    for form in forms.catalogue().values():
        click.echo(f"{form.name:<12} {form.title}  ({form.template.name}; for {', '.join(form.audiences)})")


@template.command("fields")
def template_fields() -> None:
    """List every placeholder that a Word template may use, with the words people see for it.

    Example: pepforms template fields
    """
    for placeholder, meaning in report.placeholders():
        click.echo(f"{placeholder:<58} {meaning}")


COMMANDS = (template,)
