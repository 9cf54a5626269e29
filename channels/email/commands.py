"""`papers email …`: what only e-mail has. Nothing heavy is imported until a command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.channel import Channel, FeedbackHandler, OperatorTools

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def email() -> None:
    """Email tools."""


@app.command()
def bounces(
    context: typer.Context,
    place: Annotated[
        str,
        typer.Argument(
            metavar="[PLACE]",
            help="A Maildir, an mbox, imaps://user:password@host/INBOX, or - for one mail from standard input; "
            "EMAIL_INBOX where none is given.",
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the mails are.")] = False,
) -> None:
    """Read what came back: bounces, complaints, wishes to leave."""
    operator: OperatorTools = context.obj

    async def work(channel: Channel, returns: FeedbackHandler) -> None:
        from channels.email.channel import Email
        from channels.email.mailboxes import InboxError

        assert isinstance(channel, Email)
        try:
            counted = await channel.take_back(place, returns, dry_run=dry_run)
        except InboxError as error:
            raise typer.BadParameter(str(error)) from None
        for line in counted:
            operator.say(line)

    operator.execute(work)
