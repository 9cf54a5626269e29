"""The runtime of any service, whatever it does: jobs, supervision, locks, logs, timing."""
