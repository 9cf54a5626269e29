"""Metrics for Prometheus; the only module that imports its client library.

Counts come from the database, so that they outlast restarts and cover all processes; durations are measured by the
process that does the work.
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

from bot.runtime.role_status import RoleStatus
from bot.runtime.timing import Timed
from bot.store import Store, closing_state, health_figures, listening_outages, server_setup
from bot.store.health_figures import Texts
from bot.store.listening_outages import ListeningOutage

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
LATELY = timedelta(days=2)
"""Age of the oldest edition whose deliveries are counted; counting all of them at every scrape would take too long."""
BUCKETS = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Upper bounds of the histograms' buckets, in seconds."""
KEPT = timedelta(seconds=15)
"""Time between two queries of the database, however often the metrics are scraped."""


@dataclass(slots=True, eq=False)
class _Figures(Collector):
    """The latest counts, as the client library collects them."""

    status: RoleStatus
    now: datetime | None = None
    became: Mapping[tuple[str, str], int] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    readers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    written: Mapping[tuple[str, str], Texts] = field(default_factory=dict)
    overdue: Mapping[str, datetime] = field(default_factory=dict)
    halted: Mapping[str, datetime] = field(default_factory=dict)
    outages: Mapping[str, ListeningOutage] = field(default_factory=dict)
    polled_at: datetime | None = None
    oldest_snapshot: float | None = None

    def collect(self) -> Iterator[Metric]:
        yield from _of_jobs(self.status)
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
        yield _gauge("papers_llm_texts", "Texts that the LLM was asked for.", by_verdict, calls.items())
        tokens = {key: texts.tokens for key, texts in self.written.items()}
        yield _gauge("papers_llm_tokens", "Tokens that these texts cost.", by_verdict, tokens.items())
        ages = {(channel,): _seconds(self.now - since) for channel, since in self.overdue.items()}
        yield _gauge("papers_delivery_lag_seconds", "Age of the oldest due delivery.", ("channel",), ages.items())
        stopped = {(channel,): 1 for channel in self.halted}
        yield _gauge(
            "papers_channel_halted",
            "Channels whose circuit breaker is open after rejections.",
            ("channel",),
            stopped.items(),
        )
        deaf = {(channel,): _seconds(self.now - outage.since) for channel, outage in self.outages.items()}
        told = "Seconds since a channel last received what readers write; only for those that do not."
        yield _gauge("papers_not_listening_seconds", told, ("channel",), deaf.items())
        if self.polled_at is not None:
            age = {(): _seconds(self.now - self.polled_at)}
            yield _gauge("papers_feed_age_seconds", "Seconds since the feed was last polled.", (), age.items())
        if self.oldest_snapshot is not None:
            told = "Seconds for which PostgreSQL's oldest transaction has kept old rows from being cleaned up."
            yield _gauge("papers_oldest_snapshot_seconds", told, (), [((), self.oldest_snapshot)])


class Metrics:
    """Collects the metrics of one process and of the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.status = RoleStatus()
        """What the jobs of this process do."""
        self._figures = _Figures(self.status)
        self.registry = CollectorRegistry()
        self.registry.register(self._figures)
        described = {Timed.RENDER: "Seconds to render a message.", Timed.SEND: "Seconds until a service answered."}
        self._times = {
            what: Histogram(f"papers_{what.value}_seconds", text, ["channel"], registry=self.registry, buckets=BUCKETS)
            for what, text in described.items()
        }

    def observe(self, what: Timed, channel: str, seconds: float) -> None:
        """Record how long something took in this process."""
        self._times[what].labels(channel).observe(seconds)

    async def write(self, now: datetime) -> bytes:
        """The metrics at `now`, in Prometheus's text format."""
        figures = self._figures
        if figures.now is None or not figures.now <= now < figures.now + KEPT:
            async with self._store.read() as connection:
                figures.became = await health_figures.count_states(connection, now - LATELY)
                figures.reasons = await health_figures.count_reasons(connection, now - LATELY)
                figures.readers = await health_figures.readers(connection)
                figures.written = await health_figures.written(connection)
                figures.overdue = await health_figures.overdue(connection, now)
                figures.outages = await listening_outages.load(connection)
                figures.halted = await health_figures.halted(connection)
                figures.oldest_snapshot = await server_setup.oldest_snapshot(connection)
                figures.polled_at = (await closing_state.load(connection)).polled_at
            figures.now = now
        return generate_latest(self.registry)


def _of_jobs(status: RoleStatus) -> Iterator[Metric]:
    """Metrics of this process's jobs; a job that waits for its locks has no seconds."""
    held = {(name,): status.seconds(job.held_since) for name, job in status.jobs.items()}
    turned = {(name,): status.seconds(job.turned_at) for name, job in status.jobs.items()}
    for name, text, found in (
        ("papers_role_held_seconds", "Seconds for which this process has had a role.", held),
        ("papers_role_turned_seconds", "Seconds since a job of this process last came round.", turned),
    ):
        yield _gauge(name, text, ("role",), [(key, each) for key, each in found.items() if each is not None])
    takeovers = {(name,): job.takeovers for name, job in status.jobs.items()}
    yield _gauge("papers_role_takeovers", "Times that this process has taken a role.", ("role",), takeovers.items())


def _gauge(
    name: str, text: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _seconds(age: timedelta) -> float:
    return max(0.0, age.total_seconds())
