"""Tallygate: entitlements, quota and rate limits for the service beside it; what it admits it counts and bills."""

__version__ = "0.1.0"
