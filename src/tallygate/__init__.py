"""Tallygate: entitlements, quota and rate limits for the service beside it; what it admits it counts and bills."""

__version__ = "0.1.0"

GARBAGE_THRESHOLDS = (20_000, 50, 1_000)
"""When a process of ours looks for garbage: what a start loads is none, and looking takes an eighth of it."""
