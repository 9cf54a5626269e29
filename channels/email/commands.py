"""`papers email …`: e-mail's own commands. Imports nothing heavy until a command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.channel import Channel, FeedbackHandler, OperatorTools

app = typer.Typer()


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
            help="A Maildir, an mbox, imaps://user:password@host/INBOX, or - for one mail on standard input. "
            "Default: EMAIL_INBOX.",
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the mails by kind.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Process bounces, complaints and unsubscribe requests."""
    operator: OperatorTools = context.obj

    async def work(channel: Channel, feedback: FeedbackHandler) -> None:
        from channels.email.channel import Email
        from channels.email.mailboxes import InboxError

        assert isinstance(channel, Email)
        try:
            counted = await channel.process_mailbox(place, feedback, dry_run=dry_run)
        except InboxError as error:
            raise typer.BadParameter(str(error)) from None
        if json:
            operator.as_json(counted.rows())
        else:
            for line in counted.lines():
                operator.say(line)

    operator.execute(work)
