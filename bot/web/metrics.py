"""Figures for Prometheus. Its client library's only home.

What is counted stands in the database, so that it outlasts restarts and holds for all processes together; only how
long things take is measured here, by the process that does them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.runtime.timing import Timed
from bot.store import Store, closing_state, health_figures
from bot.store.health_figures import Texts

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
LATELY = timedelta(days=2)
"""The deliveries of editions closed since then are counted; all of them would be too many to count at every scrape."""
BUCKETS = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)
KEPT = timedelta(seconds=15)
"""Figures are not looked up more often than that, however many ask."""


@dataclass(slots=True, eq=False)
class _Figures(Collector):
    """What was looked up last, as the library wants to be told it."""

    now: datetime | None = None
    became: Mapping[tuple[str, str], int] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    readers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    written: Mapping[tuple[str, str], Texts] = field(default_factory=dict)
    overdue: Mapping[str, datetime] = field(default_factory=dict)
    halted: Mapping[str, datetime] = field(default_factory=dict)
    polled_at: datetime | None = None

    def collect(self) -> Iterator[Metric]:
        if self.now is None:
            return
        by_state = ("channel", "state")
        yield _gauge(
            "papers_deliveries", "Deliveries of editions closed in the last two days.", by_state, self.became.items()
        )
        told = "Those of them that have a reason, by its code."
        yield _gauge("papers_delivery_reasons", told, ("channel", "state", "code"), self.reasons.items())
        yield _gauge("papers_subscribers", "Subscribers.", ("channel", "status"), self.readers.items())
        by_verdict = ("model", "verdict")
        calls = {key: texts.count for key, texts in self.written.items()}
        yield _gauge("papers_model_texts", "Texts that a language model was asked for.", by_verdict, calls.items())
        tokens = {key: texts.tokens for key, texts in self.written.items()}
        yield _gauge("papers_model_tokens", "Tokens that these texts cost.", by_verdict, tokens.items())
        ages = {(channel,): _seconds(self.now - since) for channel, since in self.overdue.items()}
        told = "Seconds for which the oldest due delivery has been due."
        yield _gauge("papers_oldest_due_seconds", told, ("channel",), ages.items())
        stopped = {(channel,): 1 for channel in self.halted}
        yield _gauge("papers_channel_halted", "Channels that have halted.", ("channel",), stopped.items())
        if self.polled_at is not None:
            age = {(): _seconds(self.now - self.polled_at)}
            yield _gauge("papers_feed_age_seconds", "Seconds since the feed was last read.", (), age.items())


class Metrics:
    """Looks figures up and writes them down."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._figures = _Figures()
        self.registry = CollectorRegistry()
        self.registry.register(self._figures)
        told = {Timed.RENDER: "Seconds to render a message.", Timed.SEND: "Seconds until a service answered."}
        self._times = {
            what: Histogram(f"papers_{what.value}_seconds", says, ["channel"], registry=self.registry, buckets=BUCKETS)
            for what, says in told.items()
        }

    def observe(self, what: Timed, channel: str, seconds: float) -> None:
        """Take down how long something took in this process."""
        self._times[what].labels(channel).observe(seconds)

    async def write(self, now: datetime) -> bytes:
        """The figures at `now`, in Prometheus's text format."""
        figures = self._figures
        if figures.now is None or not figures.now <= now < figures.now + KEPT:
            async with self._store.read() as connection:
                figures.became = await health_figures.count_states(connection, now - LATELY)
                figures.reasons = await health_figures.count_reasons(connection, now - LATELY)
                figures.readers = await health_figures.readers(connection)
                figures.written = await health_figures.written(connection)
                figures.overdue = await health_figures.overdue(connection, now)
                figures.halted = await health_figures.halted(connection)
                figures.polled_at = (await closing_state.load(connection)).polled_at
            figures.now = now
        return generate_latest(self.registry)


def _gauge(
    name: str, told: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _seconds(age: timedelta) -> float:
    return max(0.0, age.total_seconds())
