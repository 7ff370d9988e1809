"""Past contests: their records, forecasts of them judged, and what they teach about the dynamics.

Knows everything below, the live update among it.  It must not know charts.
"""
