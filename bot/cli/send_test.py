"""`papers send-test`: one message to one address."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import typer

from bot.channel import LoginError, Personal, Sent
from bot.channel_loader import accounts as served_accounts
from bot.channel_loader import configured
from bot.cli.configuration import configuration
from bot.cli.console import say
from bot.cli.open_service import open_service
from bot.cli.startup import CommandError, WrongError, command
from bot.cli.subscriber_import import AddressArgument, read_address
from bot.delivery.rendering import compose, texts_for
from bot.delivery.session import Session
from bot.model import Address, Cadence
from bot.publishing.feed import sample
from bot.rules.preferences import without_filters
from bot.store import accounts, edition_queries, subscriber_queries


@command
async def send_test(address: AddressArgument) -> None:
    """Send one message to an address now.

    It is the latest edition, or the built-in sample. The address need not be subscribed.
    """
    try:
        named = Address.parse(address)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    name = named.channel
    async with open_service(only=name) as service:
        to = read_address(address, service.store)
        if not service.channels[0].rehearsal and name not in configured(configuration().environ):
            raise WrongError(f"{name} is not set up, so nothing can be sent there: see docs/settings.md.")
        async with service.store.read() as connection:
            edition = await edition_queries.latest(connection, Cadence.DAY) or sample.edition()
            reader = await subscriber_queries.get(connection, to)
            if await subscriber_queries.is_suppressed(connection, to):
                raise CommandError(f"{to} is on the suppression list, so nothing is sent there.")
        if named.account or reader is None:
            to = accounts.resolved(to, await served_accounts([name], configuration().environ, service.store))
        else:
            to = reader.address
        session = _session_for([each.session for each in service.channel_jobs], to)
        wanted = configuration().default_preferences if reader is None else reader.preferences
        wanted = without_filters(wanted)  # a test has to arrive, whatever the reader filters
        texts = await texts_for(service.store, [ranked.paper.id for ranked in edition.papers], wanted)
        message = compose(edition, wanted, session.channel, texts=texts)
        assert message is not None
        try:
            channel = await session.open()
        except LoginError:
            raise
        except Exception as error:  # each channel's library has errors of its own
            why = f"The service of {name} cannot be reached ({type(error).__name__}); `papers doctor` looks closer."
            raise CommandError(why) from error
        outcome = await channel.send(to.recipient, message, Personal(key=uuid.uuid4().hex))
    if not isinstance(outcome, Sent):
        raise CommandError(f"Not sent ({type(outcome).__name__.lower()}): {outcome.reason}.")
    say(f"Sent to {to}.")


def _session_for(sessions: Sequence[Session], address: Address) -> Session:
    """The session of the account that reaches an address. Raises WrongError if that account is not set up."""
    for session in sessions:
        if session.channel.name == address.via:
            return session
    raise WrongError(f"{address.via} is not set up, so nothing can be sent through it: see docs/settings.md.")
