"""Delivers editions: claim what is due, render, send at the service's rate, record the outcome, tell the operator."""
