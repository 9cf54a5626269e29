"""What any service needs to run, whatever it does: jobs, supervision, locks, logs, timing, text, files, HTTP."""
