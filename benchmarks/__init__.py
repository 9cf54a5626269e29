"""Figures that are measured, not tested: each module is a script that says whether its figure holds."""
