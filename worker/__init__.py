"""Wiring: reads settings, builds objects, runs."""
