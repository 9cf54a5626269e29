"""The ways to reach people: one folder each, none knowing another."""
