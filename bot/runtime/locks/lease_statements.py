"""The statements about leases, for PostgreSQL. All instants are the server's, whatever clock a process has."""

FREE = """
    (ends_at <= clock_timestamp() or ends_at > clock_timestamp() + interval '1 minute')
"""
"""A lease that is over. None is renewed for as long as a minute: one that seems to be is from before the server's clock
was set back."""

TIMELINE = "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint * 1000000"
"""The least number of a new lease: a promotion moves it on by a million, for that replica may lack some.

Each promotion begins a new timeline: https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES
"""

TAKE = f"""
    with free as (
        select role from leases where role = :role and {FREE} for update skip locked
    ), taken as (
        update leases
        set number = greatest(number + 1, {TIMELINE}), process = :process, taken_at = clock_timestamp(),
            ends_at = clock_timestamp() + make_interval(secs => :seconds),
            takeovers = takeovers + case when process = '' then 0 else 1 end
        where role in (select role from free)
        returning number
    ), made as (
        insert into leases (role, number, process, taken_at, ends_at, takeovers)
        select cast(:role as varchar), {TIMELINE}, cast(:process as text), clock_timestamp(),
            clock_timestamp() + make_interval(secs => :seconds), 0
        where not exists (select 1 from leases where role = :role)
        on conflict (role) do nothing
        returning number
    )
    select number from taken union all select number from made
"""  # noqa: S608 - ours
"""Takes a role that is free. It is skipped while work of its last holder is being committed (GUARD)."""

RENEW = """
    update leases set ends_at = clock_timestamp() + make_interval(secs => :seconds)
    where (role, number) in (select * from unnest(cast(:roles as varchar[]), cast(:numbers as bigint[])))
    and ends_at > clock_timestamp()
    returning role
"""
"""Renews leases that are not over yet; returns their roles."""

GUARD = """
    select role from leases
    where (role, number) in (select * from unnest(cast(:roles as varchar[]), cast(:numbers as bigint[])))
    and ends_at > clock_timestamp()
    for key share
"""
"""Returns the roles whose leases are not over. `for key share` keeps TAKE from them, and lets RENEW pass."""

HOLDER = f"select process, ends_at from leases where role = :role and not {FREE}"  # noqa: S608 - ours
TAKEN = f"select role from leases where role = any(cast(:roles as varchar[])) and not {FREE}"  # noqa: S608 - ours
HOLDERS = f"select role, process, taken_at, takeovers from leases where not {FREE} order by role"  # noqa: S608 - ours
GIVE_BACK = "update leases set ends_at = clock_timestamp(), process = '' where role = :role and number = :number"
FORGET = "delete from leases where role = :role and number = :number"
SWEEP = """
    delete from leases where role ~ '^(owner|process):' and ends_at < clock_timestamp() - interval '1 hour'
"""
"""Deletes what processes left behind that were killed."""
